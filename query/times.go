package query

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// lastSecond is the last that RFC 3339 can write.
const lastSecond = 253402300799

// time understands the operators of time.
func (p *parser) time(field, value string) meaning {
	if age, ok := parseAge(strings.ToLower(value)); ok {
		at := clampTime(p.opts.Now.Add(-time.Duration(age) * time.Second))
		switch field {
		case "since", "after", "newer_than":
			return p.when(period{from: at})
		case "before", "older_than":
			return p.when(period{until: at})
		}
	}
	if from, until, ok := strings.Cut(value, "/"); ok && (field == "time" || field == "during") {
		return p.interval(from, until)
	}
	at, day, ok := p.moment(value)
	if s, n := p.timeValue(value); !ok && n {
		return p.spanned(field, s)
	}
	if !ok {
		return meaning{problem: "a time is written like 2026-03-05, \"last monday\" or 3d"}
	}
	end := at
	if day {
		end = at.AddDate(0, 0, 1)
	}
	switch field {
	case "since", "newer_than":
		return p.when(period{from: at})
	case "after":
		return p.when(period{from: end})
	case "before", "older_than":
		return p.when(period{until: at})
	}
	if !day {
		at = dayOf(at.In(p.opts.Zone))
		end = at.AddDate(0, 0, 1)
	}
	return p.when(period{at, end})
}

// timeValue reads the value of an operator of time as a phrase.
func (p *parser) timeValue(value string) (span, bool) {
	r := timeReader{now: p.now, dayFirst: p.opts.DayFirst, led: true}
	for i, word := range strings.Fields(strings.ToLower(value)) {
		r.pieces = split(trimWord(word), i, r.pieces)
	}
	s, n := r.point(0)
	return s, n > 0 && n == len(r.pieces)
}

// spanned is the condition that an operator makes of a phrase.
func (p *parser) spanned(field string, s span) meaning {
	switch field {
	case "since", "newer_than":
		return p.when(period{from: s.cut()})
	case "after":
		return p.when(period{from: s.end()})
	case "before", "older_than":
		return p.when(period{until: s.cut()})
	}
	return p.when(period{s.from, s.until})
}

// interval reads two times, of which ".." is an open end.
func (p *parser) interval(from, until string) meaning {
	var ends [2]time.Time
	for i, text := range []string{from, until} {
		if text == ".." || text == "" {
			continue
		}
		at, _, ok := p.moment(text)
		if !ok {
			return meaning{problem: "a time is written like 2026-03-05/2026-03-12"}
		}
		ends[i] = at
	}
	return p.when(period{ends[0], ends[1]})
}

// moment reads a day, which begins in the reader's zone, or a time.
func (p *parser) moment(text string) (at time.Time, day, ok bool) {
	if at, err := time.ParseInLocation(time.DateOnly, text, p.opts.Zone); err == nil {
		return clampTime(at), true, true
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, text, p.opts.Zone); err == nil {
			return clampTime(at), false, true
		}
	}
	at, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	return clampTime(at), false, err == nil
}

// clampTime moves a time into the ones that events can have.
func clampTime(t time.Time) time.Time {
	return time.Unix(min(max(t.Unix(), 0), lastSecond), 0).In(t.Location())
}

func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// when is the condition on a period. An open end is 0, so that the first second
// of 1970 cannot be an end.
func (p *parser) when(t period) meaning {
	var bounds Time
	if !t.from.IsZero() {
		bounds.From = clampTime(t.from).Unix()
	}
	if !t.until.IsZero() {
		bounds.Until = max(clampTime(t.until).Unix(), 1)
	}
	return meaning{where: bounds, field: "time", value: p.isoEnd(t.from) + "/" + p.isoEnd(t.until)}
}

// isoEnd writes one end of a period in the reader's zone.
func (p *parser) isoEnd(t time.Time) string {
	if t.IsZero() {
		return ".."
	}
	t = t.In(p.opts.Zone)
	switch {
	case t.Equal(dayOf(t)):
		return t.Format(time.DateOnly)
	case t.Second() == 0:
		return t.Format("2006-01-02T15:04")
	}
	return t.Format("2006-01-02T15:04:05")
}

// ageUnits are what an age is counted in, from the largest.
var ageUnits = []struct {
	letter  byte
	seconds int64
}{{'w', 7 * 24 * 3600}, {'d', 24 * 3600}, {'h', 3600}}

// parseAge reads 3h, 2d or 1w as seconds. A century is enough for anybody.
func parseAge(text string) (int64, bool) {
	const most = 100 * 366 * 24 * 3600
	if len(text) < 2 || strings.Trim(text[:len(text)-1], "0123456789") != "" {
		return 0, false
	}
	count, err := strconv.ParseInt(text[:len(text)-1], 10, 64)
	if err != nil {
		count = math.MaxInt64
	}
	for _, unit := range ageUnits {
		if text[len(text)-1] == unit.letter {
			return min(count, most/unit.seconds) * unit.seconds, true
		}
	}
	return 0, false
}

// formatAge writes an age so that parseAge reads it, in whole hours.
func formatAge(seconds int64) string {
	for _, unit := range ageUnits {
		if seconds%unit.seconds == 0 {
			return strconv.FormatInt(seconds/unit.seconds, 10) + string(unit.letter)
		}
	}
	return strconv.FormatInt(seconds/3600, 10) + "h"
}
