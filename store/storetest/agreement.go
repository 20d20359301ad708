package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// Agreement says how much RunAgreement tries.
type Agreement struct {
	// Corpora are sets of events, each of Events, and Queries are asked of each.
	Corpora, Events, Queries int
}

// RunAgreement holds several indexes and query.Match to one another: each query
// finds the same events everywhere, in the same order. refresh is called after
// writing. The corpora are the same each time.
func RunAgreement(t *testing.T, indexes map[string]Index, refresh func() error, a Agreement) {
	distinct := func(e event.Event) event.ID { return e.ID }
	found := 0
	for corpus := range a.Corpora {
		workspace := fmt.Sprintf("w-corpus-%d", corpus)
		events := rapid.SliceOfNDistinct(genEvent(workspace), a.Events, a.Events, distinct).Example(corpus)
		for name, index := range indexes {
			outcomes, err := index.Create(context.Background(), events)
			require.NoError(t, err, name)
			for _, outcome := range outcomes {
				require.NoError(t, outcome.Err, name)
			}
		}
		require.NoError(t, refresh())
		documents := make([]query.Document, len(events))
		for i, e := range events {
			documents[i] = query.NewDocument(e)
		}
		for number := range a.Queries {
			q := genQuery().Example(corpus*a.Queries + number)
			var matching []event.Event
			for i, d := range documents {
				if q.Match(d, nil) {
					matching = append(matching, events[i])
				}
			}
			order := newestFirst(matching)
			found += len(order)
			for name, index := range indexes {
				hits, err := index.Search(context.Background(), feed.Search{
					Workspace: workspace, Query: q, Weeks: allWeeks, Limit: a.Events + 1,
				})
				require.NoError(t, err, name)
				require.Equal(t, order, hitIDs(hits), "%s: corpus %d, query %d: %#v", name, corpus, number, q)
			}
		}
	}
	require.Positive(t, found, "the queries find nothing")
	t.Logf("%d queries over %d corpora of %d events found %d events, the same everywhere",
		a.Corpora*a.Queries, a.Corpora, a.Events, found)
}
