package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/audit"
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
