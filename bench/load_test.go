package bench_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/bench"
	"tidings/event"
)

var until = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)

func TestLoadIsTheSameForTheSameSeed(t *testing.T) {
	load := bench.Load{Seed: 1, Weeks: 4, Until: until}
	first := slices.Collect(load.Inputs(3000))
	require.Len(t, first, 3000)
	require.Equal(t, first, slices.Collect(load.Inputs(3000)))
	load.Seed = 2
	require.NotEqual(t, first, slices.Collect(load.Inputs(3000)))
}

func TestEventsAreValidAndRealistic(t *testing.T) {
	const n = 40_000
	load := bench.Load{Seed: 1, Weeks: 4, Until: until}
	seen := make(map[event.ID]bool, n)
	kinds := make(map[event.Type]float64)
	workspaces := make(map[string]float64)
	sent := make(map[string]int64)
	var bytes, recipients float64
	least, most, last := 1<<20, 0, int64(0)
	for e, err := range load.Events(n) {
		require.NoError(t, err)
		require.False(t, seen[e.ID])
		seen[e.ID] = true
		kinds[e.Type]++
		workspaces[e.Workspace]++
		doc, err := json.Marshal(e)
		require.NoError(t, err)
		bytes += float64(len(doc))
		least, most = min(least, len(doc)), max(most, len(doc))
		require.GreaterOrEqual(t, e.Time, last)
		last = e.Time
		if e.Type == event.Send {
			sent[e.Workspace+e.Message] = e.Time
			recipients += float64(len(e.Recipients))
			require.LessOrEqual(t, len(e.Recipients), 5)
			continue
		}
		at, ok := sent[e.Workspace+e.Message]
		require.True(t, ok, "an event about a mail that nobody sent")
		require.LessOrEqual(t, at, e.Time)
	}
	t.Logf("%.0f bytes an event (%d to %d), %.2f recipients a send, %v", bytes/n, least, most, recipients/kinds[event.Send], kinds)
	require.InDelta(t, 0.25, kinds[event.Send]/n, 0.02)
	require.Greater(t, bytes/n, 1000.0)
	require.Less(t, bytes/n, 2500.0)
	require.GreaterOrEqual(t, least, 900)
	require.Less(t, most, 4200)
	require.Greater(t, workspaces[load.Workspace(0)]/n, 0.1)
	require.Greater(t, len(workspaces), 190)
	require.Equal(t, until.Unix(), last)
}

func TestWordsAreDistributedAsInALanguage(t *testing.T) {
	load := bench.Load{Seed: 1, Until: until}
	counts := make(map[string]float64)
	total := 0.0
	for given := range load.Inputs(12_000) {
		for word := range strings.FieldsFuncSeq(strings.ToLower(given.Input.Body), func(r rune) bool { return r < 'a' || r > 'z' }) {
			counts[word]++
			total++
		}
	}
	// The share of rank r is 1/r over the sum of them all, 11.4 for 50,000.
	for _, rank := range []int{1, 10, 100, 1000} {
		require.InEpsilon(t, 1/float64(rank)/11.4, counts[load.Word(rank-1)]/total, 0.25, "rank %d", rank)
	}
	require.Greater(t, len(counts), 30_000, "rare words are missing")
}

func TestWithoutWeeksEverythingIsOfTheLastDay(t *testing.T) {
	for given := range (bench.Load{Seed: 1, Until: until}).Inputs(100) {
		require.Less(t, until.Unix()-int64(*given.Input.Time), int64(24*3600))
	}
}

func BenchmarkInputs(b *testing.B) {
	b.ReportAllocs()
	for range (bench.Load{Seed: 1, Weeks: 4, Until: until}).Inputs(b.N) {
	}
}

func BenchmarkEvents(b *testing.B) {
	b.ReportAllocs()
	for range (bench.Load{Seed: 1, Weeks: 4, Until: until}).Events(b.N) {
	}
}
