package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
	"tidings/store/sqlite/rowids"
)

// Search returns the events of a search in its order, week by week and
// no further than the limit. With those of the other weeks comes which weeks are
// damaged, as event.DamagedWeeks.
func (x *Index) Search(ctx context.Context, s feed.Search) ([]feed.Hit, error) {
	if _, err := compile(s.Query.Where, ""); err != nil {
		return nil, fmt.Errorf("searching: %w", err)
	}
	var hits []feed.Hit
	var damaged event.DamagedWeeks
	for _, week := range s.Weeks {
		if len(hits) >= s.Limit {
			break
		}
		err := x.using(ctx, week, false, func(file *weekFile, _ bool) error {
			found, err := x.searchWeek(ctx, file, s, s.Limit-len(hits))
			hits = append(hits, found...)
			return err
		})
		if found, other := event.SplitDamaged(err); other != nil {
			return nil, failed("searching week "+week.String(), other)
		} else {
			damaged = append(damaged, found...)
		}
	}
	return hits, damaged.Err()
}

// Get returns the events of a workspace that exist among ids, and event.DamagedWeeks
// as Search does.
func (x *Index) Get(ctx context.Context, workspace string, ids []event.ID) ([]event.Event, error) {
	var events []event.Event
	err := x.byWeek(ctx, ids, func(file *weekFile, id event.ID) error {
		r, exists, _, err := file.find(ctx, file.read.run, id)
		if err != nil || !exists || file.nameOf(r.workspaceID) != workspace {
			return err
		}
		e, err := x.documents.unpack(id, workspace, r.doc)
		if err != nil {
			return err
		}
		events = append(events, e)
		return nil
	})
	return events, err
}

// Has returns those of the ids whose events exist, without reading these.
func (x *Index) Has(ctx context.Context, workspace string, ids []event.ID) (map[event.ID]bool, error) {
	has := make(map[event.ID]bool, len(ids))
	err := x.byWeek(ctx, ids, func(file *weekFile, id event.ID) error {
		var workspaceID int64
		highest := rowids.Of(id)
		err := file.read.there.QueryRowContext(ctx, highest-rowids.Probes+1, highest, id[4:]).Scan(&workspaceID)
		if err == nil && file.nameOf(workspaceID) == workspace {
			has[id] = true
		} else if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return err
	})
	return has, err
}

// byWeek looks for events in the files of their weeks, the oldest first.
func (x *Index) byWeek(ctx context.Context, ids []event.ID, look func(*weekFile, event.ID) error) error {
	weeks := make(map[event.Week][]event.ID)
	for _, id := range ids {
		weeks[id.Week()] = append(weeks[id.Week()], id)
	}
	var damaged event.DamagedWeeks
	for _, week := range slices.Sorted(maps.Keys(weeks)) {
		err := x.using(ctx, week, false, func(file *weekFile, _ bool) error {
			near, err := file.near(ctx, weeks[week])
			if err != nil {
				return err
			}
			for _, id := range near {
				if err := look(file, id); err != nil {
					return err
				}
			}
			return nil
		})
		found, other := event.SplitDamaged(err)
		if other != nil {
			return failed("reading events", other)
		}
		damaged = append(damaged, found...)
	}
	return damaged.Err()
}

// manyIDs are so many that it pays to ask first which may be there: of a batch of new
// events nearly none is.
const manyIDs = 8

// near are those of ids among whose rowids anything is.
func (w *weekFile) near(ctx context.Context, ids []event.ID) ([]event.ID, error) {
	if len(ids) < manyIDs {
		return ids, nil
	}
	asked := make([]int64, len(ids))
	for i, id := range ids {
		asked[i] = rowids.Of(id)
	}
	rows, err := w.read.near.QueryContext(ctx, jsonList(asked), rowids.Probes-1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	taken := make(map[int64]bool)
	for rows.Next() {
		var rowid int64
		if err := rows.Scan(&rowid); err != nil {
			return nil, err
		}
		taken[rowid] = true
	}
	near := make([]event.ID, 0, len(taken))
	for _, id := range ids {
		if taken[rowids.Of(id)] {
			near = append(near, id)
		}
	}
	return near, rows.Err()
}

// searchWeek returns at most limit events of one week.
func (x *Index) searchWeek(ctx context.Context, file *weekFile, s feed.Search, limit int) ([]feed.Hit, error) {
	workspaceID, known := file.workspaceIDOf(s.Workspace)
	low, high := rowids.Range(file.week, s)
	if !known || low >= high {
		return nil, nil
	}
	match, err := compileParts(s.Query.Where, partsOf(workspaceID, s.Query.Automated))
	if err != nil || match == "" {
		return nil, err
	}
	if limit <= mostCachedPage && file.events != nil {
		hits, ok, err := x.cachedPage(ctx, file, s, workspaceID, match, low, high, limit)
		if ok || err != nil {
			return hits, err
		}
	}
	rows, err := file.page(ctx, workspaceID, match, low, high, limit, s.Oldest)
	if err != nil {
		return nil, err
	}
	hits := make([]feed.Hit, 0, len(rows))
	for _, r := range rows {
		e, err := x.documents.unpack(r.id, s.Workspace, r.doc)
		if err != nil {
			return nil, err
		}
		hits = append(hits, feed.Hit{Event: e, Key: rowids.KeyOf(file.week, r.rowid)})
	}
	return hits, nil
}

// mostCachedPage is how many events a page asks for at most. Whoever asks for more at once
// reads all there is, once.
const mostCachedPage = 500

// cachedPage is searchWeek by where the events are: those that were read lately are not read
// and unpacked again. It is not ok where rows were being changed meanwhile, or one is not
// there: what matched and what is read must be of one moment.
func (x *Index) cachedPage(
	ctx context.Context, file *weekFile, s feed.Search, workspaceID int64, match string, low, high int64, limit int,
) (hits []feed.Hit, ok bool, err error) {
	changes := file.changes.Load()
	if changes%2 == 1 {
		return nil, false, nil
	}
	at, err := file.pageRowids(ctx, workspaceID, match, low, high, limit, s.Oldest)
	if err != nil {
		return nil, false, err
	}
	found, missing := file.events.find(file, at)
	if missing > 0 {
		unread := make([]int64, 0, missing)
		for i, rowid := range at {
			if found[i] == nil {
				unread = append(unread, rowid)
			}
		}
		read, err := x.eventsAt(ctx, file, s.Workspace, unread)
		if err != nil {
			return nil, false, err
		}
		file.events.put(file, changes, read)
		for i, rowid := range at {
			if found[i] == nil {
				found[i] = read[rowid]
			}
		}
	}
	if file.changes.Load() != changes || slices.Contains(found, nil) {
		return nil, false, nil
	}
	hits = make([]feed.Hit, len(at))
	for i, rowid := range at {
		hits[i] = feed.Hit{Event: *found[i], Key: rowids.KeyOf(file.week, rowid)}
	}
	return hits, true, nil
}

// eventsAt reads the events of a workspace's rows, by rowid.
func (x *Index) eventsAt(ctx context.Context, file *weekFile, workspace string, at []int64) (map[int64]*event.Event, error) {
	rows, err := file.read.rows.QueryContext(ctx, jsonList(at))
	if err != nil {
		return nil, err
	}
	read, err := file.scanRows(rows)
	if err != nil {
		return nil, err
	}
	events := make(map[int64]*event.Event, len(read))
	for _, r := range read {
		e, err := x.documents.unpack(r.id, workspace, r.doc)
		if err != nil {
			return nil, err
		}
		events[r.rowid] = &e
	}
	return events, nil
}

// jsonList is numbers as SQLite's json_each reads them.
func jsonList(numbers []int64) string {
	list := []byte("[")
	for i, number := range numbers {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, number, 10)
	}
	return string(append(list, ']'))
}

// partsOf are the parts of a workspace that a choice about automated events
// asks for.
func partsOf(workspaceID int64, choice query.Automated) []string {
	switch choice {
	case query.AutomatedShow:
		return []string{part(workspaceID, false), part(workspaceID, true)}
	case query.AutomatedOnly:
		return []string{part(workspaceID, true)}
	}
	return []string{part(workspaceID, false)}
}

// page reads the rows of a workspace that an expression matches in [low, high), newest
// first or oldest first.
func (w *weekFile) page(ctx context.Context, workspaceID int64, match string, low, high int64, limit int, oldest bool) ([]row, error) {
	if w.numbers != nil {
		at, err := w.pageRowids(ctx, workspaceID, match, low, high, limit, oldest)
		if err != nil {
			return nil, err
		}
		return w.rowsAt(ctx, at)
	}
	page := w.read.page
	if oldest {
		page = w.read.pageOldest
	}
	rows, err := page.QueryContext(ctx, match, low, high, limit)
	if err != nil {
		return nil, err
	}
	return w.scanRows(rows)
}

// pageRowids are where page finds its rows, in its order.
func (w *weekFile) pageRowids(ctx context.Context, workspaceID int64, match string, low, high int64, limit int, oldest bool) ([]int64, error) {
	page := w.read.rowidsNewest
	if oldest {
		page = w.read.rowidsOldest
	}
	return w.found(ctx, page, workspaceID, match, low, high, limit)
}

// found are the rowids of what a statement finds among the words of a workspace's rows
// [low, high).
func (w *weekFile) found(ctx context.Context, ask *sql.Stmt, workspaceID int64, match string, low, high int64, more ...any) ([]int64, error) {
	from, until, err := w.numbersIn(ctx, workspaceID, low, high)
	if err != nil || from >= until {
		return nil, err
	}
	rows, err := ask.QueryContext(ctx, append([]any{match, from, until}, more...)...)
	if err != nil {
		return nil, err
	}
	found, err := scanRowids(rows)
	if err != nil {
		return nil, err
	}
	return found, w.toRowids(ctx, workspaceID, found)
}

// rowsAtOnce is how many rows are asked for by one statement.
const rowsAtOnce = 500

// rowsAt reads rows in an order. In a file in which words are found by number nothing is
// written meanwhile: what is found is there.
func (w *weekFile) rowsAt(ctx context.Context, at []int64) ([]row, error) {
	all := make([]row, 0, len(at))
	for some := range slices.Chunk(at, rowsAtOnce) {
		rows, err := w.read.rows.QueryContext(ctx, jsonList(some))
		if err != nil {
			return nil, err
		}
		read, err := w.scanRows(rows)
		if err != nil {
			return nil, err
		}
		byRowid := make(map[int64]row, len(read))
		for _, r := range read {
			byRowid[r.rowid] = r
		}
		for _, rowid := range some {
			r, there := byRowid[rowid]
			if !there {
				return nil, fmt.Errorf("%w: row %d is not there", errNumbers, rowid)
			}
			all = append(all, r)
		}
	}
	return all, nil
}

func (w *weekFile) scanRows(rows *sql.Rows) ([]row, error) {
	defer rows.Close()
	var all []row
	for rows.Next() {
		r, err := w.scanRow(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
