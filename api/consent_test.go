package api

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/event"
	"tidings/store/sqlite"
)

// Who wanted no measuring before addresses had one text still wants none.
func TestConsentOutlivesHowAnAddressIsKept(t *testing.T) {
	records, err := sqlite.OpenState(filepath.Join(t.TempDir(), "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, records.Close()) }()
	const today = "jo@bücher.example"
	for _, old := range []string{"jo@xn--bcher-kva.example", "jo@bücher.example."} {
		require.NoError(t, account.Put(t.Context(), records, "w", kindUntracked, string(event.TextKey(old)), struct{}{}))
		tracked, err := isTracked(t.Context(), records, "w", today)
		require.NoError(t, err)
		require.False(t, tracked, old)
		require.NoError(t, setTracked(t.Context(), records, "w", today, true))
		tracked, err = isTracked(t.Context(), records, "w", today)
		require.NoError(t, err)
		require.True(t, tracked, "they have changed their mind")
	}
}
