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

// Decisions that cannot be read stop nothing: they are set aside and begun anew, which is
// said until the process ends.
func TestDamagedDecisionsAreSetAside(t *testing.T) {
	data := t.TempDir()
	start := func() *App {
		a, err := Open(t.Context(), Settings{Data: data}, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		return a
	}
	a := start()
	names, err := a.backupBeside(t.Context(), t.TempDir())
	require.NoError(t, err)
	require.True(t, slices.Contains(names, decisionsName))
	require.NoError(t, a.Close())
	require.NoError(t, os.WriteFile(filepath.Join(data, decisionsName), []byte("this is no database, and never was"), 0o600))

	a = start()
	require.NotNil(t, a.notifier)
	require.ErrorAs(t, a.Readiness(t.Context())[decisionsName], new(*event.Degraded))
	aside, err := filepath.Glob(filepath.Join(data, decisionsName+".aside-*"))
	require.NoError(t, err)
	require.Len(t, aside, 1)
	require.NoError(t, a.Close())

	a = start()
	require.NoError(t, a.Readiness(t.Context())[decisionsName])
	require.NoError(t, a.checkFiles(t.Context()))
	require.NoError(t, a.Close())
}
