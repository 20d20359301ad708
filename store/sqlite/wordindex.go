package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"

	"tidings/store/sqlite/segments"
)

// leafBytes is a page of words, which fills one of the file's.
const leafBytes = 8000

// levelSegments is how many segments of a size are made into one of the next.
const levelSegments = 64

// wordTables are the tables that FTS5 keeps of a week's words, in a transaction.
type wordTables struct {
	ctx                                              context.Context
	read, putBlock, putTerm, dropBlocks, dropSegment *sql.Stmt
}

func prepareWordTables(p *preparer) wordTables {
	return wordTables{
		read:        p.prepare("SELECT block FROM words_data WHERE id = ?"),
		putBlock:    p.prepare("REPLACE INTO words_data VALUES(?, ?)"),
		putTerm:     p.prepare("REPLACE INTO words_idx VALUES(?, ?, ?)"),
		dropBlocks:  p.prepare("DELETE FROM words_data WHERE id BETWEEN ? AND ?"),
		dropSegment: p.prepare("DELETE FROM words_idx WHERE segid = ?"),
	}
}

func (t wordTables) in(ctx context.Context, tx *sql.Tx) wordTables {
	on := func(statement *sql.Stmt) *sql.Stmt { return tx.StmtContext(ctx, statement) }
	return wordTables{ctx, on(t.read), on(t.putBlock), on(t.putTerm), on(t.dropBlocks), on(t.dropSegment)}
}

// Read returns a block.
func (t wordTables) Read(number int64) (block []byte, err error) {
	err = t.read.QueryRowContext(t.ctx, number).Scan(&block)
	return block, err
}

// Block puts a block in the place of what has its number.
func (t wordTables) Block(number int64, block []byte) error {
	_, err := t.putBlock.ExecContext(t.ctx, number, block)
	return err
}

// Term says on which page terms begin.
func (t wordTables) Term(segment int, term []byte, page int64) error {
	if term == nil {
		term = []byte{} // nil is NULL, behind which FTS5 does not look
	}
	_, err := t.putTerm.ExecContext(t.ctx, segment, term, page)
	return err
}

// Drop takes away a segment.
func (t wordTables) Drop(segment int) error {
	first, last := segments.Blocks(segment)
	if _, err := t.dropBlocks.ExecContext(t.ctx, first, last); err != nil {
		return err
	}
	_, err := t.dropSegment.ExecContext(t.ctx, segment)
	return err
}

// batches are batches of words to be filled again.
var batches = sync.Pool{New: func() any { return segments.NewBatch(len(columnFields)) }}

// segmentOf makes a segment of the words of entries, which are in the order of their
// rowids; of those of one rowid it takes the first.
func segmentOf(entries []*entry) *segments.Segment {
	batch := batches.Get().(*segments.Batch)
	defer batches.Put(batch)
	batch.Reset()
	// No two parts of the index have a term in common: one behind the other, each finds its
	// terms in the processor's cache.
	parts := make([]*entry, 0, len(entries))
	for i, e := range entries {
		if i == 0 || e.rowid != entries[i-1].rowid {
			parts = append(parts, e)
		}
	}
	slices.SortStableFunc(parts, func(a, b *entry) int { return cmp.Compare(a.part(), b.part()) })
	for _, e := range parts {
		batch.Row(e.rowid)
		eachTerm(&e.document, e.workspaceID, batch)
	}
	return batch.Segment(leafBytes)
}

// errReread ends the transaction of rereadWords.
var errReread = errors.New("read the words anew")

// rereadWords makes FTS5 forget what it knows of the words' segments, unless it was the
// last who wrote them. It looks whether another connection did, and forgets all when a
// transaction of its own is rolled back. The caller has the right to write.
func (w *weekFile) rereadWords(ctx context.Context) error {
	if !w.wordsWritten {
		return nil
	}
	err := transact(ctx, w.writer, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO words(words, rank) VALUES('usermerge', 4)"); err != nil {
			return err
		}
		return errReread
	})
	if !errors.Is(err, errReread) {
		return err
	}
	w.wordsWritten = false
	return nil
}
