package feed_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/store/sqlite"
)

// BenchmarkSuggest completes words in a workspace of 120,000 events within one
// week, as dense as a million in two months.
func BenchmarkSuggest(b *testing.B) {
	dir := b.TempDir()
	index, err := sqlite.OpenIndex(filepath.Join(dir, "weeks"), sqlite.IndexConfig{})
	require.NoError(b, err)
	state, err := sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{})
	require.NoError(b, err)
	defer func() { require.NoError(b, index.Close()); require.NoError(b, state.Close()) }()
	random := rand.New(rand.NewPCG(3, 4))
	word := func() string {
		letters := make([]byte, 3+random.IntN(7))
		for i := range letters {
			letters[i] = "etaoinshrdlucmpw"[random.IntN(16)]
		}
		return string(letters)
	}
	words := make([]string, 20000)
	for i := range words {
		words[i] = word()
	}
	zipf := rand.NewZipf(random, 1.1, 4, uint64(len(words)-1))
	some := func() string { return words[zipf.Uint64()] }
	const total, batch = 120_000, 2000
	for n := 0; n < total; n += batch {
		events := make([]event.Event, batch)
		for i := range events {
			e := open(n+i, now.Add(-time.Duration(n+i)*time.Second))
			e.Subject = fmt.Sprint(some(), " ", some(), " ", some(), " ", some())
			e.Recipient = &event.Person{Email: some() + "@" + some() + ".example", Name: some() + " " + some()}
			events[i] = e
		}
		_, err := index.Create(context.Background(), events)
		require.NoError(b, err)
	}
	reader := feed.NewReader(feed.Config{
		Index: index, States: state, Catalogue: state, Directory: names{}, Clock: func() time.Time { return now },
	})
	var took []time.Duration
	for b.Loop() {
		typed := some()
		typed = typed[:2+random.IntN(len(typed)-2)]
		began := time.Now()
		_, err := reader.Suggest(context.Background(), feed.SuggestRequest{Scope: feed.Scope{Workspace: "w"}, Text: typed, At: len(typed)})
		require.NoError(b, err)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
