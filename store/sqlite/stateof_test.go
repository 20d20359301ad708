package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// Many states at once are those that are read one after the other, whatever messages are called.
func TestStatesAreReadAtOnceAsOneByOne(t *testing.T) {
	s, err := OpenState(filepath.Join(t.TempDir(), "state.db"), StateConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	names := []string{`a"quote\`, "<m@x>&", "ünïcode 💌", "line\nfeed\t", "nul\x00inside", "nul", "half \xff", "\u2028", "", "1", "1.0", "true"}
	var states []event.State
	for i, name := range names {
		for _, workspace := range []string{"w", "other"} {
			states = append(states, event.State{
				MessageKey: event.MessageKey{Workspace: workspace, Message: name}, Sent: true, Subject: fmt.Sprint(workspace, i), User: "u",
			})
		}
	}
	require.NoError(t, s.PutStates(t.Context(), states))
	asked := append([]string{"not there", names[0]}, names...)
	for n := range len(asked) + 1 {
		want, err := s.ofEach(t.Context(), "w", asked[:n])
		require.NoError(t, err)
		got, err := s.readOf(t.Context(), "w", asked[:n])
		require.NoError(t, err)
		require.Equal(t, want, got)
		got, err = s.Of(t.Context(), "w", asked[:n])
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	plain := []string{names[0], names[2], names[9], names[10]}
	got, err := s.Of(t.Context(), "w", plain)
	require.NoError(t, err)
	require.Len(t, got, len(plain))
	require.Equal(t, "w0", got[names[0]].Subject)
	got, err = s.Of(t.Context(), "nobody", plain)
	require.NoError(t, err)
	require.Empty(t, got)
}
