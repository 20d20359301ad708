package times

import "time"

// date reads what names days: yesterday, last week, the 5th of march, 3 days ago.
func (r *Reader) date(i int) (span, int) {
	if !r.mayBegin(i) {
		return span{}, 0
	}
	for _, read := range [...]func(*Reader, int) (span, int){
		(*Reader).edgeOf, (*Reader).nth, (*Reader).numberedWeek, (*Reader).weekend, (*Reader).dated,
		(*Reader).named, (*Reader).partOfMonth, (*Reader).relative, (*Reader).weekday,
		(*Reader).rolling, (*Reader).distance, (*Reader).dayAndMonth, (*Reader).month,
		(*Reader).numeric, (*Reader).quarterOrYear,
	} {
		if s, n := read(r, i); n > 0 {
			return s, n
		}
	}
	return span{}, 0
}

// named reads the days that have names of their own.
func (r *Reader) named(i int) (span, int) {
	i = r.skip(i, "the")
	switch r.text(i) {
	case "now":
		if !r.led {
			return span{}, 0
		}
		return unitSpan(second, r.now), i + 1
	case "today", "eod":
		return unitSpan(day, r.now), i + 1
	case "yesterday", "yest":
		return unitSpan(day, AddDays(r.now, -1)), i + 1
	case "tomorrow", "tmrw":
		return unitSpan(day, AddDays(r.now, 1)), i + 1
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
			yesterday := unitSpan(day, AddDays(r.now, -1))
			if c, n := r.clockBehind(i + 2); n > 0 {
				return c.atNight().on(yesterday), n
			}
			night, _ := partOfDay("night")
			return night.on(yesterday), i + 2
		}
	case "night":
		if r.is(i, "night", "before", "last") {
			night, _ := partOfDay("night")
			return night.on(unitSpan(day, AddDays(r.now, -2))), i + 3
		}
	case "day":
		switch {
		case r.is(i, "day", "before", "yesterday") || r.is(i, "day", "before", "yest"):
			return unitSpan(day, AddDays(r.now, -2)), i + 3
		case r.is(i, "day", "after", "tomorrow") || r.is(i, "day", "after", "tmrw"):
			return unitSpan(day, AddDays(r.now, 2)), i + 3
		}
		return r.dayBeside(i + 1)
	}
	return span{}, 0
}

// dayBeside reads the day behind "the day", before or after another: "after the 10th".
func (r *Reader) dayBeside(i int) (span, int) {
	move := 0
	switch r.text(i) {
	case "before":
		move = -1
	case "after":
		move = 1
	default:
		return span{}, 0
	}
	led := r.led
	r.led = true
	defer func() { r.led = led }()
	s, n := r.date(i + 1)
	if n == 0 || s.unit != day {
		return span{}, 0
	}
	return unitSpan(day, AddDays(s.from, move)), n
}

// relative reads this, last and next with a unit.
func (r *Reader) relative(i int) (span, int) {
	the := r.text(i) == "the"
	i = r.skip(i, "the")
	if r.is(i, "this", "past") {
		i++
	}
	distance, ok := whichOf(r.text(i))
	if !ok {
		return span{}, 0
	}
	whole := r.skip(i+1, "full", "whole", "complete", "entire", "calendar") > i+1
	// The last week is up to now; last week was up to Monday.
	rolling := !whole && (r.text(i) == "past" || r.text(i) == "last" && the)
	if whole {
		i++
	}
	if n, _ := r.quartersOfAnHour(i + 1); n > 0 || r.is(i+2, "and", "a", "half") {
		return span{}, 0 // They are rolling.
	}
	if r.text(i+1) == "fortnight" && distance < 0 {
		return r.lately(week, 2), i + 2
	}
	switch u := unitOf(r.text(i + 1)); {
	case r.text(i+1) == "weekend":
		saturday := AddDays(week.start(r.now), 5+7*distance)
		if distance == 0 && saturday.After(r.now) && !r.ahead {
			saturday = AddDays(saturday, -7) // Nobody has done anything in the one ahead.
		}
		return span{from: saturday, until: AddDays(saturday, 2), unit: week}, i + 2
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
func (r *Reader) lately(u unit, n int) span {
	from := u.add(r.now, -n)
	if u >= day {
		from = StartOfDay(from)
	}
	return span{from: from, unit: second}
}

// weekdayOfWeek reads a day behind "last week".
func (r *Reader) weekdayOfWeek(distance, i int) (span, int) {
	j := r.skip(i, "on")
	if d, _, ok := weekdayOf(r.text(j)); ok {
		return unitSpan(day, AddDays(week.start(r.now), 7*distance+int(d+6)%7)), j + 1
	}
	return span{}, 0
}

// weekday reads the name of a day: the last such that is not ahead, the last
// before today, the next behind it, or this week's.
func (r *Reader) weekday(i int) (span, int) {
	distance, chosen := whichOf(r.text(i))
	if chosen {
		i++
	}
	d, plain, ok := weekdayOf(r.text(i))
	if !ok || !plain && !chosen && !r.led && !r.timeBehind(i+1) && !r.daysBehind(i+1) {
		return span{}, 0
	}
	n := i + 1
	if !chosen {
		j := r.skip(n, "of")
		if which, ok := whichOf(r.text(j)); ok && r.text(j+1) == "week" {
			s, _ := r.weekdayOfWeek(which, i)
			return s, j + 2
		}
		if weeks, m := r.weeksBack(j); m > 0 {
			s, _ := r.weekdayOfWeek(-weeks, i)
			return s, m
		}
	}
	today := StartOfDay(r.now)
	ago := (int(today.Weekday()) - int(d) + 7) % 7
	s := span{unit: day, again: week}
	switch {
	case chosen && distance == 0:
		s.again = noUnit
		s.from = AddDays(week.start(r.now), int(d+6)%7)
		if s.from.After(r.now) && r.likely && !r.ahead {
			s.from = AddDays(s.from, -7)
		}
	case distance > 0:
		s.again = noUnit
		s.from = AddDays(today, 7-ago)
	case chosen && ago == 0:
		s.from = AddDays(today, -7)
	default:
		s.from = AddDays(today, -ago)
	}
	s.until = AddDays(s.from, 1)
	return s, n
}

// weeksBack reads the week that a day before it is of: "two weeks ago", "the week before last".
func (r *Reader) weeksBack(i int) (weeks, n int) {
	j := r.skip(i, "the")
	if r.is(j, "week", "before", "last") {
		return 2, j + 3
	}
	count, ok := numberOf(r.text(i))
	if !ok || count < 1 || count > 52 || unitOf(r.text(i+1)) != week || r.text(i+2) != "ago" {
		return 0, 0
	}
	return count, i + 3
}

// daysBehind reports whether another day follows, as in "mon-wed".
func (r *Reader) daysBehind(i int) bool {
	j := r.skip(i, "-", "to", "through", "thru")
	_, _, ok := weekdayOf(r.text(j))
	_, _, behind := weekdayOf(r.text(i - 3))
	return j > i && ok || behind && r.skip(i-2, "-", "to", "through", "thru") == i-1
}

// timeBehind reports whether a time of day follows, which makes a day of a short
// word before it.
func (r *Reader) timeBehind(i int) bool {
	_, n := r.clock(r.skip(i, "at", "@"))
	return n > 0 || r.text(i) == "@"
}

// rolling reads the last N units: "past 7 days", "the last 2 hours", "next 3
// weeks".
func (r *Reader) rolling(i int) (span, int) {
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
func (r *Reader) since(a Amount) time.Time {
	if a.unit >= day {
		return StartOfDay(a.Before(r.now))
	}
	return a.Before(r.now)
}

// distance reads "3 days ago", "in 2 weeks", "a week from now".
func (r *Reader) distance(i int) (span, int) {
	a, n := r.amount(i)
	if n == 0 {
		return span{}, 0
	}
	sign, from := 0, r.now
	if s, m := r.weeksBefore(a, n); m > 0 {
		return s, m
	}
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
	s.edge = StartOfDay(at)
	return s, n
}

// weeksBefore reads the day behind a length of time in days or weeks: "a week ago
// today", "a week last tuesday".
func (r *Reader) weeksBefore(a Amount, n int) (span, int) {
	if a.unit < day {
		return span{}, 0
	}
	switch r.text(n) {
	case "ago":
		n = r.skip(n+1, "on")
	case "last":
	default:
		return span{}, 0
	}
	led := r.led
	r.led = true
	defer func() { r.led = led }()
	for _, read := range [...]func(*Reader, int) (span, int){(*Reader).named, (*Reader).weekday} {
		if s, m := read(r, n); m > 0 && s.unit == day && (a.unit <= week || s.again == noUnit) {
			return unitSpan(day, StartOfDay(a.Before(s.from))), m
		}
	}
	return span{}, 0
}
