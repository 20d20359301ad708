package times

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write golden files")

// sharedDates is where the phrases of three date libraries are, beside the
// project.
const sharedDates = "../../../shared/data/dates"

// dated is a phrase and when a library says that it is. A zero end is not
// stated; allDay ends are the last day.
type dated struct {
	text       string
	reference  time.Time
	start, end time.Time
	none       bool
	allDay     bool
	// nextIsNextWeeks is the convention of one library.
	nextIsNextWeeks bool
}

func (d dated) String() string {
	switch {
	case d.none:
		return "no time"
	case d.end.IsZero():
		return d.start.UTC().Format("2006-01-02T15:04:05")
	}
	return d.start.UTC().Format("2006-01-02T15:04:05") + "/" + d.end.UTC().Format("2006-01-02T15:04:05")
}

// readDates decodes one object a line.
func readDates[T any](t *testing.T, name string, read func(T) dated) []dated {
	file, err := os.Open(filepath.Join(sharedDates, name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("skipped: no shared data")
	}
	require.NoError(t, err)
	defer file.Close()
	var all []dated
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		var row T
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &row))
		all = append(all, read(row))
	}
	require.NoError(t, scanner.Err())
	return all
}

// readTime is the first time in a text: the whole of it where it is nothing
// else.
func readTime(text string, now time.Time) (Period, bool) {
	words := strings.Fields(strings.ToLower(text))
	r := NewReader(now, false, len(words))
	r.LookAhead(true)
	for _, word := range words {
		r.Add(trimSigns(word))
	}
	r.led = true
	if p, n := r.phrase(0); n > 0 && n == len(r.pieces) {
		return p, true
	}
	r.led = false
	for i := range r.pieces {
		if i > 0 && !r.pieces[i-1].last {
			continue
		}
		if p, n := r.phrase(i); n > 0 && r.pieces[n-1].last {
			return p, true
		}
	}
	return Period{}, false
}

// agrees compares a time with what a library says. Most of them give an instant
// where we give the whole day or month, so that ours must begin then or hold it.
func (d dated) agrees(p Period, found bool) bool {
	if d.none || !found {
		return d.none && !found
	}
	// Some libraries leave out the seconds of the clock.
	same := func(a, b time.Time) bool { return a.Truncate(time.Minute).Equal(b.Truncate(time.Minute)) }
	switch {
	case d.start.Year() <= 1900:
		if !p.From.IsZero() {
			return false
		}
	case same(p.From, d.start):
	case p.Until.IsZero() || !d.end.IsZero() || d.start.Before(p.From) || !d.start.Before(p.Until):
		return false
	}
	switch {
	case d.end.IsZero():
		return true
	case d.end.Year() >= 3000 || same(d.end, d.reference) && p.Until.IsZero():
		return p.Until.IsZero()
	case d.allDay && d.start.Year() > 1900:
		// An end that is a day holds ours, or ours is the end of it.
		return p.Until.After(d.end) && !p.Until.After(d.end.AddDate(0, 0, 1))
	}
	return same(p.Until, d.end)
}

var (
	saysAhead   = regexp.MustCompile(`(?i)\b(tomorrow|next|from now|in (an?|\d+|one|two|three|five|seven|eight)\b|tonight|19\d\d|20\d\d)`)
	bareAmount  = regexp.MustCompile(`(?i)^\s*(\d+|one)( (minute|hour|day|week)s?)?\s*$`)
	nextWeekday = regexp.MustCompile(`(?i)\b(next|week next|next week( on)?) (mon|tue|wed|thu|fri|sat|sun)`)
	shortNames  = regexp.MustCompile(`(?i)\bto[md]\b`)
	intoNight   = regexp.MustCompile(`(?i)from \d+pm - \d+[ap]m tomorrow`)
	dashed      = regexp.MustCompile(`^\d+-\d+$`)
	deadline    = regexp.MustCompile(`(?i)^within `)
)

// convention says why a phrase is not ours to agree on, "" when it is.
func (d dated) convention() string {
	ahead := !d.none && !d.start.Before(StartOfDay(d.reference).AddDate(0, 0, 1))
	switch {
	case bareAmount.MatchString(d.text):
		return "an amount or a number alone is text"
	case deadline.MatchString(d.text):
		return "within is a deadline there; here it is up to now"
	case intoNight.MatchString(d.text):
		return "hours into the night begin on the day that is named"
	case dashed.MatchString(d.text) && d.nextIsNextWeeks:
		return "two numbers alone are text"
	case shortNames.MatchString(d.text):
		return "tom and tod are names"
	case nextWeekday.MatchString(d.text) && d.nextIsNextWeeks:
		return "next friday is the first one ahead, not that of next week; weeks begin on Monday"
	case ahead && !saysAhead.MatchString(d.text):
		return "a day or a month without a year is the last one, not the next"
	}
	return ""
}

// disagreements says why, phrase by phrase, we do not do as a library does.
var disagreements = map[string]string{
	"next 2 months":             "a range up to then; theirs is where it ends",
	"monday":                    "on a Monday it is today",
	"november":                  "in November it is this month",
	"november 15th":             "ten days ago; theirs is the year before",
	"5-59 pm":                   "a dash is no colon",
	"17-59":                     "a dash is no colon",
	"The Deadline is 1/20/2016": "theirs takes the day first alone; we the month, unless told",
	"The exam is @ 2pm and lasts for five hours": "a length behind a time is not read",
	"The exam is @ 2pm and goes until 4pm":       "an end in another part of the sentence is not read",
	"12/10 through 1/15/2019.":                   "the first date takes its year from today there",
	"6 jan 1930":                                 "1930 is a time of day there; here it is too long ago for a year of mail",
	"10/9/0":                                     "no year has one digit",
	"dec 1 at 3pm - 11":                          "a day of december; theirs is an hour",
	"dec 1 at 3pm - dec 11":                      "the whole last day counts",
	"0:00":                                       "midnight is a time",
	"nine o'clock":                               "in the morning; theirs is the next one",
	"more than oct 5":                            "later; theirs is earlier",
	"after tomorrow":                             "the day itself is not after it",
	"after yesterday":                            "the day itself is not after it",
	"before 5 days":                              "not English: 5 days ago, or in 5 days",
	"less than oct 5 ago":                        "not English",
	"Event starts today ends within two days.":   "an end in another part of the sentence is not read",
	"I work from 11pm - 10pm today.":             "from 11pm of the day that is named; theirs depends on the clock",
	"I work from 6pm - 1am today.":               "from 6pm of the day that is named; theirs depends on the clock",
	"I work from 6pm - 1am.":                     "the hours of today; theirs are those that are under way",
	"The conference is from Feb 12 at 3pm to the 15th.": "the whole last day counts",
}

// testDates writes how far we agree with a library to a golden report.
func testDates(t *testing.T, name string, all []dated) {
	var report strings.Builder
	excluded, agreed, counted := map[string]int{}, 0, 0
	var rows []string
	seen := map[string]bool{}
	for _, d := range all {
		if why := d.convention(); why != "" {
			excluded[why]++
			continue
		}
		counted++
		p, found := readTime(d.text, d.reference)
		if d.agrees(p, found) {
			agreed++
			continue
		}
		if seen[d.text] {
			continue
		}
		seen[d.text] = true
		ours := "no time"
		if found {
			ours = p.String()
		}
		why := disagreements[d.text]
		require.NotEmpty(t, why, "a new disagreement: %s, theirs %s, ours %s", d.text, d, ours)
		rows = append(rows, fmt.Sprintf("- %q at %s: theirs %s, ours %s: %s", d.text, d.reference.UTC().Format("2006-01-02T15:04"), d, ours, why))
	}
	out := len(all) - counted
	fmt.Fprintf(&report, "%s: %d phrases, %d of them by another convention (%.1f %%); %d of the other %d agree (%.1f %%)\n\n",
		name, len(all), out, 100*float64(out)/float64(len(all)), agreed, counted, 100*float64(agreed)/float64(counted))
	fmt.Fprintln(&report, "By another convention:")
	for _, why := range slices.Sorted(maps.Keys(excluded)) {
		fmt.Fprintf(&report, "- %d: %s\n", excluded[why], why)
	}
	fmt.Fprintf(&report, "\nDisagreements, each phrase once:\n%s\n", strings.Join(rows, "\n"))
	require.LessOrEqual(t, 10*out, 4*len(all), "at most 40 % may be excluded")
	require.GreaterOrEqual(t, 10*agreed, 9*counted, "at least 90 % must agree")

	golden := filepath.Join("testdata", "dates_"+name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(report.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), report.String())
}

func TestDatesOfNaturaldate(t *testing.T) {
	type row struct {
		Phrase              string
		Reference, Expected time.Time
	}
	testDates(t, "go_naturaldate", readDates(t, "go_naturaldate.jsonl", func(r row) dated {
		return dated{text: r.Phrase, reference: r.Reference, start: r.Expected}
	}))
}

func TestDatesOfWhen(t *testing.T) {
	type row struct {
		Text, Phrase        string
		Reference, Expected time.Time
	}
	testDates(t, "when_en", readDates(t, "when_en.jsonl", func(r row) dated {
		d := dated{text: r.Phrase, reference: r.Reference, start: r.Expected}
		if r.Phrase == "" || strings.HasPrefix(r.Phrase, "no match") {
			d.text, d.none = r.Text, true
		}
		return d
	}))
}

func TestDatesOfSherlock(t *testing.T) {
	type row struct {
		Text      string
		Reference time.Time
		Expected  struct {
			Start, End *time.Time
			AllDay     bool `json:"all_day"`
		}
	}
	testDates(t, "sherlock", readDates(t, "sherlock.jsonl", func(r row) dated {
		d := dated{text: r.Text, reference: r.Reference, allDay: r.Expected.AllDay, none: r.Expected.Start == nil, nextIsNextWeeks: true}
		if r.Expected.Start != nil {
			d.start = *r.Expected.Start
		}
		if r.Expected.End != nil {
			d.end = *r.Expected.End
		}
		return d
	}))
}
