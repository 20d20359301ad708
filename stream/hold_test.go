package stream

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestHeldEventsWaitForTheirWeekAlone(t *testing.T) {
	s := open(t, quick(3))
	events := someEvents("acme", 0, 6)
	publish(t, s, event.LaneLive, events...)
	reason := &event.WeekDamaged{Week: 2949, Cause: "its file is cut short"}
	for n := 0; n < 6; {
		for _, d := range pull(t, s, 1) {
			week := event.Week(2949)
			if n%2 == 1 {
				week = 2950
			}
			require.NoError(t, d.(*delivery).Hold(t.Context(), week, reason))
			n++
		}
	}
	drained(t, s)
	held, err := s.Held(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[event.Week]int{2949: 3, 2950: 3}, held)
	letters, err := s.DeadLetters(t.Context(), "acme", "", 10)
	require.NoError(t, err)
	require.Len(t, letters, 6)
	require.Contains(t, letters[0].Attempts[0].Error, "cut short")

	released, err := s.Release(t.Context(), 2949)
	require.NoError(t, err)
	require.Equal(t, 3, released)
	held, err = s.Held(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[event.Week]int{2950: 3}, held)
	back := 0
	for back < 3 {
		for _, d := range pull(t, s, 1) {
			require.NoError(t, d.Ack())
			back++
		}
	}
	drained(t, s)
}
