package elastic_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/store/sqlite"
	"tidings/store/storetest"
)

// TestLivePagesExportsAndStatisticsAgree asks 20 questions of each set of events:
// -rapid.checks=100 makes the full form of 2,000.
func TestLivePagesExportsAndStatisticsAgree(t *testing.T) {
	storetest.RunAnswers(t, storetest.AnswersHarness{
		Open: func(t testing.TB) (storetest.Index, storetest.AnswersStates) {
			index := openAt(t, t.TempDir(), "")
			t.Cleanup(func() { require.NoError(t, index.Close()) })
			state, err := sqlite.OpenState(filepath.Join(t.TempDir(), "state.db"), sqlite.StateConfig{})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, state.Close()) })
			return index, state
		},
		Refresh: harness.Refresh,
	})
}
