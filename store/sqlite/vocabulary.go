package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tidings/event"
	"tidings/query"
	"tidings/store/sqlite/segments"
)

// Terms returns the words of a workspace's visible events in a week that begin
// with a prefix, most events first, and in how many events each is. Addresses are
// left out.
func (x *Index) Terms(ctx context.Context, workspace string, week event.Week, prefix string, limit int) ([]query.Term, error) {
	var terms []query.Term
	err := x.using(ctx, week, false, func(file *weekFile, _ bool) error {
		workspaceID, known := file.workspaceIDOf(workspace)
		if !known || prefix == "" {
			return nil
		}
		var err error
		terms, err = file.terms(ctx, part(workspaceID, false), prefix, limit)
		return err
	})
	if err != nil {
		return nil, failed("reading words of week "+week.String(), err)
	}
	return terms, nil
}

// terms reads the dictionary, where the words of one workspace stand together: FTS5's own
// table of it takes three times as long.
func (w *weekFile) terms(ctx context.Context, part, prefix string, limit int) (terms []query.Term, err error) {
	tx, err := w.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ignoreDone(tx.Rollback())) }()
	d := newDictionary(ctx, tx, w.read)
	block, err := d.Read(segments.StructureBlock)
	if err != nil {
		return nil, err
	}
	structure, err := segments.ParseStructure(block)
	if err != nil {
		return nil, err
	}
	first := appendWord(nil, part, kindWord, prefix)
	common := commonest{most: limit}
	err = segments.Terms(d, structure, first, []byte(behind(string(first))), func(term []byte, rows int) {
		if word := term[len(part)+1:]; !bytes.Contains(word, []byte("@")) {
			common.add(word, rows)
		}
	})
	return common.terms(), err
}

// dictionary reads the tables that FTS5 keeps of a week's words, in a transaction.
type dictionary struct {
	ctx          context.Context
	blocks, leaf *sql.Stmt
	// ahead are blocks of a segment that were read before they were asked for.
	ahead map[int64]*blocksAhead
}

// blocksAhead are blocks from a number on, and how many are read next time.
type blocksAhead struct {
	from   int64
	blocks [][]byte
	next   int64
}

// mostAhead is how many blocks are read at once: one costs more to ask for than to read.
const mostAhead = 16

func newDictionary(ctx context.Context, tx *sql.Tx, read weekReads) *dictionary {
	return &dictionary{ctx, tx.StmtContext(ctx, read.blocks), tx.StmtContext(ctx, read.leaf), make(map[int64]*blocksAhead)}
}

// Read returns a block.
func (d *dictionary) Read(number int64) ([]byte, error) {
	segment := segments.SegmentOf(number)
	ahead := d.ahead[segment]
	if ahead == nil {
		ahead = &blocksAhead{next: 1}
		d.ahead[segment] = ahead
	}
	if at := number - ahead.from; at >= 0 && at < int64(len(ahead.blocks)) {
		return ahead.blocks[at], nil
	}
	rows, err := d.blocks.QueryContext(d.ctx, number, number+ahead.next-1)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	ahead.from, ahead.blocks = number, ahead.blocks[:0]
	for rows.Next() {
		var found int64
		var block []byte
		if err := rows.Scan(&found, &block); err != nil {
			return nil, err
		}
		if found != number+int64(len(ahead.blocks)) {
			break
		}
		ahead.blocks = append(ahead.blocks, block)
	}
	ahead.next = min(2*ahead.next, mostAhead)
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(ahead.blocks) == 0 {
		return nil, fmt.Errorf("%w: it lacks block %d", segments.ErrDamaged, number)
	}
	return ahead.blocks[0], nil
}

// Leaf is the last leaf of a segment that begins with a term or with one before it.
func (d *dictionary) Leaf(segment int, term []byte) (page int, err error) {
	err = d.leaf.QueryRowContext(d.ctx, segment, term).Scan(&page)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return page, err
}

// commonest are the words that most events have.
type commonest struct {
	most  int
	words []wordCount
	texts []byte
}

// wordCount is a word of a text, and how many events have it.
type wordCount struct{ from, until, events int }

func (c *commonest) add(word []byte, events int) {
	if len(c.words) >= 2*c.most+manyWords {
		c.cut()
	}
	from := len(c.texts)
	c.texts = append(c.texts, word...)
	c.words = append(c.words, wordCount{from, len(c.texts), events})
}

// manyWords are so many that it pays to look which of them are the commonest.
const manyWords = 1 << 14

// cut leaves no more than the most, the commonest first.
func (c *commonest) cut() {
	slices.SortFunc(c.words, func(a, b wordCount) int { return cmp.Or(cmp.Compare(b.events, a.events), cmp.Compare(a.from, b.from)) })
	c.words = c.words[:min(len(c.words), c.most)]
	texts := make([]byte, 0, len(c.texts))
	for i, w := range c.words {
		from := len(texts)
		texts = append(texts, c.texts[w.from:w.until]...)
		c.words[i] = wordCount{from, len(texts), w.events}
	}
	c.texts = texts
}

func (c *commonest) terms() []query.Term {
	c.cut()
	terms, texts := make([]query.Term, len(c.words)), string(c.texts)
	for i, w := range c.words {
		terms[i] = query.Term{Word: unescaped(texts[w.from:w.until]), Count: w.events}
	}
	return terms
}

// behind is the first text that is behind all that begin with a prefix.
func behind(prefix string) string {
	end := []byte(prefix)
	end[len(end)-1]++
	return string(end)
}

// unescaped takes back appendEscaped.
func unescaped(term string) string {
	if !strings.Contains(term, "=") {
		return term
	}
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(term))
	for i := 0; i < len(term); i++ {
		if term[i] == '=' && i+2 < len(term) {
			out = append(out, byte(strings.IndexByte(digits, term[i+1])<<4|strings.IndexByte(digits, term[i+2])))
			i += 2
			continue
		}
		out = append(out, term[i])
	}
	return string(out)
}
