package live

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestOpenWaitsUntilWhatIsKeptHasBeenRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newScroll("one")
		log.away = true
		log.announce(announced("w", "ana", event.Send, "a"))
		h := run(t, testConfig(log))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := h.Open(ctx, "w", nil)
		require.ErrorIs(t, err, event.ErrUnavailable)
		require.ErrorIs(t, h.Ready(), event.ErrUnavailable)
		position := h.PositionBefore(0)

		log.change(func() { log.away = false })
		r := h.open("w", nil)
		_, err = r.Subscribe("s", everything, position)
		require.ErrorIs(t, err, ErrPositionExpired, "a position from before the stream was known means nothing")
	})
}

func TestOpenDoesNotWaitForWhatWasRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newScroll("one")
		log.announce(announced("w", "ana", event.Send, "a"))
		// The newest entry was removed: it never comes.
		log.next++
		h := run(t, testConfig(log))
		began := time.Now()
		h.open("w", nil)
		require.LessOrEqual(t, time.Since(began), 2*idleDelay)
	})
}

func TestRunEndsWithItsContextAndOnAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, testConfig(newScroll("one"))).stop()
		h := NewHub(Config{Log: brokenLog{}, Render: render})
		require.ErrorIs(t, h.Run(t.Context()), errBroken)
	})
}

func TestCloseSendsReadersAwayAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		r := h.open("w", nil)
		subscribe(t, r, "s", everything, "")
		drain(t, r)
		<-r.Wake()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, h.Close(ctx), context.DeadlineExceeded, "a reader is still there")
		<-r.Wake()
		_, err := r.Next(t.Context())
		require.ErrorIs(t, err, ErrRestarting)
		_, err = r.Subscribe("t", everything, "")
		require.ErrorIs(t, err, ErrRestarting)
		go r.Close()
		require.NoError(t, h.Close(t.Context()))
		r.Close() // twice is harmless
		_, err = h.Open(t.Context(), "w", nil)
		require.ErrorIs(t, err, ErrRestarting)
	})
}

func TestAWorkspaceHasABoundedNumberOfReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig(newScroll("one"))
		c.Readers = 2
		h := run(t, c)
		first := h.open("w", nil)
		h.open("w", nil)
		_, err := h.Open(t.Context(), "w", nil)
		require.ErrorIs(t, err, event.ErrTooMuch)
		h.open("x", nil)
		first.Close()
		h.open("w", nil)
	})
}

func TestPositionBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newScroll("one")
		h := run(t, testConfig(log))
		at := func(lag time.Duration) uint64 {
			p, err := ParsePosition(h.PositionBefore(lag))
			require.NoError(t, err)
			require.Equal(t, "one", p.Incarnation)
			return p.Sequence
		}
		require.Zero(t, at(0), "nothing was announced yet")
		for range 5 { // sequences 1 to 5, 10 s apart
			h.announce(announced("w", "ana", event.Send, "a"))
			time.Sleep(10 * time.Second)
		}
		require.EqualValues(t, 5, at(6*time.Second))
		require.EqualValues(t, 5, at(10*time.Second))
		require.EqualValues(t, 4, at(11*time.Second))
		require.EqualValues(t, 0, at(time.Hour))
		require.EqualValues(t, 5, at(-time.Hour), "never ahead of what was announced")

		// After a restart the stream's own times say what is old.
		h.stop()
		h = run(t, testConfig(log))
		require.EqualValues(t, 5, at(6*time.Second))
		require.EqualValues(t, 4, at(11*time.Second))
		time.Sleep(time.Hour)
		require.EqualValues(t, 5, at(6*time.Second), "all that was kept is too old, and none of it is needed")
	})
}

func TestAHubThatReadsWhatIsKeptGivesItsFirst(t *testing.T) {
	h := NewHub(testConfig(nil))
	h.adopt(Bounds{Incarnation: "one", First: 41, Last: 50})
	h.add(entryOf(41, time.Now().Add(-time.Minute), announced("w", "ana", event.Send, "a")), nil)
	p, err := ParsePosition(h.PositionBefore(0))
	require.NoError(t, err)
	require.Equal(t, Position{"one", 40}, p)
}

func TestPositionsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newScroll("one")
		log.announce(announced("w", "ana", event.Send, "a"), announced("w", "ana", event.Send, "b"))
		log.dropFirst(1)
		h := run(t, testConfig(log))
		r := h.open("w", nil)
		cases := []struct {
			name     string
			position Position
			expired  bool
		}{
			{"before what is kept", Position{"one", 0}, true},
			{"just before the first", Position{"one", 1}, false},
			{"the last", Position{"one", 2}, false},
			{"in the future", Position{"one", 3}, true},
			{"of another incarnation", Position{"two", 2}, true},
			{"of no incarnation", Position{}, true},
		}
		for _, c := range cases {
			_, err := r.Subscribe("s", everything, c.position.String())
			if c.expired {
				require.ErrorIs(t, err, ErrPositionExpired, c.name)
			} else {
				require.NoError(t, err, c.name)
			}
		}
		_, err := r.Subscribe("s", everything, "junk")
		require.ErrorIs(t, err, event.ErrInvalid)
	})
}

func TestOldEntriesLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		h.announce(announced("w", "ana", event.Send, "a"))
		time.Sleep(DefaultKeep - time.Minute)
		r := h.open("w", nil)
		subscribe(t, r, "s", everything, Position{"one", 0}.String())
		require.Equal(t, []string{"event s a"}, drain(t, r))

		time.Sleep(3 * time.Minute) // nothing comes in, and it is let go all the same
		_, err := r.Subscribe("t", everything, Position{"one", 0}.String())
		require.ErrorIs(t, err, ErrPositionExpired)
		subscribe(t, r, "t", everything, Position{"one", 1}.String())
		require.Empty(t, h.ring.entries)
		require.Zero(t, h.ring.bytes)
		r.Close()
		require.NotContains(t, h.ring.workspaces, "w")
	})
}

func TestMemoryIsBounded(t *testing.T) {
	c := testConfig(nil)
	c.Bytes = 1 << 20
	h := NewHub(c)
	h.adopt(Bounds{Incarnation: "one", First: 1})
	body := strings.Repeat("words ", 200)
	for i := range uint64(5000) {
		a := announced("w", "ana", event.Reply, "a")
		a.Event.Body = body
		h.add(entryOf(i+1, time.Now(), a), nil)
		h.ring.entries[len(h.ring.entries)-1].views.Load().document()
	}
	require.LessOrEqual(t, h.ring.bytes, c.Bytes)
	require.Greater(t, h.ring.bytes, c.Bytes/2)
	require.Len(t, h.ring.workspaces["w"].entries, len(h.ring.entries))
	withViews, bytes, hot := 0, 0, 0
	for _, e := range h.ring.entries {
		bytes += e.weight
		if e.views.Load() != nil {
			withViews++
			hot += e.weight
		}
	}
	require.Equal(t, h.ring.bytes, bytes)
	require.Equal(t, h.ring.hot, hot)
	require.LessOrEqual(t, hot, c.Bytes/8)
	require.Positive(t, withViews)
}

func TestAStreamThatWasMadeAnewResetsEveryone(t *testing.T) {
	cases := []struct {
		name string
		// late lets the hub find out by itself, not by an entry.
		late bool
	}{{"sequences begin again", false}, {"nothing has come in since", true}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := newScroll("one")
				h := run(t, testConfig(log))
				r := h.open("w", nil)
				subscribe(t, r, "s", everything, "")
				h.announce(announced("w", "ana", event.Send, "a"), announced("w", "ana", event.Send, "b"))
				require.Equal(t, []string{"event s a", "event s b"}, drain(t, r))

				log.change(func() { log.incarnation, log.kept, log.next = "two", nil, 1 })
				if c.late {
					time.Sleep(watchEvery + time.Second)
				} else {
					h.announce(announced("w", "ana", event.Send, "c"))
				}
				synctest.Wait()
				require.Equal(t, []string{"reset s "}, drain(t, r))
				p, err := ParsePosition(h.PositionBefore(time.Hour))
				require.NoError(t, err)
				require.Equal(t, Position{"two", 0}, p)

				subscribe(t, r, "s", ofType(event.Open), p.String())
				h.announce(announced("w", "ana", event.Open, "d"))
				require.Equal(t, []string{"event s d"}, drain(t, r))
			})
		})
	}
}

func TestAGapInTheStreamResetsEveryone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newScroll("one")
		h := run(t, testConfig(log))
		r, idle := h.open("w", nil), h.open("w", nil)
		subscribe(t, r, "s", everything, "")
		subscribe(t, r, "t", everything, "")
		h.announce(announced("w", "ana", event.Send, "a"))
		require.Equal(t, []string{"event s a", "event t a"}, drain(t, r))
		log.change(func() { log.next += 10 })
		h.announce(announced("w", "ana", event.Send, "b"))
		// One that is subscribed anew before it was told needs no telling.
		subscribe(t, r, "t", everything, Position{"one", 11}.String())
		require.Equal(t, []string{"reset s ", "event t b"}, drain(t, r))
		subscribe(t, idle, "s", everything, Position{"one", 11}.String())
		require.Equal(t, []string{"event s b"}, drain(t, idle))
		_, err := r.Subscribe("s", everything, Position{"one", 1}.String())
		require.ErrorIs(t, err, ErrPositionExpired)
	})
}
