package query

import (
	"strings"
	"time"
)

// date reads what names days: yesterday, last week, the 5th of march, 3 days ago.
func (r *timeReader) date(i int) (span, int) {
	for _, read := range [...]func(*timeReader, int) (span, int){
		(*timeReader).named, (*timeReader).partOfMonth, (*timeReader).relative, (*timeReader).weekday,
		(*timeReader).rolling, (*timeReader).distance, (*timeReader).dayAndMonth, (*timeReader).month,
		(*timeReader).numeric, (*timeReader).quarterOrYear,
	} {
		if s, n := read(r, i); n > 0 {
			return s, n
		}
	}
	return span{}, 0
}

// named reads the days that have names of their own.
func (r *timeReader) named(i int) (span, int) {
	i = r.skip(i, "the")
	switch r.text(i) {
	case "now":
		if !r.led {
			return span{}, 0
		}
		return unitSpan(second, r.now), i + 1
	case "today":
		return unitSpan(day, r.now), i + 1
	case "yesterday", "yest":
		return unitSpan(day, r.now.AddDate(0, 0, -1)), i + 1
	case "tomorrow", "tmrw":
		return unitSpan(day, r.now.AddDate(0, 0, 1)), i + 1
	case "tonight":
		night, _ := partOfDay("night")
		s := night.on(unitSpan(day, r.now))
		if c, n := r.clockBehind(i + 1); n > 0 {
			return c.on(unitSpan(day, r.now)), n
		}
		return s, i + 1
	case "right":
		if r.text(i+1) == "now" {
			return unitSpan(second, r.now), i + 2
		}
	case "last":
		if r.text(i+1) == "night" {
			night, _ := partOfDay("night")
			return night.on(unitSpan(day, r.now.AddDate(0, 0, -1))), i + 2
		}
	case "day":
		switch {
		case r.is(i, "day", "before", "yesterday") || r.is(i, "day", "before", "yest"):
			return unitSpan(day, r.now.AddDate(0, 0, -2)), i + 3
		case r.is(i, "day", "after", "tomorrow") || r.is(i, "day", "after", "tmrw"):
			return unitSpan(day, r.now.AddDate(0, 0, 2)), i + 3
		}
	}
	return span{}, 0
}

// relative reads this, last and next with a unit.
func (r *timeReader) relative(i int) (span, int) {
	the := r.text(i) == "the"
	i = r.skip(i, "the")
	if r.is(i, "this", "past") {
		i++
	}
	distance, ok := whichOf(r.text(i))
	if !ok {
		return span{}, 0
	}
	// The last week is up to now; last week was up to Monday.
	rolling := r.text(i) == "past" || r.text(i) == "last" && the
	switch u := unitOf(r.text(i + 1)); {
	case r.text(i+1) == "weekend":
		saturday := week.start(r.now).AddDate(0, 0, 5+7*distance)
		if distance == 0 && saturday.After(r.now) && r.text(i) == "past" {
			saturday = saturday.AddDate(0, 0, -7)
		}
		return span{from: saturday, until: saturday.AddDate(0, 0, 2), unit: week}, i + 2
	case u == noUnit, u <= day && u != hour && !r.led && !rolling:
		return span{}, 0
	case u < day && distance < 0 || rolling:
		return r.lately(u, 1), i + 2
	case u < day && distance == 0:
		return span{}, 0
	case u == week:
		if s, n := r.weekdayOfWeek(distance, i+2); n > 0 {
			return s, n
		}
		fallthrough
	default:
		return unitSpan(u, u.add(u.start(r.now), distance)), i + 2
	}
}

// lately is the last n units up to now, in whole days where the unit is one or
// more.
func (r *timeReader) lately(u unit, n int) span {
	from := u.add(r.now, -n)
	if u >= day {
		from = dayOf(from)
	}
	return span{from: from, unit: second}
}

// weekdayOfWeek reads a day behind "last week".
func (r *timeReader) weekdayOfWeek(distance, i int) (span, int) {
	j := r.skip(i, "on")
	if d, _, ok := weekdayOf(r.text(j)); ok {
		return unitSpan(day, week.start(r.now).AddDate(0, 0, 7*distance+int(d+6)%7)), j + 1
	}
	return span{}, 0
}

// weekday reads the name of a day: the last such that is not ahead, the last
// before today, the next behind it, or this week's.
func (r *timeReader) weekday(i int) (span, int) {
	distance, chosen := whichOf(r.text(i))
	if chosen {
		i++
	}
	d, plain, ok := weekdayOf(r.text(i))
	if !ok || !plain && !chosen && !r.led && !r.timeBehind(i+1) {
		return span{}, 0
	}
	n := i + 1
	if !chosen {
		j := r.skip(n, "of")
		if which, ok := whichOf(r.text(j)); ok && r.text(j+1) == "week" {
			s, _ := r.weekdayOfWeek(which, i)
			return s, j + 2
		}
	}
	today := dayOf(r.now)
	ago := (int(today.Weekday()) - int(d) + 7) % 7
	s := span{unit: day, again: week}
	switch {
	case chosen && distance == 0:
		s.again = noUnit
		s.from = week.start(r.now).AddDate(0, 0, int(d+6)%7)
	case distance > 0:
		s.again = noUnit
		s.from = today.AddDate(0, 0, 7-ago)
	case chosen && ago == 0:
		s.from = today.AddDate(0, 0, -7)
	default:
		s.from = today.AddDate(0, 0, -ago)
	}
	s.until = s.from.AddDate(0, 0, 1)
	return s, n
}

// timeBehind reports whether a time of day follows, which makes a day of a short
// word before it.
func (r *timeReader) timeBehind(i int) bool {
	_, n := r.clock(r.skip(i, "at", "@"))
	return n > 0 || r.text(i) == "@"
}

// rolling reads the last N units: "past 7 days", "the last 2 hours", "next 3
// weeks".
func (r *timeReader) rolling(i int) (span, int) {
	i = r.skip(i, "the")
	distance, ok := whichOf(r.text(i))
	if !ok || distance == 0 {
		return span{}, 0
	}
	a, n := r.amount(i + 1)
	if n == 0 {
		return span{}, 0
	}
	if distance > 0 {
		return span{from: r.now, until: a.move(r.now, 1), unit: second}, n
	}
	return span{from: r.since(a), unit: second}, n
}

// since is where a length of time up to now begins, in whole days where it is
// counted in them.
func (r *timeReader) since(a amount) time.Time {
	if a.unit >= day {
		return dayOf(a.before(r.now))
	}
	return a.before(r.now)
}

// distance reads "3 days ago", "in 2 weeks", "a week from now".
func (r *timeReader) distance(i int) (span, int) {
	a, n := r.amount(i)
	if n == 0 {
		return span{}, 0
	}
	sign, from := 0, r.now
	switch {
	case r.text(n) == "ago" || r.text(n) == "back":
		sign, n = -1, n+1
	case r.is(n, "from", "now"):
		sign, n = 1, n+2
	case r.text(n) == "from" || r.text(n) == "after":
		s, m := r.named(n + 1)
		if m == 0 || s.unit != day {
			return span{}, 0
		}
		sign, n, from = 1, m, s.from
	case r.text(n) == "before":
		s, m := r.named(n + 1)
		if m == 0 || s.unit != day {
			return span{}, 0
		}
		sign, n, from = -1, m, s.from
	case i > 0 && r.text(i-1) == "in":
		sign = 1
	default:
		return span{}, 0
	}
	at := a.move(from, sign)
	if a.unit < day {
		return span{from: at, until: a.unit.add(at, 1), unit: a.unit}, n
	}
	if c, m := r.clockBehind(n); m > 0 {
		return c.on(unitSpan(day, at)), m
	}
	s := unitSpan(a.unit, at)
	s.edge = dayOf(at)
	return s, n
}

// partOfMonth reads "first week of october" and "early march".
func (r *timeReader) partOfMonth(i int) (span, int) {
	i = r.skip(i, "the")
	if nth, ok := ordinalOf(r.text(i)); ok || r.text(i) == "last" {
		if !r.is(i+1, "week", "of") || nth > 5 {
			return span{}, 0
		}
		led := r.led
		r.led = true
		m, n := r.month(i + 3)
		r.led = led
		if n == 0 {
			return span{}, 0
		}
		from := m.from.AddDate(0, 0, 7*(nth-1))
		if nth == 0 {
			from = m.until.AddDate(0, 0, -7)
		}
		until := from.AddDate(0, 0, 7)
		if until.After(m.until) {
			until = m.until
		}
		return span{from: from, until: until, unit: week, again: m.again}, n
	}
	part := -1
	switch r.text(i) {
	case "early":
		part = 0
	case "mid":
		part = 1
	case "late":
		part = 2
	}
	if part < 0 {
		return span{}, 0
	}
	led := r.led
	r.led = true
	m, n := r.month(r.skip(i+1, "-"))
	r.led = led
	if n == 0 || m.unit != month {
		return span{}, 0
	}
	s := span{from: m.from.AddDate(0, 0, 10*part), until: m.from.AddDate(0, 0, 10*part+10), unit: week, again: m.again}
	if part == 2 {
		s.until = m.until
	}
	return s, n
}

// dayNumber reads 12, 12th or twelfth as a day of a month.
func (r *timeReader) dayNumber(i int) (int, bool) {
	if n, ok := ordinalOf(r.text(i)); ok {
		return n, true
	}
	n, ok := digits(r.text(i))
	return n, ok && n >= 1 && n <= 31 && len(r.text(i)) <= 2
}

// dayAndMonth reads a day with its month on either side.
func (r *timeReader) dayAndMonth(i int) (span, int) {
	// The next such date, where nobody would say the last.
	if distance, ok := whichOf(r.text(i)); ok && distance > 0 {
		s, n := r.dayAndMonth(i + 1)
		if n > 0 && s.again == year && !s.from.After(r.now) {
			s = s.move(1)
		}
		return s, n
	}
	i = r.skip(i, "the")
	if m, _ := monthOf(r.text(i)); m != 0 {
		j := r.skip(i+1, "the")
		d, ok := r.dayNumber(j)
		if !ok {
			return span{}, 0
		}
		y, n := r.yearAt(j + 1)
		return r.onDate(y, m, d, n)
	}
	d, ok := r.dayNumber(i)
	if !ok {
		return span{}, 0
	}
	j := r.skip(i+1, "of")
	if m, _ := monthOf(r.text(j)); m != 0 {
		y, n := r.yearAt(j + 1)
		return r.onDate(y, m, d, n)
	}
	if distance, ok := whichOf(r.text(j)); ok && j > i+1 && r.text(j+1) == "month" {
		at := month.add(month.start(r.now), distance)
		return r.onDate(at.Year(), at.Month(), d, j+2)
	}
	if _, ordinal := ordinalOf(r.text(i)); !ordinal || !r.led || r.text(i-1) != "the" || r.text(i) == "second" {
		return span{}, 0
	}
	// "on the 15th"
	at, ok := dateOf(r.now.Year(), r.now.Month(), d, r.now.Location())
	if !ok || at.After(r.now) {
		at, ok = dateOf(r.now.Year(), r.now.Month()-1, d, r.now.Location())
	}
	if !ok {
		return span{}, 0
	}
	s := unitSpan(day, at)
	s.again = month
	return s, i + 1
}

// onDate is a day, of the latest such year that is not ahead when y is 0.
func (r *timeReader) onDate(y int, m time.Month, d, n int) (span, int) {
	again := noUnit
	if y == 0 {
		again = year
		y = r.now.Year()
	}
	at, ok := dateOf(y, m, d, r.now.Location())
	for tries := 0; again == year && tries < 8 && (!ok || at.After(r.now)); tries++ {
		y--
		at, ok = dateOf(y, m, d, r.now.Location())
	}
	if !ok {
		return span{}, 0
	}
	s := unitSpan(day, at)
	s.again = again
	return s, n
}

// dateOf is a day of the calendar, if there is such.
func dateOf(y int, m time.Month, d int, zone *time.Location) (time.Time, bool) {
	first := time.Date(y, m, 1, 0, 0, 0, 0, zone)
	at := first.AddDate(0, 0, d-1)
	return at, d >= 1 && at.Month() == first.Month()
}

// yearAt reads a year at i, 0 when there is none, and the place behind it.
func (r *timeReader) yearAt(i int) (y, n int) {
	j := r.skip(i, "of")
	if y, ok := digits(r.text(j)); ok && y >= 1970 && y <= 2100 {
		return y, j + 1
	}
	return 0, i
}

// month reads a month by its name: the latest such that is not ahead.
func (r *timeReader) month(i int) (span, int) {
	distance, chosen := whichOf(r.text(i))
	if chosen {
		if unitOf(r.text(i+1)) == month {
			return unitSpan(month, month.add(month.start(r.now), distance)), i + 2
		}
		i++
	}
	m, plain := monthOf(r.text(i))
	if m == 0 {
		return span{}, 0
	}
	y, n := r.yearAt(i + 1)
	switch {
	case y != 0:
		return unitSpan(month, time.Date(y, m, 1, 0, 0, 0, 0, r.now.Location())), n
	case !plain && !chosen && !r.led:
		return span{}, 0
	}
	here := month.start(r.now)
	s := unitSpan(month, time.Date(r.now.Year(), m, 1, 0, 0, 0, 0, r.now.Location()))
	s.again = year
	switch {
	case chosen && distance < 0 && !s.from.Before(here):
		s = s.move(-1)
	case chosen && distance > 0 && !s.from.After(here):
		s = s.move(1)
	case (!chosen) && s.from.After(here):
		s = s.move(-1)
	}
	if chosen {
		s.again = noUnit
	}
	return s, n
}

// numeric reads dates in digits.
func (r *timeReader) numeric(i int) (span, int) {
	text := r.text(i)
	if len(text) < 3 || text[0] < '0' || text[0] > '9' {
		return span{}, 0
	}
	for _, sign := range []string{"-", "/", "."} {
		fields := strings.Split(text, sign)
		if len(fields) != 2 && len(fields) != 3 {
			continue
		}
		var n [3]int
		for k, field := range fields {
			var ok bool
			if n[k], ok = digits(field); !ok {
				return r.stamp(i)
			}
		}
		if len(fields) == 2 {
			if sign == "-" && len(fields[0]) == 4 && n[1] >= 1 && n[1] <= 12 && r.led {
				return unitSpan(month, time.Date(n[0], time.Month(n[1]), 1, 0, 0, 0, 0, r.now.Location())), i + 1
			}
			if sign != "/" || !r.led && !r.timeBehind(i+1) {
				return span{}, 0
			}
			m, d := r.ordered(n[0], n[1], false)
			return r.checked(0, m, d, i+1)
		}
		if len(fields[0]) == 4 {
			return r.checked(n[0], n[1], n[2], i+1)
		}
		if len(fields[2]) == 2 {
			const century = 70 // is 1970, and 69 is 2069
			if n[2] += 1900; n[2] < 1900+century {
				n[2] += 100
			}
		} else if len(fields[2]) != 4 {
			return span{}, 0
		}
		m, d := r.ordered(n[0], n[1], sign == ".")
		if m > 12 {
			m, d = d, m
		}
		return r.checked(n[2], m, d, i+1)
	}
	return r.stamp(i)
}

// ordered tells the month from the day. Dates with dots have the day first
// everywhere.
func (r *timeReader) ordered(a, b int, dots bool) (m, d int) {
	if r.dayFirst || dots {
		return b, a
	}
	return a, b
}

func (r *timeReader) checked(y, m, d, n int) (span, int) {
	if m < 1 || m > 12 || d < 1 || d > 31 || y != 0 && (y < 1970 || y > 2105) {
		return span{}, 0
	}
	return r.onDate(y, time.Month(m), d, n)
}

// stamp reads an ISO time.
func (r *timeReader) stamp(i int) (span, int) {
	text := strings.ToUpper(r.text(i))
	for _, layout := range [...]struct {
		text string
		unit unit
	}{{"2006-01-02T15:04", minute}, {"2006-01-02T15:04:05", second}, {time.RFC3339, second}} {
		if at, err := time.ParseInLocation(layout.text, text, r.now.Location()); err == nil {
			at = clampTime(at).In(r.now.Location())
			return span{from: at, until: layout.unit.add(at, 1), unit: layout.unit}, i + 1
		}
	}
	return span{}, 0
}

// quarterOrYear reads q3 and 2026, which are times only where one is expected.
func (r *timeReader) quarterOrYear(i int) (span, int) {
	text := r.text(i)
	if len(text) == 2 && text[0] == 'q' && text[1] >= '1' && text[1] <= '4' {
		y, n := r.yearAt(i + 1)
		if y == 0 && !r.led {
			return span{}, 0
		}
		s := span{}
		m := time.Month(text[1]-'1')*3 + 1
		if y != 0 {
			return unitSpan(quarter, time.Date(y, m, 1, 0, 0, 0, 0, r.now.Location())), n
		}
		if s = unitSpan(quarter, time.Date(r.now.Year(), m, 1, 0, 0, 0, 0, r.now.Location())); s.from.After(r.now) {
			s = unitSpan(quarter, s.from.AddDate(-1, 0, 0))
		}
		s.again = year
		return s, n
	}
	if y, ok := digits(text); ok && r.led && len(text) == 4 && y >= 1970 && y <= 2100 {
		return unitSpan(year, time.Date(y, 1, 1, 0, 0, 0, 0, r.now.Location())), i + 1
	}
	return span{}, 0
}
