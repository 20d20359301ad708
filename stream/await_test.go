package stream

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
)

// Figures are looked at every quarter of a second, some every two: nobody may take what
// they do not know yet for nothing.
func TestWhoAwaitsWhatIsAcceptedWaitsForAllOfIt(t *testing.T) {
	s := open(t, Config{})
	awaits := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		return s.AwaitIndexed(ctx)
	}
	require.NoError(t, s.AwaitIndexed(t.Context()), "nothing waits")
	for _, lane := range []event.Lane{event.LaneLive, event.LaneBulk} {
		publish(t, s, lane, anEvent("acme", 1), anEvent("acme", 2))
		require.ErrorIs(t, awaits(), context.DeadlineExceeded)
		given := pullFrom(t, s, lane, 2)
		require.ErrorIs(t, awaits(), context.DeadlineExceeded, "given out is not indexed")
		require.NoError(t, given[0].Ack())
		require.ErrorIs(t, awaits(), context.DeadlineExceeded, "one of two is")
		require.NoError(t, given[1].Ack())
		require.NoError(t, s.AwaitIndexed(t.Context()))
	}
}

// pullFrom pulls so many events from a lane.
func pullFrom(t *testing.T, s *Stream, lane event.Lane, n int) (out []indexer.Delivery) {
	t.Helper()
	for deadline := time.Now().Add(patience); len(out) < n; {
		require.True(t, time.Now().Before(deadline), "%d of %d events came", len(out), n)
		got, err := s.Pull(t.Context(), lane, n-len(out), time.Second)
		require.NoError(t, err)
		out = append(out, got...)
	}
	return out
}

func TestWhoAwaitsWhatIsAcceptedDoesNotWaitForWhatComesLater(t *testing.T) {
	s := open(t, Config{})
	publish(t, s, event.LaneLive, anEvent("acme", 1))
	events, err := s.stream(t.Context(), eventsName)
	require.NoError(t, err)
	last := events.CachedInfo().State.LastSeq
	publish(t, s, event.LaneLive, anEvent("acme", 2))
	publish(t, s, event.LaneBulk, anEvent("acme", 3))
	indexed := func(lane event.Lane) bool {
		done, err := indexedTo(t.Context(), events, lane, last)
		require.NoError(t, err)
		return done
	}
	require.True(t, indexed(event.LaneBulk))
	require.False(t, indexed(event.LaneLive))
	ackAll(t, pullFrom(t, s, event.LaneLive, 1))
	eventually(t, "what was accepted before is indexed", func() bool { return indexed(event.LaneLive) })
}
