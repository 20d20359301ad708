package elastic_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/store/sqlite"
	"tidings/store/storetest"
)

var answersHarness = storetest.AnswersHarness{
	Open: func(t testing.TB) (storetest.Index, storetest.AnswersStates) {
		index := openAt(t, t.TempDir(), "")
		t.Cleanup(func() { require.NoError(t, index.Close()) })
		state, err := sqlite.OpenState(filepath.Join(t.TempDir(), "state.db"), sqlite.StateConfig{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, state.Close()) })
		return index, state
	},
	Refresh: harness.Refresh,
}

// Statistics count several weeks at once, which the race detector watches on a few sets of
// events. TestLivePagesExportsAndStatisticsAgree has all of them, without it.
func TestWeeksAreCountedAtOnce(t *testing.T) {
	few := answersHarness
	few.Sets, few.Questions = 2, 5
	storetest.RunAnswers(t, few)
}
