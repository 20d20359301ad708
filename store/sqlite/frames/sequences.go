package frames

import (
	"encoding/binary"
	"math/bits"
)

// Sequences are written with the distributions that the format predefines: those of a
// document of its own would take more than they give.
var (
	lengthCodes = newCodes(6, 4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1)
	matchCodes  = newCodes(6, 1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1)
	offsetCodes = newCodes(5, 1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1)
)

// Codes of lengths below 64 and of matches below 131, and the bits that codes have beside.
var (
	lengthOf = codesOf(64, lengthBits[:])
	matchOf  = codesOf(128, matchBits[:])

	lengthBits = [36]uint8{16: 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	matchBits  = [53]uint8{32: 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
)

// codesOf says of each number below n which code it has, whose number of other bits are
// given.
func codesOf(n int, extra []uint8) []uint8 {
	out := make([]uint8, 0, n)
	for code := 0; len(out) < n; code++ {
		for range 1 << extra[code] {
			out = append(out, uint8(code))
		}
	}
	return out[:n]
}

func lengthCode(n uint32) uint8 {
	if n < 64 {
		return lengthOf[n]
	}
	return uint8(bits.Len32(n)-1) + 19
}

func matchCode(n uint32) uint8 {
	if n < 128 {
		return matchOf[n]
	}
	return uint8(bits.Len32(n)-1) + 36
}

// codes are what a finite state encoder knows of its symbols.
type codes struct {
	log    uint8
	states []uint16
	by     []symbol
}

type symbol struct {
	bits uint32 // how many bits leave, in the upper half, less what a state has
	find int32
}

// newCodes makes a table of a normalized distribution, as the format's description of
// decoding tables determines it.
func newCodes(log uint8, shares ...int) *codes {
	size := 1 << log
	c := &codes{log: log, states: make([]uint16, size), by: make([]symbol, len(shares))}
	symbols, high := make([]uint8, size), size-1
	for s, share := range shares {
		if share == -1 {
			symbols[high] = uint8(s)
			high--
		}
	}
	at, step := 0, size>>1+size>>3+3
	for s, share := range shares {
		for range max(share, 0) {
			symbols[at] = uint8(s)
			for at = (at + step) & (size - 1); at > high; {
				at = (at + step) & (size - 1)
			}
		}
	}
	begins, total := make([]int, len(shares)), 0
	for s, share := range shares {
		begins[s] = total
		if share == -1 || share == 1 {
			c.by[s] = symbol{uint32(log)<<16 - uint32(size), int32(total - 1)}
			total++
			continue
		}
		out := uint32(log) - uint32(bits.Len32(uint32(share-1))-1)
		c.by[s] = symbol{out<<16 - uint32(share)<<out, int32(total - share)}
		total += share
	}
	for u, s := range symbols {
		c.states[begins[s]] = uint16(size + u)
		begins[s]++
	}
	return c
}

// begin is a state from which a symbol is read first.
func (c *codes) begin(s uint8) uint32 {
	by := c.by[s]
	out := (by.bits + 1<<15) >> 16
	return uint32(c.states[int32((out<<16-by.bits)>>out)+by.find])
}

// bitWriter collects bits, the lowest first, to be read from the end.
type bitWriter struct {
	out  []byte
	bits uint64
	n    uint8
}

// add adds the lowest n bits of a value, 32 at most.
func (w *bitWriter) add(value uint32, n uint8) {
	w.bits |= (uint64(value) & (1<<n - 1)) << w.n
	if w.n += n; w.n >= 32 {
		w.out = binary.LittleEndian.AppendUint32(w.out, uint32(w.bits))
		w.bits >>= 32
		w.n -= 32
	}
}

// move writes what leads from the state before a symbol to it.
func (w *bitWriter) move(c *codes, state uint32, s uint8) uint32 {
	by := c.by[s]
	out := (state + by.bits) >> 16
	w.add(state, uint8(out))
	return uint32(c.states[int32(state>>out)+by.find])
}

// end marks the end and writes what is left.
func (w *bitWriter) end() []byte {
	w.add(1, 1)
	for ; w.n > 0; w.n -= min(w.n, 8) {
		w.out = append(w.out, byte(w.bits))
		w.bits >>= 8
	}
	return w.out
}

// appendSequences writes the section of sequences. The last is written first.
func appendSequences(out []byte, all []sequence) []byte {
	switch n := len(all); {
	case n == 0:
		return append(out, 0)
	case n < 128:
		out = append(out, byte(n))
	default: // of 32 KB there are no 0x7F00
		out = append(out, byte(n>>8)+128, byte(n))
	}
	w := bitWriter{out: append(out, 0)} // all three distributions are the predefined ones
	var lengths, matches, offsets uint32
	for i := len(all) - 1; i >= 0; i-- {
		length, match, offset := all[i].literals, all[i].match-3, all[i].offset+3
		lc, mc, oc := lengthCode(length), matchCode(match), uint8(bits.Len32(offset)-1)
		if i == len(all)-1 {
			lengths, matches, offsets = lengthCodes.begin(lc), matchCodes.begin(mc), offsetCodes.begin(oc)
		} else {
			offsets = w.move(offsetCodes, offsets, oc)
			matches = w.move(matchCodes, matches, mc)
			lengths = w.move(lengthCodes, lengths, lc)
		}
		w.add(length, lengthBits[lc])
		w.add(match, matchBits[mc])
		w.add(offset, oc)
	}
	w.add(matches, matchCodes.log)
	w.add(offsets, offsetCodes.log)
	w.add(lengths, lengthCodes.log)
	return w.end()
}
