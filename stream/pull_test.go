package stream

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

func TestAFloodOfBulkDoesNotDelayLive(t *testing.T) {
	s := open(t, Config{})
	publish(t, s, event.LaneBulk, someEvents("import", 0, 20_000)...)
	ackAll(t, pull(t, s, 100))
	eventually(t, "bulk is read ahead", func() bool { return len(s.lanes[1].buffer) == laneBuffer })

	publish(t, s, event.LaneLive, anEvent("acme", 1))
	eventually(t, "the live event arrived", func() bool { return len(s.lanes[0].buffer) == 1 })
	next, err := s.Pull(t.Context(), 10, time.Second)
	require.NoError(t, err)
	require.Equal(t, "acme", decode(t, next[0]).Workspace)
	require.Len(t, next, 10, "bulk has the rest")
}

func TestBulkHasItsShareWhileBothWait(t *testing.T) {
	s := open(t, Config{LiveBurst: 100_000})
	publish(t, s, event.LaneLive, someEvents("acme", 0, 2000)...)
	publish(t, s, event.LaneBulk, someEvents("import", 0, 2000)...)
	pull(t, s, 1)
	eventually(t, "both are read ahead", func() bool {
		return len(s.lanes[0].buffer) == laneBuffer && len(s.lanes[1].buffer) == laneBuffer
	})
	tests := map[string]struct{ pulls, most int }{
		"large pulls":     {1, 80},
		"small pulls":     {20, 4},
		"one at a time":   {80, 1},
		"an uneven count": {8, 10},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			count := map[string]int{}
			for range test.pulls {
				got, err := s.Pull(t.Context(), test.most, time.Second)
				require.NoError(t, err)
				require.Len(t, got, test.most)
				for _, d := range got {
					count[decode(t, d).Workspace]++
				}
			}
			require.Equal(t, map[string]int{"acme": 70, "import": 10}, count)
		})
	}
}

func TestShareIsAnEighthOfAnySequenceOfPulls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s share
		asked, bulk := 0, 0
		for _, most := range rapid.SliceOf(rapid.IntRange(1, 5000)).Draw(t, "pulls") {
			n := s.bulk(most)
			if n < 0 || n > most {
				t.Fatalf("share %d of %d", n, most)
			}
			asked, bulk = asked+most, bulk+n
		}
		if bulk != asked/bulkShare {
			t.Fatalf("bulk had %d of %d", bulk, asked)
		}
	})
}

func TestPullReturnsEmptyAfterItsWait(t *testing.T) {
	s := open(t, Config{})
	pullNone(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Pull(ctx, 1, time.Minute)
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Pull(t.Context(), 0, time.Second)
	require.ErrorIs(t, err, event.ErrInvalid)
}

func TestAPullThatWaitsGetsWhatComes(t *testing.T) {
	s := open(t, Config{})
	pullNone(t, s)
	got := make(chan error, 1)
	go func() {
		out, err := s.Pull(t.Context(), 10, patience)
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

func TestBackoffDoublesWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(time.Second)).Draw(t, "base"))
		most := base * time.Duration(rapid.IntRange(1, 3600).Draw(t, "factor"))
		jitter := rapid.Float64Range(0, 0.999).Draw(t, "jitter")
		s := &Stream{cfg: Config{RetryBase: base, RetryMax: most, Rand: func() float64 { return jitter }}}
		last := time.Duration(0)
		for n := 1; n <= mostAttempts; n++ {
			delay := s.backoff(n)
			if delay < base/2 || delay > most || delay < last {
				t.Fatalf("delay %d is %v after %v, of %v to %v", n, delay, last, base, most)
			}
			last = delay
		}
	})
}

func TestTheOldestEventThatWaitsHasAnAge(t *testing.T) {
	clock := &shiftedClock{}
	s := open(t, Config{Clock: clock.now})
	require.NoError(t, s.refreshSlowly(t.Context()))
	require.Zero(t, s.Stats().OldestAge)
	publish(t, s, event.LaneBulk, anEvent("acme", 1))
	clock.advance(time.Hour)
	require.NoError(t, s.refresh(t.Context()))
	require.NoError(t, s.refreshSlowly(t.Context()))
	require.InDelta(t, time.Hour.Seconds(), s.Stats().OldestAge.Seconds(), 30)
	ackAll(t, pull(t, s, 1))
	drained(t, s)
	require.NoError(t, s.refreshSlowly(t.Context()))
	require.Zero(t, s.Stats().OldestAge)
}
