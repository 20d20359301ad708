package stream

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestPublishedEventsComeOutAsTheyWere(t *testing.T) {
	s := open(t, Config{})
	want := anEvent("acme", 1)
	want.Subject, want.Body = "Re: <b>ünï</b>", "line\r\nline"
	publish(t, s, event.LaneLive, want)

	d := pull(t, s, 1)[0]
	require.Empty(t, cmp.Diff(want, decode(t, d)))
	require.False(t, d.Repeated())
	require.NoError(t, d.Ack())
	drained(t, s)
}

func TestWorkspacesWithOddNamesStayApart(t *testing.T) {
	s := open(t, Config{})
	names := []string{"a.b", "*", ">", "a b", "", "ünï\r\n", "x61", "a", strings.Repeat("w", 200)}
	for i, name := range names {
		publish(t, s, event.LaneLive, anEvent(name, i))
	}
	got := map[string]bool{}
	for _, d := range pull(t, s, len(names)) {
		got[decode(t, d).Workspace] = true
		require.NoError(t, d.Fail(t.Context(), errors.New("broken"))) // MaxAttempts is 5: retried
	}
	for _, name := range names {
		require.True(t, got[name], "workspace %q", name)
	}
}

func TestManyCallersShareBatches(t *testing.T) {
	s := open(t, Config{})
	const callers, each = 64, 20
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				if err := s.Publish(t.Context(), event.LaneLive, someEvents("acme", c*1000+i, 1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	drainedTo(t, s, callers*each)
	stats := s.Stats()
	require.EqualValues(t, callers*each, stats.Published)
	require.Less(t, stats.Batches, uint64(callers*each/4), "callers that wait at the same time share a batch")
}

// A live event is durable while a batch of an import is not, however long that takes.
func TestALiveEventWaitsForNoBatchOfAnImport(t *testing.T) {
	s := open(t, Config{})
	stuck := s.events[event.LaneBulk]
	s.events[event.LaneBulk] = newCommitter(s.js, s.link, s.stopped, s.cfg.BatchBytes) // nothing commits what it is given
	ctx, cancel := context.WithCancel(t.Context())
	imported := make(chan error, 1)
	go func() { imported <- s.Publish(ctx, event.LaneBulk, someEvents("acme", 0, 1000)) }()
	publish(t, s, event.LaneLive, anEvent("acme", 1))
	cancel()
	require.ErrorIs(t, <-imported, context.Canceled)
	s.events[event.LaneBulk] = stuck
	publish(t, s, event.LaneBulk, someEvents("acme", 2000, 1000)...)
}

func TestALargePublishGoesAsSeveralBatches(t *testing.T) {
	s := open(t, Config{})
	publish(t, s, event.LaneBulk, someEvents("acme", 0, 10_000)...)
	drainedTo(t, s, 10_000)
	require.EqualValues(t, (10_000+packMost-1)/packMost, messagesOn(t, s))
	require.EqualValues(t, 1, s.Stats().Batches)

	large := someEvents("acme", 0, 300)
	for i := range large {
		large[i].Body = strings.Repeat("x", packBytes)
	}
	publish(t, s, event.LaneBulk, large...)
	require.Greater(t, s.Stats().Batches, uint64(2), "a batch is bounded in bytes")
}

func TestACallerWhoGivesUpHurtsNobody(t *testing.T) {
	s := open(t, Config{})
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			ctx := t.Context()
			if c%2 == 0 {
				cancelled, cancel := context.WithCancel(ctx)
				cancel()
				ctx = cancelled
			}
			err := s.Publish(ctx, event.LaneLive, someEvents("acme", c*100, 100))
			if c%2 == 1 && err != nil {
				t.Error(err)
			}
			if c%2 == 0 && err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.ErrorIs(t, s.Publish(expired(t), event.LaneLive, someEvents("acme", 0, 3000)), event.ErrUnavailable)
	publish(t, s, event.LaneLive, anEvent("acme", 99_999))
}

func TestPublishRefusesWhatCanNeverGoThrough(t *testing.T) {
	s := open(t, Config{})
	require.NoError(t, s.Publish(t.Context(), event.LaneLive, nil))
	require.ErrorIs(t, s.Publish(t.Context(), "express", someEvents("acme", 0, 1)), event.ErrInvalid)

	huge := anEvent("acme", 1)
	huge.Body = strings.Repeat("x", maxPayload)
	err := s.Publish(t.Context(), event.LaneLive, []event.Event{anEvent("acme", 0), huge})
	require.ErrorIs(t, err, event.ErrInvalid)
	require.ErrorContains(t, err, "events[1]")
	require.Zero(t, s.Stats().Published)
}

func TestBacklogOverItsBoundIsTooMuch(t *testing.T) {
	s := open(t, Config{Backlog: 100})
	publish(t, s, event.LaneBulk, someEvents("acme", 100, 40)...)
	publish(t, s, event.LaneLive, someEvents("acme", 0, 60)...)

	err := s.Publish(t.Context(), event.LaneLive, someEvents("acme", 200, 1))
	var much *event.TooMuch
	require.ErrorAs(t, err, &much)
	require.GreaterOrEqual(t, much.After, shortestWait)
	require.LessOrEqual(t, much.After, longestWait)
	drainedTo(t, s, 100) // nothing was published

	for acked := 0; acked < 60; { // a pack waits until all of it is done with
		got, err := s.Pull(t.Context(), event.LaneLive, 60, patience)
		require.NoError(t, err)
		ackAll(t, got)
		acked += len(got)
	}
	eventually(t, "the backlog went down", func() bool {
		return s.Publish(t.Context(), event.LaneLive, someEvents("acme", 200, 1)) == nil
	})
}

// publishCounted publishes once it is counted what waits: what is published while that is
// looked at counts twice until the next look.
func publishCounted(t *testing.T, s *Stream, lane event.Lane, workspace string, first, n int) error {
	t.Helper()
	require.NoError(t, s.refresh(t.Context()))
	return s.Publish(t.Context(), lane, someEvents(workspace, first, n))
}

// An import that is refused for what waits refuses no live event, of its own workspace
// either.
func TestAnImportLeavesRoomForLiveEvents(t *testing.T) {
	s := open(t, Config{Backlog: 200})
	taken := 0
	for ; taken < 500 && publishCounted(t, s, event.LaneBulk, "acme", taken, 5) == nil; taken += 5 {
	}
	require.Less(t, taken, 200)
	require.NoError(t, publishCounted(t, s, event.LaneLive, "acme", 1000, 5))
	require.ErrorIs(t, publishCounted(t, s, event.LaneBulk, "acme", taken, 5), event.ErrTooMuch)
}

// A request that is larger than the backlog's bound is taken once nothing else waits.
func TestALargeRequestIsTakenWhereNothingWaits(t *testing.T) {
	s := open(t, Config{Backlog: 10})
	publish(t, s, event.LaneLive, someEvents("acme", 0, 40)...)
	require.ErrorIs(t, s.Publish(t.Context(), event.LaneLive, someEvents("acme", 40, 40)), event.ErrTooMuch)
	ackAll(t, pull(t, s, 40))
	eventually(t, "nothing waits any more", func() bool {
		return s.Publish(t.Context(), event.LaneLive, someEvents("acme", 40, 40)) == nil
	})
}

// A workspace that floods is refused before it has all of the backlog, and nobody else is.
func TestAFloodRefusesItsOwnWorkspace(t *testing.T) {
	s := open(t, Config{Backlog: 200})
	flood := func(workspace string) (taken int, refused error) {
		for ; refused == nil && taken < 500; taken += 10 {
			refused = publishCounted(t, s, event.LaneLive, workspace, taken, 10)
		}
		return taken - 10, refused
	}
	taken, err := flood("acme")
	var much *event.TooMuch
	require.ErrorAs(t, err, &much)
	require.Contains(t, much.What, "of this workspace")
	require.Equal(t, 150, taken, "three quarters")
	require.NoError(t, publishCounted(t, s, event.LaneLive, "globex", 0, 20))
	taken, err = flood("globex")
	require.ErrorIs(t, err, event.ErrTooMuch)
	require.Positive(t, taken)
	require.NoError(t, publishCounted(t, s, event.LaneLive, "initech", 0, 5))

	ackAll(t, pull(t, s, 100))
	eventually(t, "what was indexed gives room again", func() bool {
		return s.Publish(t.Context(), event.LaneLive, someEvents("acme", 1000, 10)) == nil
	})
	eventually(t, "nothing is left of shares", func() bool {
		for _, lane := range lanes {
			given, err := s.Pull(t.Context(), lane, 100, time.Millisecond)
			require.NoError(t, err)
			ackAll(t, given)
		}
		s.shares.mu.Lock()
		defer s.shares.mu.Unlock()
		return len(s.shares.by) == 0
	})
}

func TestAFullQueueRefusesAndLosesNothing(t *testing.T) {
	s := open(t, Config{EventsBytes: 400 << 10})
	accepted := map[event.ID]bool{}
	var refused error
	for n := 0; refused == nil && n < 10_000; n += 20 {
		events := someEvents("acme", n, 20)
		require.NoError(t, s.refresh(t.Context())) // or the estimate is what fills up
		if refused = s.Publish(t.Context(), event.LaneLive, events); refused == nil {
			for _, e := range events {
				accepted[e.ID] = true
			}
		}
	}
	require.ErrorIs(t, refused, event.ErrUnavailable)
	require.Greater(t, len(accepted), 200)
	trimmed, err := s.Trim(t.Context())
	require.NoError(t, err)
	require.Zero(t, trimmed, "nothing has been acknowledged")

	for _, d := range pull(t, s, len(accepted)) {
		delete(accepted, decode(t, d).ID)
		require.NoError(t, d.Ack())
	}
	require.Empty(t, accepted)

	// Once indexed, young events make room.
	drained(t, s)
	trimmed, err = s.Trim(t.Context())
	require.NoError(t, err)
	require.NotZero(t, trimmed)
	require.NoError(t, s.refresh(t.Context()))
	publish(t, s, event.LaneLive, someEvents("acme", 90_000, 20)...)
}

// The server refuses too, whatever we think of how full it is.
func TestAFullStreamIsUnavailable(t *testing.T) {
	s := open(t, Config{EventsBytes: 64 << 10})
	messages, err := s.encode(t.Context(), event.LaneLive, someEvents("acme", 0, 1000))
	require.NoError(t, err)
	begun := time.Now()
	require.ErrorIs(t, s.events[event.LaneLive].publish(t.Context(), messages), event.ErrUnavailable)
	require.Less(t, time.Since(begun), commitTimeout, "the server says so, nobody waits for a timeout")
	publish(t, s, event.LaneLive, anEvent("acme", 1))
}

func TestAFloodingWorkspaceGoesToBulk(t *testing.T) {
	clock := &shiftedClock{}
	s := open(t, Config{LiveRate: 0.001, LiveBurst: 50, Clock: clock.now})
	publish(t, s, event.LaneLive, someEvents("flood", 0, 500)...)
	publish(t, s, event.LaneLive, someEvents("quiet", 0, 10)...)
	waits(t, s, 60, 450)
	require.EqualValues(t, 450, s.Stats().Diverted)

	clock.advance(20_000 * time.Second) // 20 more
	publish(t, s, event.LaneLive, someEvents("flood", 1000, 100)...)
	waits(t, s, 80, 530)
}

// waits looks until so much waits in each lane: the server counts it a moment after it
// has answered.
func waits(t *testing.T, s *Stream, live, bulk int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		stats := s.Stats()
		return s.refresh(t.Context()) == nil && stats.WaitingLive == live && stats.WaitingBulk == bulk
	}, time.Minute, time.Millisecond)
}

func TestAfterCloseEverythingIsUnavailable(t *testing.T) {
	s := open(t, Config{})
	require.NoError(t, s.Ready(t.Context()))
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Ready(t.Context()), event.ErrUnavailable)
	require.ErrorIs(t, s.Publish(t.Context(), event.LaneLive, someEvents("acme", 0, 1)), event.ErrUnavailable)
	_, err := pullAny(t.Context(), s, 1, time.Second)
	require.ErrorIs(t, err, event.ErrUnavailable)
	require.NoError(t, s.Close())
}

func TestConfigThatCannotWorkIsRefused(t *testing.T) {
	tests := map[string]Config{
		"neither":           {},
		"both":              {Dir: "d", URL: "nats://127.0.0.1:1"},
		"replicas at home":  {Dir: "d", Replicas: 3},
		"too many attempts": {Dir: "d", MaxAttempts: 101},
		"shrinking delay":   {Dir: "d", RetryBase: time.Minute, RetryMax: time.Second},
		"negative keep":     {Dir: "d", Keep: -time.Second},
		"negative bytes":    {Dir: "d", EventsBytes: -1},
	}
	for name, cfg := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), cfg)
			require.ErrorIs(t, err, event.ErrInvalid)
		})
	}
}
