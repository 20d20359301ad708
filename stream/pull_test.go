package stream

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestEachLaneIsPulledByItself(t *testing.T) {
	s := open(t, Config{})
	publish(t, s, event.LaneBulk, someEvents("import", 0, 20)...)
	publish(t, s, event.LaneLive, anEvent("acme", 1))
	live, err := s.Pull(t.Context(), event.LaneLive, 10, patience)
	require.NoError(t, err)
	require.Len(t, live, 1)
	require.Equal(t, "acme", decode(t, live[0]).Workspace)
	bulk, err := s.Pull(t.Context(), event.LaneBulk, 10, patience)
	require.NoError(t, err)
	require.NotEmpty(t, bulk)
	for _, d := range bulk {
		require.Equal(t, "import", decode(t, d).Workspace)
	}
}

// Without asking for more time, the event would come again after a second.
func TestAnEventThatIsStillWorkedOnIsNotGivenOutAgain(t *testing.T) {
	s := open(t, Config{AckWait: time.Second})
	publish(t, s, event.LaneBulk, anEvent("acme", 1))
	d := pull(t, s, 1)[0]
	for range 4 {
		pullNone(t, s)
		require.NoError(t, d.Extend())
	}
	require.NoError(t, d.Ack())
	drained(t, s)
}

func TestPullReturnsEmptyAfterItsWait(t *testing.T) {
	s := open(t, Config{})
	pullNone(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Pull(ctx, event.LaneLive, 1, time.Minute)
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Pull(t.Context(), event.LaneLive, 0, time.Second)
	require.ErrorIs(t, err, event.ErrInvalid)
}

func TestAPullThatWaitsGetsWhatComes(t *testing.T) {
	s := open(t, Config{})
	pullNone(t, s)
	got := make(chan error, 1)
	go func() {
		out, err := s.Pull(t.Context(), event.LaneBulk, 10, patience)
		if err == nil && len(out) == 0 {
			err = errors.New("nothing came")
		}
		got <- err
	}()
	publish(t, s, event.LaneBulk, anEvent("acme", 1))
	require.NoError(t, <-got)
}

func TestWhatIsNotEndedComesAgain(t *testing.T) {
	s := open(t, Config{AckWait: time.Second})
	publish(t, s, event.LaneLive, anEvent("acme", 1))
	first := pull(t, s, 1)[0]
	require.False(t, first.Repeated())
	again := pull(t, s, 1)[0]
	require.True(t, again.Repeated())
	require.Equal(t, decode(t, first), decode(t, again))
	require.NoError(t, again.Ack())
	drained(t, s)
}

// An event that nobody pulled for AckWait is given out again by the server: the
// copy that was read ahead is not given out besides.
func TestWhatWaitedTooLongInMemoryIsGivenOutOnce(t *testing.T) {
	s := open(t, Config{AckWait: time.Second})
	pullNone(t, s)
	publish(t, s, event.LaneLive, someEvents("acme", 0, 5)...)
	eventually(t, "read ahead", func() bool { return len(s.lanes[0].buffer) == 5 })
	eventually(t, "given out again", func() bool { return len(s.lanes[0].buffer) >= 10 })
	seen := map[event.ID]int{}
	for _, d := range pull(t, s, 5) {
		seen[decode(t, d).ID]++
		require.NoError(t, d.Ack())
	}
	require.Len(t, seen, 5)
	drained(t, s)
}

func TestRetryDoesNotCount(t *testing.T) {
	s := open(t, Config{MaxAttempts: 2, RetryBase: time.Millisecond, RetryMax: time.Millisecond})
	publish(t, s, event.LaneLive, anEvent("acme", 1))
	for range 5 {
		require.NoError(t, pull(t, s, 1)[0].Retry(time.Millisecond))
	}
	require.NoError(t, pull(t, s, 1)[0].Retry(0))
	require.NoError(t, pull(t, s, 1)[0].Fail(t.Context(), errors.New("first")))
	d := pull(t, s, 1)[0]
	dead, err := s.DeadCount(t.Context())
	require.NoError(t, err)
	require.Zero(t, dead)
	require.NoError(t, d.Fail(t.Context(), errors.New("second")))
	dead, err = s.DeadCount(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, dead)
}

func TestRetryWaits(t *testing.T) {
	s := open(t, Config{})
	publish(t, s, event.LaneLive, anEvent("acme", 1))
	begun := time.Now()
	require.NoError(t, pull(t, s, 1)[0].Retry(700*time.Millisecond))
	pull(t, s, 1)
	require.GreaterOrEqual(t, time.Since(begun), 600*time.Millisecond)
}

func TestTheOldestEventThatWaitsHasAnAge(t *testing.T) {
	clock := &shiftedClock{}
	s := open(t, Config{Clock: clock.now})
	require.NoError(t, s.refreshSlowly(t.Context()))
	require.Zero(t, s.Stats().OldestAge)
	publish(t, s, event.LaneBulk, anEvent("acme", 1))
	clock.advance(time.Hour)
	waits(t, s, 0, 1)
	require.NoError(t, s.refreshSlowly(t.Context()))
	require.InDelta(t, time.Hour.Seconds(), s.Stats().OldestAge.Seconds(), 30)
	ackAll(t, pull(t, s, 1))
	drained(t, s)
	require.NoError(t, s.refreshSlowly(t.Context()))
	require.Zero(t, s.Stats().OldestAge)
}
