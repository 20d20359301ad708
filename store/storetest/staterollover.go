package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
	"tidings/rollover"
)

// finished are the messages that were reduced before a time.
func (x stateTest) finished(t *testing.T, before time.Time) []rollover.Finished {
	found, err := x.Finished(context.Background(), before, 100)
	require.NoError(t, err)
	return found
}

func testFinished(t *testing.T, x stateTest) {
	ctx := context.Background()
	send := sendTo("m-1", 1000, jo)
	x.apply(t, send, didTo(event.Open, "m-1", 2000, jo), sendTo("m-2", 1000, jo))
	done := x.clock.Add(2 * grace)
	require.Empty(t, x.finished(t, done.Add(1000*grace)), "it is complete, and not reduced")
	_, err := x.Expire(ctx, done)
	require.NoError(t, err)
	require.Empty(t, x.finished(t, done.Add(-time.Second)))
	first := rollover.Finished{MessageKey: x.read(t, "m-1").MessageKey, At: 1000}
	require.Equal(t, []rollover.Finished{first}, x.finished(t, done))
	require.Equal(t, []rollover.Finished{first}, x.finished(t, done), "until it is purged")

	gone := []event.MessageKey{first.MessageKey, {Workspace: workspace, Message: "m-none"}}
	require.NoError(t, x.Purged(ctx, gone))
	require.NoError(t, x.Purged(ctx, gone), "purging is repeated freely")
	require.Empty(t, x.finished(t, done.Add(1000*grace)))

	*x.clock = done.Add(time.Hour)
	x.apply(t, didTo(event.Open, "m-1", 2000, jo))
	require.Empty(t, x.finished(t, done.Add(1000*grace)), "an open alone is in nobody's way")
	x.apply(t, send)
	require.Empty(t, x.finished(t, done), "the send came later than that")
	require.Equal(t, []rollover.Finished{first}, x.finished(t, done.Add(2*time.Hour)))
}

func testFinishedReopened(t *testing.T, x stateTest) {
	ctx := context.Background()
	x.apply(t, sendTo("m-1", 1000, jo), didTo(event.Open, "m-1", 2000, jo))
	done := x.clock.Add(2 * grace)
	_, err := x.Expire(ctx, done)
	require.NoError(t, err)
	x.apply(t, sendTo("m-1", 1001, kim))
	require.Empty(t, x.finished(t, done.Add(1000*grace)))
	*x.clock = done
	x.apply(t, didTo(event.Open, "m-1", 3000, kim))
	again := done.Add(2 * grace)
	_, err = x.Expire(ctx, again)
	require.NoError(t, err)
	require.Empty(t, x.finished(t, again.Add(-time.Second)), "its time begins anew")
	require.Len(t, x.finished(t, again), 1)
}

func testForget(t *testing.T, x stateTest) {
	ctx := context.Background()
	x.apply(
		t, sendTo("old", 1000, jo), didTo(event.Open, "old", 9000, jo), sendTo("young", 5000, jo),
		didTo(event.Open, "old-open", 1000, jo), didTo(event.Open, "young-open", 5000, jo),
	)
	for _, forgotten := range []int{2, 0} {
		n, err := x.Forget(ctx, time.Unix(5000, 0))
		require.NoError(t, err)
		require.Equal(t, forgotten, n)
		left, err := x.Of(ctx, workspace, []string{"old", "young", "old-open", "young-open"})
		require.NoError(t, err)
		require.Len(t, left, 2)
		require.Contains(t, left, "young")
		require.Contains(t, left, "young-open")
	}
	touched, err := x.EraseRecipient(ctx, workspace, jo.Email)
	require.NoError(t, err)
	require.Len(t, touched, 2, "nothing of the forgotten ones is left")
	x.apply(t, sendTo("old", 1000, jo))
	require.Equal(t, int64(1), x.read(t, "old").Version, "it begins anew")
}

func testUnlist(t *testing.T, x stateTest) {
	ctx := context.Background()
	mark := func(weeks ...event.Week) {
		var marks []indexer.WorkspaceWeek
		for _, week := range weeks {
			marks = append(marks, indexer.WorkspaceWeek{Workspace: workspace, Week: week})
		}
		_, err := x.Apply(ctx, nil, marks)
		require.NoError(t, err)
	}
	listed := func() []event.Week {
		weeks, err := x.Weeks(ctx, workspace)
		require.NoError(t, err)
		return weeks
	}
	mark(2900, 2901)
	require.Equal(t, []event.Week{2901, 2900}, listed())
	mark(2902)
	require.Equal(t, []event.Week{2902, 2901, 2900}, listed())
	require.NoError(t, x.Unlist(ctx, 2902))
	require.NoError(t, x.Unlist(ctx, 2902), "unlisting is repeated freely")
	require.Equal(t, []event.Week{2902}, listed())
	listed()[0] = 0
	require.Equal(t, []event.Week{2902}, listed(), "nobody changes what others are given")
	mark(2900)
	require.Equal(t, []event.Week{2902, 2900}, listed())
}
