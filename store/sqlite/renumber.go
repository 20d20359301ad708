package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"tidings/event"
	"tidings/store/sqlite/segments"
)

// numberRows makes one segment of a file's words, with numbers instead of rowids, and keeps
// whose they are. The file is beside the week's, and is written anew as made without what is
// free in it. To do that in its place SQLite would write all of it elsewhere, where temporary
// files are.
func (x *Index) numberRows(ctx context.Context, week event.Week, path, made string) error {
	return x.renumber(ctx, week, path, noJournal, func(file *weekFile, tx *sql.Tx) error {
		if file.numbers != nil {
			return errors.New("its rows have numbers already")
		}
		rows, total, err := rowsByWorkspace(ctx, tx)
		if err != nil {
			return err
		}
		by := renumbering{rows: rows}
		if err := segments.Renumber(file.write.words.in(ctx, tx), leafBytes, by.numbers); err != nil {
			return err
		}
		return putNumbers(ctx, tx, rows, total)
	}, made)
}

// openNamed opens a week's file anew once its words are of rowids.
func (x *Index) openNamed(ctx context.Context, week event.Week, file *weekFile) (*weekFile, error) {
	path := x.path(week, openEnding)
	if err := errors.Join(file.close(), x.nameRows(ctx, week, path, "WAL")); err != nil {
		return nil, err
	}
	return openWeek(ctx, path, week, access{connections: x.config.Readers}, x.caches())
}

// nameRows makes one segment of a file's words, with rowids again, so that it can be written.
func (x *Index) nameRows(ctx context.Context, week event.Week, path, journal string) error {
	return x.renumber(ctx, week, path, journal, func(file *weekFile, tx *sql.Tx) error {
		if file.numbers == nil {
			return nil
		}
		rows, err := file.allNumbers(ctx, tx)
		if err != nil {
			return err
		}
		by := renumbering{rows: rows}
		if err := segments.Renumber(file.write.words.in(ctx, tx), leafBytes, by.names); err != nil {
			return err
		}
		return dropNumbers(ctx, tx)
	}, "")
}

// noJournal is for a file in the making: whoever is interrupted makes it anew.
const noJournal = "OFF"

// renumber does something with a file that nobody reads yet, in one transaction, and writes it
// anew where made is not "".
func (x *Index) renumber(ctx context.Context, week event.Week, path, journal string, do func(*weekFile, *sql.Tx) error, made string) error {
	file, err := openWeek(ctx, path, week, access{journal: journal, connections: 1}, x.caches())
	if err != nil {
		return err
	}
	err = transact(ctx, file.writer, func(tx *sql.Tx) error { return do(file, tx) })
	if err == nil && made != "" {
		_, err = file.writer.ExecContext(ctx, "VACUUM INTO ?", made)
	}
	return errors.Join(err, file.close())
}

// rowsByWorkspace are the rowids of each workspace's events, ascending: eight bytes each,
// for as long as the week is being sealed.
func rowsByWorkspace(ctx context.Context, tx *sql.Tx) (rows map[int64][]int64, total int, err error) {
	found, err := tx.QueryContext(ctx, "SELECT k, space FROM event ORDER BY k")
	if err != nil {
		return nil, 0, err
	}
	defer found.Close()
	rows = make(map[int64][]int64)
	for ; found.Next(); total++ {
		var rowid, workspaceID int64
		if err := found.Scan(&rowid, &workspaceID); err != nil {
			return nil, 0, err
		}
		rows[workspaceID] = append(rows[workspaceID], rowid)
	}
	return rows, total, found.Err()
}

// putNumbers writes the blocks, and how many rows there are.
func putNumbers(ctx context.Context, tx *sql.Tx, rows map[int64][]int64, total int) error {
	for workspaceID, all := range rows {
		for at := 0; at*blockRows < len(all); at++ {
			block, key := all[at*blockRows:min((at+1)*blockRows, len(all))], blockKey(workspaceID, at)
			if _, err := tx.ExecContext(ctx, insertBlock, key, block[0], len(block), packBlock(key, block)); err != nil {
				return err
			}
		}
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO words_config VALUES(?, ?)", numberedKey, total)
	return err
}

const insertBlock = "REPLACE INTO number VALUES(?, ?, ?, ?)"

// dropNumbers has words say rowids.
func dropNumbers(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM number"); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM words_config WHERE k = ?", numberedKey)
	return err
}

// allNumbers are the rowids of all numbers.
func (w *weekFile) allNumbers(ctx context.Context, tx *sql.Tx) (map[int64][]int64, error) {
	read, rows := tx.StmtContext(ctx, w.write.readBlock), make(map[int64][]int64)
	for workspaceID, blocks := range w.numbers {
		for at := range blocks {
			block, err := w.block(ctx, read, blockKey(workspaceID, at))
			if err != nil {
				return nil, err
			}
			rows[workspaceID] = append(rows[workspaceID], block...)
		}
	}
	return rows, nil
}

// renumbering says how the rows of terms are numbered, by the workspaces of these.
type renumbering struct {
	rows map[int64][]int64
	of   []int64 // the term's workspace's
	at   int     // in front of which no row is looked for
}

// begin goes to a term, which begins with its part of the index.
func (r *renumbering) begin(term []byte) error {
	part, at := int64(0), 0
	for ; at < len(term); at++ {
		c := term[at]
		if c >= '0' && c <= '9' {
			part = part*36 + int64(c-'0')
		} else if c >= 'a' && c <= 'z' {
			part = part*36 + int64(c-'a') + 10
		} else {
			break
		}
	}
	if at == 0 || at == len(term) || at > 12 {
		return fmt.Errorf("%w: a term is of no workspace", segments.ErrDamaged)
	}
	r.of, r.at = r.rows[part/2], 0
	return nil
}

// numbers are those of rowids. Words of no event are left out.
func (r *renumbering) numbers(term []byte) (func(int64) (int64, error), error) {
	return func(rowid int64) (int64, error) {
		step := 1
		for r.at+step < len(r.of) && r.of[r.at+step] <= rowid {
			r.at, step = r.at+step, 2*step
		}
		for ; step > 0; step /= 2 {
			if r.at+step < len(r.of) && r.of[r.at+step] <= rowid {
				r.at += step
			}
		}
		if r.at < len(r.of) && r.of[r.at] == rowid {
			return int64(r.at), nil
		}
		return -1, nil
	}, r.begin(term)
}

// names are the rowids of numbers.
func (r *renumbering) names(term []byte) (func(int64) (int64, error), error) {
	return func(number int64) (int64, error) {
		if number < 0 || number >= int64(len(r.of)) {
			return 0, fmt.Errorf("%w: a word is of row %d", errNumbers, number)
		}
		return r.of[number], nil
	}, r.begin(term)
}
