package segments

import (
	"bytes"
	"container/heap"
)

// merge writes the segments of a level, the oldest first, as one. What the newest says
// of a row of a term counts. last says that there is no older segment, so that nothing
// needs to be said of what was deleted.
func merge(of []leaves, last bool, read func(number int64) ([]byte, error), w *writer) (pages int, err error) {
	var waiting byTerm
	readers := make([]*reader, 0, len(of))
	for age, one := range of {
		if one.empty() {
			continue
		}
		r := &reader{read: read, of: one, age: age, number: one.first - 1}
		readers = append(readers, r)
		if r.nextTerm() {
			waiting = append(waiting, r)
		}
	}
	heap.Init(&waiting)
	var term []byte
	var same []*reader
	for len(waiting) > 0 && w.err == nil {
		term, same = append(term[:0], waiting[0].term...), same[:0]
		for len(waiting) > 0 && bytes.Equal(waiting[0].term, term) {
			same = append(same, heap.Pop(&waiting).(*reader))
		}
		mergeRows(w, term, same, last)
		for _, one := range same {
			if one.nextTerm() {
				heap.Push(&waiting, one)
			}
		}
	}
	for _, one := range readers {
		if one.err != nil {
			return 0, one.err
		}
	}
	return w.end()
}

// mergeRows writes the rows that some segments have of a term.
func mergeRows(w *writer, term []byte, same []*reader, last bool) {
	begun, number := false, w.rowsOf(term)
	eachRow(same, func(newest *reader) bool {
		if len(newest.positions) > 0 || newest.deleted && !last {
			row := newest.row
			if number != nil {
				if row = w.numbered(number, row, w.row, !begun); w.err != nil || row < 0 {
					return w.err == nil
				}
			}
			if !begun {
				if w.begin(term); w.err != nil {
					return false
				}
				begun = true
			}
			w.put(row, newest.deleted && !last, newest.positions)
		}
		return w.err == nil
	})
}

// eachRow gives the rows that some segments have of a term, each as the newest has it, until
// give says that it is enough.
func eachRow(same []*reader, give func(newest *reader) bool) {
	rows := make(byRow, 0, len(same))
	for _, one := range same {
		if one.nextRow() {
			rows = append(rows, one)
			rows.sink(len(rows) - 1)
		}
	}
	for len(rows) > 0 {
		row := rows[0].row
		if !give(rows[0]) {
			return
		}
		for len(rows) > 0 && rows[0].row == row {
			rows = rows.advance()
		}
	}
}

// byRow are readers in the order of their rows, the newest first of those of one row.
// Batches follow one another in time, so one that goes on mostly stays in front.
type byRow []*reader

func (s byRow) before(a, b *reader) bool { return a.row < b.row || a.row == b.row && a.age > b.age }

// sink puts the one at a place, the last, where it belongs.
func (s byRow) sink(at int) {
	for ; at > 0 && s.before(s[at], s[at-1]); at-- {
		s[at], s[at-1] = s[at-1], s[at]
	}
}

// advance has the first go to its next row, and leaves it out when there is none.
func (s byRow) advance() byRow {
	if !s[0].nextRow() {
		return append(s[:0], s[1:]...)
	}
	for at := 1; at < len(s) && s.before(s[at], s[at-1]); at++ {
		s[at], s[at-1] = s[at-1], s[at]
	}
	return s
}

// byTerm is a heap of readers.
type byTerm []*reader

func (s byTerm) Len() int           { return len(s) }
func (s byTerm) Less(i, j int) bool { return bytes.Compare(s[i].term, s[j].term) < 0 }
func (s byTerm) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *byTerm) Push(one any)      { *s = append(*s, one.(*reader)) }

func (s *byTerm) Pop() any {
	one := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return one
}
