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
	asked := []byte("[")
	for i, id := range ids {
		if i > 0 {
			asked = append(asked, ',')
		}
		asked = strconv.AppendInt(asked, rowids.Of(id), 10)
	}
	rows, err := w.read.near.QueryContext(ctx, string(append(asked, ']')), rowids.Probes-1)
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
	rows, err := file.page(ctx, match, low, high, limit, s.Oldest)
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

// page reads the rows that an expression matches in [low, high), newest first or
// oldest first.
func (w *weekFile) page(ctx context.Context, match string, low, high int64, limit int, oldest bool) ([]row, error) {
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
