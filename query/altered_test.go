package query

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whatever line people wrote, with a word less, a word more, or broken off at either end, is
// read: rules of the grammar meet the ends of a text where none of its lines has them.
func TestLinesThatAreAlteredAreRead(t *testing.T) {
	files, err := filepath.Glob("testdata/*.tsv")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	options := Options{Now: time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC), Me: "u_me"}
	read := make(map[string]bool)
	try := func(words ...[]string) {
		line := strings.Join(slices.Concat(words...), " ")
		if line == "" || read[line] {
			return
		}
		read[line] = true
		defer func() {
			if reason := recover(); reason != nil {
				t.Fatalf("%q: %v", line, reason)
			}
		}()
		require.NotEmpty(t, Parse(line, options).Interpretation, line)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for row := range strings.Lines(string(text)) {
			line, _, _ := strings.Cut(row, "\t")
			words := strings.Fields(line)
			if len(words) > 12 || strings.HasPrefix(line, "#") {
				continue
			}
			try(words)
			for i := range words {
				try(words[:i], words[i+1:])
				try(words[i:])
				try(words[:i])
				for _, more := range []string{"the", "not", "most", "and", "first", "by"} {
					try(words[:i], []string{more}, words[i:])
				}
			}
		}
	}
	require.Greater(t, len(read), 20_000)
}
