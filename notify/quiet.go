package notify

import (
	"sync"
	"time"

	"tidings/event"
)

const (
	clock = "15:04"
	// maxRanges bounds the ranges of a day.
	maxRanges = 10
)

// check says what is wrong with quiet hours.
func (q Quiet) check() *event.FieldError {
	for day, ranges := range q.Days {
		if day < time.Sunday || day > time.Saturday || len(ranges) > maxRanges {
			return event.Invalid("quiet.days", "has days from 0 to 6 with 10 ranges at most")
		}
		for _, r := range ranges {
			if _, err := time.Parse(clock, r.From); err != nil {
				return event.Invalid("quiet.days", "has a time that is not like 18:30")
			}
			if _, err := time.Parse(clock, r.Until); err != nil {
				return event.Invalid("quiet.days", "has a time that is not like 18:30")
			}
		}
	}
	return nil
}

// until is when the quiet hours that now is in end; false outside. A range belongs to
// the day it begins on, and ranges that follow one another are one.
func (q *Quiet) until(now time.Time) (time.Time, bool) {
	if q == nil {
		return time.Time{}, false
	}
	end, quiet := now, false
	for range 2 * 7 * maxRanges { // each step ends a range
		next, in := q.rangeAt(end)
		if !in {
			break
		}
		end, quiet = next, true
	}
	return end, quiet
}

// rangeAt is the end of a range that holds a time.
func (q *Quiet) rangeAt(at time.Time) (time.Time, bool) {
	for back := range 2 {
		day := at.AddDate(0, 0, -back)
		for _, r := range q.Days[day.Weekday()] {
			from, until := onDay(day, r.From, 0), onDay(day, r.Until, 0)
			if r.Until <= r.From {
				until = onDay(day, r.Until, 1)
			}
			if !at.Before(from) && at.Before(until) {
				return until, true
			}
		}
	}
	return time.Time{}, false
}

// onDay is a time of the wall clock on a day. One that the clock leaves out is the end of
// the gap, and of one that it shows twice it is the first.
func onDay(day time.Time, text string, later int) time.Time {
	of, _ := time.Parse(clock, text)
	at := time.Date(day.Year(), day.Month(), day.Day()+later, of.Hour(), of.Minute(), 0, 0, day.Location())
	if at.Format(clock) != of.Format(clock) {
		begin, end := at.ZoneBounds()
		if !end.IsZero() && end.Sub(at) < at.Sub(begin) {
			return end
		}
		return begin
	}
	if begin, _ := at.ZoneBounds(); !begin.IsZero() {
		_, now := at.Zone()
		_, before := begin.Add(-time.Second).Zone()
		if first := at.Add(-time.Duration(before-now) * time.Second); before > now && first.Before(begin) {
			return first
		}
	}
	return at
}

// zones are those that were read from files; only valid names are in it.
var zones sync.Map

// location is the person's zone.
func (s Settings) location() *time.Location {
	if known, ok := zones.Load(s.Zone); ok {
		return known.(*time.Location)
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return time.UTC
	}
	zones.Store(s.Zone, zone)
	return zone
}
