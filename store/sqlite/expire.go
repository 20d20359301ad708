package sqlite

import (
	"context"
	"database/sql"
	"time"

	"tidings/event"
	"tidings/rollover"
)

// expireBatch is how many states one transaction reduces or removes.
const expireBatch = 500

// Expire reduces the complete states whose time has passed to what is kept for
// good, and returns how many. Each is read again in the transaction that
// writes it. It may be stopped and repeated.
func (s *State) Expire(ctx context.Context, now time.Time) (int, error) {
	total := 0
	for {
		seen, finished := 0, 0
		err := s.transact(ctx, func(tx *stateTx) error {
			rows, err := tx.rows(tx.w.expired, now.Unix(), expireBatch)
			if err != nil {
				return err
			}
			for _, row := range rows {
				if row.state.Complete() && !row.state.Done {
					row.state.Finish()
					finished++
					if _, err := tx.w.finish.ExecContext(ctx, now.Unix(), row.n); err != nil {
						return err
					}
				}
				row.state.Expire = 0
				if err := tx.write(row); err != nil {
					return err
				}
			}
			seen = len(rows)
			return nil
		})
		if err != nil {
			return total, failed("reducing complete states", err)
		}
		total += finished
		if seen < expireBatch {
			return total, nil
		}
	}
}

// Finished lists messages whose states were reduced before a time and whose
// sends were not purged since.
func (s *State) Finished(ctx context.Context, before time.Time, most int) ([]rollover.Finished, error) {
	var finished []rollover.Finished
	err := s.transact(ctx, func(tx *stateTx) error {
		finished = nil
		for len(finished) == 0 {
			rows, err := tx.rows(tx.w.finished, before.Unix(), most)
			if err != nil || len(rows) == 0 {
				return err
			}
			for _, row := range rows {
				if row.state.Done {
					finished = append(finished, rollover.Finished{MessageKey: row.state.MessageKey, At: row.state.At})
				} else if _, err := tx.w.purged.ExecContext(ctx, row.n); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return finished, failed("listing finished messages", err)
}

// Purged notes that the sends of messages are out of the index.
func (s *State) Purged(ctx context.Context, messages []event.MessageKey) error {
	err := s.transact(ctx, func(tx *stateTx) error {
		for _, key := range messages {
			workspaceID, err := tx.workspaceID(key.Workspace)
			if err != nil {
				return err
			}
			row, err := tx.find(workspaceID, key)
			if err != nil {
				return err
			}
			if _, err := tx.w.purged.ExecContext(ctx, row.n); err != nil {
				return err
			}
		}
		return nil
	})
	return failed("noting purged sends", err)
}

// Forget removes what is known of messages that were sent before a time, and of
// those without a send of which nothing later is known. It reads every state, a
// batch at a time.
func (s *State) Forget(ctx context.Context, before time.Time) (int, error) {
	total, last := 0, int64(0)
	for {
		seen, forgotten := 0, 0
		err := s.transact(ctx, func(tx *stateTx) error {
			rows, err := tx.rows(tx.w.scan, last, expireBatch)
			if err != nil {
				return err
			}
			for _, row := range rows {
				last = row.n
				if row.state.Latest() >= before.Unix() {
					continue
				}
				if err := tx.forget(row); err != nil {
					return err
				}
				forgotten++
			}
			seen = len(rows)
			return nil
		})
		if err != nil {
			return total, failed("forgetting old states", err)
		}
		total += forgotten
		if seen < expireBatch {
			return total, nil
		}
	}
}

// forget removes a state and what points to it.
func (tx *stateTx) forget(row stateRow) error {
	workspaceID, err := tx.workspaceID(row.state.Workspace)
	if err != nil {
		return err
	}
	for _, key := range everyone(row.state) {
		if _, err := tx.w.dropRecipient.ExecContext(tx.ctx, workspaceID, recipientHash(key), row.n); err != nil {
			return err
		}
	}
	return tx.remove(row)
}

// Unlist takes all weeks before a week off the catalogue.
func (s *State) Unlist(ctx context.Context, before event.Week) error {
	defer s.forgetCatalogue()
	if _, err := s.writer.ExecContext(ctx, "DELETE FROM week WHERE week < ?", int64(before)); err != nil {
		return failed("unlisting weeks", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for mark := range s.marked {
		if mark.week < before {
			delete(s.marked, mark)
		}
	}
	return nil
}

// rows reads states by a statement that was given to the transaction.
func (tx *stateTx) rows(statement *sql.Stmt, from int64, most int) ([]stateRow, error) {
	found, err := statement.QueryContext(tx.ctx, from, most)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []stateRow
	for found.Next() {
		var row stateRow
		var key event.MessageKey
		var doc []byte
		if err := found.Scan(&row.n, &key.Workspace, &key.Message, &doc); err != nil {
			return nil, err
		}
		if row.state, err = decodeState(key, doc); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}
