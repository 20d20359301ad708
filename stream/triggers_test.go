package stream

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// A trigger that could not be handled comes again; one that was does not.
func TestATriggerComesUntilItWasHandled(t *testing.T) {
	s := open(t, Config{RetryBase: time.Millisecond, RetryMax: time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	want := event.Trigger{Kind: event.AnnounceEvent, Event: anEvent("w", 1)}
	require.NoError(t, s.Trigger(ctx, []event.Trigger{want}))
	given := make(chan event.Trigger, 10)
	tries := 0 // one message, so one worker at a time
	handling, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Triggers(handling, func(_ context.Context, got event.Trigger) error {
			if tries++; tries == 1 {
				return event.ErrInvalid
			}
			given <- got
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
