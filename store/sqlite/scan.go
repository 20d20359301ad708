package sqlite

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"

	"tidings/event"
	"tidings/migrations"
)

// Scan returns events of a week in the order of their rowids.
func (x *Index) Scan(ctx context.Context, week event.Week, after string, most int) (events []event.Event, next string, err error) {
	from := int64(math.MinInt64)
	if after != "" {
		rowid, err := strconv.ParseInt(after, 10, 64)
		if err != nil {
			return nil, "", failed("scanning week "+week.String(), event.Invalid("after", "is not a position"))
		}
		from = rowid + 1
	}
	rows, err := x.rowsFrom(ctx, week, from, math.MaxInt64, most)
	if err != nil {
		return nil, "", failed("scanning week "+week.String(), err)
	}
	for _, r := range rows {
		e, err := x.documents.unpack(r.id, r.workspace, r.doc)
		if err != nil {
			return nil, "", failed("scanning week "+week.String(), err)
		}
		events = append(events, e)
	}
	if len(rows) == most {
		next = strconv.FormatInt(rows[most-1].rowid, 10)
	}
	return events, next, nil
}

// ScanStates returns states in the order in which messages became known.
func (s *State) ScanStates(ctx context.Context, after string, most int) (states []event.State, next string, err error) {
	last := int64(0)
	if after != "" {
		if last, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, "", failed("scanning states", event.Invalid("after", "is not a position"))
		}
	}
	err = s.transact(ctx, func(tx *stateTx) error {
		states, next = nil, ""
		rows, err := tx.rows(tx.w.scan, last, most)
		for _, row := range rows {
			states = append(states, row.state)
		}
		if len(rows) == most {
			next = strconv.FormatInt(rows[most-1].n, 10)
		}
		return err
	})
	return states, next, failed("scanning states", err)
}

// ScanRecords returns the records of all workspaces, without those that say which
// installation this is and what parts it has.
func (s *State) ScanRecords(ctx context.Context, after string, most int) (records []migrations.Record, next string, err error) {
	var position [3]string
	if parts := strings.Split(after, "\x00"); len(parts) == len(position) {
		copy(position[:], parts)
	} else if after != "" {
		return nil, "", failed("scanning records", event.Invalid("after", "is not a position"))
	}
	rows, err := s.reader.QueryContext(ctx, `SELECT space, kind, id, doc FROM record
		WHERE (? OR (space, kind, id) > (?, ?, ?)) AND NOT (space = '' AND kind IN (?, ?)) ORDER BY space, kind, id LIMIT +?`,
		after == "", position[0], position[1], position[2], KindIdentity, KindPart, most)
	if err != nil {
		return nil, "", failed("scanning records", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r migrations.Record
		var doc []byte
		if err := rows.Scan(&r.Workspace, &r.Kind, &r.ID, &doc); err != nil {
			return nil, "", failed("scanning records", err)
		}
		r.Doc = doc
		records = append(records, r)
	}
	if len(records) == most {
		last := records[most-1]
		next = strings.Join([]string{last.Workspace, last.Kind, last.ID}, "\x00")
	}
	return records, next, failed("scanning records", rows.Err())
}

// Catalogue is the weeks of each workspace.
func (s *State) Catalogue(ctx context.Context) (map[string][]event.Week, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT p.name, w.week FROM week w JOIN space p ON p.n = w.space")
	if err != nil {
		return nil, failed("reading the catalogue", err)
	}
	defer rows.Close()
	catalogue := make(map[string][]event.Week)
	for rows.Next() {
		var workspace string
		var week event.Week
		if err := rows.Scan(&workspace, &week); err != nil {
			return nil, failed("reading the catalogue", err)
		}
		catalogue[workspace] = append(catalogue[workspace], week)
	}
	return catalogue, failed("reading the catalogue", rows.Err())
}

// ErasureSecret is what the list of erased people was made with.
func (s *State) ErasureSecret(context.Context) ([]byte, error) {
	if len(s.secret) == 0 {
		return nil, failed("reading the secret of erasures", errors.New("there is none"))
	}
	return s.secret, nil
}

// SetErasureSecret takes the place of the store's own, from when it is opened
// again.
func (s *State) SetErasureSecret(ctx context.Context, secret []byte) error {
	_, err := s.writer.ExecContext(ctx, "UPDATE secret SET value = ? WHERE name = 'erasure'", secret)
	return failed("writing the secret of erasures", err)
}

// PutStates writes states over what there is, as they are.
func (s *State) PutStates(ctx context.Context, states []event.State) error {
	err := s.transact(ctx, func(tx *stateTx) error {
		for _, state := range states {
			workspaceID, err := tx.workspaceID(state.Workspace)
			if err != nil {
				return err
			}
			row, err := tx.find(workspaceID, state.MessageKey)
			if err != nil {
				return err
			}
			row.state = state
			if err := tx.put(workspaceID, row, everyone(state)); err != nil {
				return err
			}
			if !state.Done {
				continue
			}
			if row, err = tx.find(workspaceID, state.MessageKey); err != nil {
				return err
			}
			// Its sends are here, so they wait to be purged.
			if _, err := tx.w.finish.ExecContext(ctx, s.now().Unix(), row.n); err != nil {
				return err
			}
		}
		return nil
	})
	return failed("writing states", err)
}
