package segments

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
)

// sink takes what a segment consists of, and keeps no part of it.
type sink struct {
	block func(number int64, block []byte) error
	term  func(segment int, term []byte, page int64) error
}

// writer writes one segment: terms in their order, and of each term its rows in theirs.
type writer struct {
	sink    sink
	segment int
	size    int // of a leaf, about
	err     error

	page []byte // the leaf that is being written
	// starts are where terms begin on the leaf, each as the distance from the one
	// before, which is at last.
	starts []byte
	last   int
	number int // of the leaf

	term []byte
	// first is the first term of a leaf that is to be noted in words_idx, and at that
	// leaf, 0 when there is none. bare are how many leaves without a term follow it.
	first []byte
	at    int
	bare  int

	noTerm, noRow bool // on this leaf
	newTerm       bool // and no row of it yet
	row           int64
	rows          rowIndex

	numbers Numbers // nil where rows stay what they are
}

func newWriter(sink sink, segment, size int) *writer {
	w := &writer{sink: sink, segment: segment, size: size, number: 1, at: 1, noTerm: true, noRow: true}
	w.page = append(make([]byte, 0, size+size/8), 0, 0, 0, 0)
	w.rows = rowIndex{writer: w}
	return w
}

// begin begins a term, which is behind the one before.
func (w *writer) begin(term []byte) {
	if begun := w.number > 1 || len(w.page) > leafHeader; begun && bytes.Compare(term, w.term) <= 0 {
		w.err = cmp.Or(w.err, fmt.Errorf("%w: its terms are out of order", ErrDamaged))
		return
	}
	if len(w.page)+len(w.starts)+len(term)+2 >= w.size && len(w.page) > leafHeader {
		w.flush()
	}
	w.starts = appendVarint(w.starts, uint64(len(w.page)-w.last))
	w.last = len(w.page)
	shared := sharedPrefix(w.term, term)
	if w.noTerm {
		if w.number != 1 {
			// As much of the term as tells it from the one before.
			w.index(term[:shared+1])
		}
		shared = 0
	} else {
		w.page = appendVarint(w.page, uint64(shared))
	}
	w.page = appendVarint(w.page, uint64(len(term)-shared))
	w.page = append(w.page, term[shared:]...)
	w.term = append(w.term[:0], term...)
	w.noTerm, w.noRow, w.newTerm = false, false, true
}

func sharedPrefix(a, b []byte) (n int) {
	for most := min(len(a), len(b)); n < most && a[n] == b[n]; n++ {
	}
	return n
}

// put puts a row of the term that was begun, which is behind the one before. positions
// are its positions as FTS5 keeps them, and deleted says that what older segments have
// of the row is not true any more.
func (w *writer) put(row int64, deleted bool, positions []byte) {
	if len(w.page)+len(w.starts) >= w.size {
		w.flush()
	}
	from := w.row
	if w.newTerm {
		from = 0
	}
	if w.noRow {
		binary.BigEndian.PutUint16(w.page, uint16(len(w.page)))
		w.rows.add(row, w.number)
		from = 0
	}
	w.page = appendVarint(w.page, uint64(row)-uint64(from))
	w.row, w.newTerm, w.noRow = row, false, false

	size := uint64(len(positions)) << 1
	if deleted {
		size |= 1
	}
	w.page = appendVarint(w.page, size)
	for len(w.page)+len(w.starts)+len(positions) >= w.size {
		space, n := w.size-len(w.page)-len(w.starts), 0
		for n < space { // No number is on two leaves.
			_, size := varint(positions[n:])
			if size == 0 {
				w.err = cmp.Or(w.err, fmt.Errorf("%w: positions break off", ErrDamaged))
				return
			}
			n += size
		}
		w.page = append(w.page, positions[:n]...)
		positions = positions[n:]
		w.flush()
	}
	w.page = append(w.page, positions...)
}

// flush ends a leaf and begins the next.
func (w *writer) flush() {
	binary.BigEndian.PutUint16(w.page[2:], uint16(len(w.page)))
	if w.noTerm {
		w.rows.skip(w.noRow)
		w.bare++
	} else {
		w.page = append(w.page, w.starts...)
	}
	w.block(leafNumber(w.segment, w.number), w.page)
	w.page = append(w.page[:0], 0, 0, 0, 0)
	w.starts, w.last = w.starts[:0], 0
	w.number++
	w.noTerm, w.noRow = true, true
}

func (w *writer) block(number int64, block []byte) {
	if w.err == nil {
		w.err = w.sink.block(number, block)
	}
}

// leastIndexed is how many leaves without a term make an index of their rows worthwhile.
const leastIndexed = 4

// index notes the leaf that is being written under a beginning of its first term, nil
// at the end.
func (w *writer) index(first []byte) {
	page := int64(w.at) << 1
	if w.rows.any() && w.bare >= leastIndexed {
		w.rows.flush()
		page |= 1
	}
	if w.err == nil {
		w.err = w.sink.term(w.segment, w.first, page)
	}
	w.rows.reset()
	w.first, w.at, w.bare = append(w.first[:0], first...), w.number, 0
}

// end writes what is left and returns how many leaves there are.
func (w *writer) end() (pages int, err error) {
	if len(w.page) > leafHeader {
		w.flush()
	}
	if w.number > 1 {
		w.index(nil)
	}
	return w.number - 1, w.err
}

// rowIndex says which row is the first of each leaf of a long term, so that a search
// finds a row without reading the leaves before it. It is a tree of its own: where a
// block of it is full, the first row of the next goes to the level above.
type rowIndex struct {
	writer *writer
	levels []rowLevel
}

type rowLevel struct {
	block []byte
	first int64
	page  int // its number
	row   int64
}

func (x *rowIndex) any() bool { return len(x.levels) > 0 && len(x.levels[0].block) > 0 }

func (x *rowIndex) reset() { x.levels = x.levels[:0] }

// skip notes a leaf without a term, which has no row's beginning either.
func (x *rowIndex) skip(noRow bool) {
	if noRow && x.any() {
		x.levels[0].block = append(x.levels[0].block, 0)
	}
}

// add notes the first row of a leaf.
func (x *rowIndex) add(row int64, page int) {
	for at := 0; ; at++ {
		if at == len(x.levels) {
			x.levels = append(x.levels, rowLevel{page: x.writer.at})
		}
		l := &x.levels[at]
		full := len(l.block) >= x.writer.size
		if full {
			l.block[0] = 1 // There is one above.
			x.put(at)
			if at+1 == len(x.levels) {
				above := rowLevel{page: l.page, first: l.first, row: l.first}
				above.block = appendVarint(appendVarint(appendVarint(nil, 0), uint64(l.page)), uint64(l.first))
				x.levels = append(x.levels, above)
				l = &x.levels[at]
			}
			l.block = nil
			l.page++
		}
		if len(l.block) == 0 {
			below := page
			if at > 0 {
				below = x.levels[at-1].page
			}
			above := byte(0)
			if full {
				above = 1
			}
			l.block = appendVarint(append(l.block, above), uint64(below))
			l.block = appendVarint(l.block, uint64(row))
			l.first = row
		} else {
			l.block = appendVarint(l.block, uint64(row)-uint64(l.row))
		}
		l.row = row
		if !full {
			return
		}
	}
}

func (x *rowIndex) put(at int) {
	number := int64(x.writer.segment)<<segmentShift | 1<<dlidxShift | int64(at)<<heightShift | int64(x.levels[at].page)
	x.writer.block(number, x.levels[at].block)
}

func (x *rowIndex) flush() {
	for at := range x.levels {
		if len(x.levels[at].block) > 0 {
			x.put(at)
		}
	}
}
