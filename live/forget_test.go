package live

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/query"
)

// emptyIndex is a Finder whose index shows nothing yet.
type emptyIndex struct{}

func (emptyIndex) StatesOf(context.Context, string, []string) (map[string]event.State, error) {
	return nil, nil
}

func (emptyIndex) Find(context.Context, string, query.Query, int) ([]event.Event, map[string]event.State, error) {
	return nil, nil, nil
}

// matching are the deliveries that say that an event matches.
func matching(heard []string) []string {
	return slices.DeleteFunc(heard, func(d string) bool { return !strings.HasPrefix(d, "event ") })
}

// What was removed before the index showed it counts no more: the opens of one mail
// are two, and not three, when one of them was erased.
func TestAnEventThatWasRemovedCountsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		h.RecheckBy(emptyIndex{})
		r := h.open("w", nil)
		subscribe(t, r, "s", query.Parse("type:open times:>2", query.Options{}).Query, "")
		var opens []event.Announcement
		for _, key := range []string{"a", "b", "c", "d"} {
			open := announced("w", "ana", event.Open, key)
			open.Event.Message = "mail"
			opens = append(opens, open)
		}
		h.announce(opens[0], opens[1], event.Announcement{Kind: event.AnnounceGone, Workspace: "w", Gone: &opens[1].Event.ID}, opens[2])
		require.Empty(t, matching(drain(t, r)))
		h.announce(opens[3])
		require.Len(t, matching(drain(t, r)), 3, "the three that are left")
	})
}

// A send that was removed is not told when its state changes.
func TestASendThatWasRemovedIsNotToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, testConfig(newScroll("one")))
		h.RecheckBy(emptyIndex{})
		r := h.open("w", nil)
		subscribe(t, r, "s", query.Parse("is:opened", query.Options{}).Query, "")
		send := announced("w", "ana", event.Send, "mail")
		h.announce(send, event.Announcement{Kind: event.AnnounceGone, Workspace: "w", Gone: &send.Event.ID})
		drain(t, r)
		state := announcedState("w", "ana", "mail", 1)
		state.State.Apply(event.ChangeOf(*send.Event))
		state.State.Apply(event.ChangeOf(*announced("w", "ana", event.Open, "mail").Event))
		h.announce(state)
		require.Empty(t, matching(drain(t, r)))
	})
}
