package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/deliver"
	"tidings/store/sqlite"
	"tidings/store/storetest"
)

func TestOutbox(t *testing.T) {
	storetest.RunOutbox(t, storetest.OutboxHarness{Open: func(t testing.TB) deliver.Outbox {
		outbox, err := sqlite.OpenOutbox(t.TempDir() + "/deliveries.db")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, outbox.Close()) })
		return outbox
	}})
}
