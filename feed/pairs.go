package feed

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// PairOf is the number of a (message, recipient) pair: 63 bits of a hash, so
// that it fits a store's signed integers. Of a million pairs two have the same
// number once in 18 million times.
func PairOf(message, email string) uint64 {
	var buffer [256]byte
	text := binary.BigEndian.AppendUint64(buffer[:0], uint64(len(message)))
	text = append(append(text, message...), strings.ToLower(email)...)
	sum := sha256.Sum256(text)
	return binary.BigEndian.Uint64(sum[:8]) >> 1
}

// Pairs is a set of (message, recipient) pairs. A large one may be cut to the
// smallest of its numbers: since they are hashes, how close together those lie
// tells how many there are in all, and such sets still join and overlap. (The
// KMV sketch of Bar-Yossef and others, 2002, and Beyer and others, 2007.) An
// index that keeps the 65,536 smallest is off by 0.4 % on average.
type Pairs struct {
	// Smallest are the numbers, ascending, each once.
	Smallest []uint64
	// Cut says that there may be larger numbers than the last. A cut set is
	// not empty.
	Cut bool
}

// bound is below what the set does not know.
func (p Pairs) bound() uint64 {
	if !p.Cut {
		return math.MaxUint64
	}
	return p.Smallest[len(p.Smallest)-1]
}

// Len is the number of pairs, and whether that is exact.
func (p Pairs) Len() (n int, exact bool) {
	bound := p.bound()
	known, _ := slices.BinarySearch(p.Smallest, bound)
	return estimate(known, bound), !p.Cut
}

// estimate is how many pairs there are when known of them lie below bound.
func estimate(known int, bound uint64) int {
	if bound == math.MaxUint64 {
		return known
	}
	return int(math.Round(float64(known) / float64(bound) * (1 << 63)))
}

// UnionPairs joins sets.
func UnionPairs(sets []Pairs) Pairs {
	switch len(sets) {
	case 0:
		return Pairs{}
	case 1:
		return sets[0]
	}
	half := len(sets) / 2
	return unionTwo(UnionPairs(sets[:half]), UnionPairs(sets[half:]))
}

func unionTwo(a, b Pairs) Pairs {
	bound := min(a.bound(), b.bound())
	joined := make([]uint64, 0, len(a.Smallest)+len(b.Smallest))
	x, y := a.Smallest, b.Smallest
	for len(x) > 0 || len(y) > 0 {
		var next uint64
		switch {
		case len(y) == 0 || len(x) > 0 && x[0] < y[0]:
			next, x = x[0], x[1:]
		case len(x) == 0 || y[0] < x[0]:
			next, y = y[0], y[1:]
		default:
			next, x, y = x[0], x[1:], y[1:]
		}
		if next > bound {
			break
		}
		joined = append(joined, next)
	}
	return Pairs{Smallest: joined, Cut: a.Cut || b.Cut}
}

// share is how many pairs of the whole are not without, and how many of those
// had the deed too. Both are estimates when exact is false.
func share(whole, without, deed Pairs) (did, of int, exact bool) {
	bound := min(whole.bound(), without.bound(), deed.bound())
	gone, done := without.Smallest, deed.Smallest
	for _, pair := range whole.Smallest {
		if pair >= bound {
			break
		}
		if gone = skip(gone, pair); len(gone) > 0 && gone[0] == pair {
			continue
		}
		of++
		if done = skip(done, pair); len(done) > 0 && done[0] == pair {
			did++
		}
	}
	return estimate(did, bound), estimate(of, bound), bound == math.MaxUint64
}

// skip leaves out what is below a number.
func skip(sorted []uint64, below uint64) []uint64 {
	for len(sorted) > 0 && sorted[0] < below {
		sorted = sorted[1:]
	}
	return sorted
}
