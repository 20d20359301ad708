package live

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestPositionsAreReadBack(t *testing.T) {
	for _, p := range []Position{{}, {"one", 0}, {"one", 1<<64 - 1}, {strings.Repeat("x", maxIncarnation), 7}, {"\x00ü", 1}} {
		text := p.String()
		require.NotContains(t, text, "=")
		again, err := ParsePosition(text)
		require.NoError(t, err)
		require.Equal(t, p, again)
	}
}

func TestWhatIsNoPositionIsRefused(t *testing.T) {
	good := Position{"one", 7}.String()
	cases := map[string]string{
		"empty":         "",
		"short":         "AQAA",
		"another form":  base64.RawURLEncoding.EncodeToString(append([]byte{2}, make([]byte, 8)...)),
		"padding":       good + "=",
		"line break":    good[:3] + "\n" + good[3:],
		"not base64url": "ab+/" + good,
		"loose bits":    "AQAAAAAAAAAB" + "Zz9",
		"too long":      Position{strings.Repeat("x", maxIncarnation+1), 7}.String(),
		"words":         "the beginning",
	}
	for name, text := range cases {
		_, err := ParsePosition(text)
		require.ErrorIs(t, err, event.ErrInvalid, name)
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add("")
	f.Add(Position{"one", 7}.String())
	f.Add("AQAAAAAAAAAB")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePosition(text)
		if err != nil {
			require.ErrorIs(t, err, event.ErrInvalid)
			return
		}
		require.Equal(t, text, p.String())
	})
}
