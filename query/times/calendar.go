package times

import "time"

// DayStart is the first moment of a day in a zone; month and day may be out of
// their range, as for time.Date. It is not always midnight: some zones set their
// clocks forward at that hour, and some back to it, so that there are two.
func DayStart(year int, month time.Month, day int, zone *time.Location) time.Time {
	start := time.Date(year, month, day, 0, 0, 0, 0, zone)
	noon := time.Date(year, month, day, 12, 0, 0, 0, zone)
	from, until := noon.ZoneBounds()
	if _, _, wanted := time.Date(year, month, day, 12, 0, 0, 0, time.UTC).Date(); noon.Day() != wanted {
		// The zone left this day out, as Samoa did in 2011.
		if until.IsZero() || noon.Sub(from) < 2*24*time.Hour {
			return from.In(zone)
		}
		return until.In(zone)
	}
	if from.IsZero() || noon.Sub(from) > 24*time.Hour {
		return start
	}
	// The clock was set within the hours before noon.
	last := from.Add(-time.Second)
	if !sameDay(last, noon) {
		if sameDay(start, noon) && start.After(from) {
			return start
		}
		if sameDay(from, noon) {
			return from.In(zone) // It jumped over midnight.
		}
		return start
	}
	// It was set on this day, and the day began before that.
	hour, minute, second := last.Clock()
	return last.Add(-time.Duration(hour)*time.Hour - time.Duration(minute)*time.Minute - time.Duration(second)*time.Second)
}

// StartOfDay is the first moment of the day of t, in t's zone.
func StartOfDay(t time.Time) time.Time {
	return DayStart(t.Year(), t.Month(), t.Day(), t.Location())
}

// AddDays is n days later on the calendar, at the same time of day; of the
// beginning of a day it is the beginning of the other.
func AddDays(t time.Time, n int) time.Time {
	if t.Equal(StartOfDay(t)) {
		return DayStart(t.Year(), t.Month(), t.Day()+n, t.Location())
	}
	return t.AddDate(0, 0, n)
}

// AddMonths is n months later, within the month: a month before the 31st of May is the 30th of
// April.
func AddMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), 0, t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return AddDays(first, min(t.Day(), last)-1)
}

// StartOfWeek is the first moment of the week of t that begins on a weekday.
func StartOfWeek(t time.Time, first time.Weekday) time.Time {
	return DayStart(t.Year(), t.Month(), t.Day()-int(7+t.Weekday()-first)%7, t.Location())
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return ay == by && am == bm && ad == bd
}

// lastSecond is the last that RFC 3339 can write.
const lastSecond = 253402300799

// Clamp moves a time into those that an event can have.
func Clamp(t time.Time) time.Time {
	return time.Unix(min(max(t.Unix(), 0), lastSecond), 0).In(t.Location())
}
