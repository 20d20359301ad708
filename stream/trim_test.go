package stream

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/indexer"
)

func TestTrimRemovesWhatIsAcknowledgedAndOld(t *testing.T) {
	clock := &shiftedClock{}
	s := open(t, Config{Clock: clock.now})
	publish(t, s, event.LaneLive, someEvents("acme", 0, 30)...)
	in := pull(t, s, 30)
	ackAll(t, in[:20])
	trim := func(want int) {
		t.Helper()
		drainedTo(t, s, 30-20)
		trimmed, err := s.Trim(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, want, trimmed)
	}
	trim(0) // too young
	clock.advance(defaultKeep + time.Minute)
	trim(20) // bulk is empty, which holds nothing back
	trim(0)
	ackAll(t, in[20:])
	drained(t, s)
	trimmed, err := s.Trim(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 10, trimmed)
	require.EqualValues(t, 30, s.Stats().Trimmed)
}

// Whatever is published, acknowledged, retried, closed and trimmed in whatever
// order, all that was not acknowledged comes out.
func TestTrimNeverRemovesWhatIsNeeded(t *testing.T) {
	fewerChecks(t)
	rapid.Check(t, func(rt *rapid.T) {
		q := &trimmedQueue{t: t, needed: map[event.ID]bool{}}
		q.cfg = Config{Dir: t.TempDir(), Clock: q.clock.now, Keep: time.Hour, EventsBytes: 96 << 10}
		q.open()
		defer func() { require.NoError(t, q.s.Close()) }()
		rt.Repeat(map[string]func(*rapid.T){
			"publish":         q.publish,
			"pull":            q.pull,
			"acknowledge":     q.acknowledge,
			"acknowledge all": q.acknowledgeAll,
			"give back":       q.giveBack,
			"later":           func(*rapid.T) { q.clock.advance(40 * time.Minute) },
			"refresh":         func(*rapid.T) { require.NoError(t, q.s.refresh(t.Context())) },
			"trim":            q.trim,
			"reopen":          q.reopen,
		})
		q.clock.advance(3 * time.Hour)
		q.trim(rt)
		q.requireAllThatIsNeeded()
	})
}

// trimmedQueue is a stream with the ids that must come out of it yet.
type trimmedQueue struct {
	t      *testing.T
	cfg    Config
	clock  shiftedClock
	s      *Stream
	needed map[event.ID]bool
	in     []indexer.Delivery
	next   int
}

func (q *trimmedQueue) open() {
	s, err := Open(q.t.Context(), q.cfg)
	require.NoError(q.t, err)
	q.s = s
}

func (q *trimmedQueue) reopen(*rapid.T) {
	q.in = nil
	require.NoError(q.t, q.s.Close())
	q.open()
}

func (q *trimmedQueue) publish(rt *rapid.T) {
	n := rapid.IntRange(1, 30).Draw(rt, "n")
	lane := rapid.SampledFrom(lanes[:]).Draw(rt, "lane")
	events := someEvents("acme", q.next, n)
	q.next += n
	if q.s.Publish(q.t.Context(), lane, events) != nil {
		return // full
	}
	for _, e := range events {
		q.needed[e.ID] = true
	}
}

func (q *trimmedQueue) pull(rt *rapid.T) {
	got, err := pullAny(q.t.Context(), q.s, rapid.IntRange(1, 40).Draw(rt, "most"), 20*time.Millisecond)
	require.NoError(q.t, err)
	q.in = append(q.in, got...)
}

func (q *trimmedQueue) acknowledge(rt *rapid.T) {
	if len(q.in) == 0 {
		rt.Skip("nothing is out")
	}
	i := rapid.IntRange(0, len(q.in)-1).Draw(rt, "which")
	delete(q.needed, decode(q.t, q.in[i]).ID)
	require.NoError(q.t, q.in[i].Ack())
	q.in = append(q.in[:i], q.in[i+1:]...)
}

func (q *trimmedQueue) acknowledgeAll(*rapid.T) {
	for _, d := range q.in {
		delete(q.needed, decode(q.t, d).ID)
	}
	ackAll(q.t, q.in)
	q.in = nil
}

func (q *trimmedQueue) giveBack(rt *rapid.T) {
	if len(q.in) == 0 {
		rt.Skip("nothing is out")
	}
	require.NoError(q.t, q.in[0].Retry(0))
	q.in = q.in[1:]
}

func (q *trimmedQueue) trim(*rapid.T) {
	_, err := q.s.Trim(q.t.Context())
	require.NoError(q.t, err)
}

func (q *trimmedQueue) requireAllThatIsNeeded() {
	for _, d := range q.in {
		require.NoError(q.t, d.Retry(0))
	}
	for deadline := time.Now().Add(patience); len(q.needed) > 0; {
		require.True(q.t, time.Now().Before(deadline), "%d events are lost", len(q.needed))
		got, err := pullAny(q.t.Context(), q.s, 100, time.Second)
		require.NoError(q.t, err)
		for _, d := range got {
			delete(q.needed, decode(q.t, d).ID)
			require.NoError(q.t, d.Ack())
		}
	}
}

func TestAFillingStreamIsTrimmedBeforeItsTime(t *testing.T) {
	s := open(t, Config{EventsBytes: 512 << 10})
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- s.Run(ctx) }()
	accepted := 0
	for n := 0; n < 5000; n += 50 {
		eventually(t, "there is room again", func() bool {
			return s.Publish(t.Context(), event.LaneLive, someEvents("acme", n, 50)) == nil
		})
		ackAll(t, pull(t, s, 50))
		accepted += 50
	}
	require.Equal(t, 5000, accepted)
	require.Greater(t, s.Stats().Trimmed, uint64(30), "of 100 packs")
	cancel()
	require.ErrorIs(t, <-done, ctx.Err())
}

// fewerChecks has rapid run a quarter of its checks: each opens a server.
func fewerChecks(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	if before != checks.DefValue {
		return // asked for
	}
	require.NoError(t, checks.Value.Set("25"))
	t.Cleanup(func() { require.NoError(t, checks.Value.Set(before)) })
}
