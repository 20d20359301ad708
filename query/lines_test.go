package query

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sharedLines are searches as people type them, beside the project.
const sharedLines = "../../shared/data/cases/search/lines.tsv"

// demo is the directory that those lines were written for.
var demo = names{
	"Ana Moreira": "u_ana", "Jonas Berg": "u_jonas", "Yuki Tanabe": "u_yuki", "Tess O'Brien": "u_tess", "Ben Whitaker": "u_ben",
}

// typedLine is a search, the readings that a person would expect, and the words
// that must stay visible where it is not understood.
type typedLine struct {
	text     string
	readings []string
	visible  []string
}

func readTypedLines(t *testing.T, path string) []typedLine {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && path == sharedLines {
		t.Skip("skipped: no shared data: " + path)
	}
	require.NoError(t, err)
	defer file.Close()
	var lines []typedLine
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		row := scanner.Text()
		if row == "" || strings.HasPrefix(row, "#") {
			continue
		}
		fields := strings.Split(row, "\t")
		require.GreaterOrEqual(t, len(fields), 2, row)
		line := typedLine{text: fields[0], readings: strings.Split(fields[1], " | ")}
		if len(fields) > 2 {
			line.visible = strings.Fields(fields[2])
		}
		lines = append(lines, line)
	}
	require.NoError(t, scanner.Err())
	for i, line := range lines {
		if reading, ok := given[line.text]; ok {
			lines[i].readings = []string{reading}
		}
	}
	return lines
}

// given are readings of what the language learned after those lines were written.
var given = map[string]string{
	"opened more than 3 times":     "type:open times:>3",
	"opened the proposal twice":    "type:open words:proposal times:2",
	"first open":                   "nth:1 type:open",
	"most clicked link this month": "top:10 type:click by:link time:2026-11-01/2026-12-01",
	"opens per day":                "type:open by:day",
	"re-opened an old proposal":    "type:open nth:>1 words:old words:proposal",
	"öffnungen gestern":            "type:open time:2026-11-17/2026-11-18",
}

// verdict is how a line was read.
type verdict string

const (
	right  verdict = "right"
	noted  verdict = "noted"
	silent verdict = "silently wrong"
)

var chipText = regexp.MustCompile(`-?[a-z_]+\??:(?:"[^"]*"~?|[^" ]\S*)`)

// chipsOf cuts a reading into its chips.
func chipsOf(reading string) []string {
	return chipText.FindAllString(strings.TrimSpace(reading), -1)
}

// judge compares chips with the readings of a line, whatever their order. A
// reading's "to?" is a recipient or a word. What says the opposite of every reading is
// wrong, whatever is said beside it.
func (l typedLine) judge(r Result) verdict {
	for _, reading := range l.readings {
		if sameChips(chipsOf(reading), r.Chips) {
			return right
		}
	}
	if !slices.ContainsFunc(l.readings, func(reading string) bool { return !inverts(chipsOf(reading), r.Chips) }) {
		return silent
	}
	shown := strings.ToLower(strings.Join(append(slices.Clone(r.Notes), r.Unused...), " "))
	for _, chip := range r.Chips {
		if chip.Field == "words" || chip.Field == "to" {
			shown += " " + strings.ToLower(chip.Value)
		}
	}
	for _, word := range l.visible {
		if !strings.Contains(shown, strings.ToLower(word)) {
			return silent
		}
	}
	if len(l.visible) == 0 && len(r.Notes) == 0 {
		return silent
	}
	return noted
}

func sameChips(want []string, got []Chip) bool {
	if len(want) != len(got) {
		return false
	}
	left := slices.Clone(got)
	for _, chip := range want {
		at := slices.IndexFunc(left, func(c Chip) bool { return isChip(chip, c) })
		if at < 0 {
			return false
		}
		left = slices.Delete(left, at, at+1)
	}
	return true
}

// inverts reports whether a chip excludes what a reading asks for, or asks for what it
// excludes.
func inverts(want []string, got []Chip) bool {
	for _, c := range got {
		opposites := []Chip{c}
		opposites[0].Not = !c.Not
		if c.Field == "is" {
			other, un := strings.CutPrefix(c.Value, "un")
			if !un {
				other = "un" + c.Value
			}
			opposites = append(opposites, c)
			opposites[1].Value = other
		}
		for _, opposite := range opposites {
			says := func(chip string) bool { return isChip(chip, opposite) }
			if slices.ContainsFunc(want, says) && !slices.ContainsFunc(want, func(chip string) bool { return isChip(chip, c) }) {
				return true
			}
		}
	}
	return false
}

func TestAnInvertedReadingIsNotNoted(t *testing.T) {
	for _, test := range []struct {
		reading string
		chips   []Chip
		want    verdict
	}{
		{"type:open -to:acme", []Chip{{Field: "type", Value: "open"}, {Field: "to", Value: "acme", Not: true}}, right},
		{"type:open -to:acme", []Chip{{Field: "type", Value: "open"}, {Field: "to", Value: "acme"}}, silent},
		{"type:open to:acme", []Chip{{Field: "type", Value: "open"}, {Field: "to", Value: "acme", Not: true}}, silent},
		{"is:unopened to:acme", []Chip{{Field: "is", Value: "opened"}, {Field: "to", Value: "acme"}}, silent},
		{"-is:opened to:acme", []Chip{{Field: "is", Value: "opened"}, {Field: "to", Value: "acme"}}, silent},
		{"-to:acme | type:open to:acme", []Chip{{Field: "to", Value: "acme"}}, noted},
		{"type:open -to:acme", []Chip{{Field: "words", Value: "acme"}}, noted},
	} {
		line := typedLine{readings: strings.Split(test.reading, " | "), visible: []string{"acme"}}
		require.Equal(t, test.want, line.judge(Result{Chips: test.chips}), "%s as %s", test.reading, written(test.chips))
	}
}

func isChip(want string, c Chip) bool {
	grouped := strings.HasSuffix(want, "~")
	want = strings.TrimSuffix(want, "~")
	not := strings.HasPrefix(want, "-")
	field, value, _ := strings.Cut(strings.TrimPrefix(want, "-"), ":")
	plain := func(text string) string { return strings.Trim(strings.ToLower(text), `",.?`) }
	same := field == c.Field || field == "to?" && (c.Field == "to" || c.Field == "words")
	return same && not == c.Not && plain(value) == plain(c.Value) && (!grouped || c.Group != 0)
}

func demoOptions() Options {
	return Options{
		Now: time.Date(2026, time.November, 18, 14, 30, 0, 0, time.UTC), Zone: time.UTC, Me: "u_ana", Directory: demo,
	}
}

// testLines counts how lines are read, and names those that are not right.
func testLines(t *testing.T, path string) {
	lines := readTypedLines(t, path)
	counts := map[verdict]int{}
	for _, line := range lines {
		r := Parse(line.text, demoOptions())
		v := line.judge(r)
		counts[v]++
		if v != right {
			t.Logf("%s: %q gives %s, not %s; notes %q, unused %q", v, line.text, written(r.Chips), strings.Join(line.readings, " | "), r.Notes, r.Unused)
		}
		checkParse(t, line.text, demoOptions())
	}
	summary := fmt.Sprintf("of %d lines %d right (%.0f %%), %d noted, %d silently wrong",
		len(lines), counts[right], 100*float64(counts[right])/float64(len(lines)), counts[noted], counts[silent])
	t.Log(summary)
	require.Zero(t, counts[silent], summary)
	require.GreaterOrEqual(t, 100*counts[right], 85*len(lines), summary)
}

func TestLinesAsPeopleTypeThem(t *testing.T) { testLines(t, sharedLines) }

// TestLinesOfOurOwn reads lines that stay with the project. Those that are not
// understood say so in a note.
func TestLinesOfOurOwn(t *testing.T) { testLines(t, "testdata/lines.tsv") }

// TestLinesWrittenBeforeTheyWereTried counts lines whose readings were written down
// before the parser had seen them.
func TestLinesWrittenBeforeTheyWereTried(t *testing.T) { testLines(t, "testdata/typed.tsv") }

// TestLinesOfADay are more of them, of people who sell, help and administer.
func TestLinesOfADay(t *testing.T) { testLines(t, "testdata/daily.tsv") }

// TestLinesOfSalesAndSupport are of both sides of the Atlantic.
func TestLinesOfSalesAndSupport(t *testing.T) { testLines(t, "testdata/sales.tsv") }

// TestLinesOfCommuters are half sentences, typed with one thumb.
func TestLinesOfCommuters(t *testing.T) { testLines(t, "testdata/commute.tsv") }

// TestLinesOfNewsletters are of those who write to many, and of support.
func TestLinesOfNewsletters(t *testing.T) { testLines(t, "testdata/newsletter.tsv") }

// TestLinesOfTrades are of recruiters, schools, fundraisers and people of events.
func TestLinesOfTrades(t *testing.T) { testLines(t, "testdata/trades.tsv") }

// TestLinesOfTiredPeople are of a seller, a support lead and a recruiter at the end of
// the day: only somebody, my last, on mondays, this weekend, the third.
func TestLinesOfTiredPeople(t *testing.T) { testLines(t, "testdata/tired.tsv") }

// TestLinesOfHurriedPeople are of people who type between two calls.
func TestLinesOfHurriedPeople(t *testing.T) { testLines(t, "testdata/hurried.tsv") }

// TestLinesInGerman are of the other language, some of them mixed with English words.
func TestLinesInGerman(t *testing.T) { testLines(t, "testdata/german.tsv") }

// TestLinesThatWereAsked are questions in whole sentences.
func TestLinesThatWereAsked(t *testing.T) { testLines(t, "testdata/asked.tsv") }
