package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"tidings/event"
	"tidings/notify"
)

// Claim gives keys to events where nobody has them, and returns who has.
func (n *Notify) Claim(ctx context.Context, claims []notify.Claim, at int64) ([]event.ID, error) {
	holders := make([]event.ID, len(claims))
	err := transact(ctx, n.writer, func(tx *sql.Tx) error {
		claim, holder := tx.StmtContext(ctx, n.claim), tx.StmtContext(ctx, n.holder)
		for i, c := range claims {
			done, err := claim.ExecContext(ctx, c.Workspace, c.Key, c.Event.String(), at)
			if err != nil {
				return err
			}
			if rows, err := done.RowsAffected(); err == nil && rows == 1 {
				holders[i] = c.Event
				continue
			}
			var text string
			err = holder.QueryRowContext(ctx, c.Workspace, c.Key).Scan(&text)
			if err == nil {
				holders[i], err = event.ParseID(text)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return holders, failed("claiming", err)
}

// Release takes a key from an event that has it.
func (n *Notify) Release(ctx context.Context, workspace, key string, id event.ID) error {
	_, err := n.writer.ExecContext(ctx, "DELETE FROM claim WHERE space = ? AND key = ? AND event = ?", workspace, key, id.String())
	return failed("releasing a claim", err)
}

// Note returns what is noted under a key.
func (n *Notify) Note(ctx context.Context, workspace, key string) (doc []byte, err error) {
	err = n.reader.QueryRowContext(ctx, "SELECT doc FROM note WHERE space = ? AND key = ?", workspace, key).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return doc, failed("reading a note", err)
}

// SwapNote writes a note over the one that was read.
func (n *Notify) SwapNote(ctx context.Context, workspace, key string, old, doc []byte, at int64) (bool, error) {
	statement, args := "INSERT INTO note VALUES(?1,?2,?3,?4) ON CONFLICT DO NOTHING", []any{workspace, key, doc, at}
	if old != nil {
		statement, args = "UPDATE note SET doc = ?3, at = ?4 WHERE space = ?1 AND key = ?2 AND doc = ?5", append(args, old)
	}
	done, err := n.writer.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, failed("writing a note", err)
	}
	rows, err := done.RowsAffected()
	return rows == 1, failed("writing a note", err)
}
