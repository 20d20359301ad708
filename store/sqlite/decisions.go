package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"tidings/event"
	"tidings/notify"
)

func unread(d notify.Decision) bool {
	return !d.Read && d.Outcome == notify.Notified && !d.Shadow
}

func readerOf(d notify.Decision) notify.Reader {
	return notify.Reader{Workspace: d.Workspace, User: d.User}
}

// Add writes decisions that are not there yet.
func (n *Notify) Add(ctx context.Context, decisions []notify.Decision) error {
	added := make(map[notify.Reader]int)
	for _, d := range decisions {
		if unread(d) {
			added[readerOf(d)] = 0
		}
	}
	n.unread.begin(added)
	err := transact(ctx, n.writer, func(tx *sql.Tx) error {
		add := tx.StmtContext(ctx, n.add)
		for _, d := range decisions {
			doc, err := json.Marshal(d)
			if err != nil {
				return err
			}
			done, err := add.ExecContext(ctx,
				d.Workspace, d.ID, d.User, d.At, d.Event.String(), d.Message, d.Kind, d.Outcome, unread(d), d.Version, doc)
			if err != nil {
				return err
			}
			if rows, err := done.RowsAffected(); err == nil && rows == 1 && unread(d) {
				added[readerOf(d)]++
			}
		}
		return nil
	})
	if err != nil {
		n.unread.failed(added)
		return failed("adding decisions", err)
	}
	n.unread.added(added)
	return nil
}

// Replace writes a decision over the version before.
func (n *Notify) Replace(ctx context.Context, d notify.Decision) (bool, error) {
	doc, err := json.Marshal(d)
	if err != nil {
		return false, fmt.Errorf("replacing a decision: %w", err)
	}
	done, err := n.writer.ExecContext(ctx, `UPDATE decision SET at = ?, kind = ?, outcome = ?, unread = ?, version = ?, doc = ?
		WHERE space = ? AND id = ? AND version = ?`, d.At, d.Kind, d.Outcome, unread(d), d.Version, doc, d.Workspace, d.ID, d.Version-1)
	n.unread.forget(readerOf(d))
	if err != nil {
		return false, failed("replacing a decision", err)
	}
	rows, err := done.RowsAffected()
	return rows == 1, failed("replacing a decision", err)
}

// OfEvents returns all decisions about events.
func (n *Notify) OfEvents(ctx context.Context, about []notify.About) ([]notify.Decision, error) {
	pairs := make([][2]string, len(about))
	for i, one := range about {
		pairs[i] = [2]string{one.Workspace, one.Event.String()}
	}
	asked, err := json.Marshal(pairs)
	if err != nil {
		return nil, failed("reading decisions", err)
	}
	rows, err := n.ofEvents.QueryContext(ctx, string(asked))
	return decisionsOf(rows, err)
}

// Page returns decisions, newest first.
func (n *Notify) Page(ctx context.Context, workspace string, f notify.Filter, after string, most int) ([]notify.Decision, string, error) {
	where, args := []string{"space = ?"}, []any{workspace}
	and := func(condition string, values ...any) { where, args = append(where, condition), append(args, values...) }
	for column, value := range map[string]string{"id": f.ID, "user": f.User, "outcome": string(f.Outcome), "kind": string(f.Kind), "message": f.Message} {
		if value != "" {
			and(column+" = ?", value)
		}
	}
	if f.Unread {
		and("unread")
	}
	if after != "" {
		at, id, _ := strings.Cut(after, ".")
		millis, err := strconv.ParseInt(at, 10, 64)
		if err != nil || id == "" {
			return nil, "", failed("reading decisions", event.Invalid("cursor", "is not a position"))
		}
		and("(at, id) < (?, ?)", millis, id)
	}
	rows, err := n.reader.QueryContext(ctx, "SELECT doc, unread FROM decision WHERE "+strings.Join(where, " AND ")+
		" ORDER BY at DESC, id DESC LIMIT +?", append(args, most)...)
	page, err := decisionsOf(rows, err)
	if err != nil || len(page) < most {
		return page, "", err
	}
	last := page[len(page)-1]
	return page, strconv.FormatInt(last.At, 10) + "." + last.ID, nil
}

func decisionsOf(rows *sql.Rows, err error) ([]notify.Decision, error) {
	if err != nil {
		return nil, failed("reading decisions", err)
	}
	defer rows.Close()
	var all []notify.Decision
	for rows.Next() {
		var doc []byte
		var unread bool
		if err := rows.Scan(&doc, &unread); err != nil {
			return nil, failed("reading decisions", err)
		}
		var d notify.Decision
		if err := json.Unmarshal(doc, &d); err != nil {
			return nil, failed("reading decisions", err)
		}
		d.Read = d.Outcome == notify.Notified && !d.Shadow && !unread
		all = append(all, d)
	}
	return all, failed("reading decisions", rows.Err())
}

// Unread counts what each has not read.
func (n *Notify) Unread(ctx context.Context, readers []notify.Reader, most int) ([]int, error) {
	counts, ages := make([]int, len(readers)), make([]uint64, len(readers))
	var asked [][3]any
	for i, reader := range readers {
		count, known, age := n.unread.of(reader)
		if counts[i], ages[i] = count, age; !known {
			asked = append(asked, [3]any{reader.Workspace, reader.User, i})
		}
	}
	if len(asked) > 0 {
		if err := n.countEach(ctx, asked, counts); err != nil {
			return nil, failed("counting notifications", err)
		}
		for _, one := range asked {
			i, _ := one[2].(int)
			n.unread.know(readers[i], counts[i], ages[i])
		}
	}
	for i := range counts {
		counts[i] = min(counts[i], most)
	}
	return counts, nil
}

// countEach counts for those asked, each a workspace, a user and where its count goes.
func (n *Notify) countEach(ctx context.Context, asked [][3]any, counts []int) error {
	all, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	rows, err := n.countUnread.QueryContext(ctx, string(all), countsTo)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var i, count int
		if err := rows.Scan(&i, &count); err != nil {
			return err
		}
		counts[i] = count
	}
	return rows.Err()
}

// Read marks what a user was notified of as read.
func (n *Notify) Read(ctx context.Context, workspace, user string, ids []string) error {
	only, args := "", []any{workspace, user}
	if len(ids) > 0 {
		only = " AND id IN (?" + strings.Repeat(",?", len(ids)-1) + ")"
		for _, id := range ids {
			args = append(args, id)
		}
	}
	defer n.unread.forget(notify.Reader{Workspace: workspace, User: user})
	_, err := n.writer.ExecContext(ctx, "UPDATE decision SET unread = 0 WHERE space = ? AND user = ? AND unread"+only, args...)
	return failed("marking notifications as read", err)
}
