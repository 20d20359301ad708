package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func testReplace(t *testing.T, x stateTest) {
	ctx := context.Background()
	x.apply(t, sendTo("m-1", 1000, jo, kim), didTo(event.Open, "m-1", 2000, jo), didTo(event.Click, "m-1", 2100, kim))
	before := x.read(t, "m-1")
	require.NotZero(t, before.Expire, "everyone has opened")

	corrected := before.Clone()
	delete(corrected.First[event.MarkOpened], event.KeyOf(jo.Email))
	id := event.NewID(2000, workspace, "api", true, nil)
	corrected.Overrides = map[event.RecipientKey]map[event.ID]event.Override{
		event.KeyOf(jo.Email): {id: {Is: event.Machine, Reason: "It was our own test.", User: "u_ana"}},
	}
	replaced, err := x.Replace(ctx, corrected)
	require.NoError(t, err)
	require.True(t, replaced)
	after := x.read(t, "m-1")
	corrected.Version, corrected.Expire = before.Version+1, 0
	require.Equal(t, corrected, after, "what was taken away is gone, and somebody has not opened again")
	incomplete, err := x.Incomplete(ctx, workspace, 0, "", 10)
	require.NoError(t, err)
	require.Len(t, incomplete, 1)

	before.First = nil
	replaced, err = x.Replace(ctx, before)
	require.NoError(t, err)
	require.False(t, replaced, "it has moved")
	require.Equal(t, after, x.read(t, "m-1"))

	x.apply(t, didTo(event.Open, "m-1", 3000, jo))
	require.NotZero(t, x.read(t, "m-1").Expire)
	require.Equal(t, corrected.Overrides, x.read(t, "m-1").Overrides)

	made := event.State{MessageKey: event.MessageKey{Workspace: workspace, Message: "m-2"}}
	made.Overrides = corrected.Overrides
	for _, expected := range []bool{true, false} {
		replaced, err = x.Replace(ctx, made)
		require.NoError(t, err)
		require.Equal(t, expected, replaced, "there is none but once")
	}
	touched, err := x.EraseRecipient(ctx, workspace, jo.Email)
	require.NoError(t, err)
	require.Len(t, touched, 2)
	left, err := x.Of(ctx, workspace, []string{"m-1", "m-2"})
	require.NoError(t, err)
	require.Len(t, left, 1, "an erased person's overrides go with them")
	require.Empty(t, left["m-1"].Overrides)

	testReplaceRace(t, x)
}

// testReplaceRace replaces from several sides at once: each replacement counts
// once, and none is lost.
func testReplaceRace(t *testing.T, x stateTest) {
	const writers, each = 4, 5
	key := event.MessageKey{Workspace: workspace, Message: "m-race"}
	var writing sync.WaitGroup
	var problems [writers]error
	for writer := range writers {
		writing.Go(func() {
			for done := 0; done < each && problems[writer] == nil; {
				problems[writer] = func() error {
					states, err := x.Read(context.Background(), []event.MessageKey{key})
					if err != nil {
						return err
					}
					state := states[key].Clone()
					state.MessageKey = key
					state.Subject += fmt.Sprint(writer)
					replaced, err := x.Replace(context.Background(), state)
					if replaced {
						done++
					}
					return err
				}()
			}
		})
	}
	writing.Wait()
	for _, problem := range problems {
		require.NoError(t, problem)
	}
	require.Len(t, x.read(t, "m-race").Subject, writers*each)
	require.Equal(t, int64(writers*each), x.read(t, "m-race").Version)
}
