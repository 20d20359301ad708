package times

import (
	"strings"
	"time"
)

// partOfMonth reads "first week of october" and "early march".
func (r *Reader) partOfMonth(i int) (span, int) {
	i = r.skip(i, "the")
	if nth, ok := ordinalOf(r.text(i)); ok || r.text(i) == "last" {
		if r.is(i+1, "half", "of") {
			return r.halfOf(max(1, nth), nth == 0, i+3)
		}
		if s, n := r.endsOf(nth, i+1); n > 0 {
			return s, n
		}
		if !r.is(i+1, "week", "of") && !r.is(i+1, "week", "in") || nth > 5 {
			return span{}, 0
		}
		led := r.led
		r.led = true
		m, n := r.month(i + 3)
		r.led = led
		if n == 0 {
			return span{}, 0
		}
		from := AddDays(m.from, 7*(nth-1))
		if nth == 0 {
			from = AddDays(m.until, -7)
		}
		until := AddDays(from, 7)
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
	s := span{from: AddDays(m.from, 10*part), until: AddDays(m.from, 10*part+10), unit: week, again: m.again}
	if part == 2 {
		s.until = m.until
	}
	return s, n
}

// endsOf reads "two weeks of september" and "day of the quarter" behind "first", which is
// 1, or "last", which is 0.
func (r *Reader) endsOf(nth, i int) (span, int) {
	count, ok := numberOf(r.text(i))
	if r.text(i) == "few" {
		count, ok = 3, true
	}
	if !ok {
		count, i = 1, i-1
	}
	u := unitOf(r.text(i + 1))
	if nth > 1 || count < 1 || u < day || u > quarter || r.text(i+2) != "of" && r.text(i+2) != "in" {
		return span{}, 0
	}
	led := r.led
	r.led = true
	whole, n := r.whole(i + 3)
	r.led = led
	if n == 0 || whole.unit <= u {
		return span{}, 0
	}
	s := span{from: whole.from, until: u.add(whole.from, count), unit: week, again: whole.again}
	if nth == 0 {
		s.from, s.until = u.add(whole.until, -count), whole.until
	}
	if s.from.Before(whole.from) || s.until.After(whole.until) {
		return span{}, 0
	}
	return s, n
}

// halfOf reads the month or the year behind "first half of".
func (r *Reader) halfOf(nth int, last bool, i int) (span, int) {
	led := r.led
	r.led = true
	s, n := r.whole(i)
	r.led = led
	if n == 0 || nth > 2 {
		return span{}, 0
	}
	var middle time.Time
	switch s.unit {
	case month:
		middle = AddDays(s.from, 15)
	case year:
		middle = month.add(s.from, 6)
	default:
		return span{}, 0
	}
	half := span{from: s.from, until: middle, unit: week, again: s.again}
	if last || nth == 2 {
		half.from, half.until = middle, s.until
	}
	return half, n
}

// dayNumber reads 12, 12th or twelfth as a day of a month.
func (r *Reader) dayNumber(i int) (int, bool) {
	if n, ok := ordinalOf(r.text(i)); ok {
		return n, true
	}
	n, ok := digits(r.text(i))
	return n, ok && n >= 1 && n <= 31 && len(r.text(i)) <= 2
}

// dayAndMonth reads a day with its month on either side.
func (r *Reader) dayAndMonth(i int) (span, int) {
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
		if y == 0 {
			y, n = r.shortYearAt(j + 1)
		}
		return r.onDate(y, m, d, n)
	}
	if m, _ := monthOf(r.text(i + 2)); m != 0 && r.text(i+1) == "-" && r.sameWord(i, i+2) {
		y, n := r.yearAt(i + 4)
		if r.text(i+3) != "-" || !r.sameWord(i, i+4) || y == 0 {
			return r.onDate(0, m, d, i+3)
		}
		return r.onDate(y, m, d, n) // 10-nov-2026
	}
	if distance, ok := whichOf(r.text(j)); ok && j > i+1 && r.text(j+1) == "month" {
		at := month.add(month.start(r.now), distance)
		return r.onDate(at.Year(), at.Month(), d, j+2)
	}
	if _, ordinal := ordinalOf(r.text(i)); !ordinal || !r.led || r.text(i-1) != "the" || r.text(i) == "second" || r.countsUnits(i+1) {
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

// countsUnits reports whether the words from i on are the hour of "the first hour" or the 10
// minutes of "the first 10 minutes".
func (r *Reader) countsUnits(i int) bool {
	if _, ok := numberOf(r.text(i)); ok || r.text(i) == "few" || r.text(i) == "couple" {
		i++
	}
	return unitOf(r.text(i)) != noUnit
}

// sameWord reports whether two pieces are of one word.
func (r *Reader) sameWord(i, j int) bool {
	return j < len(r.pieces) && r.pieces[i].word == r.pieces[j].word
}

// onDate is a day, of the latest such year that is not ahead when y is 0.
func (r *Reader) onDate(y int, m time.Month, d, n int) (span, int) {
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
	first := DayStart(y, m, 1, zone)
	at := AddDays(first, d-1)
	return at, d >= 1 && at.Month() == first.Month()
}

// yearAt reads a year at i, 0 when there is none, and the position behind it.
func (r *Reader) yearAt(i int) (y, n int) {
	j := r.skip(i, "of")
	if short, ok := strings.CutPrefix(strings.ReplaceAll(r.text(j), "’", "'"), "'"); ok && len(short) == 2 {
		if y, ok := digits(short); ok {
			return 2000 + y, j + 1 // '25
		}
	}
	if y, ok := digits(r.text(j)); ok && y >= 1970 && y <= 2100 {
		return y, j + 1
	}
	if distance, ok := whichOf(r.text(j)); ok && r.text(j) != "past" && r.text(j+1) == "year" {
		return r.now.Year() + distance, j + 2 // "q2 last year"
	}
	return 0, i
}

// shortYearAt reads the 26 of "9 nov 26": one of the last years, where nothing behind it
// makes it something else.
func (r *Reader) shortYearAt(i int) (y, n int) {
	const oldest = 10
	short, ok := digits(r.text(i))
	y = r.now.Year()/100*100 + short
	switch next := r.text(i + 1); {
	case !ok, len(r.text(i)) != 2, y > r.now.Year(), y < r.now.Year()-oldest:
		return 0, i
	case halfOf(next) != 0, unitOf(next) != noUnit, next == "-", next == "to", next == "and", next == "or", next == "times", next == "o'clock":
		return 0, i
	}
	if m, _ := monthOf(r.text(i + 1)); m != 0 {
		return 0, i
	}
	return y, i + 1
}

// month reads a month by its name: the latest such that is not ahead.
func (r *Reader) month(i int) (span, int) {
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
		return unitSpan(month, DayStart(y, m, 1, r.now.Location())), n
	case !plain && !chosen && !r.led && !r.monthBehind(i+1):
		return span{}, 0
	}
	here := month.start(r.now)
	s := unitSpan(month, DayStart(r.now.Year(), m, 1, r.now.Location()))
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

// monthBehind reports whether another month follows or is before, as in "sept - oct".
func (r *Reader) monthBehind(i int) bool {
	joins := []string{"-", "to", "through", "thru", "until", "till"}
	j := r.skip(i, joins...)
	next, _ := monthOf(r.text(j))
	before, _ := monthOf(r.text(i - 3))
	return r.likely && (j > i && next != 0 || before != 0 && r.skip(i-2, joins...) == i-1)
}
