package segments

import (
	"errors"
	"slices"
)

// errFull is an index of as many segments as FTS5 takes; merging them helps.
var errFull = errors.New("there are too many segments of words")

// Segment is a batch as it will be written; it has no number yet.
type Segment struct {
	rows, pages int
	totals      []int
	// text is what the last blocks are parts of, with room for more.
	text   []byte
	blocks []madeBlock
	terms  []madeTerm
}

type madeBlock struct {
	number int64
	block  []byte
}

// textRoom is how much room is made for blocks at once.
const textRoom = 64 << 10

type madeTerm struct {
	term []byte
	page int64
}

func (s *Segment) putBlock(number int64, block []byte) error {
	if len(s.text)+len(block) > cap(s.text) {
		s.text = make([]byte, 0, max(textRoom, len(block)))
	}
	begin := len(s.text)
	s.text = append(s.text, block...)
	s.blocks = append(s.blocks, madeBlock{number, s.text[begin:]})
	return nil
}

func (s *Segment) putTerm(_ int, term []byte, page int64) error {
	s.terms = append(s.terms, madeTerm{slices.Clone(term), page})
	return nil
}

// Segment makes a segment of leaves of about so many bytes.
func (b *Batch) Segment(size int) *Segment {
	s := &Segment{rows: len(b.rows), totals: slices.Clone(b.totals)}
	w := newWriter(sink{s.putBlock, s.putTerm}, 0, size)
	b.write(w)
	s.pages, _ = w.end() // Memory takes everything.
	return s
}

// Rows is how many rows a segment has.
func (s *Segment) Rows() int { return s.rows }

// Add adds a segment to an index. Where that makes so many segments of a level, they
// are merged into one of the next, unless that takes long: it returns of how many pages FTS5
// should merge as much, step by step, so that it keeps up, 0 for none.
func Add(index Index, s *Segment, size, many int) (due int, err error) {
	if s.pages == 0 {
		return 0, nil
	}
	block, err := index.Read(StructureBlock)
	if err != nil {
		return 0, err
	}
	structure, err := ParseStructure(block)
	if err != nil {
		return 0, err
	}
	number := structure.free()
	if number == 0 {
		return 0, errFull
	}
	if err := s.writeTo(index, number); err != nil {
		return 0, err
	}
	structure.add(0, number, s.pages)
	for at := structure.full(many, size); at >= 0; at = structure.full(many, size) {
		if err := structure.merge(index, at, size); err != nil {
			return 0, err
		}
	}
	if structure.due(many) {
		due = s.pages
	}
	if err := index.Block(StructureBlock, structure.Bytes()); err != nil {
		return 0, err
	}
	return due, s.addTotals(index)
}

func (s *Segment) writeTo(index Index, number int) error {
	base, _ := Blocks(number)
	for _, made := range s.blocks {
		if err := index.Block(base+made.number, made.block); err != nil {
			return err
		}
	}
	for _, term := range s.terms {
		if err := index.Term(number, term.term, term.page); err != nil {
			return err
		}
	}
	return nil
}

func (s *Segment) addTotals(index Index) error {
	block, err := index.Read(TotalsBlock)
	if err != nil {
		return err
	}
	if block, err = addTotals(block, s.rows, s.totals); err != nil {
		return err
	}
	return index.Block(TotalsBlock, block)
}

// merge makes one segment of those of a level.
func (s *Structure) merge(index Index, at, size int) error {
	number := s.free()
	if number == 0 {
		return errFull
	}
	of, slot, last := s.inputs(at)
	pages, err := merge(of, last, index.Read, newWriter(sink{index.Block, index.Term}, number, size))
	if err != nil {
		return err
	}
	for _, one := range of {
		if err := index.Drop(one.segment); err != nil {
			return err
		}
	}
	s.merged(at, slot, number, pages)
	return nil
}
