package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

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
