package live

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestSeenNeverGoesBack(t *testing.T) {
	r := newRing(Config{Bytes: 1 << 20, Keep: time.Hour}, 0)
	at := time.Unix(1_790_000_000, 0)
	for i, seen := range []time.Time{at, at.Add(-time.Minute), at.Add(time.Minute)} {
		e := &entry{Entry: Entry{Sequence: uint64(i + 1), Workspace: "w"}, seen: seen, weight: 1}
		e.views.Store(&views{})
		r.add(e)
	}
	require.Equal(t, []time.Time{at, at, at.Add(time.Minute)}, []time.Time{r.entries[0].seen, r.entries[1].seen, r.entries[2].seen})
	require.Equal(t, uint64(0), r.before(at.Add(-time.Second)), "the second was announced after the first")
	require.Equal(t, uint64(2), r.before(at))
}

func TestASecondSubscriptionReplaysWhatItIsBehindAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newScroll("one")
		h := run(t, testConfig(log))
		r := h.open("w", nil)
		subscribe(t, r, "s", everything, "")
		h.announce(announced("w", "ana", event.Send, "a"), announced("w", "ana", event.Send, "b"), announced("w", "ana", event.Send, "c"))
		require.Equal(t, []string{"event s a", "event s b", "event s c"}, drain(t, r))
		subscribe(t, r, "t", everything, Position{"one", 1}.String())
		require.Equal(t, []string{"event t b", "event t c"}, drain(t, r), "the first has had them, and a lies before")
		subscribe(t, r, "u", everything, Position{"one", 3}.String())
		require.Empty(t, drain(t, r))
		h.announce(announced("w", "ana", event.Send, "d"))
		require.Equal(t, []string{"event s d", "event t d", "event u d"}, drain(t, r))
	})
}
