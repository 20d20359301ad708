package times

import (
	"slices"
	"time"
)

// hours reads two times of day: "9am to 5pm", "3-5".
func (r *Reader) hours(i int, joins ...string) (a, b clock, n int) {
	read := func(i int) (clock, int) {
		if c, n := r.clock(i); n > 0 {
			return c, n
		}
		if h, ok := digits(r.text(i)); ok && h < 24 && len(r.text(i)) <= 2 {
			return clock{from: businessHour(h), unit: hour, bare: true}, i + 1
		}
		return clock{}, 0
	}
	a, n = read(i)
	j := r.skip(n, joins...)
	if n == 0 || j == n {
		return a, b, 0
	}
	b, n = read(j)
	if n == 0 {
		return a, b, 0
	}
	const noon = daySeconds / 2
	switch {
	case a.bare && !b.bare && b.from > noon && a.from < noon && a.from+noon < b.from:
		a.from += noon // 3:30 to 6pm
	case b.bare && b.from <= a.from && b.from < noon && b.from+noon > a.from && a.from >= noon:
		b.from += noon // 6-8 in the evening
	}
	return a, b, n
}

// hoursOn are hours of a day, into the night where the second is the earlier.
func (r *Reader) hoursOn(s span, a, b clock) Period {
	p := Period{a.on(s).from, b.on(s).from}
	if !p.Until.After(p.From) {
		p.Until = AddDays(p.Until, 1)
	}
	return p
}

// between reads two times with one of the words between them.
func (r *Reader) between(i int, joins ...string) (Period, int) {
	if !r.joinedBy(i+1, joins) {
		return Period{}, 0
	}
	if p, n := r.agoRange(i, joins); n > 0 {
		return p, n
	}
	if p, n := r.daysOfMonth(i, joins); n > 0 {
		return p, n
	}
	if a, b, n := r.hours(i, joins...); n > 0 {
		if s, m := r.date(r.skip(n, "on")); m > 0 && s.unit == day {
			return r.hoursOn(s, a, b), m
		}
		if part, ok := partOfDay(r.text(n + 1)); ok && r.text(n) == "this" {
			if part.from >= daySeconds/2 && a.bare && b.bare && b.from < daySeconds/2 {
				a.from, b.from = a.from+daySeconds/2, b.from+daySeconds/2
			}
			return r.hoursOn(unitSpan(day, r.now), a, b), n + 2
		}
		if !a.bare || !b.bare {
			p := r.hoursOn(r.onLatestDay(a).whole(), a, b)
			return p, n
		}
	}
	a, n := r.point(i)
	if n == 0 {
		return Period{}, 0
	}
	j := r.skip(n, joins...)
	if j == n {
		return Period{}, 0
	}
	led := r.led
	r.led = true
	b, n := r.point(r.skip(j, "the"))
	if n == 0 {
		b, n = r.sameDay(a, j)
	}
	r.led = led
	if n == 0 {
		return Period{}, 0
	}
	switch {
	case a.unit < day && b.unit < day && b.again == day:
		// The second time of day is the first such after the first one.
		b = r.onDay(b, a.from)
		if !b.from.After(a.from) {
			b = b.move(1)
		}
	case b.end().After(a.from):
	case b.again != noUnit:
		b = b.move(1)
	case a.again != noUnit:
		a = a.move(-1)
	}
	if a.again == year && b.again == year && b.from.After(r.now.AddDate(0, 1, 0)) {
		// November to February is the last such winter, not the one ahead.
		a, b = a.move(-1), b.move(-1)
	}
	if !b.end().After(a.from) {
		return Period{}, 0
	}
	return Period{a.from, b.end()}, n
}

// agoRange reads "6 to 8 weeks ago", whose unit is said once.
func (r *Reader) agoRange(i int, joins []string) (Period, int) {
	count, ok := numberOf(r.text(i))
	j := i + 1
	u := unitOf(r.text(j))
	if u != noUnit {
		j++
	}
	k := r.skip(j, joins...)
	if !ok || k == j {
		return Period{}, 0
	}
	far, n := r.amount(k)
	if n == 0 || far.count != 1 || u != noUnit && u != far.unit || r.text(n) != "ago" && r.text(n) != "back" {
		return Period{}, 0
	}
	near := far
	near.parts[0].n = count
	if count > far.parts[0].n {
		near, far = far, near
	}
	if far.unit < day {
		return Period{far.Before(r.now), near.Before(r.now)}, n + 1
	}
	return Period{unitSpan(far.unit, far.Before(r.now)).from, unitSpan(near.unit, near.Before(r.now)).until}, n + 1
}

// onDay moves a time of day to the day of another time.
func (r *Reader) onDay(s span, t time.Time) span {
	length := s.until.Sub(s.from)
	s.from = time.Date(t.Year(), t.Month(), t.Day(), s.from.Hour(), s.from.Minute(), s.from.Second(), 0, t.Location())
	s.until = s.from.Add(length)
	return s
}

// sameDay reads a bare day of the month of a: "12 to 15th".
func (r *Reader) sameDay(a span, i int) (span, int) {
	i = r.skip(i, "the")
	n, ok := r.dayNumber(i)
	if !ok || a.unit > day || a.again != year {
		return span{}, 0
	}
	date, ok := dateOf(a.from.Year(), a.from.Month(), n, a.from.Location())
	if !ok {
		return span{}, 0
	}
	s := unitSpan(day, date)
	return s, i + 1
}

// daysOfMonth reads two days of one month: "3 and 9 november", "nov 3 - 9".
func (r *Reader) daysOfMonth(i int, joins []string) (Period, int) {
	read := func(i int) (int, int) {
		i = r.skip(i, "the")
		n, ok := r.dayNumber(i)
		if !ok {
			return 0, 0
		}
		return n, i + 1
	}
	var first, last, n int
	if m, _ := monthOf(r.text(i)); m != 0 {
		if first, n = read(i + 1); n == 0 {
			return Period{}, 0
		}
		j := r.skip(n, joins...)
		if last, n = read(j); j == n || n == 0 || last < first {
			return Period{}, 0
		}
		if next, _ := monthOf(r.text(r.skip(n, "of"))); next != 0 {
			return Period{}, 0 // That is the beginning of another date.
		}
		y, n := r.yearAt(n)
		return r.daysFrom(y, m, first, last), n
	}
	if first, n = read(i); n == 0 {
		return Period{}, 0
	}
	j := r.skip(n, joins...)
	if j == n {
		return Period{}, 0
	}
	if last, n = read(j); n == 0 || last < first {
		return Period{}, 0
	}
	m, _ := monthOf(r.text(r.skip(n, "of")))
	if m == 0 && r.likely && r.ordinals(i, j) {
		at := month.start(r.now)
		if AddDays(at, first-1).After(r.now) {
			at = month.add(at, -1)
		}
		return Period{AddDays(at, first-1), AddDays(at, last)}, n
	}
	if m == 0 {
		return Period{}, 0
	}
	y, n := r.yearAt(r.skip(n, "of") + 1)
	return r.daysFrom(y, m, first, last), n
}

// daysFrom are days of a month, of the latest such that is not ahead when the
// year is 0.
func (r *Reader) daysFrom(y int, m time.Month, first, last int) Period {
	if y == 0 {
		y = r.now.Year()
		if DayStart(y, m, first, r.now.Location()).After(r.now) {
			y--
		}
	}
	return Period{
		DayStart(y, m, first, r.now.Location()),
		DayStart(y, m, last+1, r.now.Location()),
	}
}

// ordinals reports whether days of a month are written 5th and 9th at i and j.
func (r *Reader) ordinals(i, j int) bool {
	_, first := ordinalOf(r.text(r.skip(i, "the")))
	_, last := ordinalOf(r.text(r.skip(j, "the")))
	return first && last
}

// longestPoint is more than how many pieces a time before a joining word has.
const longestPoint = 12

// joinedBy reports whether one of the words that join two times is near behind i.
func (r *Reader) joinedBy(i int, joins []string) bool {
	for k := i; k < len(r.pieces) && k < i+longestPoint; k++ {
		if slices.Contains(joins, r.pieces[k].text) {
			return true
		}
	}
	return false
}
