package feed_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/query"
)

// Visiting all goes on within a second that has more than are read at once, over weeks, and
// where searching takes its time: each is visited once, newest first.
func TestFindEachVisitsAllOfASecond(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.store.took = time.Minute // more than a page may take
	want := 0
	for _, at := range []time.Time{now, now.Add(-8 * 24 * time.Hour), now.Add(-40 * 24 * time.Hour)} {
		for range 25 {
			f.put(send(fmt.Sprint("m-", want), at, jo))
			want++
		}
	}
	seen := make(map[event.ID]bool)
	last := now.Unix()
	err := f.FindEach(context.Background(), "w", query.Query{Where: query.Types(event.Send)}, 10, func(events []event.Event, states map[string]event.State) (bool, error) {
		require.LessOrEqual(t, len(events), 10)
		for _, e := range events {
			require.False(t, seen[e.ID], "visited twice")
			require.LessOrEqual(t, e.Time, last)
			require.Contains(t, states, e.Message)
			seen[e.ID], last = true, e.Time
		}
		return true, nil
	})
	require.NoError(t, err)
	require.Len(t, seen, want)
	visits := 0
	require.NoError(t, f.FindEach(context.Background(), "w", query.Query{}, 10, func([]event.Event, map[string]event.State) (bool, error) {
		visits++
		return false, nil
	}))
	require.Equal(t, 1, visits)
}
