package segments

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// inMemory is an index as package sqlite keeps it.
type inMemory map[int64][]byte

func (m inMemory) Read(number int64) ([]byte, error) { return m[number], nil }

func (m inMemory) Block(number int64, block []byte) error {
	m[number] = append([]byte(nil), block...)
	return nil
}

func (m inMemory) Term(int, []byte, int64) error { return nil }

func (m inMemory) Drop(segment int) error {
	first, last := Blocks(segment)
	maps.DeleteFunc(m, func(number int64, _ []byte) bool { return number >= first && number <= last })
	return nil
}

func newIndex() inMemory { return inMemory{StructureBlock: new(Structure{}).Bytes(), TotalsBlock: {}} }

func fill(t *testing.T, index inMemory, random *rand.Rand, from, until int) {
	batch := NewBatch(2)
	for row := from; row < until; row++ {
		batch.Row(int64(row) * 1000)
		for column := range 2 {
			for range random.IntN(30) {
				batch.Add(column, fmt.Appendf(nil, "term%d", random.IntN(200)))
			}
		}
	}
	_, err := Add(index, batch.Segment(200), 200, 4)
	require.NoError(t, err)
}

func TestTermsAreInTheirOrderHoweverManyThereAre(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 50))
	begins := []string{"", "1_", "1~", "12_", "1_pric", "1_pricing-", "1_pricing-proposal", "\xc3", "\xff\xff"}
	for _, n := range []int{1, 2, fewTerms - 1, fewTerms, 5000} {
		batch := NewBatch(1)
		batch.Row(1)
		terms := make(map[string]bool)
		for len(terms) < n {
			term := fmt.Sprint(begins[random.IntN(len(begins))], random.IntN(100_000))
			terms[term[:1+random.IntN(len(term))]] = true
		}
		for term := range terms {
			batch.Add(0, []byte(term))
		}
		var have []string
		for _, one := range batch.sorted() {
			have = append(have, string(batch.textOf(one.number)))
		}
		require.Equal(t, slices.Sorted(maps.Keys(terms)), have)
	}
}

func TestATermThatIsAddedOnceIsOnceInARowAndColumn(t *testing.T) {
	batch := NewBatch(2)
	for row := range 3 {
		batch.Row(int64(row))
		for column := range 2 {
			for range 2 {
				batch.Add(column, []byte("word"))
			}
			for range 3 {
				batch.AddOnce(column, []byte("stem"))
				batch.AddOnce(column, []byte("other"))
			}
		}
	}
	counts := make(map[string]uint32)
	for number := range batch.terms {
		counts[string(batch.textOf(uint32(number)))] = batch.terms[number].count
	}
	require.Equal(t, map[string]uint32{"word": 12, "stem": 6, "other": 6}, counts)
}

// TestMergingWhatIsDamagedEnds: it may find nothing wrong, and it never panics.
func TestMergingWhatIsDamagedEnds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 50))
	whole := newIndex()
	for part := range 3 {
		fill(t, whole, random, part*20, part*20+20)
	}
	numbers := make([]int64, 0, len(whole))
	for number := range whole {
		if number != TotalsBlock {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	failed := 0
	for range 2000 {
		damaged := maps.Clone(whole)
		number := numbers[random.IntN(len(numbers))]
		block := append([]byte(nil), damaged[number]...)
		switch random.IntN(3) {
		case 0:
			block = block[:random.IntN(len(block))]
		default:
			block[random.IntN(len(block))] ^= 1 << random.IntN(8)
		}
		damaged[number] = block
		batch := NewBatch(2)
		batch.Row(math.MaxInt32)
		batch.Add(0, []byte("one"))
		if _, err := Add(damaged, batch.Segment(200), 200, 4); err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			failed++
		}
	}
	require.Greater(t, failed, 500)
}

// TestTermsOutOfOrderAreDamage: the same again, the beginning of the one before, another.
func TestTermsOutOfOrderAreDamage(t *testing.T) {
	for _, term := range []string{"one", "on", "ome"} {
		index := newIndex()
		w := newWriter(sink{index.Block, index.Term}, 1, 200)
		w.begin([]byte("one"))
		w.put(1, false, []byte{2})
		w.begin([]byte(term))
		_, err := w.end()
		require.ErrorIs(t, err, ErrDamaged, term)
	}
}

func TestNumbersAreThoseOfSQLite(t *testing.T) {
	for _, v := range []uint64{0, 1, 127, 128, 1<<14 - 1, 1 << 14, 1<<21 - 1, 1 << 21, 1 << 28, 1<<35 - 1, 1 << 42, 1 << 49, 1<<56 - 1, 1 << 56, 1<<63 + 5, math.MaxUint64} {
		written := appendVarint(nil, v)
		read, size := varint(written)
		require.Equal(t, v, read)
		require.Len(t, written, size)
		for cut := range written {
			_, size := varint(written[:cut])
			require.Zero(t, size)
		}
	}
	require.Equal(t, []byte{0x81, 0x00}, appendVarint(nil, 128))
	require.Len(t, appendVarint(nil, 1<<56), 9)
}

// TestMergingThatFTS5BeganIsEnded has two of three segments in the middle of becoming one.
func TestMergingThatFTS5BeganIsEnded(t *testing.T) {
	s := Structure{cookie: 7, writes: 300, levels: []level{
		{merging: 2, segments: []leaves{{4, 3, 9}, {5, 2, 9}, {6, 1, 9}}},
		{segments: []leaves{{1, 1, 50}, {3, 1, 20}}},
	}}
	read, err := ParseStructure(s.Bytes())
	require.NoError(t, err)
	require.Equal(t, s, read)
	require.Equal(t, 0, s.full(3, 200))
	require.Equal(t, -1, s.full(4, 200))
	require.Equal(t, 2, s.free())

	of, slot, last := s.inputs(0)
	require.Equal(t, []leaves{{3, 1, 20}, {4, 3, 9}, {5, 2, 9}}, of)
	require.Equal(t, 1, slot)
	require.False(t, last, "the first segment of the next level is older")
	s.merged(0, slot, 2, 30)
	require.Equal(t, []level{{segments: []leaves{{6, 1, 9}}}, {segments: []leaves{{1, 1, 50}, {2, 1, 30}}}, {}}[:2], s.levels[:2])

	of, slot, last = s.inputs(1)
	require.Len(t, of, 2)
	require.Zero(t, slot)
	require.True(t, last)
}

// writes counts what is written of an index.
type writes struct {
	inMemory
	blocks int
}

func (w *writes) Block(number int64, block []byte) error {
	w.blocks++
	return w.inMemory.Block(number, block)
}

// Everybody who writes to a week waits while words are merged in a transaction: large segments
// are left to be merged step by step, unless there are far too many.
func TestLargeSegmentsAreNotMergedAtOnce(t *testing.T) {
	const many = 4
	random := rand.New(rand.NewPCG(7, 50))
	index := &writes{inMemory: newIndex()}
	levels := func() []level {
		structure, err := ParseStructure(index.inMemory[StructureBlock])
		require.NoError(t, err)
		return structure.levels
	}
	filler := strings.Repeat("x", 200)
	add := func(rows, number int) (due, pages int) {
		batch := NewBatch(1)
		for row := range rows {
			batch.Row(int64(number*rows+row) * 1000)
			for range 20 {
				batch.Add(0, fmt.Appendf(nil, "%d%s", random.IntN(1<<30), filler))
			}
		}
		segment := batch.Segment(200)
		index.blocks = 0
		due, err := Add(index, segment, 200, many)
		require.NoError(t, err)
		return due, segment.pages
	}
	for number := range many - 1 {
		due, pages := add(100, number)
		require.Zero(t, due)
		require.Greater(t, many*pages*200, bytesAtOnce)
	}
	for number := many - 1; number < farTooMany*many-1; number++ {
		due, pages := add(100, number)
		require.Equal(t, pages, due)
		require.Less(t, index.blocks, pages+20, "nothing was merged")
		require.Len(t, levels()[0].segments, number+1)
	}
	add(100, farTooMany*many)
	require.Empty(t, levels()[0].segments, "somebody has to")
	require.Len(t, levels()[1].segments, 1)

	for number := range many {
		due, _ := add(2, 1000+number)
		require.Zero(t, due, "small ones are merged at once")
	}
	require.Empty(t, levels()[0].segments)
	require.Len(t, levels()[1].segments, 2)
}

// placesIn are the rows of each term of an index, with where it is.
func placesIn(t *testing.T, index inMemory) map[string]map[int64]string {
	t.Helper()
	structure, err := ParseStructure(index[StructureBlock])
	require.NoError(t, err)
	places := make(map[string]map[int64]string)
	for _, one := range structure.oldestFirst() {
		r := &reader{read: index.Read, of: one, number: one.first - 1}
		for r.nextTerm() {
			if places[string(r.term)] == nil {
				places[string(r.term)] = make(map[int64]string)
			}
			for r.nextRow() {
				places[string(r.term)][r.row] = string(r.positions)
			}
		}
		require.NoError(t, r.err)
	}
	return places
}

// TestRowsAreNumberedAnewAndBack: what was in many segments is in one, in which the same is
// said of the same rows.
func TestRowsAreNumberedAnewAndBack(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 63))
	index := newIndex()
	for part := range 30 {
		fill(t, index, random, part*20, part*20+20)
	}
	before := placesIn(t, index)
	numbered := func(number func(row int64) (int64, error)) Numbers {
		return func([]byte) (func(int64) (int64, error), error) { return number, nil }
	}
	require.NoError(t, Renumber(index, 200, numbered(func(row int64) (int64, error) { return row / 1000, nil })))
	structure, err := ParseStructure(index[StructureBlock])
	require.NoError(t, err)
	require.Equal(t, 1, structure.count())
	require.NotEqual(t, before, placesIn(t, index))
	fewer := 0
	for number := range index {
		fewer += len(index[number])
	}
	require.NoError(t, Renumber(index, 200, numbered(func(row int64) (int64, error) { return row * 1000, nil })))
	require.Equal(t, before, placesIn(t, index))
	more := 0
	for number := range index {
		more += len(index[number])
	}
	require.Less(t, fewer, more)

	// A row that has no number is left out, and a term without rows.
	require.NoError(t, Renumber(index, 200, func(term []byte) (func(int64) (int64, error), error) {
		return func(row int64) (int64, error) {
			if row < 100_000 || string(term) == "term7" {
				return -1, nil
			}
			return row, nil
		}, nil
	}))
	for term, rows := range before {
		maps.DeleteFunc(rows, func(row int64, _ string) bool { return row < 100_000 })
		if term == "0term7" || len(rows) == 0 {
			delete(before, term)
		}
	}
	require.Equal(t, before, placesIn(t, index))

	// Numbers that do not rise as rows do are nothing that could be read.
	err = Renumber(index, 200, numbered(func(row int64) (int64, error) { return row / 50_000, nil }))
	require.ErrorIs(t, err, ErrDamaged)
	failing := errors.New("it is not known")
	err = Renumber(index, 200, func([]byte) (func(int64) (int64, error), error) { return nil, failing })
	require.ErrorIs(t, err, failing)
	require.NoError(t, Renumber(newIndex(), 200, nil), "of nothing nothing becomes")
}
