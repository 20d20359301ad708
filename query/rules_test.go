package query

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// grammarWords are the words of all tables of searches, and those that rules begin with.
func grammarWords(t *testing.T) (words, lines []string) {
	files, err := filepath.Glob("testdata/*.tsv")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), "\t")
			lines = append(lines, line)
			for word := range strings.FieldsSeq(line) {
				seen[word] = true
			}
		}
	}
	for word := range rulesOf {
		seen[word] = true
	}
	for word := range seen {
		words = append(words, word)
	}
	slices.Sort(words)
	return words, lines
}

// TestRulesBeginWhereTheirWordsSay reads lines with all rules tried at each word, and with
// those alone that may begin there: there is no difference.
func TestRulesBeginWhereTheirWordsSay(t *testing.T) {
	words, lines := grammarWords(t)
	few := Options{Now: time.Unix(noon, 0), Me: "u_ana", Directory: demo}
	every := few
	every.everyRule = true
	for _, line := range lines {
		require.Equal(t, Parse(line, every), Parse(line, few), line)
	}
	for _, line := range []string{"budget >3 opens", "opens >3", "clicks >=3", "clicks ≥3", "replies <=2", "opens =2", "!budget >3 repiles"} {
		read := Parse(line, few)
		require.Equal(t, Parse(line, every), read, line)
		require.Contains(t, read.Interpretation, "times by one person", line)
	}
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			line := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 8).Draw(t, "words"), " ")
			require.Equal(t, Parse(line, every), Parse(line, few), line)
		}
	})
}
