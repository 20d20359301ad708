package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"tidings/deliver"
	"tidings/event"
)

// outboxSchema is what makes the file of deliveries. The column place is a workspace and an
// endpoint with a bar between.
var outboxSchema = []string{`-- keep deliveries
CREATE TABLE delivery(
	n INTEGER PRIMARY KEY, space TEXT NOT NULL, id TEXT NOT NULL, place TEXT NOT NULL, state TEXT NOT NULL,
	at INTEGER NOT NULL, due INTEGER NOT NULL, lease INTEGER NOT NULL, ended INTEGER NOT NULL, doc BLOB NOT NULL,
	UNIQUE(space, id));
CREATE INDEX delivery_due ON delivery(place, due) WHERE state = 'waiting';
CREATE INDEX delivery_listed ON delivery(space, at, id);
CREATE INDEX delivery_of_place ON delivery(place, at, id);
CREATE INDEX delivery_ended ON delivery(ended) WHERE ended > 0;`}

// Outbox keeps deliveries in a file of its own: the state's has one writer, which the
// indexer needs.
type Outbox struct {
	path           string
	writer, reader *sql.DB

	// turn is of who writes what waits in resolves.
	turn, mu sync.Mutex
	resolves []*resolving
}

// OpenOutbox opens the file, making it where there is none.
//
//nolint:contextcheck // a store outlives the call that opens it
func OpenOutbox(path string) (*Outbox, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("opening the outbox: %w", err)
	}
	o := &Outbox{path: path}
	var err error
	if o.writer, err = openPool(path, access{write: true, overwrites: true, cacheKB: 4 << 10, connections: 1}); err == nil {
		if err = upgrade(context.Background(), o.writer, "the outbox", outboxSchema); err == nil {
			o.reader, err = openPool(path, access{cacheKB: 2 << 10, connections: 2})
		}
	}
	if err != nil {
		return nil, failed("opening the outbox", errors.Join(err, o.Close()))
	}
	return o, nil
}

// Check runs SQLite's checks over the whole file. What they find is a Degraded.
func (o *Outbox) Check(ctx context.Context) error {
	return checkPages(ctx, o.reader, "deliveries.db", "restore a backup into a new directory (tidings restore), "+
		"or start once with --begin-anew=deliveries.db: what was not delivered yet is lost with it")
}

// Mark has the file belong to an installation; see Mark.
func (o *Outbox) Mark(ctx context.Context, installation string) error {
	return failed("marking the outbox", putMark(ctx, o.writer, installation))
}

// Close closes the file.
func (o *Outbox) Close() error { return closePools(nil, o.reader, o.writer) }

// Backup writes it into a file, from where OpenOutbox opens it.
func (o *Outbox) Backup(ctx context.Context, path string) error {
	return failed("backing up the outbox", errors.Join(snapshot(ctx, path, o.path), syncDirectory(filepath.Dir(path))))
}

// endpointOf is an endpoint as the column place has it: a workspace has no bar in it.
func endpointOf(workspace, endpoint string) string { return workspace + "|" + endpoint }

// Add writes those that are not there yet.
func (o *Outbox) Add(ctx context.Context, deliveries []deliver.Delivery) error {
	err := transact(ctx, o.writer, func(tx *sql.Tx) error {
		for _, d := range deliveries {
			doc, err := json.Marshal(d)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO delivery(space, id, place, state, at, due, lease, ended, doc) VALUES(?,?,?,?,?,?,?,?,?)
				ON CONFLICT DO NOTHING`, d.Workspace, d.ID, endpointOf(d.Workspace, d.Endpoint), d.State, d.At, d.Due, d.Lease, d.Ended, doc)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return failed("adding deliveries", err)
}

// dueSQL skips from one endpoint to the next in the index, however many wait at each.
const dueSQL = `WITH RECURSIVE p(x) AS (
	SELECT min(place) FROM delivery WHERE state = 'waiting'
	UNION ALL SELECT (SELECT min(place) FROM delivery WHERE state = 'waiting' AND place > x) FROM p WHERE x IS NOT NULL)
	SELECT x FROM p WHERE x IS NOT NULL AND EXISTS (
		SELECT 1 FROM delivery WHERE state = 'waiting' AND place = x AND due <= ?1 AND lease <= ?1)`

// Due are the endpoints where something is due.
func (o *Outbox) Due(ctx context.Context, now time.Time) ([]deliver.EndpointKey, error) {
	rows, err := o.reader.QueryContext(ctx, dueSQL, now.UnixMilli())
	if err != nil {
		return nil, failed("finding what is due", err)
	}
	defer rows.Close()
	var due []deliver.EndpointKey
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, failed("finding what is due", err)
		}
		workspace, endpoint, _ := strings.Cut(text, "|")
		due = append(due, deliver.EndpointKey{Workspace: workspace, Endpoint: endpoint})
	}
	return due, failed("finding what is due", rows.Err())
}

// Claim puts some of each endpoint's under a lease, all in one transaction.
func (o *Outbox) Claim(ctx context.Context, wants []deliver.Want, now, lease time.Time) ([]deliver.Delivery, error) {
	var claimed []deliver.Delivery
	err := transact(ctx, o.writer, func(tx *sql.Tx) error {
		for _, want := range wants {
			rows, err := tx.QueryContext(ctx, `SELECT n, doc FROM delivery WHERE state = 'waiting' AND place = ? AND due <= ? AND lease <= ?
				ORDER BY due, n LIMIT +?`, endpointOf(want.Workspace, want.Endpoint), now.UnixMilli(), now.UnixMilli(), want.Most)
			if err != nil {
				return err
			}
			found, err := scanDeliveries(rows)
			if err != nil {
				return err
			}
			for _, each := range found {
				each.d.Lease = lease.UnixMilli()
				if err := each.write(ctx, tx); err != nil {
					return err
				}
				claimed = append(claimed, each.d)
			}
		}
		return nil
	})
	if err != nil {
		return nil, failed("claiming deliveries", err)
	}
	return claimed, nil
}

// resolving is a call of Resolve, and what became of it.
type resolving struct {
	d     deliver.Delivery
	lease int64
	done  bool
	err   error
}

// Resolve writes what became of one. Calls that come while another is at the disk are written
// in one transaction after it, by the first of them.
func (o *Outbox) Resolve(ctx context.Context, d deliver.Delivery, lease int64) error {
	one := &resolving{d: d, lease: lease}
	o.mu.Lock()
	o.resolves = append(o.resolves, one)
	o.mu.Unlock()
	o.turn.Lock()
	defer o.turn.Unlock()
	if one.done {
		return one.err
	}
	o.mu.Lock()
	all := o.resolves
	o.resolves = nil
	o.mu.Unlock()
	// That one caller has ended is no reason for the others.
	ctx = context.WithoutCancel(ctx)
	err := transact(ctx, o.writer, func(tx *sql.Tx) error {
		for _, each := range all {
			if err := each.write(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	for _, each := range all {
		each.done = true
		if err != nil {
			each.err = failed("resolving a delivery", err)
		}
	}
	return one.err
}

// write writes it where it is still under its lease.
func (r *resolving) write(ctx context.Context, tx *sql.Tx) error {
	doc, err := json.Marshal(r.d)
	if err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `UPDATE delivery SET state = ?, due = ?, lease = ?, ended = ?, doc = ?
		WHERE space = ? AND id = ? AND state = 'waiting' AND lease = ?`, r.d.State, r.d.Due, r.d.Lease, r.d.Ended, doc, r.d.Workspace, r.d.ID, r.lease)
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		r.err = fmt.Errorf("resolving a delivery: %w", event.ErrConflict)
	}
	return err
}

// keptDelivery is a row.
type keptDelivery struct {
	n int64
	d deliver.Delivery
}

func (k keptDelivery) write(ctx context.Context, tx *sql.Tx) error {
	doc, err := json.Marshal(k.d)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE delivery SET state = ?, due = ?, lease = ?, ended = ?, doc = ? WHERE n = ?",
		k.d.State, k.d.Due, k.d.Lease, k.d.Ended, doc, k.n)
	return err
}

func scanDeliveries(rows *sql.Rows) ([]keptDelivery, error) {
	defer rows.Close()
	var found []keptDelivery
	for rows.Next() {
		var each keptDelivery
		var doc []byte
		if err := rows.Scan(&each.n, &doc); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(doc, &each.d); err != nil {
			return nil, err
		}
		found = append(found, each)
	}
	return found, rows.Err()
}

// chosen is the condition of a filter, after a cursor.
func chosen(workspace string, f deliver.Filter, after string) (where string, args []any, err error) {
	var terms []string
	term := func(text string, values ...any) { terms, args = append(terms, text), append(args, values...) }
	if f.Endpoint != "" {
		term("place = ?", endpointOf(workspace, f.Endpoint))
	} else {
		term("space = ?", workspace)
	}
	if f.State != "" {
		term("state = ?", f.State)
	}
	if f.Since != 0 {
		term("at >= ?", f.Since)
	}
	if f.Until != 0 {
		term("at < ?", f.Until)
	}
	if len(f.IDs) > 0 {
		marks := make([]string, len(f.IDs))
		for i, id := range f.IDs {
			marks[i], args = "?", append(args, id)
		}
		terms = append(terms, "id IN ("+strings.Join(marks, ",")+")")
	}
	if after != "" {
		at, id, _ := strings.Cut(after, ".")
		millis, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return "", nil, event.Invalid("cursor", "is not one of this list")
		}
		term("(at, id) < (?, ?)", millis, id)
	}
	return strings.Join(terms, " AND "), args, nil
}

// List returns deliveries, newest first.
func (o *Outbox) List(ctx context.Context, workspace string, filter deliver.Filter, after string, most int) ([]deliver.Delivery, string, error) {
	where, args, err := chosen(workspace, filter, after)
	if err != nil {
		return nil, "", err
	}
	rows, err := o.reader.QueryContext(ctx, "SELECT n, doc FROM delivery WHERE "+where+" ORDER BY at DESC, id DESC LIMIT +?", append(args, most)...)
	if err != nil {
		return nil, "", failed("listing deliveries", err)
	}
	found, err := scanDeliveries(rows)
	if err != nil {
		return nil, "", failed("listing deliveries", err)
	}
	var list []deliver.Delivery
	next := ""
	for _, each := range found {
		list = append(list, each.d)
		next = fmt.Sprintf("%d.%s", each.d.At, each.d.ID)
	}
	if len(list) < most {
		next = ""
	}
	return list, next, nil
}

// changeBatch is how many are changed in one transaction.
const changeBatch = 500

// Change applies change to what a filter chooses.
func (o *Outbox) Change(ctx context.Context, workspace string, filter deliver.Filter, change func(*deliver.Delivery) bool) (int, error) {
	changed, after := 0, ""
	for {
		where, args, err := chosen(workspace, filter, after)
		if err != nil {
			return changed, err
		}
		seen := 0
		err = transact(ctx, o.writer, func(tx *sql.Tx) error {
			rows, err := tx.QueryContext(ctx, "SELECT n, doc FROM delivery WHERE "+where+" ORDER BY at DESC, id DESC LIMIT +?", append(args, changeBatch)...)
			if err != nil {
				return err
			}
			found, err := scanDeliveries(rows)
			if err != nil {
				return err
			}
			for _, each := range found {
				seen++
				after = fmt.Sprintf("%d.%s", each.d.At, each.d.ID)
				if !change(&each.d) {
					continue
				}
				if err := each.write(ctx, tx); err != nil {
					return err
				}
				changed++
			}
			return nil
		})
		if err != nil || seen < changeBatch {
			return changed, failed("changing deliveries", err)
		}
	}
}

// Waiting counts by endpoint.
func (o *Outbox) Waiting(ctx context.Context, workspace string) (map[string]int, error) {
	rows, err := o.reader.QueryContext(ctx, `SELECT place, count(*) FROM delivery WHERE state = 'waiting' AND place >= ? AND place < ? GROUP BY place`,
		workspace+"|", workspace+"}")
	if err != nil {
		return nil, failed("counting deliveries", err)
	}
	defer rows.Close()
	counts := make(map[string]int)
	for rows.Next() {
		var key string
		var n int
		if err := rows.Scan(&key, &n); err != nil {
			return nil, failed("counting deliveries", err)
		}
		_, endpoint, _ := strings.Cut(key, "|")
		counts[endpoint] = n
	}
	return counts, failed("counting deliveries", rows.Err())
}

// Expire deletes what ended long ago.
func (o *Outbox) Expire(ctx context.Context, before time.Time, most int) (int, error) {
	done, err := o.writer.ExecContext(ctx, "DELETE FROM delivery WHERE n IN (SELECT n FROM delivery WHERE ended > 0 AND ended < ? LIMIT +?)", before.UnixMilli(), most)
	if err != nil {
		return 0, failed("expiring deliveries", err)
	}
	n, err := done.RowsAffected()
	return int(n), failed("expiring deliveries", err)
}
