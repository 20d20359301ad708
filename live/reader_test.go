package live

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/query"
)

var errBroken = errors.New("broken")

// brokenLog fails for good.
type brokenLog struct{}

func (brokenLog) Bounds(context.Context) (Bounds, error)    { return Bounds{}, errBroken }
func (brokenLog) Follow(context.Context, func(Entry)) error { return errBroken }

func TestASubscriptionBeginsNowOrAtAPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newScroll("one")
		h := run(t, testConfig(log))
		h.announce(announced("w", "ana", event.Send, "a"), announced("x", "eve", event.Send, "b"), announced("w", "ana", event.Open, "c"))
		r := h.open("w", nil)
		require.Equal(t, Position{"one", 3}, subscribe(t, r, "now", everything, ""))
		require.Equal(t, Position{"one", 0}, subscribe(t, r, "all", everything, Position{"one", 0}.String()))
		require.Equal(t, Position{"one", 1}, subscribe(t, r, "opens", ofType(event.Open), Position{"one", 1}.String()))
		require.Equal(t, []string{"event all a", "event all c", "event opens c"}, drain(t, r))

		h.announce(announced("w", "ana", event.Send, "d"))
		require.Equal(t, []string{"event now d", "event all d"}, drain(t, r))
		require.True(t, r.Unsubscribe("all"))
		require.False(t, r.Unsubscribe("all"))
		h.announce(announced("w", "ana", event.Open, "e"))
		require.Equal(t, []string{"event now e", "event opens e"}, drain(t, r))
	})
}

func TestASubscriptionOfTheSameIDReplaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		r := h.open("w", nil)
		at := subscribe(t, r, "s", everything, "")
		h.announce(announced("w", "ana", event.Send, "a"), announced("w", "ana", event.Open, "b"))
		subscribe(t, r, "s", ofType(event.Open), at.String())
		require.Equal(t, []string{"event s b"}, drain(t, r))
	})
}

func TestPositionsOfDeliveriesResumeEverySubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		r := h.open("w", nil)
		for i := range 300 {
			h.log.announce(announced("w", "ana", event.Send, fmt.Sprint(i)))
		}
		synctest.Wait()
		subscribe(t, r, "late", everything, Position{"one", 200}.String())
		subscribe(t, r, "early", everything, Position{"one", 100}.String())
		last := uint64(100)
		for {
			deliveries, err := r.Next(t.Context())
			require.NoError(t, err)
			if len(deliveries) == 0 {
				break
			}
			for _, d := range deliveries {
				require.GreaterOrEqual(t, d.At.Sequence, last, "positions go forward over all subscriptions")
				last = d.At.Sequence
			}
		}
		require.EqualValues(t, 300, last)
	})
}

func TestAReaderKnowsHowFarItHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		r := h.open("w", nil)
		_, ok := r.At()
		require.False(t, ok, "there is nothing to resume")
		subscribe(t, r, "s", ofType(event.Open), "")
		h.announce(announced("w", "ana", event.Send, "a"), announced("x", "ana", event.Send, "b"))
		_, ok = r.At()
		require.False(t, ok)
		require.Empty(t, drain(t, r))
		at, ok := r.At()
		require.True(t, ok)
		require.Equal(t, Position{"one", 2}, at)
		h.announce(announced("x", "ana", event.Send, "c"))
		at, _ = r.At()
		require.Equal(t, Position{"one", 3}, at)
		require.Equal(t, Stats{Readers: 1, Entries: 3, Bytes: h.ring.bytes}, h.Stats())
		require.NoError(t, h.Ready())
	})
}

func TestStateAndRemovalsGoOnceToAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		ana, all, none := h.open("w", []string{"ana"}), h.open("w", nil), h.open("w", []string{})
		for _, r := range []*Reader{ana, all, none} {
			subscribe(t, r, "s", ofType(event.Click), "")
			subscribe(t, r, "t", ofType(event.Click), "")
			_, err := r.Shows([]string{"m1", "m2", "m3", "m4"}, "")
			require.NoError(t, err)
		}
		quiet := h.open("w", nil) // no subscription: nothing is sent
		id := event.NewID(1, "w", "api", true, []byte("x"))
		h.announce(
			announcedState("w", "ana", "m1", 7), announcedState("w", "ben", "m2", 1), announcedState("w", "", "m3", 1),
			event.Announcement{Kind: event.AnnounceGone, Workspace: "w", User: "ana", Gone: &id},
			announcedState("x", "ana", "m4", 1),
		)
		require.Equal(t, []string{"state  m1 v7", "gone  " + id.String()}, drain(t, ana))
		require.Equal(t, []string{"state  m1 v7", "state  m2 v1", "state  m3 v1", "gone  " + id.String()}, drain(t, all))
		require.Empty(t, drain(t, none))
		require.Empty(t, drain(t, quiet))
	})
}

func TestEventsOfOthersAreNotSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		// The queries are not restricted here: the reader is a second fence.
		ana := h.open("w", []string{"ana"})
		subscribe(t, ana, "s", everything, "")
		byEvent := announced("w", "ana", event.Send, "c")
		byEvent.User = ""
		h.announce(announced("w", "ana", event.Send, "a"), announced("w", "ben", event.Send, "b"),
			announced("x", "ana", event.Send, "other workspace"), byEvent)
		require.Equal(t, []string{"event s a", "event s c"}, drain(t, ana))
	})
}

func TestACorrectionChangesOrTakesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		r := h.open("w", nil)
		subscribe(t, r, "people", query.Query{Where: query.Types(event.Open)}, "")
		subscribe(t, r, "all", everything, "")
		corrected := announced("w", "ana", event.Open, "a")
		corrected.Kind = event.AnnounceChanged
		corrected.Event.Verdict = event.Verdict{Is: event.Machine}
		h.announce(corrected)
		require.Equal(t, []string{"gone people " + corrected.Event.ID.String(), "changed all a"}, drain(t, r))
	})
}

func TestConditionsOnRecipientsAskTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		r := h.open("w", nil)
		subscribe(t, r, "s", query.Query{Where: query.Recipients{Is: query.IsUnopened}}, "")
		sent, opened := announced("w", "ana", event.Send, "a"), announced("w", "ana", event.Send, "b")
		for _, a := range []*event.Announcement{&sent, &opened} {
			a.State = &event.State{}
			a.State.Apply(event.ChangeOf(*a.Event))
		}
		opened.State.Apply(event.ChangeOf(*announced("w", "ana", event.Open, "b").Event))
		h.announce(sent, opened)
		require.Equal(t, []string{"event s a"}, drain(t, r))
	})
}

func TestSubscriptionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		r := h.open("w", nil)
		for i := range MaxSubscriptions {
			subscribe(t, r, fmt.Sprint(i), everything, "")
		}
		_, err := r.Subscribe("one more", everything, "")
		require.ErrorIs(t, err, event.ErrTooMuch)
		subscribe(t, r, "0", everything, "") // in the place of another
		r.Unsubscribe("1")
		subscribe(t, r, "one more", everything, "")
		for _, id := range []string{"", strings.Repeat("x", maxSubscription+1)} {
			_, err := r.Subscribe(id, everything, "")
			require.ErrorIs(t, err, event.ErrInvalid)
		}
	})
}

func TestAReaderThatFallsBehindIsTooSlow(t *testing.T) {
	announce := func(h *running, n int) {
		for i := range n {
			h.log.announce(announced("w", "ana", event.Send, fmt.Sprint(i)))
		}
		synctest.Wait()
	}
	t.Run("off the end of what is kept", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := testConfig(newScroll("one"))
			c.Bytes = 20_000
			h := run(t, c)
			r, other := h.open("w", nil), h.open("x", nil)
			subscribe(t, r, "s", everything, "")
			subscribe(t, other, "s", everything, "")
			announce(h, 100)
			_, err := r.Next(t.Context())
			require.ErrorIs(t, err, ErrSlowConsumer)
			require.Empty(t, drain(t, other), "what others announce does not make a reader slow")
		})
	})
	t.Run("after it had caught up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := testConfig(newScroll("one"))
			c.Behind = 50
			h := run(t, c)
			r := h.open("w", nil)
			announce(h, 100)
			subscribe(t, r, "s", everything, Position{"one", 0}.String())
			require.Len(t, drain(t, r), 100, "a replay may be longer")
			announce(h, 50)
			require.Len(t, drain(t, r), 50)
			announce(h, 51)
			_, err := r.Next(t.Context())
			require.ErrorIs(t, err, ErrSlowConsumer)
		})
	})
}

func TestWhatCannotBeRenderedIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig(newScroll("one"))
		c.Render = func(a event.Announcement) ([]byte, error) {
			if a.Event.Message == "b" {
				return nil, errBroken
			}
			return render(a)
		}
		h := run(t, c)
		r := h.open("w", nil)
		subscribe(t, r, "s", everything, "")
		h.announce(announced("w", "ana", event.Send, "a"), announced("w", "ana", event.Send, "b"), announced("w", "ana", event.Send, "c"))
		require.Equal(t, []string{"event s a", "event s c"}, drain(t, r))
	})
}

// TestAnnouncementsAreReadForThoseWhoLook counts how often the log has to decode.
func TestAnnouncementsAreReadForThoseWhoLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		reads := make(map[string]int)
		say := func(workspace, key string, err error) {
			h.log.change(func() {
				e := entryOf(h.log.next, time.Now(), announced(workspace, "ana", event.Send, key))
				read := e.Read
				e.Read = func() (event.Announcement, error) {
					reads[key]++
					if err != nil {
						return event.Announcement{}, err
					}
					return read()
				}
				h.log.kept = append(h.log.kept, e)
				h.log.next++
			})
			synctest.Wait()
		}
		one, other := h.open("w", nil), h.open("w", nil)
		for _, r := range []*Reader{one, other} {
			subscribe(t, r, "s", everything, "")
			subscribe(t, r, "t", everything, "")
		}
		say("w", "a", nil)
		say("w", "broken", errBroken)
		say("nobody", "b", nil)
		say("w", "c", nil)
		require.Empty(t, reads, "nobody has looked yet")
		for _, r := range []*Reader{one, other} {
			require.Equal(t, []string{"event s a", "event t a", "event s c", "event t c"}, drain(t, r))
		}
		require.Equal(t, map[string]int{"a": 1, "broken": 1, "c": 1}, reads)
	})
}
