package stream

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"tidings/event"
)

// A trigger that could not be handled comes again; one that was does not.
func TestATriggerComesUntilItWasHandled(t *testing.T) {
	s := open(t, Config{Triggers: true, RetryBase: time.Millisecond, RetryMax: time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	want := event.Trigger{Kind: event.AnnounceEvent, Event: anEvent("w", 1)}
	require.NoError(t, s.Trigger(ctx, []event.Trigger{want}))
	given := make(chan event.Trigger, 10)
	tries := 0 // one message, so one worker at a time
	handling, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Triggers(handling, func(_ context.Context, got []event.Trigger) error {
			switch tries++; tries {
			case 1:
				return event.ErrInvalid
			case 2:
				panic("a bad trigger")
			}
			given <- got[0]
			return nil
		}, func(uint64) {})
	}()
	select {
	case got := <-given:
		require.Equal(t, want, got)
	case <-ctx.Done():
		t.Fatal("the trigger did not come again")
	}
	stop()
	require.NoError(t, <-ended)
}

// Announcements and triggers are published beside each other, and no group holds both: the
// server takes no batch for two streams.
func TestAnnouncementsAndTriggersAtOnce(t *testing.T) {
	s := open(t, Config{Triggers: true})
	events := someEvents("w", 0, fewMessages+1)
	announcements, triggers := make([]event.Announcement, len(events)), make([]event.Trigger, len(events))
	for i := range events {
		announcements[i] = event.Announcement{Kind: event.AnnounceEvent, Workspace: "w", Event: &events[i]}
		triggers[i] = event.Trigger{Kind: event.AnnounceEvent, Event: events[i]}
	}
	var group errgroup.Group
	for range 8 {
		group.Go(func() error { return s.Announce(t.Context(), announcements) })
		group.Go(func() error { return s.Trigger(t.Context(), triggers) })
	}
	require.NoError(t, group.Wait())
	require.Len(t, keptTriggers(t, s), 8*len(events))
}

// Where several at once cannot be handled, each gets its own try, and one that is bad
// holds up no other.
func TestABadTriggerHoldsUpNoOther(t *testing.T) {
	s := open(t, Config{Triggers: true, RetryBase: time.Hour, RetryMax: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var triggers []event.Trigger
	for _, e := range someEvents("w", 0, 40) {
		triggers = append(triggers, event.Trigger{Kind: event.AnnounceEvent, Event: e})
	}
	require.NoError(t, s.Trigger(ctx, triggers))
	given := make(chan event.ID, len(triggers))
	handling, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Triggers(handling, func(_ context.Context, got []event.Trigger) error {
			for _, each := range got {
				if each.Event.ID == triggers[7].Event.ID {
					return event.ErrInvalid
				}
			}
			for _, each := range got {
				given <- each.Event.ID
			}
			return nil
		}, func(uint64) {})
	}()
	seen := make(map[event.ID]bool)
	for len(seen) < len(triggers)-1 {
		select {
		case id := <-given:
			seen[id] = true
		case <-ctx.Done():
			t.Fatalf("%d of the others came", len(seen))
		}
	}
	stop()
	require.NoError(t, <-ended)
}

// Who is erased is in no trigger any more: neither in what waits nor in what was decided.
func TestErasingReachesTriggers(t *testing.T) {
	s := open(t, Config{Triggers: true})
	events := someEvents("w", 0, 6)
	var triggers []event.Trigger
	for _, e := range events {
		triggers = append(triggers, event.Trigger{Kind: event.AnnounceEvent, Event: e})
	}
	shared := event.Trigger{Kind: event.AnnounceEvent, Event: anEvent("another", 1)}
	require.NoError(t, s.Trigger(t.Context(), triggers[:3]))
	triggers = append(triggers, shared)
	require.NoError(t, s.Trigger(t.Context(), triggers[3:])) // in one message with another workspace's
	theirs := func(e event.Event) bool {
		return e.ID == events[2].ID || e.ID == events[4].ID || e.Workspace == "another"
	}
	for range 2 {
		require.NoError(t, s.EraseTriggers(t.Context(), "w", theirs))
	}
	require.NoError(t, s.EraseTriggers(t.Context(), "other", func(event.Event) bool { return true }))
	var left []event.Trigger
	for i, trigger := range triggers {
		if i != 2 && i != 4 {
			left = append(left, trigger)
		}
	}
	require.Equal(t, left, keptTriggers(t, s))
}

// keptTriggers are all that the stream holds.
func keptTriggers(t *testing.T, s *Stream) (all []event.Trigger) {
	kept, err := s.stream(t.Context(), triggersName)
	require.NoError(t, err)
	for sequence := kept.CachedInfo().State.FirstSeq; sequence <= kept.CachedInfo().State.LastSeq; sequence++ {
		message, err := kept.GetMsg(t.Context(), sequence)
		if missing(err) {
			continue
		}
		require.NoError(t, err)
		triggers, err := unpackTriggers(message.Data)
		require.NoError(t, err)
		all = append(all, triggers...)
	}
	return all
}

// Triggers go together, each with its trace. A message of one workspace says whose it is.
func TestTriggersGoTogether(t *testing.T) {
	var triggers []event.Trigger
	for i, e := range append(someEvents("w", 0, triggersPacked+1), someEvents("other", 0, 2)...) {
		triggers = append(triggers, event.Trigger{Kind: event.AnnounceEvent, Event: e, Trace: fmt.Sprint(i)})
	}
	messages, err := packTriggers(triggers)
	require.NoError(t, err)
	require.Len(t, messages, 2)
	require.Equal(t, triggersPrefix+token("w"), messages[0].Subject)
	require.Equal(t, triggersPrefix+triggersSeveral, messages[1].Subject)
	var unpacked []event.Trigger
	for _, message := range messages {
		some, err := unpackTriggers(message.Data)
		require.NoError(t, err)
		unpacked = append(unpacked, some...)
	}
	require.Equal(t, triggers, unpacked)
	for i := range triggers {
		triggers[i].Event.Body = strings.Repeat("x", packedBytes/2)
	}
	messages, err = packTriggers(triggers[:3])
	require.NoError(t, err)
	require.Len(t, messages, 3, "large ones go alone")
}
