package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/store/sqlite"
	"tidings/store/storetest"
)

func TestState(t *testing.T) {
	storetest.RunState(t, storetest.StateHarness{
		Open: func(t testing.TB, rowid string, config storetest.StateConfig) storetest.State {
			state, err := sqlite.OpenState(rowid, sqlite.StateConfig{Grace: config.Grace, Now: config.Now})
			require.NoError(t, err)
			return state
		},
	})
}

func TestRecords(t *testing.T) {
	storetest.RunRecords(t, storetest.RecordsHarness{
		Open: func(t testing.TB, rowid string) storetest.Records {
			state, err := sqlite.OpenState(rowid, sqlite.StateConfig{})
			require.NoError(t, err)
			return state
		},
	})
}
