package segments

import (
	"fmt"
	"slices"
)

// Numbers says how the rows of a term are numbered anew: a greater row has a greater number.
// A row whose number is negative is left out. What it gives is good until the next term.
type Numbers func(term []byte) (func(row int64) (int64, error), error)

// Renumber makes one segment of all of an index, with other numbers for the rows.
func Renumber(index Index, size int, numbers Numbers) error {
	block, err := index.Read(StructureBlock)
	if err != nil {
		return err
	}
	s, err := ParseStructure(block)
	if err != nil {
		return err
	}
	of := s.oldestFirst()
	if len(of) == 0 {
		return nil
	}
	number := s.free()
	if number == 0 {
		return errFull
	}
	w := newWriter(sink{index.Block, index.Term}, number, size)
	w.numbers = numbers
	pages, err := merge(of, true, index.Read, w)
	if err != nil {
		return err
	}
	for _, one := range of {
		if err := index.Drop(one.segment); err != nil {
			return err
		}
	}
	s.only(number, pages)
	return index.Block(StructureBlock, s.Bytes())
}

// oldestFirst are all segments. What FTS5 has begun to merge is older than what is left of
// those that it merges.
func (s *Structure) oldestFirst() (all []leaves) {
	for _, l := range slices.Backward(s.levels) {
		all = append(all, l.segments...)
	}
	return all
}

// only leaves one segment, none where it has no pages, in the level of the largest.
func (s *Structure) only(segment, pages int) {
	s.levels = make([]level, max(2, len(s.levels)))
	if pages > 0 {
		s.levels[len(s.levels)-1].segments = []leaves{{segment, 1, pages}}
	}
}

// rowsOf is how the rows of a term are numbered, nil where they stay what they are.
func (w *writer) rowsOf(term []byte) func(row int64) (int64, error) {
	if w.numbers == nil || w.err != nil {
		return nil
	}
	if len(term) == 0 {
		w.err = fmt.Errorf("%w: a term is empty", ErrDamaged)
		return nil
	}
	var number func(row int64) (int64, error)
	number, w.err = w.numbers(term[1:])
	return number
}

// numbered is the number of a row. It is behind the one before, unless it is the term's first.
func (w *writer) numbered(number func(row int64) (int64, error), row, before int64, first bool) int64 {
	if row, w.err = number(row); w.err == nil && row >= 0 && !first && row <= before {
		w.err = fmt.Errorf("%w: its rows are out of order", ErrDamaged)
	}
	return row
}
