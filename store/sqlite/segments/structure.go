package segments

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrDamaged is an index that nobody wrote so.
var ErrDamaged = errors.New("the index of words is damaged")

const (
	// mostSegments is how many segments FTS5 takes.
	mostSegments = 2000
	// bytesAtOnce is how much a merge in one transaction reads: everybody who writes to the
	// week waits for it, some tenth of a second.
	bytesAtOnce = 1 << 20
	// farTooMany is how many times as many segments as there should be are merged in one
	// transaction however large they are: FTS5 did not keep up.
	farTooMany = 8
)

// Structure says of which segments an index consists.
type Structure struct {
	cookie uint32
	writes uint64
	levels []level
}

// level are segments about as large as each other, the oldest first. FTS5 has begun to
// merge so many of the first into the last one of the next level, where it is not 0.
type level struct {
	merging  int
	segments []leaves
}

// leaves are the leaves [first, last] that a segment still has, 0 both where all went
// into what FTS5 is merging.
type leaves struct{ segment, first, last int }

func (l leaves) empty() bool { return l.first == 0 && l.last == 0 }

// otherForm follows the cookie of an index of another kind than ours.
const otherForm = "\xff\x00\x00\x01"

// ParseStructure reads the block StructureBlock.
func ParseStructure(block []byte) (Structure, error) {
	var s Structure
	if len(block) < 4 || strings.HasPrefix(string(block[4:]), otherForm) {
		return s, fmt.Errorf("%w: its structure cannot be read", ErrDamaged)
	}
	s.cookie = binary.BigEndian.Uint32(block)
	rest, bad := block[4:], false
	next := func() uint64 {
		v, size := varint(rest)
		rest, bad = rest[size:], bad || size == 0
		return v
	}
	levels, total := next(), next()
	s.writes = next()
	if bad || levels > mostSegments || total > mostSegments {
		return s, fmt.Errorf("%w: it has %d levels of %d segments", ErrDamaged, levels, total)
	}
	for range levels {
		merging, count := next(), next()
		if bad || merging > count || count > mostSegments {
			return s, fmt.Errorf("%w: its structure breaks off", ErrDamaged)
		}
		l := level{merging: int(merging)}
		for range count {
			one := leaves{int(next() & mostNumber), int(next() & mostNumber), int(next() & mostNumber)}
			if one.segment < 1 || one.segment > mostSegments || one.first > one.last || one.first < 1 && !one.empty() {
				return s, fmt.Errorf("%w: its structure has a segment without leaves", ErrDamaged)
			}
			l.segments = append(l.segments, one)
		}
		s.levels = append(s.levels, l)
	}
	if bad || s.count() != int(total) {
		return s, fmt.Errorf("%w: its structure breaks off", ErrDamaged)
	}
	return s, nil
}

// mostNumber bounds what is read of a structure.
const mostNumber = 1<<31 - 1

// Bytes writes the block StructureBlock.
func (s *Structure) Bytes() []byte {
	out := binary.BigEndian.AppendUint32(nil, s.cookie)
	out = appendVarint(out, uint64(len(s.levels)))
	out = appendVarint(out, uint64(s.count()))
	out = appendVarint(out, s.writes)
	for _, l := range s.levels {
		out = appendVarint(out, uint64(l.merging))
		out = appendVarint(out, uint64(len(l.segments)))
		for _, segment := range l.segments {
			for _, number := range []int{segment.segment, segment.first, segment.last} {
				out = appendVarint(out, uint64(number))
			}
		}
	}
	return out
}

func (s *Structure) count() (segments int) {
	for _, l := range s.levels {
		segments += len(l.segments)
	}
	return segments
}

// free is a number that no segment has, 0 when there is none.
func (s *Structure) free() int {
	used := make(map[int]bool)
	for _, l := range s.levels {
		for _, segment := range l.segments {
			used[segment.segment] = true
		}
	}
	for number := 1; number < mostSegments; number++ {
		if !used[number] {
			return number
		}
	}
	return 0
}

// add puts a segment behind the others of a level.
func (s *Structure) add(at, segment, pages int) {
	for len(s.levels) <= at {
		s.levels = append(s.levels, level{})
	}
	l := &s.levels[at]
	l.segments = append(slices.Clip(l.segments), leaves{segment, 1, pages})
}

// full is the first level with so many segments that are merged at once, -1 when there is
// none: they have few pages, of a size, or are far too many.
func (s *Structure) full(many, size int) int {
	return slices.IndexFunc(s.levels, func(l level) bool {
		return len(l.segments) >= many && (l.pages()*size <= bytesAtOnce || len(l.segments) >= farTooMany*many)
	})
}

// due reports whether a level has so many segments that FTS5 should merge them step by
// step; those of a merge that is not done yet are counted.
func (s *Structure) due(many int) bool {
	return slices.ContainsFunc(s.levels, func(l level) bool { return len(l.segments) >= many })
}

// pages is how many leaves a level has.
func (l level) pages() (n int) {
	for _, segment := range l.segments {
		if !segment.empty() {
			n += segment.last - segment.first + 1
		}
	}
	return n
}

// inputs are the segments of a level that become one of the next, and where that goes.
// What FTS5 has begun to merge is ended: it has the first terms in the last segment of
// the next level and the others where they were. last says that nothing is older.
func (s *Structure) inputs(at int) (of []leaves, slot int, last bool) {
	for len(s.levels) < at+2 {
		s.levels = append(s.levels, level{})
	}
	l, next := &s.levels[at], &s.levels[at+1]
	of, slot = l.segments, len(next.segments)
	if l.merging > 0 && slot > 0 {
		slot--
		of = slices.Concat(next.segments[slot:], l.segments[:l.merging])
	}
	above := 0
	for _, l := range s.levels[at+2:] {
		above += len(l.segments)
	}
	return of, slot, slot == 0 && above == 0
}

// merged puts what inputs became in their place, nothing where it has no pages.
func (s *Structure) merged(at, slot, segment, pages int) {
	l, next := &s.levels[at], &s.levels[at+1]
	count := len(l.segments)
	if l.merging > 0 {
		count = l.merging
	}
	l.segments, l.merging = slices.Clone(l.segments[count:]), 0
	next.segments = slices.Clone(next.segments[:slot])
	if pages > 0 {
		next.segments = append(next.segments, leaves{segment, 1, pages})
	}
}

// addTotals adds rows and the terms of their columns to the block TotalsBlock, by which
// FTS5 knows how long rows are.
func addTotals(block []byte, rows int, terms []int) ([]byte, error) {
	out := make([]byte, 0, len(block)+2*len(terms))
	for at := -1; at < len(terms); at++ {
		more := rows
		if at >= 0 {
			more = terms[at]
		}
		var had uint64
		if len(block) > 0 {
			var size int
			if had, size = varint(block); size == 0 {
				return nil, fmt.Errorf("%w: its totals cannot be read", ErrDamaged)
			}
			block = block[size:]
		}
		out = appendVarint(out, had+uint64(more))
	}
	return out, nil
}
