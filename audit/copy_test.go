package audit_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/audit"
	"tidings/event"
	"tidings/store/sqlite"
)

// A copy has all rows as they were, also where it was made in pieces, and nothing twice. A
// day that cannot be read keeps no other from being copied.
func TestACopyIsWhatWasWritten(t *testing.T) {
	s, ctx := newSite(t), t.Context()
	write := func(n int) {
		for range n {
			for _, workspace := range []string{"v", "w"} {
				_, err := s.log.Must(ctx, audit.Row{Workspace: workspace, Kind: audit.KindSignIn, Actor: "user:u_jo"})
				require.NoError(t, err)
			}
		}
	}
	to, err := sqlite.OpenAudit(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, to.Close()) })
	copied := func(want int64) {
		rows, err := audit.Copy(ctx, s.store, to, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		require.Equal(t, want, rows)
	}
	write(501) // more than are read at once
	copied(1002)
	write(1)
	s.pass(24 * time.Hour)
	write(2)
	copied(6)
	copied(0)
	for _, day := range []audit.Day{audit.DayOf(noon), audit.DayOf(noon.Add(24 * time.Hour))} {
		for _, workspace := range []string{"v", "w"} {
			want, err := s.store.Chain(ctx, workspace, day, 0, 1000)
			require.NoError(t, err)
			got, err := to.Chain(ctx, workspace, day, 0, 1000)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}

	other := newSite(t)
	_, err = other.log.Must(ctx, audit.Row{Workspace: "w", Kind: audit.KindSignIn, Actor: "user:u_bo"})
	require.NoError(t, err)
	_, err = audit.Copy(ctx, other.store, to, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, event.ErrConflict)

	elsewhere, err := sqlite.OpenAudit(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, elsewhere.Close()) })
	rows, err := audit.Copy(ctx, other.store, elsewhere, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.EqualValues(t, 1, rows)
	third := newSite(t)
	_, err = third.log.Must(ctx, audit.Row{Workspace: "w", Kind: audit.KindSignIn, Actor: "user:u_jo"})
	require.NoError(t, err)
	_, err = audit.Copy(ctx, third.store, elsewhere, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, event.ErrConflict, "a row of the same number")

	s.pass(24 * time.Hour)
	write(1)
	require.NoError(t, s.log.Close(ctx))
	require.NoError(t, s.store.Close())
	require.NoError(t, os.Truncate(filepath.Join(s.dir, string(audit.DayOf(noon))+".db"), 0))
	copied(2)
}
