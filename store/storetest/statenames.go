package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// testNames holds a store to what joining the names of a message needs: a name that
// leads elsewhere takes no changes and is gone with its message.
func testNames(t *testing.T, x stateTest) {
	ctx := context.Background()
	x.apply(t, sendTo("own", 5000, jo), didTo(event.Open, "vendor", 6000, kim), sendTo("other", 5000, jo))
	root := x.read(t, "own").Joined(x.read(t, "vendor"))
	replaced, err := x.Replace(ctx, root)
	require.NoError(t, err)
	require.True(t, replaced)
	replaced, err = x.Replace(ctx, root.Redirect("vendor", x.read(t, "vendor").Version))
	require.NoError(t, err)
	require.True(t, replaced)

	joined := x.read(t, "own")
	require.Equal(t, []string{"vendor"}, joined.Aliases)
	require.Equal(t, int64(6000), joined.First[event.MarkOpened][event.KeyOf(kim.Email)])
	name := x.read(t, "vendor")
	require.Equal(t, event.State{
		MessageKey: event.MessageKey{Workspace: workspace, Message: "vendor"}, To: "own", At: 5000, Version: name.Version, First: name.First,
	}, name)
	require.Empty(t, name.First)

	for _, e := range []event.Event{didTo(event.Open, "vendor", 7000, jo), sendTo("vendor", 4000, kim)} {
		after := x.apply(t, e)[name.MessageKey]
		require.Equal(t, "own", after.To, "the change belongs elsewhere")
		require.Equal(t, name, x.read(t, "vendor"))
	}
	x.apply(t, didTo(event.Open, "own", 7000, jo))
	require.Equal(t, []string{"vendor"}, x.read(t, "own").Aliases, "changes keep the names")

	n, err := x.Forget(ctx, time.Unix(4000, 0))
	require.NoError(t, err)
	require.Zero(t, n)
	touched, err := x.EraseRecipient(ctx, workspace, jo.Email)
	require.NoError(t, err)
	require.Len(t, touched, 2)
	require.Equal(t, "own", x.read(t, "vendor").To, "somebody else is left")
	_, err = x.EraseRecipient(ctx, workspace, kim.Email)
	require.NoError(t, err)
	left, err := x.Of(ctx, workspace, []string{"own", "vendor", "other"})
	require.NoError(t, err)
	require.Empty(t, left, "its names went with it")

	x.apply(t, sendTo("own", 5000, jo))
	root = x.read(t, "own")
	root.AddAliases("vendor")
	for _, state := range []event.State{root, root.Redirect("vendor", 0)} {
		replaced, err = x.Replace(ctx, state)
		require.NoError(t, err)
		require.True(t, replaced)
	}
	n, err = x.Forget(ctx, time.Unix(5001, 0))
	require.NoError(t, err)
	require.Equal(t, 2, n, "its names expire with it")
}
