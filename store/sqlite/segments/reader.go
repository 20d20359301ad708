package segments

import (
	"encoding/binary"
	"fmt"
)

// reader reads a segment from its first term to its last. It begins in front of both.
type reader struct {
	read   func(number int64) ([]byte, error)
	of     leaves
	age    int // of two that are merged the greater is newer
	number int // of the leaf
	err    error

	page []byte // the leaf without its list of terms
	// starts are where the terms of the leaf begin; next is the one that comes next.
	starts []int
	next   int
	at     int // on the leaf
	// firstRow is where the first row is that begins on the leaf and belongs to a term
	// of an earlier one.
	firstRow int

	term  []byte // nil at the end
	begun bool   // a row of the term was read

	// The row that was read.
	row       int64
	deleted   bool
	positions []byte
	joined    []byte
}

func (r *reader) fail(what string) bool {
	if r.err == nil {
		r.err = fmt.Errorf("%w: leaf %d of segment %d: %s", ErrDamaged, r.number, r.of.segment, what)
	}
	return false
}

// turn goes to the next leaf, and reports whether there is one.
func (r *reader) turn() bool {
	if r.number >= r.of.last || r.err != nil {
		return false
	}
	r.number++
	block, err := r.read(leafNumber(r.of.segment, r.number))
	if err != nil {
		r.err = err
		return false
	}
	if len(block) < leafHeader {
		return r.fail("it is too short")
	}
	end := int(binary.BigEndian.Uint16(block[2:]))
	if end < leafHeader || end > len(block) {
		return r.fail("it is shorter than it says")
	}
	r.firstRow = int(binary.BigEndian.Uint16(block))
	r.page, r.starts, r.next, r.at = block[:end], r.starts[:0], 0, leafHeader
	for list, start := block[end:], 0; len(list) > 0; {
		distance, size := varint(list)
		start += int(distance & mostNumber)
		if size == 0 || start < leafHeader || start >= end {
			return r.fail("its terms are not where it says")
		}
		list = list[size:]
		r.starts = append(r.starts, start)
	}
	return true
}

// limit is where the rows of the term end on the leaf.
func (r *reader) limit() int {
	if r.next < len(r.starts) {
		return r.starts[r.next]
	}
	return len(r.page)
}

// nextTerm goes to the next term; rows of the one before that were not read are skipped.
func (r *reader) nextTerm() bool {
	for r.next >= len(r.starts) {
		if !r.turn() {
			r.term = nil
			return false
		}
	}
	r.at = r.starts[r.next]
	kept := uint64(0)
	if r.next > 0 {
		kept = r.varint()
	}
	added := r.varint()
	r.next++
	if kept > uint64(len(r.term)) || r.at > r.limit() || added > uint64(r.limit()-r.at) {
		r.term = nil
		return r.fail("a term breaks off")
	}
	r.term = append(r.term[:kept], r.page[r.at:r.at+int(added)]...)
	r.at += int(added)
	r.begun = false
	return true
}

func (r *reader) varint() uint64 {
	v, size := varint(r.page[r.at:])
	if size == 0 {
		r.fail("a number breaks off")
		r.at = len(r.page)
	}
	r.at += size
	return v
}

// more reports whether the rows of the term go on, on this leaf or the next.
func (r *reader) more() bool {
	for r.at >= r.limit() {
		if r.next < len(r.starts) || !r.turn() {
			return false
		}
	}
	return true
}

// nextRow goes to the next row of the term.
func (r *reader) nextRow() bool {
	if !r.more() {
		return false
	}
	before := r.row
	if !r.begun || r.at == r.firstRow {
		before = 0
	}
	r.row = int64(uint64(before) + r.varint())
	size := r.varint()
	r.begun, r.deleted = true, size&1 == 1
	return r.readPositions(size >> 1)
}

func (r *reader) readPositions(size uint64) bool {
	if r.err == nil && size <= uint64(max(0, r.limit()-r.at)) {
		r.positions = r.page[r.at : r.at+int(size)]
		r.at += int(size)
		return true
	}
	r.joined = r.joined[:0]
	for r.err == nil && uint64(len(r.joined)) < size {
		if !r.more() {
			return r.fail("positions break off")
		}
		part := r.page[r.at:r.limit()]
		part = part[:min(uint64(len(part)), size-uint64(len(r.joined)))]
		r.joined = append(r.joined, part...)
		r.at += len(part)
	}
	r.positions = r.joined
	return r.err == nil
}
