//go:build !race

package sqlite

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

func TestStateCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genState().Draw(t, "state")
		s.MessageKey = event.MessageKey{Workspace: "w", Message: "m"}
		raw := encodeState(s)
		decoded, err := decodeState(s.MessageKey, raw)
		require.NoError(t, err)
		require.Equal(t, s, decoded)
		require.Equal(t, raw, encodeState(decoded))
		for end := range raw {
			_, err := decodeState(s.MessageKey, raw[:end])
			require.Error(t, err, "cut at %d", end)
		}
	})
}
