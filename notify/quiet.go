package notify

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"tidings/address"
	"tidings/event"
)

const (
	clock = "15:04"
	// maxRanges bounds the ranges of a day.
	maxRanges = 10
	// maxVIP is how long an address is at most.
	maxVIP = 320
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

// checkVIPs says what is wrong with VIPs.
func checkVIPs(all []string) *event.FieldError {
	if len(all) > MaxVIPs {
		return event.Invalid("vips", fmt.Sprintf("has %d; at most %d are taken", len(all), MaxVIPs))
	}
	for i, one := range all {
		at := fmt.Sprintf("vips[%d]", i)
		if len(one) > maxVIP {
			return event.Invalid(at, "is longer than an address")
		}
		if _, problem := address.Canonical(vipAddress(one)); problem != "" || !strings.Contains(one, ".") {
			return event.Invalid(at, "is neither an address nor the domain of a company")
		}
	}
	return nil
}

// vipAddress is an address of a VIP: their own, or any of a domain.
func vipAddress(one string) string {
	if strings.Contains(one, "@") {
		return one
	}
	return "any@" + one
}

// passes reports whether quiet hours do not hold an event, since a VIP did it.
func (s Settings) passes(e event.Event) bool {
	email := address.Fold(e.RecipientEmail())
	if email == "" {
		return false
	}
	domain := email[strings.LastIndexByte(email, '@')+1:]
	return slices.ContainsFunc(s.VIPs, func(one string) bool {
		if strings.Contains(one, "@") {
			return address.Fold(one) == email
		}
		return address.Domain(one) == domain
	})
}

// HeldUntil is when what leaves the house now may, of events by some people: the end of the
// quiet hours of today's settings, zero where there are none or a VIP is among those.
func (s Settings) HeldUntil(now time.Time, by []event.Event) time.Time {
	end, quiet := s.Quiet.until(now.In(s.location()))
	if !quiet || slices.ContainsFunc(by, s.passes) {
		return time.Time{}
	}
	return end
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
