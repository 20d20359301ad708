package storetest

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// queries is how many queries are asked of one set of generated events.
func (h IndexHarness) queries() int { return cmp.Or(h.Queries, 30) }

// endlessWalk is more than any test has written.
const endlessWalk = 100_000

// RunIndexModel holds an index, and its counts where it is a feed.Aggregator, to what is
// found in memory, on generated events. It is the longest part of the suite, and nothing
// happens at once in it.
func RunIndexModel(t *testing.T, h IndexHarness) {
	t.Run("walking pages meets every event once while others are written", func(t *testing.T) { testWalk(t, openIndex(t, h)) })
	t.Run("a search finds what matches in memory", func(t *testing.T) { testMatch(t, openIndex(t, h)) })
	t.Run("a count is of the events that match in memory", func(t *testing.T) {
		x := openIndex(t, h)
		counter, ok := x.Index.(feed.Aggregator)
		if !ok {
			t.Skip("skipped: the index does not count")
		}
		testCountMatch(t, counterTest{x, counter})
	})
}

// testMatch holds the index to query.Match: a search over all weeks is the
// events that match, in the order of the feed, whole or page by page. Each case
// has a workspace of its own among the others' events.
func testMatch(t *testing.T, x indexTest) {
	var cases atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		workspace := fmt.Sprintf("w-%d", cases.Add(1))
		events := rapid.SliceOfNDistinct(genEvent(workspace), 1, 25, func(e event.Event) event.ID { return e.ID }).Draw(t, "events")
		x.create(t, events...)
		for range x.harness.queries() {
			q := genQuery().Draw(t, "query")
			var matching []event.Event
			for _, e := range events {
				if q.Match(query.NewDocument(e), nil) {
					matching = append(matching, e)
				}
			}
			found := x.walk(t, feed.Search{
				Workspace: workspace, Query: q, Weeks: allWeeks,
				Limit: rapid.SampledFrom([]int{1, 2, 3, 7, 1000}).Draw(t, "limit"),
			})
			require.Equal(t, newestFirst(matching), found, "query %#v", q)
		}
	})
}

// walk reads page after page until the end.
func (x indexTest) walk(t require.TestingT, s feed.Search) []event.ID {
	found := []event.ID{}
	for {
		hits, err := x.Search(context.Background(), s)
		require.NoError(t, err)
		require.LessOrEqual(t, len(hits), s.Limit)
		found = append(found, hitIDs(hits)...)
		require.Less(t, len(found), endlessWalk, "the walk does not end")
		if len(hits) < s.Limit {
			return found
		}
		s.Before = hits[len(hits)-1].Key
	}
}

// testWalk interleaves reading pages with writing: what was there at the
// beginning is met once, in order, and nothing is met twice.
func testWalk(t *testing.T, x indexTest) {
	var cases atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		workspace := fmt.Sprintf("w-%d", cases.Add(1))
		distinct := func(e event.Event) event.ID { return e.ID }
		before := rapid.SliceOfNDistinct(genEvent(workspace), 1, 20, distinct).Draw(t, "before")
		x.create(t, before...)
		s := feed.Search{
			Workspace: workspace, Weeks: allWeeks, Limit: rapid.IntRange(1, 6).Draw(t, "limit"),
			Query: query.Query{Automated: query.AutomatedShow},
		}
		met := make(map[event.ID]bool)
		var order []event.ID
		for {
			hits, err := x.Search(context.Background(), s)
			require.NoError(t, err)
			for _, hit := range hits {
				require.Less(t, len(order), endlessWalk, "the walk does not end")
				require.False(t, met[hit.Event.ID], "met twice: %s", hit.Event.ID)
				met[hit.Event.ID] = true
				order = append(order, hit.Event.ID)
			}
			if len(hits) < s.Limit {
				break
			}
			s.Before = hits[len(hits)-1].Key
			x.create(t, rapid.SliceOfN(genEvent(workspace), 0, 3).Draw(t, "between")...)
		}
		var old []event.ID
		was := make(map[event.ID]bool)
		for _, e := range before {
			was[e.ID] = true
		}
		for _, id := range order {
			if was[id] {
				old = append(old, id)
			}
		}
		require.Equal(t, newestFirst(before), old)
	})
}
