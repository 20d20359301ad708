package segments

import (
	"bytes"
	"container/heap"
)

// Terms gives the terms [from, until) of an index in their order, and how many rows have
// each. A term is good until give returns.
func Terms(d Dictionary, s Structure, from, until []byte, give func(term []byte, rows int)) error {
	from, until = append([]byte{prefixMain}, from...), append([]byte{prefixMain}, until...)
	readers, err := readersFrom(d, s, from)
	if err != nil {
		return err
	}
	var waiting byTerm
	for _, r := range readers {
		if r.nextTermBefore(from, until) {
			waiting = append(waiting, r)
		}
	}
	heap.Init(&waiting)
	var term []byte
	var same []*reader
	for len(waiting) > 0 {
		term, same = append(term[:0], waiting[0].term...), same[:0]
		for len(waiting) > 0 && bytes.Equal(waiting[0].term, term) {
			same = append(same, heap.Pop(&waiting).(*reader))
		}
		if rows := countRows(same); rows > 0 {
			give(term[1:], rows)
		}
		for _, one := range same {
			if one.nextTermBefore(from, until) {
				heap.Push(&waiting, one)
			}
		}
	}
	for _, one := range readers {
		if one.err != nil {
			return one.err
		}
	}
	return nil
}

// readersFrom are readers of all segments, each in front of the leaf on which a term would
// be; the newer a segment, the greater its age.
func readersFrom(d Dictionary, s Structure, from []byte) ([]*reader, error) {
	var readers []*reader
	age := s.count()
	for _, l := range s.levels {
		for i, one := range l.segments {
			if one.empty() {
				continue
			}
			page, err := d.Leaf(one.segment, from)
			if err != nil {
				return nil, err
			}
			readers = append(readers, &reader{
				read: d.Read, of: one, age: age - len(l.segments) + i, number: max(page, one.first) - 1,
			})
		}
		age -= len(l.segments)
	}
	return readers, nil
}

// nextTermBefore goes to the next term in [from, until), and reports whether there is one.
func (r *reader) nextTermBefore(from, until []byte) bool {
	for r.nextTerm() {
		if bytes.Compare(r.term, from) >= 0 {
			return bytes.Compare(r.term, until) < 0
		}
	}
	return false
}

// countRows is how many rows have the term that readers are at.
func countRows(same []*reader) (n int) {
	if len(same) == 1 {
		return same[0].countRows()
	}
	eachRow(same, func(newest *reader) bool {
		if len(newest.positions) > 0 {
			n++
		}
		return true
	})
	return n
}

// countRows is how many rows of the term have positions. It does not say which.
func (r *reader) countRows() (n int) {
	for {
		n += r.countWhole()
		if !r.nextRow() {
			return n
		}
		if len(r.positions) > 0 {
			n++
		}
	}
}

// longRow is how many bytes the number of a row has at most that countWhole passes over.
const longRow = 8

// countWhole goes behind the rows of the term that end on this leaf.
func (r *reader) countWhole() (n int) {
	page := r.page[:r.limit()]
	for at := r.at; at < len(page); {
		row := at
		for at < len(page) && page[at] >= 0x80 {
			at++
		}
		if at++; at-row > longRow || at >= len(page) {
			return n
		}
		size, bytes := varint(page[at:])
		if at += bytes; bytes == 0 || size>>1 > uint64(len(page)-at) {
			return n
		}
		at += int(size >> 1)
		if size > 1 {
			n++
		}
		r.at, r.begun = at, true
	}
	return n
}
