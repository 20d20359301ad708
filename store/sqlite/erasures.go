package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"tidings/event"
	"tidings/store/erasures"
)

// MarkErased notes that a person was erased from a workspace, with what happened
// up to now, or until a later time.
func (s *State) MarkErased(ctx context.Context, workspace, email string, until int64) error {
	return erasures.Mark(ctx, s, workspace, s.erasureID(workspace, email), s.now(), until)
}

// Erased reports which of the addresses, by workspace, were erased, and up to when. It is asked
// for every batch, and where nobody was erased one look a workspace says so.
func (s *State) Erased(ctx context.Context, emails map[string][]string) (map[string]map[string]int64, error) {
	erased := make(map[string]map[string]int64)
	err := s.reading(ctx, func(tx *sql.Tx) error {
		for workspace, emails := range emails {
			found, err := s.erasedOf(ctx, tx, workspace, emails)
			if err != nil {
				return err
			}
			if len(found) > 0 {
				erased[workspace] = found
			}
		}
		return nil
	})
	if err != nil {
		return nil, failed("reading erasures", err)
	}
	return erased, nil
}

func (s *State) erasedOf(ctx context.Context, tx *sql.Tx, workspace string, emails []string) (map[string]int64, error) {
	var someone bool
	err := tx.StmtContext(ctx, s.read.anyRecord).QueryRowContext(ctx, workspace, erasures.Kind).Scan(&someone)
	if err != nil || !someone {
		return nil, err
	}
	erased := make(map[string]int64)
	find := tx.StmtContext(ctx, s.read.record)
	for _, email := range emails {
		// A record may be older than the address's one text.
		for _, text := range event.TextsOf(email) {
			var doc []byte
			err := find.QueryRowContext(ctx, workspace, erasures.Kind, s.erasureID(workspace, text)).Scan(&doc)
			if err == nil {
				erased[email] = max(erased[email], erasures.Until(doc))
			} else if !errors.Is(err, sql.ErrNoRows) {
				return nil, err
			}
		}
	}
	return erased, nil
}

func (s *State) erasureID(workspace, email string) string {
	return erasures.ID(s.secret, workspace, email)
}

// EraseRecipient takes a person out of every state of a workspace and returns
// the states that named them, as they are now. One that has nobody left and
// nothing about anybody is gone from the store.
func (s *State) EraseRecipient(ctx context.Context, workspace, email string) ([]event.State, error) {
	workspaceID, known := s.workspaceIDOf(workspace)
	if !known {
		return nil, nil
	}
	keys := event.KeysOf(email)
	var touched []event.State
	err := s.transact(ctx, func(tx *stateTx) error {
		touched = nil
		rows, err := tx.ofRecipient(workspaceID, workspace, keys)
		if err != nil {
			return err
		}
		for _, row := range rows {
			for _, key := range keys {
				if _, err := tx.w.dropRecipient.ExecContext(ctx, workspaceID, recipientHash(key), row.n); err != nil {
					return err
				}
				if row.state.Names(key) {
					row.state.Forget(key)
				}
			}
			s.schedule(&row.state)
			if row.state.Vacant() {
				if err := errors.Join(tx.remove(row), tx.removeNames(workspaceID, row.state)); err != nil {
					return err
				}
			} else if err := tx.write(row); err != nil {
				return err
			}
			touched = append(touched, row.state)
		}
		return nil
	})
	if err == nil {
		// The log has what was overwritten until it is cut off; whoever reads an old part
		// of it keeps that there until the next time.
		err = cutLog(ctx, s.writer)
	}
	if err != nil {
		return nil, failed("erasing a recipient's states", err)
	}
	return touched, nil
}

// CutLog cuts off the log, which has what was overwritten in the file.
func (s *State) CutLog(ctx context.Context) error {
	return failed("cutting the log of the state", cutLog(ctx, s.writer))
}

// CutLog cuts off the log, which has what was overwritten in the file.
func (o *Outbox) CutLog(ctx context.Context) error {
	return failed("cutting the log of the outbox", cutLog(ctx, o.writer))
}

// CutLog cuts off the log, which has what was overwritten in the file.
func (n *Notify) CutLog(ctx context.Context) error {
	return failed("cutting the log of notifications", cutLog(ctx, n.writer))
}

// cutLog fails where somebody reads an old part of the log for longer than SQLite waits.
func cutLog(ctx context.Context, writer *sql.DB) error {
	var busy, frames, moved int
	err := writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	if err == nil && busy != 0 {
		err = fmt.Errorf("somebody reads an old part of it: %w", event.ErrUnavailable)
	}
	return err
}

// ofRecipient reads the states that name somebody under one of their keys.
func (tx *stateTx) ofRecipient(workspaceID int64, workspace string, keys []event.RecipientKey) ([]stateRow, error) {
	var rows []stateRow
	seen := make(map[int64]bool)
	for _, key := range keys {
		err := tx.underKey(workspaceID, workspace, key, func(row stateRow) {
			if !seen[row.n] && slices.ContainsFunc(keys, row.state.Names) {
				seen[row.n] = true
				rows = append(rows, row)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// underKey reads the states that may name a recipient under a key.
func (tx *stateTx) underKey(workspaceID int64, workspace string, key event.RecipientKey, take func(stateRow)) error {
	found, err := tx.w.ofRecipient.QueryContext(tx.ctx, workspaceID, recipientHash(key))
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var n int64
		var doc []byte
		name := event.MessageKey{Workspace: workspace}
		if err := found.Scan(&n, &name.Message, &doc); err != nil {
			return err
		}
		state, err := decodeState(name, doc)
		if err != nil {
			return err
		}
		take(stateRow{n, state})
	}
	return found.Err()
}
