package event_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestFollowReadsAStateUnderAnyOfItsNames(t *testing.T) {
	key := func(message string) event.MessageKey { return event.MessageKey{Workspace: "w", Message: message} }
	leads := func(from, to string) event.State { return event.State{MessageKey: key(from), To: to} }
	stored := map[string]event.State{
		"a": leads("a", "b"), "b": leads("b", "c"), "c": {MessageKey: key("c"), Subject: "Hello"},
		"lost": leads("lost", "gone"), "x": leads("x", "y"), "y": leads("y", "x"),
	}
	read := func(_ context.Context, names []string) (map[string]event.State, error) {
		found := make(map[string]event.State)
		for _, name := range names {
			if state, known := stored[name]; known {
				found[name] = state
			}
		}
		return found, nil
	}
	at := func(_, name string) string { return name }

	got, err := event.Follow(context.Background(), []string{"a", "c", "lost", "new"}, read, at)
	require.NoError(t, err)
	require.Equal(t, map[string]event.State{
		"a": stored["c"], "c": stored["c"], "lost": {MessageKey: key("gone")},
	}, got)

	_, err = event.Follow(context.Background(), []string{"x"}, read, at) // a circle ends
	require.NoError(t, err)

	away := errors.New("away")
	_, err = event.Follow(context.Background(), []string{"a"}, func(context.Context, []string) (map[string]event.State, error) {
		return nil, away
	}, at)
	require.ErrorIs(t, err, away)
}
