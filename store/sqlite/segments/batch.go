package segments

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// Batch collects the words of events until they are written as one segment. It is
// filled in the order of rows, of a row in the order of columns, and of a column in
// that of its terms.
type Batch struct {
	columns int
	rows    []int64
	// totals counts the terms of each column.
	totals []int

	// text has the terms one behind the other, and table finds them by their hash: one
	// more than the number of a term, 0 for none.
	text  []byte
	terms []batchTerm
	table []uint32
	seed  maphash.Seed

	// term and posting say what was added: which term, and where.
	term    []uint32
	posting []uint64

	column   int
	position int
}

type batchTerm struct {
	hash       uint32
	begin, end uint32 // in the text
	count      uint32
}

// A posting is where a term is: the number of its row, its column and its position, in this order.
const (
	columnShift = 32
	rowShift    = columnShift + 8
)

// NewBatch makes a batch of rows of so many columns.
func NewBatch(columns int) *Batch {
	return &Batch{columns: columns, totals: make([]int, columns), table: make([]uint32, 1<<12), seed: maphash.MakeSeed()}
}

// Reset empties a batch to be filled again.
func (b *Batch) Reset() {
	b.rows, b.text, b.terms, b.term, b.posting = b.rows[:0], b.text[:0], b.terms[:0], b.term[:0], b.posting[:0]
	clear(b.table)
	clear(b.totals)
}

// Rows is how many rows a batch has.
func (b *Batch) Rows() int { return len(b.rows) }

// Row begins a row, which is above those before.
func (b *Batch) Row(rowid int64) {
	b.rows = append(b.rows, rowid)
	b.column, b.position = 0, 0
}

// Add puts a term behind the others of a column of the row that was begun.
func (b *Batch) Add(column int, term []byte) {
	if column != b.column {
		b.column, b.position = column, 0
	}
	number := b.number(term)
	b.terms[number].count++
	b.term = append(b.term, number)
	b.posting = append(b.posting, uint64(len(b.rows)-1)<<rowShift|uint64(column)<<columnShift|uint64(b.position))
	b.position++
	b.totals[column]++
}

// number is that of a term, a new one when it has none.
func (b *Batch) number(term []byte) uint32 {
	hash := uint32(maphash.Bytes(b.seed, term))
	mask := uint32(len(b.table) - 1)
	at := hash & mask
	for ; b.table[at] != 0; at = (at + 1) & mask {
		known := &b.terms[b.table[at]-1]
		if known.hash == hash && bytes.Equal(b.text[known.begin:known.end], term) {
			return b.table[at] - 1
		}
	}
	begin := uint32(len(b.text))
	b.text = append(b.text, term...)
	b.terms = append(b.terms, batchTerm{hash: hash, begin: begin, end: uint32(len(b.text))})
	number := uint32(len(b.terms) - 1)
	b.table[at] = number + 1
	if len(b.terms)*2 > len(b.table) {
		b.grow()
	}
	return number
}

func (b *Batch) grow() {
	b.table = make([]uint32, 2*len(b.table))
	mask := uint32(len(b.table) - 1)
	for number, term := range b.terms {
		at := term.hash & mask
		for b.table[at] != 0 {
			at = (at + 1) & mask
		}
		b.table[at] = uint32(number) + 1
	}
}

func (b *Batch) textOf(number uint32) []byte {
	t := &b.terms[number]
	return b.text[t.begin:t.end]
}

// sorted are the numbers of the terms in the order of these.
func (b *Batch) sorted() []uint32 {
	// Most are told apart by how they begin.
	type beginning struct {
		text   uint64
		number uint32
	}
	all := make([]beginning, len(b.terms))
	for number := range b.terms {
		var begins [8]byte
		copy(begins[:], b.textOf(uint32(number)))
		all[number] = beginning{binary.BigEndian.Uint64(begins[:]), uint32(number)}
	}
	slices.SortFunc(all, func(a, c beginning) int {
		if a.text != c.text {
			return cmp.Compare(a.text, c.text)
		}
		return bytes.Compare(b.textOf(a.number), b.textOf(c.number))
	})
	numbers := make([]uint32, len(all))
	for i, one := range all {
		numbers[i] = one.number
	}
	return numbers
}

// postings are all postings, those of each term together and in their order, and where
// those of each term begin.
func (b *Batch) postings() (postings []uint64, from []uint32) {
	from = make([]uint32, len(b.terms)+1)
	for number, term := range b.terms {
		from[number+1] = from[number] + term.count
	}
	next := slices.Clone(from)
	postings = make([]uint64, len(b.posting))
	for i, number := range b.term {
		postings[next[number]] = b.posting[i]
		next[number]++
	}
	return postings, from
}

// write gives the batch to a writer.
func (b *Batch) write(w *writer) {
	postings, from := b.postings()
	var term, positions []byte
	for _, number := range b.sorted() {
		term = append(append(term[:0], prefixMain), b.textOf(number)...)
		w.begin(term)
		for left := postings[from[number]:from[number+1]]; len(left) > 0; {
			row := left[0] >> rowShift
			positions, left = appendPositions(positions[:0], left)
			w.put(b.rows[row], false, positions)
		}
	}
}

// columnMark begins the positions in another column than the first.
const columnMark = 1

// appendPositions appends the positions of the first row of postings, and returns the
// postings behind it. Each is the distance from the one before in its column, plus two.
func appendPositions(out []byte, postings []uint64) (positions []byte, left []uint64) {
	row, column, before := postings[0]>>rowShift, uint64(0), uint64(0)
	for i, posting := range postings {
		if posting>>rowShift != row {
			return out, postings[i:]
		}
		if at := posting >> columnShift & 0xff; at != column {
			out = appendVarint(append(out, columnMark), at)
			column, before = at, 0
		}
		position := posting & (1<<columnShift - 1)
		out = appendVarint(out, position-before+2)
		before = position
	}
	return out, nil
}
