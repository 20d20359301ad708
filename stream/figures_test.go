package stream

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Where events only begin to wait nobody knows how fast they leave: an import that was
// told to come again in a minute stood still for it.
func TestNobodyIsToldToWaitLongerThanEventsHave(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	var w figures
	require.Equal(t, shortestWait, w.drainTime(125, now), "nothing was looked at yet")
	w.saw(500, 0, now)
	require.Equal(t, shortestWait, w.drainTime(125, now))
	require.Equal(t, 5*time.Second, w.drainTime(125, now.Add(5*time.Second)), "none left for so long")
	require.Equal(t, longestWait, w.drainTime(1_000_000, now.Add(time.Hour)))

	// A hundred leave at each look, four hundred a second.
	for range 100 {
		w.saw(500, 600, now.Add(time.Minute))
	}
	require.InDelta(t, 400, w.drained.Load(), 4)
	require.Equal(t, 3*time.Second, w.drainTime(1_000, now.Add(time.Hour)))

	// An hour in which nothing waits does not make it slow.
	w.saw(0, 100, now)
	for range 100 {
		w.saw(0, 0, now)
	}
	require.InDelta(t, 400, w.drained.Load(), 4)
	w.saw(1_000, 0, now.Add(2*time.Hour))
	require.Equal(t, shortestWait, w.drainTime(1_000_000, now.Add(2*time.Hour)))
}
