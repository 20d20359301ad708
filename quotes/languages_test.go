package quotes_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/quotes"
)

func TestOwnInManyLanguages(t *testing.T) {
	raw, err := os.ReadFile("testdata/languages.txt")
	require.NoError(t, err)
	all := strings.Split(string(raw), "\n#### ")[1:]
	require.Greater(t, len(all), 100)
	for _, each := range all {
		name, text, _ := strings.Cut(each, "\n")
		want, whole, found := strings.Cut(text, "\n====\n")
		require.True(t, found, name)
		t.Run(name, func(t *testing.T) { require.Equal(t, want, quotes.Own(whole)) })
	}
}
