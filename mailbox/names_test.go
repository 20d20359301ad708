package mailbox

import (
	"hash/maphash"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNamesAreFoundWithTheirAuthor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := make(map[uint64]uint64)
		var n names
		number := rapid.OneOf(rapid.Uint64Range(0, 40), rapid.Uint64Range(0, 40<<authorBits), rapid.Uint64())
		for range rapid.IntRange(0, 3000).Draw(t, "names") {
			name, author := number.Draw(t, "name"), rapid.Uint64Range(0, 3).Draw(t, "author")
			n.put(name, author)
			model[nameOf(name)] = author
		}
		require.Equal(t, len(model), n.count)
		for name, author := range model {
			known, self := n.find(name, author)
			require.True(t, known && self)
			_, self = n.find(name, author+1)
			require.False(t, self)
		}
		for range 20 {
			name := rapid.Uint64().Draw(t, "other")
			known, _ := n.find(name, 0)
			_, there := model[nameOf(name)]
			require.Equal(t, there, known)
		}
	})
}

// A million names take 16 MiB at most, and of a million others none is taken for one.
func TestAMillionNamesAreSmall(t *testing.T) {
	seed := maphash.MakeSeed()
	hash := func(i int) uint64 { return maphash.String(seed, strconv.Itoa(i)) }
	var n names
	for i := range 1_000_000 {
		n.put(hash(i), uint64(i))
	}
	require.LessOrEqual(t, len(n.slots)*8, 16<<20)
	wrong := 0
	for i := range 1_000_000 {
		known, self := n.find(hash(i), uint64(i))
		require.True(t, known && self)
		if other, _ := n.find(hash(-1-i), 0); other {
			wrong++
		}
	}
	require.LessOrEqual(t, wrong, 3)
}
