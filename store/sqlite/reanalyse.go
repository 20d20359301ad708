package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"tidings/event"
	"tidings/query"
)

// reanalyse is the step of a week's schema behind which its words are another
// analysis's. The words are made again from the events, so the step is more than
// its statements.
const reanalyse = `-- make the words anew, as texts are analysed now
INSERT INTO words(words) VALUES('delete-all');
`

// rewordBatch is how many events are read at a time.
const rewordBatch = 1000

// reword fills a week's words from its events, in the transaction that emptied
// them.
func reword(ctx context.Context, tx *sql.Tx, week event.Week) error {
	documents, err := newDocuments()
	if err != nil {
		return err
	}
	workspaces, err := workspacesIn(ctx, tx)
	if err != nil {
		return err
	}
	// Its words are of rowids from now on, until it is sealed again.
	if err := forgetNumbers(ctx, tx); err != nil {
		return err
	}
	file := &weekFile{week: week}
	if err := file.loadDictionaries(ctx, tx); err != nil {
		return err
	}
	for last := int64(math.MinInt64); ; {
		rows, err := tx.QueryContext(ctx, "SELECT k, space, id, doc FROM event WHERE k > ? ORDER BY k LIMIT +?", last, rewordBatch)
		if err != nil {
			return err
		}
		batch, err := file.scanRows(rows)
		if err != nil {
			return err
		}
		for _, r := range batch {
			last = r.rowid
			e, err := documents.unpack(r.id, workspaces[r.workspaceID], r.doc)
			if err != nil {
				return err
			}
			text := termsOf(query.NewDocument(e), r.workspaceID)
			if _, err := tx.ExecContext(ctx, "INSERT INTO words(rowid, body, subject, people, link, file) VALUES(?, ?, ?, ?, ?, ?)",
				r.rowid, text.body, text.subject, text.people, text.link, text.file); err != nil {
				return fmt.Errorf("write the words of event %s: %w", e.ID, err)
			}
		}
		if len(batch) < rewordBatch {
			_, err := tx.ExecContext(ctx, "INSERT INTO words(words) VALUES('optimize')")
			return err
		}
	}
}

// forgetNumbers is dropNumbers of a file that need not have a table of them.
func forgetNumbers(ctx context.Context, tx *sql.Tx) error {
	var there bool
	err := tx.QueryRowContext(ctx, "SELECT count(*) > 0 FROM sqlite_master WHERE name = 'number'").Scan(&there)
	if err != nil || !there {
		return err
	}
	return dropNumbers(ctx, tx)
}

func workspacesIn(ctx context.Context, tx *sql.Tx) (map[int64]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT n, name FROM space")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	workspaces := make(map[int64]string)
	for rows.Next() {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, err
		}
		workspaces[id] = name
	}
	return workspaces, rows.Err()
}
