package query

import (
	"math"
	"strconv"
	"strings"
	"time"

	"tidings/query/times"
)

// time understands the operators of time.
func (p *parser) time(field, value string) meaning {
	if at, ok := p.ageAt(strings.ToLower(value)); ok {
		switch field {
		case "since", "after", "newer_than":
			return p.when(times.Period{From: at})
		case "before", "older_than":
			return p.when(times.Period{Until: at})
		}
	}
	if from, until, ok := strings.Cut(value, "/"); ok && (field == "time" || field == "during") {
		return p.interval(from, until)
	}
	at, day, ok := p.moment(value)
	if s, n := times.Value(value, p.now, p.opts.DayFirst); !ok && n {
		return p.spanned(field, s)
	}
	if !ok {
		return meaning{problem: "a time is written like 2026-03-05, \"last monday\" or 3d"}
	}
	end := at
	if day {
		end = times.AddDays(at, 1)
	}
	switch field {
	case "since", "newer_than":
		return p.when(times.Period{From: at})
	case "after":
		return p.when(times.Period{From: end})
	case "before", "older_than":
		return p.when(times.Period{Until: at})
	}
	if !day {
		at = times.StartOfDay(at.In(p.opts.Zone))
		end = times.AddDays(at, 1)
	}
	return p.when(times.Period{From: at, Until: end})
}

// ageAt is the moment that lies an age like 3d, 2m or 1y before now. Months and
// years are those of the calendar.
func (p *parser) ageAt(text string) (time.Time, bool) {
	if age, ok := parseAge(text); ok {
		return times.Clamp(p.opts.Now.Add(-time.Duration(age) * time.Second)), true
	}
	months := 0
	switch {
	case strings.HasSuffix(text, "m"):
		months = 1
	case strings.HasSuffix(text, "y"):
		months = 12
	}
	n, err := strconv.Atoi(text[:max(0, len(text)-1)])
	if months == 0 || err != nil || n < 0 {
		return time.Time{}, false
	}
	const most = 12 * 100
	return times.Clamp(times.AddMonths(p.now, -min(n*months, most))), true
}

// stateWhen is for sends of which a recipient came into a state at a time.
func (p *parser) stateWhen(is RecipientState, value string) meaning {
	m := p.time("time", value)
	if when, ok := m.where.(Time); ok {
		return firstAt(is, m, when)
	}
	return m
}

// firstAt is for sends of which a recipient first came into a state within the
// time of m.
func firstAt(is RecipientState, m meaning, when Time) meaning {
	return meaning{where: Recipients{Is: is, From: when.From, Until: when.Until}, field: string(is), value: m.value}
}

// spanned is the condition that an operator makes of a phrase.
func (p *parser) spanned(field string, s times.Span) meaning {
	switch field {
	case "since", "newer_than":
		return p.when(times.Period{From: s.Since()})
	case "after":
		return p.when(times.Period{From: s.After()})
	case "before", "older_than":
		return p.when(times.Period{Until: s.Since()})
	}
	return p.when(s.Period())
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
	return p.when(times.Period{From: ends[0], Until: ends[1]})
}

// moment reads a day, which begins in the reader's zone, or a time.
func (p *parser) moment(text string) (at time.Time, day, ok bool) {
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return times.Clamp(times.DayStart(at.Year(), at.Month(), at.Day(), p.opts.Zone)), true, true
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, text, p.opts.Zone); err == nil {
			return times.Clamp(at), false, true
		}
	}
	at, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	return times.Clamp(at), false, err == nil
}

// when is the condition on a period. An open end is 0, so that the first second
// of 1970 cannot be an end.
func (p *parser) when(t times.Period) meaning {
	var bounds Time
	if !t.From.IsZero() {
		bounds.From = times.Clamp(t.From).Unix()
	}
	if !t.Until.IsZero() {
		bounds.Until = max(times.Clamp(t.Until).Unix(), 1)
	}
	return meaning{where: bounds, field: "time", value: times.Period{From: p.local(t.From), Until: p.local(t.Until)}.String()}
}

// local is a time in the reader's zone; none stays none.
func (p *parser) local(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(p.opts.Zone)
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
