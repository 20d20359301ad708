package feed

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

// pairsOf is the set of the numbers of pairs from to until.
func pairsOf(from, until int) Pairs {
	var p Pairs
	for i := from; i < until; i++ {
		p.Smallest = append(p.Smallest, PairOf(fmt.Sprintf("m-%d", i), "jo@acme.example"))
	}
	slices.Sort(p.Smallest)
	return p
}

func (p Pairs) cut(keep int) Pairs { return Pairs{Smallest: p.Smallest[:keep], Cut: true} }

func TestAPairIsTheSameForAnAddressInCapitals(t *testing.T) {
	require.Equal(t, PairOf("m", "Jo@Acme.example"), PairOf("m", "jo@acme.example"))
	require.NotEqual(t, PairOf("m", "jo@acme.example"), PairOf("M", "jo@acme.example"))
	require.NotEqual(t, PairOf("mj", "o@acme.example"), PairOf("m", "jo@acme.example"))
	// Stores keep these numbers, so they never change.
	require.Equal(t, uint64(0x0eab19c88cfc6a79), PairOf("m-1", "jo@acme.example"))
}

func TestWholeSetsJoinExactly(t *testing.T) {
	joined := UnionPairs([]Pairs{pairsOf(0, 300), pairsOf(200, 500), {}, pairsOf(450, 451)})
	n, exact := joined.Len()
	require.Equal(t, 500, n)
	require.True(t, exact)
	require.Equal(t, pairsOf(0, 500).Smallest, joined.Smallest)
}

func TestCutSetsJoinAboutRight(t *testing.T) {
	joined := UnionPairs([]Pairs{pairsOf(0, 60_000).cut(4096), pairsOf(40_000, 100_000).cut(4096), pairsOf(0, 10)})
	n, exact := joined.Len()
	require.False(t, exact)
	require.InEpsilon(t, 100_000, n, 0.05)
}

func TestASharesPartsAreOfTheSamePairs(t *testing.T) {
	sent, bounced, opened := pairsOf(0, 1000), pairsOf(900, 1100), pairsOf(500, 2000)
	did, of, exact := share(sent, bounced, opened)
	require.Equal(t, 400, did, "500 to 900: neither those that came back nor those sent before")
	require.Equal(t, 900, of)
	require.True(t, exact)
	did, of, exact = share(pairsOf(0, 50_000).cut(8192), Pairs{}, pairsOf(0, 20_000).cut(8192))
	require.False(t, exact)
	require.InEpsilon(t, 20_000, did, 0.05)
	require.InEpsilon(t, 50_000, of, 0.05)
	did, of, exact = share(Pairs{}, Pairs{}, opened)
	require.Equal(t, []any{0, 0, true}, []any{did, of, exact})
}

func TestJoiningIsTheSameInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Pairs {
			numbers := rapid.SliceOfNDistinct(rapid.Uint64Range(0, 60), 1, 20, rapid.ID).Draw(t, "numbers")
			slices.Sort(numbers)
			return Pairs{Smallest: numbers, Cut: rapid.Bool().Draw(t, "cut")}
		}), 1, 6).Draw(t, "sets")
		one := UnionPairs(sets)
		slices.Reverse(sets)
		require.Equal(t, one, UnionPairs(sets))
	})
}

func TestEveryTypeHasItsNumber(t *testing.T) {
	var counts ByType
	require.Len(t, counts, len(event.Types))
	for i, kind := range event.Types {
		counts.Add(kind, i+1)
	}
	for i, kind := range event.Types {
		require.Equal(t, i+1, counts.Of(kind))
	}
}

func TestABoundIsBelowWhatIsNotKnown(t *testing.T) {
	cut := Pairs{Smallest: []uint64{10, 20, 30}, Cut: true}
	n, exact := cut.Len()
	require.Equal(t, estimate(2, 30), n, "30 itself is the bound")
	require.False(t, exact)
	require.Equal(t, 7, estimate(3, (1<<63)/7*3), "three of seven parts of all numbers hold three")
	require.Equal(t, 3, estimate(3, 1<<64-1))
	whole := Pairs{Smallest: []uint64{5, 30, 40}}
	require.Equal(t, Pairs{Smallest: []uint64{5, 10, 20, 30}, Cut: true}, unionTwo(cut, whole), "40 may be missing from the cut one")
	require.Equal(t, unionTwo(cut, whole), unionTwo(whole, cut))
	did, of, exact := share(whole, Pairs{}, cut)
	require.Equal(t, []any{estimate(0, 30), estimate(1, 30), false}, []any{did, of, exact}, "30 of the whole is not below the bound")
	require.Equal(t, []uint64{20, 30}, skip([]uint64{10, 20, 30}, 20))
}
