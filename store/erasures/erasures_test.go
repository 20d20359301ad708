package erasures_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/store/erasures"
)

func TestARecordIsFoundAgainAndTellsNobodyWho(t *testing.T) {
	secret := []byte("secret")
	id := erasures.ID(secret, "acme", "Jo@acme.example")
	require.Equal(t, id, erasures.ID(secret, "acme", "jo@ACME.example"), "however the address is written")
	require.NotContains(t, id, "jo")
	require.Len(t, id, 64)
	for name, other := range map[string]string{
		"another person":    erasures.ID(secret, "acme", "ana@acme.example"),
		"another workspace": erasures.ID(secret, "beta", "jo@acme.example"),
		"another secret":    erasures.ID([]byte("other"), "acme", "jo@acme.example"),
		"moved border":      erasures.ID(secret, "acmejo", "@acme.example"),
	} {
		require.NotEqual(t, id, other, name)
	}
	doc, err := erasures.Record(time.Unix(7, 0), 5, nil)
	require.NoError(t, err)
	require.JSONEq(t, `{"at":7}`, string(doc))
	require.Equal(t, int64(7), erasures.Until(doc))
	doc, err = erasures.Record(time.Unix(7, 0), 9, []byte(`{"at":8}`))
	require.NoError(t, err)
	require.Equal(t, int64(9), erasures.Until(doc))
	require.Equal(t, int64(math.MaxInt64), erasures.Until(nil), "what cannot be read bars everything")
}
