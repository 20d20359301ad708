package stream

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/api"
	"tidings/event"
	"tidings/indexer"
)

func TestTrimRemovesWhatIsAcknowledgedAndOld(t *testing.T) {
	clock := &shiftedClock{}
	s := open(t, Config{Clock: clock.now})
	publish(t, s, api.LaneLive, someEvents("acme", 0, 30)...)
	in := pull(t, s, 30)
	ackAll(t, in[:20])
	trim := func(want int) {
		t.Helper()
		eventually(t, "the acknowledgements arrived", func() bool {
			require.NoError(t, s.refresh(t.Context()))
			return s.Backlog() == int64(30-20)
		})
		trimmed, err := s.Trim(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, want, trimmed)
	}
	trim(0) // too young
	clock.advance(defaultKeep + time.Minute)
	trim(20) // bulk is empty, which holds nothing back
	trim(0)
	ackAll(t, in[20:])
	settled(t, s)
	trimmed, err := s.Trim(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 10, trimmed)
	require.EqualValues(t, 30, s.Stats().Trimmed)
}

// Whatever is published, acknowledged, retried, killed and trimmed in whatever
// order, all that was not acknowledged comes out, also after a reopen.
func TestTrimNeverRemovesWhatIsNeeded(t *testing.T) {
	fewerChecks(t)
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		clock := &shiftedClock{}
		cfg := Config{Dir: dir, Clock: clock.now, Keep: time.Hour, EventsBytes: 96 << 10}
		s, err := Open(t.Context(), cfg)
		require.NoError(t, err)
		defer func() { _ = s.Close() }()
		needed := map[event.ID]bool{}
		var in []indexer.Delivery
		next := 0
		trim := func(*rapid.T) {
			_, err := s.Trim(t.Context())
			require.NoError(t, err)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"publish": func(rt *rapid.T) {
				n := rapid.IntRange(1, 30).Draw(rt, "n")
				lane := rapid.SampledFrom(lanes[:]).Draw(rt, "lane")
				events := someEvents("acme", next, n)
				next += n
				if s.Publish(t.Context(), lane, events) != nil {
					return // full
				}
				for _, e := range events {
					needed[e.ID] = true
				}
			},
			"pull": func(rt *rapid.T) {
				got, err := s.Pull(t.Context(), rapid.IntRange(1, 40).Draw(rt, "most"), 20*time.Millisecond)
				require.NoError(t, err)
				in = append(in, got...)
			},
			"acknowledge": func(rt *rapid.T) {
				if len(in) == 0 {
					rt.Skip("nothing is out")
				}
				i := rapid.IntRange(0, len(in)-1).Draw(rt, "which")
				delete(needed, decode(t, in[i]).ID)
				require.NoError(t, in[i].Ack())
				in = append(in[:i], in[i+1:]...)
			},
			"acknowledge all": func(*rapid.T) {
				for _, d := range in {
					delete(needed, decode(t, d).ID)
				}
				ackAll(t, in)
				in = nil
			},
			"give back": func(rt *rapid.T) {
				if len(in) == 0 {
					rt.Skip("nothing is out")
				}
				require.NoError(t, in[0].Retry(0))
				in = in[1:]
			},
			"later":   func(*rapid.T) { clock.advance(40 * time.Minute) },
			"refresh": func(*rapid.T) { require.NoError(t, s.refresh(t.Context())) },
			"trim":    trim,
			"reopen": func(*rapid.T) {
				in = nil
				require.NoError(t, s.Close())
				s, err = Open(t.Context(), cfg)
				require.NoError(t, err)
			},
		})
		clock.advance(3 * time.Hour)
		trim(rt)
		for _, d := range in {
			require.NoError(t, d.Retry(0))
		}
		for deadline := time.Now().Add(patience); len(needed) > 0; {
			require.True(t, time.Now().Before(deadline), "%d events are lost", len(needed))
			got, err := s.Pull(t.Context(), 100, time.Second)
			require.NoError(t, err)
			for _, d := range got {
				delete(needed, decode(t, d).ID)
				require.NoError(t, d.Ack())
			}
		}
	})
}

func TestAFillingStreamIsTrimmedBeforeItsTime(t *testing.T) {
	s := open(t, Config{EventsBytes: 512 << 10})
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- s.Run(ctx) }()
	accepted := 0
	for n := 0; n < 5000; n += 50 {
		eventually(t, "there is room again", func() bool {
			return s.Publish(t.Context(), api.LaneLive, someEvents("acme", n, 50)) == nil
		})
		ackAll(t, pull(t, s, 50))
		accepted += 50
	}
	require.Equal(t, 5000, accepted)
	require.Greater(t, s.Stats().Trimmed, uint64(2000))
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
