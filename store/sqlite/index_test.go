package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/store/sqlite"
	"tidings/store/storetest"
)

func TestIndex(t *testing.T) {
	storetest.RunIndex(t, storetest.IndexHarness{
		Open: func(t testing.TB, place string) storetest.Index {
			index, err := sqlite.OpenIndex(place, sqlite.IndexConfig{})
			require.NoError(t, err)
			return index
		},
	})
}

// TestIndexWithOneWeekOpen runs the suite where almost every call opens a week
// and closes another.
func TestIndexWithOneWeekOpen(t *testing.T) {
	storetest.RunIndex(t, storetest.IndexHarness{
		Open: func(t testing.TB, place string) storetest.Index {
			index, err := sqlite.OpenIndex(place, sqlite.IndexConfig{OpenWeeks: 1, Readers: 1})
			require.NoError(t, err)
			return index
		},
	})
}
