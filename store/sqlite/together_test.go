package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

func TestAsManyWeeksAreReadTogetherAsWhatIsLackingIsIn(t *testing.T) {
	for _, test := range []struct{ before, weeks, hits, limit, want int }{
		{1, 1, 0, 50, 2},
		{2, 3, 0, 50, 4},
		{8, 15, 0, 50, 8},   // no more than mostTogether
		{1, 1, 49, 50, 1},   // one more is likely to be enough
		{1, 1, 20, 50, 1},   // 30 are lacking, 20 are in a week
		{2, 3, 10, 50, 4},   // 40 are lacking, 3 are in a week
		{4, 7, 35, 50, 3},   // 15 are lacking, 5 are in a week
		{8, 23, 1, 1000, 8}, // whoever asks for all
	} {
		require.Equal(t, test.want, weeksTogether(test.before, test.weeks, test.hits, test.limit), "%+v", test)
	}
}

// TestWeeksReadTogetherAreInOrder compares pages of every length with the events themselves,
// and tells of a damaged week only whom it lacks.
func TestWeeksReadTogetherAreInOrder(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	index, err := OpenIndex(dir, IndexConfig{OpenWeeks: 3})
	require.NoError(t, err)
	const first, damagedWeek = event.Week(2950), event.Week(2948)
	var weeks []event.Week
	var all []event.Event
	for week := first; week > first-14; week-- {
		weeks = append(weeks, week)
		for i := range []int{0, 2, 0, 0, 1, 5, 1}[int(first-week)%7] {
			at := week.End() - 100 - int64(i)
			all = append(all, event.Event{
				ID: event.NewID(at, "w", "s", true, fmt.Append(nil, week, i)), Workspace: "w", Type: event.Open, Time: at,
				Message: "m", Source: "s", Recipient: &event.Person{Email: "jo@x.example"},
			})
		}
	}
	made := append([]event.Event{{
		ID: event.NewID(damagedWeek.Start()+1, "w", "s", true, []byte("last")), Workspace: "w", Type: event.Open, Time: damagedWeek.Start() + 1,
		Message: "m", Source: "s", Recipient: &event.Person{Email: "jo@x.example"},
	}}, all...)
	_, err = index.Create(ctx, made)
	require.NoError(t, err)
	for _, week := range weeks[2:] {
		require.NoError(t, index.Seal(ctx, week))
	}
	require.NoError(t, index.Close())
	index, err = OpenIndex(dir, IndexConfig{OpenWeeks: 3})
	require.NoError(t, err)
	defer func() { require.NoError(t, index.Close()) }()
	require.NoError(t, os.Truncate(filepath.Join(dir, damagedWeek.String()+sealedEnding), 0))
	before := 0 // events in front of the damaged week
	for before < len(all) && all[before].ID.Week() > damagedWeek {
		before++
	}
	for limit := 1; limit <= len(all)+2; limit++ {
		hits, err := index.Search(ctx, feed.Search{Workspace: "w", Weeks: weeks, Limit: limit})
		damaged, other := event.SplitDamaged(err)
		require.NoError(t, other)
		if limit <= before {
			require.Empty(t, damaged, "the first %d events are in front of it", limit)
		} else {
			require.Len(t, damaged, 1)
		}
		var want, found []event.ID
		for _, e := range all {
			if len(want) < limit && e.ID.Week() != damagedWeek {
				want = append(want, e.ID)
			}
		}
		for _, hit := range hits {
			found = append(found, hit.Event.ID)
		}
		require.Equal(t, want, found, "%d events", limit)
	}
}
