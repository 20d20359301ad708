package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"tidings/crash"
	"tidings/event"
)

// Get returns a record, or event.ErrNotFound when there is none.
func (s *State) Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error) {
	var doc []byte
	err := s.read.record.QueryRowContext(ctx, workspace, kind, id).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("reading a record of kind %s: %w", kind, event.ErrNotFound)
	}
	if err != nil {
		return nil, failed("reading a record", err)
	}
	return doc, nil
}

// Put writes a record over what it was; it is on disk when Put returns.
func (s *State) Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error {
	crash.At("record")
	_, err := s.write.putRecord.ExecContext(ctx, workspace, kind, id, []byte(doc))
	return failed("writing a record", err)
}

// Swap writes a record where it is still old, or where there is none and old is nil,
// and returns event.ErrConflict otherwise.
func (s *State) Swap(ctx context.Context, workspace, kind, id string, old, doc json.RawMessage) error {
	crash.At("record")
	var done sql.Result
	var err error
	if old == nil {
		done, err = s.write.makeRecord.ExecContext(ctx, workspace, kind, id, []byte(doc))
	} else {
		done, err = s.write.swapRecord.ExecContext(ctx, []byte(doc), workspace, kind, id, []byte(old))
	}
	if err != nil {
		return failed("swapping a record", err)
	}
	if written, err := done.RowsAffected(); err != nil || written == 0 {
		return cmp.Or(failed("swapping a record", err), fmt.Errorf("swapping a record of kind %s: %w", kind, event.ErrConflict))
	}
	return nil
}

// Delete removes a record; there need not be one.
func (s *State) Delete(ctx context.Context, workspace, kind, id string) error {
	crash.At("record")
	_, err := s.write.dropRecord.ExecContext(ctx, workspace, kind, id)
	return failed("deleting a record", err)
}

// Take returns a record and deletes it, or returns event.ErrNotFound.
func (s *State) Take(ctx context.Context, workspace, kind, id string) (json.RawMessage, error) {
	var doc []byte
	err := s.write.takeRecord.QueryRowContext(ctx, workspace, kind, id).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("taking a record of kind %s: %w", kind, event.ErrNotFound)
	}
	if err != nil {
		return nil, failed("taking a record", err)
	}
	return doc, nil
}

// List returns all records of a kind, by id.
func (s *State) List(ctx context.Context, workspace, kind string) ([]event.Record, error) {
	rows, err := s.read.records.QueryContext(ctx, workspace, kind)
	if err != nil {
		return nil, failed("listing records", err)
	}
	defer rows.Close()
	var records []event.Record
	for rows.Next() {
		var id string
		var doc []byte
		if err := rows.Scan(&id, &doc); err != nil {
			return nil, failed("listing records", err)
		}
		records = append(records, event.Record{ID: id, Doc: doc})
	}
	return records, failed("listing records", rows.Err())
}
