package feed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

func TestTopMessagesShowNoSendThatTheReaderMayNotSee(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	secret := send("m-1", now.Add(-2*time.Hour), jo)
	secret.User, secret.Subject = "u_bo", "Secret"
	mine := send("m-2", now.Add(-2*time.Hour), jo)
	mine.Subject = "Mine"
	f.put(secret, mine, did(event.Open, "m-1", now.Add(-time.Hour), jo)) // which says that it is u_ana's
	request := feed.StatsRequest{}
	request.Users = []string{"u_ana"}
	for _, message := range f.stats(request).Messages {
		if message.Message == "m-1" {
			require.Empty(t, message.Subject)
			require.Nil(t, message.Sent)
		} else {
			require.Equal(t, "Mine", message.Subject)
			require.NotNil(t, message.Sent)
		}
	}
	require.Len(t, f.stats(request).Messages, 2)
}

func TestPagesGoOnWithinTheFirstSecondOfAWeek(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	first := time.Unix(event.WeekOf(now.Unix()).Start(), 0)
	f.put(did(event.Open, "m-1", first, jo), did(event.Open, "m-2", first, jo), did(event.Open, "m-3", first, jo),
		did(event.Open, "m-4", first.Add(-time.Second), jo), did(event.Open, "m-5", first.Add(time.Second), jo))
	request := feed.PageRequest{Limit: 1}
	seen := make(map[event.ID]bool)
	for range 10 {
		page := f.page(request)
		for _, item := range page.Items {
			require.False(t, seen[item.ID])
			seen[item.ID] = true
		}
		if page.Next == nil {
			break
		}
		request.Cursor = *page.Next
	}
	require.Len(t, seen, 5)
}

// lagging is a catalogue that lists nothing yet.
type lagging struct{}

func (lagging) Weeks(context.Context, string) ([]event.Week, error) { return nil, nil }

// lags keeps which lag it was asked for.
type lags struct{ asked []time.Duration }

func (l *lags) PositionBefore(lag time.Duration) string {
	l.asked = append(l.asked, lag)
	return "here"
}

func TestTheTwoNewestWeeksAreAskedWhileTheCatalogueLags(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	newest := event.WeekOf(now.Unix())
	f.put(did(event.Open, "m-1", time.Unix(newest.Start(), 0), jo), did(event.Open, "m-2", time.Unix(newest.Start()-1, 0), jo),
		did(event.Open, "m-3", time.Unix((newest-1).Start(), 0), jo), did(event.Open, "m-4", time.Unix((newest-1).Start()-1, 0), jo))
	reader := feed.NewReader(feed.Config{
		Index: f.store, States: f.store, Catalogue: lagging{}, Directory: names{}, Clock: func() time.Time { return now },
	})
	page, err := reader.Page(t.Context(), feed.PageRequest{Scope: feed.Scope{Workspace: "w"}})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
}

func TestAPagesPositionIsFiveSecondsBehindTheRefresh(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	l := &lags{}
	reader := feed.NewReader(feed.Config{
		Index: f.store, States: f.store, Catalogue: f.state, Directory: names{}, Positions: l, Clock: func() time.Time { return now },
	})
	page, err := reader.Page(t.Context(), feed.PageRequest{Scope: feed.Scope{Workspace: "w"}})
	require.NoError(t, err)
	require.Equal(t, "here", page.Live)
	require.Equal(t, []time.Duration{f.store.RefreshInterval() + 5*time.Second}, l.asked)
}
