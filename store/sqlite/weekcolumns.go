package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"

	"tidings/query"
	"tidings/store/sqlite/columns"
	"tidings/store/sqlite/rowids"

	"github.com/klauspost/compress/zstd"
)

// formColumns is the first byte of stored columns; those of another form are made
// again from the documents. They are in the tables facts and links.
const formColumns = 2

// mostUnpacked is how much of a week's columns may be unpacked, in bytes.
const mostUnpacked = 1 << 30

// newColumnsDecoder unpacks what is stored of columns.
func newColumnsDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(mostUnpacked),
		zstd.WithDecoderDictRaw(formZstd, []byte(commonText)))
}

// collectColumns reads the columns of a workspace out of its documents.
func (x *Index) collectColumns(ctx context.Context, file *weekFile, workspaceID int64) (*columns.Columns, error) {
	match, err := compileParts(nil, partsOf(workspaceID, query.AutomatedShow))
	if err != nil {
		return nil, err
	}
	if file.numbers != nil {
		at, err := file.pageRowids(ctx, workspaceID, match, 0, rowids.End(file.week), -1, false)
		if err != nil {
			return nil, err
		}
		return columns.Collect(file.week, x.eventsIn(ctx, file, file.nameOf(workspaceID), at))
	}
	rows, err := file.read.page.QueryContext(ctx, match, 0, rowids.End(file.week), -1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return columns.Collect(file.week, x.eventsOf(file, file.nameOf(workspaceID), rows))
}

// eventsIn are the events of a workspace's rows at rowids.
func (x *Index) eventsIn(ctx context.Context, file *weekFile, workspace string, at []int64) iter.Seq2[columns.Event, error] {
	return func(yield func(columns.Event, error) bool) {
		for some := range slices.Chunk(at, rowsAtOnce) {
			rows, err := file.rowsAt(ctx, some)
			if err != nil {
				yield(columns.Event{}, err)
				return
			}
			for _, r := range rows {
				e, err := x.documents.unpack(r.id, workspace, r.doc)
				if !yield(columns.Event{Rowid: r.rowid, Event: e}, err) || err != nil {
					return
				}
			}
		}
	}
}

// eventsOf are the events of a workspace's rows.
func (x *Index) eventsOf(file *weekFile, workspace string, rows *sql.Rows) iter.Seq2[columns.Event, error] {
	return func(yield func(columns.Event, error) bool) {
		for rows.Next() {
			r, err := file.scanRow(rows)
			if err != nil {
				yield(columns.Event{}, err)
				return
			}
			e, err := x.documents.unpack(r.id, workspace, r.doc)
			if !yield(columns.Event{Rowid: r.rowid, Event: e}, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(columns.Event{}, err)
		}
	}
}

// saveColumns writes the columns of the workspaces of a week's file that have none,
// for when it is read as a sealed one.
func (x *Index) saveColumns(ctx context.Context, file *weekFile) error {
	missing, err := file.withoutColumns(ctx)
	if err != nil {
		return err
	}
	for _, workspaceID := range missing {
		made, err := x.collectColumns(ctx, file, workspaceID)
		if err != nil {
			return err
		}
		rows, links := made.Encode()
		rows = x.documents.encoder.EncodeAll(rows, []byte{formColumns})
		links = x.documents.encoder.EncodeAll(links, []byte{formColumns})
		err = transact(ctx, file.writer, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, "INSERT INTO facts VALUES(?, ?)", workspaceID, rows); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "INSERT INTO links VALUES(?, ?)", workspaceID, links)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dropColumns takes away stored columns that are not true any more, when a week that
// is to be read as a sealed one is changed. In an open one they are not read.
func (w *weekFile) dropColumns(ctx context.Context, tx *sql.Tx, workspaceIDs map[int64]bool) error {
	if w.columns != nil {
		return nil
	}
	for workspaceID := range workspaceIDs {
		if err := deleteColumns(ctx, tx, workspaceID); err != nil {
			return err
		}
	}
	return nil
}

// deleteColumns takes away the stored columns of a workspace.
func deleteColumns(ctx context.Context, tx *sql.Tx, workspaceID int64) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM facts WHERE space = ?", workspaceID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM links WHERE space = ?", workspaceID)
	return err
}

// withoutColumns are the workspaces without stored columns.
func (w *weekFile) withoutColumns(ctx context.Context) ([]int64, error) {
	rows, err := w.writer.QueryContext(ctx, "SELECT n FROM space WHERE n NOT IN (SELECT space FROM facts) ORDER BY n")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var workspaceIDs []int64
	for rows.Next() {
		var workspaceID int64
		if err := rows.Scan(&workspaceID); err != nil {
			return nil, err
		}
		workspaceIDs = append(workspaceIDs, workspaceID)
	}
	return workspaceIDs, rows.Err()
}

// savedColumns are the stored columns of a workspace in a sealed week, nil where
// there are none.
func (x *Index) savedColumns(ctx context.Context, file *weekFile, workspaceID int64) (*columns.Columns, error) {
	rows, err := x.savedPart(ctx, file, "SELECT doc FROM facts WHERE space = ?", workspaceID)
	if err != nil || rows == nil {
		return nil, err
	}
	links, err := x.savedPart(ctx, file, "SELECT doc FROM links WHERE space = ?", workspaceID)
	if err != nil {
		return nil, err
	}
	saved, err := columns.Decode(file.week, rows, links)
	if err != nil {
		return nil, fmt.Errorf("week %s: %w", file.week, err)
	}
	return saved, nil
}

// savedPart reads and unpacks one stored part, nil where there is none.
func (x *Index) savedPart(ctx context.Context, file *weekFile, ask string, workspaceID int64) ([]byte, error) {
	var doc []byte
	err := file.reader.QueryRowContext(ctx, ask, workspaceID).Scan(&doc)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case len(doc) == 0 || doc[0] != formColumns:
		return nil, nil
	}
	raw, err := x.columnsDecoder.DecodeAll(doc[1:], nil)
	if err != nil {
		return nil, fmt.Errorf("week %s: %w: %w", file.week, columns.ErrDamaged, err)
	}
	return raw, nil
}
