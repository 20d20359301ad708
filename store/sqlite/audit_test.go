package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"tidings/audit"
	"tidings/crash"
	"tidings/store/sqlite"
	"tidings/store/storetest"
)

func TestAudit(t *testing.T) {
	storetest.RunAudit(t, func(t testing.TB) audit.Store {
		store, err := sqlite.OpenAudit(t.TempDir())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		return store
	})
}

// What ends before a day's file has its tables leaves none of its name, and the next
// begins again.
func TestADayOfTheAuditLogIsThereWithItsTables(t *testing.T) {
	dir := t.TempDir()
	day := audit.Day("2026-11-30")
	path := filepath.Join(dir, string(day)+".db")
	require.NoError(t, os.WriteFile(path+".new", []byte("half of a file"), 0o600))
	store, err := sqlite.OpenAudit(dir)
	require.NoError(t, err)
	var made []string
	crash.Point = func(where string) {
		if where == "rename to "+filepath.Base(path) {
			require.NoFileExists(t, path)
			_, err := store.Days(t.Context())
			require.NoError(t, err)
			made = append(made, where)
		}
	}
	defer func() { crash.Point = nil }()
	entry := audit.Entry{Workspace: "w", Kind: audit.KindSignIn, Actor: "user:u_jo", Seq: 1, ID: "1", Hash: "h", Doc: []byte("{}")}
	_, err = store.Append(t.Context(), day, []audit.Entry{entry})
	require.NoError(t, err)
	require.Len(t, made, 1)
	require.NoFileExists(t, path+".new")
	last, err := store.Last(t.Context(), "w", day)
	require.NoError(t, err)
	require.Equal(t, entry.ID, last.ID)
	require.NoError(t, store.Close())
}

// A day that is dropped while it is read and backed up is no failure, and is not made
// again.
func TestADayOfTheAuditLogThatIsDroppedStaysSo(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	store, err := sqlite.OpenAudit(dir)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	for i := range 15 {
		const old, today = audit.Day("2026-11-01"), audit.Day("2026-11-30")
		for seq, day := range []audit.Day{old, today} {
			entry := audit.Entry{Workspace: "w", Kind: audit.KindSignIn, Actor: "user:u_jo", Seq: int64(2*i + seq + 1), ID: "1", Hash: "h", Doc: []byte("{}")}
			_, err = store.Append(ctx, day, []audit.Entry{entry})
			require.NoError(t, err)
		}
		var besides errgroup.Group
		besides.Go(func() error { _, err := store.Backup(ctx, filepath.Join(dir, "copy")); return err })
		besides.Go(func() error { _, err := store.Chain(ctx, "w", old, 0, 10); return err })
		besides.Go(func() error { _, err := store.Workspaces(ctx, old); return err })
		require.NoError(t, store.Drop(ctx, today))
		require.NoError(t, besides.Wait())
		days, err := store.Days(ctx)
		require.NoError(t, err)
		require.Equal(t, []audit.Day{today}, days)
	}
}
