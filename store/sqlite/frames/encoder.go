package frames

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"sync"

	"github.com/klauspost/compress/huff0"
)

const (
	// MostBytes is how large a document may be, so that a place in it or in the dictionary
	// before it is a number of 16 bits.
	MostBytes = 32 << 10
	// leastMatch is how many bytes a match has at least, and hashed how many are looked up.
	leastMatch, hashed = 4, 5
	hashBits           = 12
	// manyLiterals is from how many on literals are written as four streams, which is what
	// the sizes of one do not reach.
	manyLiterals = 1024
	// fewLiterals are not worth a table.
	fewLiterals = 48
	// margin is how many bytes at the end are not looked up: a look takes 8.
	margin = 8
)

// Encoder packs documents against one dictionary. It is safe for concurrent use.
type Encoder struct {
	id      byte
	dict    []byte
	table   table
	workers sync.Pool
}

// table says where five bytes were last seen, by their hash, one more than the place.
type table [1 << hashBits]uint16

// worker is what one document needs on its way.
type worker struct {
	table     table
	text      []byte // the dictionary, and the document behind it
	literals  []byte
	sequences []sequence
	huffman   huff0.Scratch
}

// sequence is some literals and the match behind them.
type sequence struct{ literals, match, offset uint32 }

// New makes an encoder for a dictionary of raw content, which decoders know by id. It has
// 32 KB at most.
func New(id byte, dict []byte) *Encoder {
	e := &Encoder{id: id, dict: dict}
	for i := 0; i+margin <= len(dict); i++ {
		e.table[hash(binary.LittleEndian.Uint64(dict[i:]))] = uint16(i + 1)
	}
	e.workers.New = func() any { return &worker{text: append([]byte(nil), dict...)} }
	return e
}

func hash(text uint64) uint32 {
	const prime = 889523592379 // the 5-byte one of the reference implementation
	return uint32(((text << (64 - 8*hashed)) * prime) >> (64 - hashBits))
}

// Append adds the frame of a document to out. It reports false, and adds nothing, where the
// document is too large or would not become smaller.
func (e *Encoder) Append(out, document []byte) ([]byte, bool) {
	if len(document) == 0 || len(document) > MostBytes {
		return out, false
	}
	w := e.workers.Get().(*worker)
	defer e.workers.Put(w)
	w.table = e.table
	w.text = append(w.text[:len(e.dict)], document...)
	w.find(len(e.dict))

	begin := len(out)
	out = e.appendHeader(out, len(document))
	block := len(out)
	out, ok := w.appendLiterals(append(out, 0, 0, 0))
	if !ok {
		return out[:begin], false
	}
	out = appendSequences(out, w.sequences)
	size := len(out) - block - 3
	if size >= len(document) {
		return out[:begin], false
	}
	header := uint32(size)<<3 | 2<<1 | 1 // a compressed block, the last
	out[block], out[block+1], out[block+2] = byte(header), byte(header>>8), byte(header>>16)
	return out, true
}

// appendHeader writes the head of a frame: its size, which is its window, and the dictionary.
func (e *Encoder) appendHeader(out []byte, size int) []byte {
	const magic, single, dictionary = 0xFD2FB528, 1 << 5, 1
	out = binary.LittleEndian.AppendUint32(out, magic)
	if size < 256 {
		return append(out, single|dictionary, e.id, byte(size))
	}
	return binary.LittleEndian.AppendUint16(append(out, 1<<6|single|dictionary, e.id), uint16(size-256))
}

// find cuts the text behind begin into literals and matches, greedily.
func (w *worker) find(begin int) {
	text := w.text
	w.literals, w.sequences = w.literals[:0], w.sequences[:0]
	next := begin // what is not written yet begins here
	last := len(text) - margin
	for at := begin; at <= last; {
		word := binary.LittleEndian.Uint64(text[at:])
		entry := &w.table[hash(word)]
		from := int(*entry) - 1
		*entry = uint16(at + 1)
		if from < 0 || uint32(word) != binary.LittleEndian.Uint32(text[from:]) {
			at += 1 + (at-next)>>6
			continue
		}
		length := leastMatch + same(text[from+leastMatch:], text[at+leastMatch:])
		for at > next && from > 0 && text[at-1] == text[from-1] {
			at, from, length = at-1, from-1, length+1
		}
		w.literals = append(w.literals, text[next:at]...)
		w.sequences = append(w.sequences, sequence{uint32(at - next), uint32(length), uint32(at - from)})
		at += length
		next = at
		if at <= last {
			w.table[hash(binary.LittleEndian.Uint64(text[at-2:]))] = uint16(at - 2 + 1)
		}
	}
	w.literals = append(w.literals, text[next:]...)
}

// same is how many bytes two texts begin with, of which the second is the shorter.
func same(a, b []byte) (n int) {
	for ; n+8 <= len(b); n += 8 {
		if differ := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); differ != 0 {
			return n + bits.TrailingZeros64(differ)/8
		}
	}
	for n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// Types of a section of literals.
const (
	rawLiterals        = 0
	repeatedLiterals   = 1
	compressedLiterals = 2
)

// appendLiterals writes the section of literals.
func (w *worker) appendLiterals(out []byte) ([]byte, bool) {
	n := len(w.literals)
	if n < fewLiterals {
		return append(appendLiteralsSize(out, rawLiterals, n), w.literals...), true
	}
	compress, streams := huff0.Compress1X, uint64(0)
	if n >= manyLiterals {
		compress, streams = huff0.Compress4X, 1
	}
	w.huffman.Reuse = huff0.ReusePolicyNone
	packed, _, err := compress(w.literals, &w.huffman)
	switch {
	case err == nil:
	case errors.Is(err, huff0.ErrIncompressible):
		return append(appendLiteralsSize(out, rawLiterals, n), w.literals...), true
	case errors.Is(err, huff0.ErrUseRLE):
		return append(appendLiteralsSize(out, repeatedLiterals, n), w.literals[0]), true
	default:
		return out, false
	}
	switch size := len(packed); {
	case n < manyLiterals:
		return append(appendUint24(out, compressedLiterals|uint64(n)<<4|uint64(size)<<14), packed...), true
	case n < 16<<10:
		header := compressedLiterals | (streams+1)<<2 | uint64(n)<<4 | uint64(size)<<18
		return append(binary.LittleEndian.AppendUint32(out, uint32(header)), packed...), true
	default:
		header := compressedLiterals | (streams+2)<<2 | uint64(n)<<4 | uint64(size)<<22
		out = append(binary.LittleEndian.AppendUint32(out, uint32(header)), byte(header>>32))
		return append(out, packed...), true
	}
}

// appendLiteralsSize writes the head of literals that are not compressed.
func appendLiteralsSize(out []byte, kind, n int) []byte {
	switch {
	case n < 32:
		return append(out, byte(kind|n<<3))
	case n < 4096:
		return binary.LittleEndian.AppendUint16(out, uint16(kind|1<<2|n<<4))
	default:
		return appendUint24(out, uint64(kind|3<<2|n<<4))
	}
}

func appendUint24(out []byte, n uint64) []byte {
	return append(out, byte(n), byte(n>>8), byte(n>>16))
}
