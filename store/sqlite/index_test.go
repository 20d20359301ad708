package sqlite_test

import (
	"context"
	"fmt"
	"math/rand"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/store/sqlite"
	"tidings/store/storetest"
)

var indexHarness = storetest.IndexHarness{
	Open: func(t testing.TB, path string) storetest.Index {
		index, err := sqlite.OpenIndex(path, sqlite.IndexConfig{})
		require.NoError(t, err)
		return index
	},
}

func TestIndex(t *testing.T) { storetest.RunIndex(t, indexHarness) }

// TestFewOpenWeeks writes and reads many more weeks at once than may be open, so
// that almost every call opens one and closes another.
func TestFewOpenWeeks(t *testing.T) {
	index, err := sqlite.OpenIndex(t.TempDir(), sqlite.IndexConfig{OpenWeeks: 2, Readers: 1})
	require.NoError(t, err)
	defer func() { require.NoError(t, index.Close()) }()
	const weeks, workers, each = 6, 4, 40
	ctx, first := context.Background(), event.Week(2900)
	var all []event.Week
	for i := range weeks {
		all = append(all, first+event.Week(weeks-1-i))
	}
	var working sync.WaitGroup
	for worker := range workers {
		working.Go(func() {
			random := rand.New(rand.NewSource(int64(worker)))
			for i := range each {
				at := (first + event.Week(random.Intn(weeks))).Start() + int64(i)
				e := event.Event{
					ID: event.NewID(at, "w", "s", true, fmt.Append(nil, worker, i)), Workspace: "w", Type: event.Open, Time: at,
					Message: "m", Source: "s", Recipient: &event.Person{Email: "jo@acme.example"},
				}
				outcomes, err := index.Create(ctx, []event.Event{e})
				if err != nil || !outcomes[0].Created {
					t.Errorf("creating: %v %v", outcomes, err)
					return
				}
				hits, err := index.Search(ctx, feed.Search{Workspace: "w", Weeks: all, Limit: 1000})
				if err != nil || len(hits) < i+1 {
					t.Errorf("searching after %d: %d hits, %v", i+1, len(hits), err)
					return
				}
			}
		})
	}
	working.Wait()
	hits, err := index.Search(ctx, feed.Search{Workspace: "w", Weeks: all, Limit: 1000})
	require.NoError(t, err)
	require.Len(t, hits, workers*each)
}

func TestCounter(t *testing.T) { storetest.RunCounter(t, indexHarness) }

func TestVocabulary(t *testing.T) { storetest.RunVocabulary(t, indexHarness) }

func TestASendTakenOutOfASealedWeekIsNotCounted(t *testing.T) {
	index, err := sqlite.OpenIndex(t.TempDir(), sqlite.IndexConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, index.Close()) }()
	ctx, week := context.Background(), event.Week(2900)
	var events []event.Event
	for i := range 3 {
		at := week.Start() + int64(i)
		message := fmt.Sprint("m-", i)
		events = append(events, event.Event{
			ID: event.NewID(at, "w", "s", true, []byte(message)), Workspace: "w", Type: event.Send, Time: at,
			Message: message, Source: "s", Recipients: []event.Person{{Email: "jo@acme.example"}},
		})
	}
	_, err = index.Create(ctx, events)
	require.NoError(t, err)
	require.NoError(t, index.Seal(ctx, week))
	sent := func() int {
		aggregate, err := index.Aggregate(ctx, feed.AggregateRequest{Workspace: "w", Week: week})
		require.NoError(t, err)
		return aggregate.Events.Sum()
	}
	require.Equal(t, 3, sent())
	removed, err := index.RemoveSends(ctx, week, []event.MessageKey{{Workspace: "w", Message: "m-1"}})
	require.NoError(t, err)
	require.Equal(t, 1, removed)
	require.Equal(t, 2, sent())
}
