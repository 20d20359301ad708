package query

import (
	"maps"
	"math/rand/v2"
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

// A word that hangs on its neighbour, which hangs on the word, ended the process: the stack ran
// over, and nothing recovers from that. The last hung on a time while none was known yet.
func TestWordsThatHangOnEachOtherAreRead(t *testing.T) {
	options := Options{Now: time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC), Me: "u_me"}
	for _, line := range []string{
		"opened by acme team show", "opens by acme people list", "clicks by acme staff find", "who opened from acme team show",
		"new open received not open",
	} {
		require.NotEmpty(t, Parse(line, options).Interpretation, line)
	}
}

// A few words of those that people wrote, again and again in any order, are read soon: rules
// that ask one another would take twice as long with each.
func TestWordsInAnyOrderAreRead(t *testing.T) {
	options := Options{Now: time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC), Me: "u_me"}
	words := wordsOfLines(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 4000 {
		few := make([]string, 1+random.IntN(4))
		for i := range few {
			few[i] = words[random.IntN(len(words))]
		}
		line := make([]string, 40)
		for i := range line {
			line[i] = few[random.IntN(len(few))]
		}
		Parse(strings.Join(line, " "), options)
	}
}

// wordsOfLines are the words of all lines that people wrote, those that several have.
func wordsOfLines(t *testing.T) []string {
	files, err := filepath.Glob("testdata/*.tsv")
	require.NoError(t, err)
	lines := make(map[string]int)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for row := range strings.Lines(string(text)) {
			line, _, _ := strings.Cut(row, "\t")
			for _, word := range strings.Fields(line) {
				lines[word]++
			}
		}
	}
	maps.DeleteFunc(lines, func(_ string, n int) bool { return n < 3 })
	return slices.Sorted(maps.Keys(lines))
}
