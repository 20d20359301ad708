package stream

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestReplayFeedsASpanOfArrivalsAgain(t *testing.T) {
	s := open(t, Config{})
	publish(t, s, event.LaneLive, someEvents("acme", 0, 10)...)
	between := time.Now()
	large := func(workspace string, n int) []event.Event {
		events := someEvents(workspace, 10, n)
		for i := range events {
			events[i].Body = strings.Repeat("x", packBytes/10) // a few make a pack
		}
		return events
	}
	publish(t, s, event.LaneLive, large("acme", 1500)...)
	publish(t, s, event.LaneBulk, large("a.*", 1000)...)
	until := time.Now()
	publish(t, s, event.LaneLive, someEvents("acme", 5000, 10)...)
	ackAll(t, pull(t, s, 2520))
	drained(t, s)

	var told []int
	n, err := s.ReplaySpan(t.Context(), between, until, func(n int) { told = append(told, n) })
	require.NoError(t, err)
	require.Equal(t, 2500, n)
	require.Equal(t, 2500, told[len(told)-1])
	require.Greater(t, len(told), 1)

	want := map[event.ID]bool{}
	for _, e := range append(someEvents("acme", 10, 1500), someEvents("a.*", 10, 1000)...) {
		want[e.ID] = true
	}
	for _, d := range pull(t, s, 2500) {
		require.Equal(t, event.LaneBulk, d.(*delivery).Lane())
		delete(want, decode(t, d).ID)
		require.NoError(t, d.Ack())
	}
	require.Empty(t, want)
	pullNone(t, s)
}

func TestReplayUntilNowEnds(t *testing.T) {
	s := open(t, Config{})
	n, err := s.ReplaySpan(t.Context(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour), nil)
	require.NoError(t, err)
	require.Zero(t, n)
	publish(t, s, event.LaneLive, someEvents("acme", 0, 1200)...)
	n, err = s.ReplaySpan(t.Context(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour), nil)
	require.NoError(t, err)
	require.Equal(t, 1200, n, "what it publishes itself is not part of it")
	n, err = s.ReplaySpan(t.Context(), time.Now().Add(time.Hour), time.Now().Add(2*time.Hour), nil)
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestReplayWaitsForTheBacklog(t *testing.T) {
	s := open(t, Config{Backlog: 1500})
	publish(t, s, event.LaneLive, someEvents("acme", 0, 1000)...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	n, err := s.ReplaySpan(ctx, time.Now().Add(-time.Hour), time.Now(), nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Zero(t, n)

	ackAll(t, pull(t, s, 1000))
	drained(t, s)
	n, err = s.ReplaySpan(t.Context(), time.Now().Add(-time.Hour), time.Now(), nil)
	require.NoError(t, err)
	require.Equal(t, 1000, n)
}
