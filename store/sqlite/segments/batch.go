package segments

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// Batch collects the words of events until they are written as one segment. It is
// filled row by row, those that have a term in common in their order, of a row in the order
// of columns, and of a column in that of its terms.
type Batch struct {
	columns int
	rows    []int64
	// totals counts the terms of each column.
	totals []int

	// text has the terms one behind the other, and table finds them by their hash: this,
	// and below it one more than the number of a term, 0 for none.
	text  []byte
	terms []batchTerm
	table []uint64
	seed  maphash.Seed

	// term and posting say what was added: which term, and where.
	term    []uint32
	posting []uint64

	column   int
	position int

	// What writing takes, to be filled again.
	order    []beginning
	spare    []beginning
	from     []uint32
	together []uint64
}

type batchTerm struct {
	begin, end uint32 // in the text
	count      uint32
	// once is in which row and column AddOnce added it last, 0 for none.
	once uint64
}

// A posting is where a term is: the number of its row, its column and its position, in this order.
const (
	columnShift = 32
	rowShift    = columnShift + 8
)

// NewBatch makes a batch of rows of so many columns.
func NewBatch(columns int) *Batch {
	return &Batch{columns: columns, totals: make([]int, columns), table: make([]uint64, 1<<12), seed: maphash.MakeSeed()}
}

// Reset empties a batch to be filled again.
func (b *Batch) Reset() {
	b.rows, b.text, b.terms, b.term, b.posting = b.rows[:0], b.text[:0], b.terms[:0], b.term[:0], b.posting[:0]
	clear(b.table)
	clear(b.totals)
}

// Rows is how many rows a batch has.
func (b *Batch) Rows() int { return len(b.rows) }

// Row begins a row, which is above those before that it has a term in common with.
func (b *Batch) Row(rowid int64) {
	b.rows = append(b.rows, rowid)
	b.column, b.position = 0, 0
}

// Add puts a term behind the others of a column of the row that was begun.
func (b *Batch) Add(column int, term []byte) {
	b.add(column, b.number(term))
}

// AddOnce is Add, unless it was called with the term for this row and column before.
func (b *Batch) AddOnce(column int, term []byte) {
	number := b.number(term)
	here := uint64(len(b.rows))<<8 | uint64(column)
	if known := &b.terms[number]; known.once != here {
		known.once = here
		b.add(column, number)
	}
}

func (b *Batch) add(column int, number uint32) {
	if column != b.column {
		b.column, b.position = column, 0
	}
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
		if found := b.table[at]; uint32(found>>32) == hash {
			number := uint32(found) - 1
			if bytes.Equal(b.textOf(number), term) {
				return number
			}
		}
	}
	begin := uint32(len(b.text))
	b.text = append(b.text, term...)
	b.terms = append(b.terms, batchTerm{begin: begin, end: uint32(len(b.text))})
	number := uint32(len(b.terms) - 1)
	b.table[at] = uint64(hash)<<32 | uint64(number+1)
	if len(b.terms)*2 > len(b.table) {
		b.grow()
	}
	return number
}

func (b *Batch) grow() {
	before := b.table
	b.table = make([]uint64, 2*len(before))
	mask := uint32(len(b.table) - 1)
	for _, entry := range before {
		if entry == 0 {
			continue
		}
		at := uint32(entry>>32) & mask
		for b.table[at] != 0 {
			at = (at + 1) & mask
		}
		b.table[at] = entry
	}
}

func (b *Batch) textOf(number uint32) []byte {
	t := &b.terms[number]
	return b.text[t.begin:t.end]
}

// beginning is how a term begins, by which most are told apart.
type beginning struct {
	text   uint64
	number uint32
}

// fewTerms are sorted by comparing: counting has 256 places a byte.
const fewTerms = 256

// sorted are the terms in their order.
func (b *Batch) sorted() []beginning {
	b.order = b.order[:0]
	for number := range b.terms {
		var begins [8]byte
		copy(begins[:], b.textOf(uint32(number)))
		b.order = append(b.order, beginning{binary.BigEndian.Uint64(begins[:]), uint32(number)})
	}
	if len(b.order) < fewTerms {
		slices.SortFunc(b.order, func(a, c beginning) int { return cmp.Or(cmp.Compare(a.text, c.text), b.compare(a, c)) })
		return b.order
	}
	b.sortByBeginning()
	for left := b.order; len(left) > 0; {
		same := 1
		for same < len(left) && left[same].text == left[0].text {
			same++
		}
		if same > 1 {
			slices.SortFunc(left[:same], b.compare)
		}
		left = left[same:]
	}
	return b.order
}

func (b *Batch) compare(a, c beginning) int {
	return bytes.Compare(b.textOf(a.number), b.textOf(c.number))
}

// sortByBeginning sorts by how terms begin, byte by byte from the last on.
func (b *Batch) sortByBeginning() {
	var counts [8][256]uint32
	for _, one := range b.order {
		for at := range counts {
			counts[at][byte(one.text>>(8*at))]++
		}
	}
	b.spare = slices.Grow(b.spare[:0], len(b.order))[:len(b.order)]
	for at := range counts {
		count := &counts[at]
		shift := 8 * at
		if count[byte(b.order[0].text>>shift)] == uint32(len(b.order)) {
			continue // All are the same there.
		}
		sum := uint32(0)
		for i, n := range count {
			count[i] = sum
			sum += n
		}
		for _, one := range b.order {
			next := &count[byte(one.text>>shift)]
			b.spare[*next] = one
			*next++
		}
		b.order, b.spare = b.spare, b.order
	}
}

// postings are all postings, those of each term together and in their order, and where
// those of each term end.
func (b *Batch) postings() (postings []uint64, until []uint32) {
	b.from = b.from[:0]
	sum := uint32(0)
	for i := range b.terms {
		b.from = append(b.from, sum)
		sum += b.terms[i].count
	}
	b.together = slices.Grow(b.together[:0], len(b.posting))[:len(b.posting)]
	for i, number := range b.term {
		b.together[b.from[number]] = b.posting[i]
		b.from[number]++
	}
	return b.together, b.from
}

// write gives the batch to a writer.
func (b *Batch) write(w *writer) {
	postings, until := b.postings()
	var term, positions []byte
	for _, one := range b.sorted() {
		term = append(append(term[:0], prefixMain), b.textOf(one.number)...)
		w.begin(term)
		end := until[one.number]
		for left := postings[end-b.terms[one.number].count : end]; len(left) > 0; {
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
