package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// Nothing shows notifications yet: until they are asked for, they cost neither a write of
// the indexer's nor a file.
func TestNothingIsDecidedUntilItIsAskedFor(t *testing.T) {
	opened := event.Event{ID: event.NewID(1_795_000_000, "w", "api", true, []byte("one")), Workspace: "w", Type: event.Open, Time: 1_795_000_000, User: "u_ana"}
	triggers := []event.Trigger{{Kind: event.AnnounceEvent, Event: opened}}
	for _, on := range []bool{false, true} {
		data := t.TempDir()
		a, err := Open(t.Context(), Settings{Data: data, Notify: on}, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		_, err = os.Stat(filepath.Join(data, decisionsName))
		require.Equal(t, on, err == nil, err)
		require.Equal(t, on, a.triggers() != nil)
		require.Equal(t, on, a.notifier != nil)
		if on {
			require.NoError(t, a.Stream.Trigger(t.Context(), triggers))
		} else {
			require.Error(t, a.Stream.Trigger(t.Context(), triggers), "there is no such stream")
		}
		names, err := a.backupBeside(t.Context(), t.TempDir())
		require.NoError(t, err)
		require.Equal(t, on, slices.Contains(names, decisionsName))
		require.NoError(t, a.Close())
	}
}
