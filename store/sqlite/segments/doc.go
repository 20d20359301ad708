// Package segments writes the words of many events at once into an FTS5 index, in the
// form that FTS5 keeps them, and merges what was written. FTS5 takes words row by row:
// its hash table, its sorting and its merging are half of what storing an event costs.
// Here a batch is sorted once and becomes a segment, as FTS5 would have written it,
// and FTS5 reads, deletes and checks it as any other (ADR 0050).
//
// # Form
//
// An index is the tables that FTS5 keeps beside its virtual one. In words_data every
// segment has its leaves, pages of terms in their order with the rows that have them
// and where; in words_idx is the first term of each leaf; the block StructureBlock says
// which segments there are, in levels, the newest in level 0.
//
// The form is described at the beginning of fts5_index.c of SQLite, and has been the
// same since 2015: files of an older SQLite are to be read by a newer one.
package segments

// Numbers of the two blocks of words_data that belong to no segment.
const (
	TotalsBlock    = 1
	StructureBlock = 10
)

// Where the parts of a block's number are.
const (
	segmentShift = 37
	dlidxShift   = 36
	heightShift  = 31
)

// Blocks are the numbers [first, last] that the blocks of a segment have.
func Blocks(segment int) (first, last int64) {
	return int64(segment) << segmentShift, int64(segment+1)<<segmentShift - 1
}

// SegmentOf is whose block has a number.
func SegmentOf(number int64) (segment int64) { return number >> segmentShift }

// leafNumber is the number of a leaf, which count from 1.
func leafNumber(segment, page int) int64 { return int64(segment)<<segmentShift + int64(page) }

// prefixMain begins every term: an index may have others, of the beginnings of words,
// and ours has none.
const prefixMain = '0'

// leafHeader are the bytes in front of a leaf: where its first row is, unless that
// belongs to a term of the leaf itself, and where its list of terms begins.
const leafHeader = 4

// appendVarint appends a number as SQLite does: seven bits a byte, the highest first,
// and all eight of a ninth.
func appendVarint(out []byte, v uint64) []byte {
	switch {
	case v < 1<<7:
		return append(out, byte(v))
	case v < 1<<14:
		return append(out, byte(v>>7)|0x80, byte(v)&0x7f)
	case v < 1<<21:
		return append(out, byte(v>>14)|0x80, byte(v>>7)|0x80, byte(v)&0x7f)
	case v>>56 != 0:
		for shift := 57; shift >= 8; shift -= 7 {
			out = append(out, byte(v>>shift)|0x80)
		}
		return append(out, byte(v))
	}
	shift := 21
	for v>>(shift+7) != 0 {
		shift += 7
	}
	for ; shift > 0; shift -= 7 {
		out = append(out, byte(v>>shift)|0x80)
	}
	return append(out, byte(v)&0x7f)
}

// varint reads a number and how many bytes it has, 0 where there is none.
func varint(b []byte) (v uint64, size int) {
	for i := 0; i < len(b); i++ {
		if i == 8 {
			return v<<8 | uint64(b[i]), 9
		}
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
