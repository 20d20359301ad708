//go:build !race

package feed_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
)

func TestWalkingPagesMeetsEachEventOnceWhateverArrivesMeanwhile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "feed")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		f := newFixture(t, dir)
		defer f.close()

		hours := rapid.IntRange(1, 24*60)
		number := 0
		arrive := func(label string, most int) []event.Event {
			var events []event.Event
			for range rapid.IntRange(0, most).Draw(t, label) {
				number++
				// Whole hours, so that several lie in one second.
				events = append(events, open(number, now.Add(-time.Duration(hours.Draw(t, "hours ago"))*time.Hour)))
			}
			f.put(events...)
			return events
		}
		before := arrive("before", 30)
		limit := rapid.IntRange(1, 12).Draw(t, "limit")

		seen := make(map[event.ID]bool)
		cursor := ""
		last := int64(1) << 40
		for {
			page := f.page(feed.PageRequest{Limit: limit, Cursor: cursor})
			require.LessOrEqual(t, len(page.Items), limit)
			for _, item := range page.Items {
				require.False(t, seen[item.ID], "an item came twice")
				seen[item.ID] = true
				require.LessOrEqual(t, item.Time.Unix(), last, "newest first")
				last = item.Time.Unix()
			}
			if page.Next == nil {
				break
			}
			cursor = *page.Next
			arrive("meanwhile", 3)
		}
		missing := slices.DeleteFunc(before, func(e event.Event) bool { return seen[e.ID] })
		require.Empty(t, missing, "what was there at the first page is met")
	})
}
