package query

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// line is one row of a table: a text and what it is understood as.
type line struct{ text, want string }

// readTable reads rows of the form "text => chips", leaving out empty lines and
// those that begin with #.
func readTable(t *testing.T, path string) []line {
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	var lines []line
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		row := scanner.Text()
		if row == "" || strings.HasPrefix(row, "#") {
			continue
		}
		text, want, found := strings.Cut(row, "=>")
		require.True(t, found, row)
		lines = append(lines, line{strings.TrimSpace(text), strings.TrimSpace(want)})
	}
	require.NoError(t, scanner.Err())
	return lines
}

// written writes chips in a line: field:value, a minus for what must not be, and
// the group of alternatives behind a tilde.
func written(chips []Chip) string {
	all := make([]string, len(chips))
	for i, chip := range chips {
		value := chip.Value
		if strings.Contains(value, " ") && !strings.HasPrefix(value, `"`) {
			value = `"` + value + `"`
		}
		all[i] = chip.Field + ":" + value
		if chip.Not {
			all[i] = "-" + all[i]
		}
		if chip.Group != 0 {
			all[i] += fmt.Sprintf("~%d", chip.Group)
		}
	}
	return strings.Join(all, " ")
}

func TestUnderstood(t *testing.T) {
	lines := readTable(t, "testdata/understood.txt")
	require.GreaterOrEqual(t, len(lines), 250)
	for _, line := range lines {
		t.Run(line.text, func(t *testing.T) {
			result := Parse(line.text, options(t))
			require.Equal(t, line.want, written(result.Chips))
			require.Empty(t, result.Notes)
			checkParse(t, line.text, options(t))
		})
	}
}

func TestTextStaysText(t *testing.T) {
	lines := readTable(t, "testdata/plain.txt")
	require.GreaterOrEqual(t, len(lines), 60)
	for _, line := range lines {
		t.Run(line.text, func(t *testing.T) {
			result := Parse(line.text, options(t))
			require.Equal(t, line.want, written(result.Chips))
			for _, chip := range result.Chips {
				require.Equal(t, "words", chip.Field)
				require.False(t, chip.Not)
			}
			require.Zero(t, result.Query.From+result.Query.Until)
		})
	}
}

// What is denied of two acts together is not what one person did of both, and "either" is
// neither.
func TestBothAndEitherThatAreDenied(t *testing.T) {
	at := Options{Now: time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)}
	for text, want := range map[string]struct {
		same  string
		notes int
	}{
		"who hasn't both opened and clicked":   {"-is:clicked", 1},
		"didn't both open and click":           {"-is:clicked", 1},
		"never both opened and replied":        {"is:unreplied", 1},
		"who hasn't either opened or clicked":  {"is:unopened -is:clicked", 0},
		"who has not either opened or replied": {"is:unopened is:unreplied", 0},
		"who both opened and clicked":          {"opened and clicked", 0},
		"who hasn't opened both":               {"is:unopened both", 1},
		"hasn't gotten round to reply":         {"is:unreplied", 0},
		"hasn't gotten around to replying":     {"is:unreplied", 0},
		"hasn't gotten round to replying":      {"is:unreplied", 0},
		"opens at x.com":                       {"type:open domain:x.com", 0},
		"nobody aside from jo opened":          {"nobody but jo opened", 1},
		"opens march - may":                    {"opens from march to may", 0},
		"opens with acme.example":              {"type:open domain:acme.example", 0},
		"opens with \"acme.example\"":          {"type:open \"acme.example\"", 0},
	} {
		read := Parse(text, at)
		require.Equal(t, Parse(want.same, at).Query.Where, read.Query.Where, text)
		require.Equal(t, Parse(want.same, at).Query.From, read.Query.From, text)
		require.Equal(t, Parse(want.same, at).Query.Until, read.Query.Until, text)
		require.Len(t, read.Notes, want.notes, text)
	}
	require.Contains(t, Parse("opens may - acme", at).Words, "may", "no month")
	for text, want := range map[string]string{
		"anybody at acme look at the quote": "opens from acme, with quote",
		"opens by email client":             "opens counted by client",
		"opens by email":                    "opens counted by message",
		"what link got the most clicks":     "clicks counted by link, the 10 with the most",
		"newest bounces first":              "bounces",
		"latest opens":                      "opens",
		"opens past days":                   "opens since 2026-11-17",
		"opens nov 8 thru may 10":           "opens from 2025-11-08 until 2026-05-11",
	} {
		require.Equal(t, want, Parse(text, at).Interpretation)
	}
	require.Contains(t, Parse("nobody aside jo opened", at).Words, "aside", "no exception")
}
