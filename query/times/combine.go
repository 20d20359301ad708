package times

import (
	"strings"
	"time"
)

// partOf reads what narrows a day that was just read: "after 3pm", "before noon",
// "between 3pm and 5pm", "6-8".
func (r *Reader) partOf(s span, i int) (Period, int) {
	joins := [...]string{"to", "until", "till", "-", "and"}
	start := r.skip(i, "between", "from")
	if a, b, n := r.hours(start, joins[:len(joins)-1+start-i]...); n > 0 { // "nov 3, 4 and 5" are days.
		return r.hoursOn(s, a, b), n
	}
	led := r.led
	r.led = true
	defer func() { r.led = led }()
	from := false
	switch r.text(i) {
	case "after", "since", "from":
		from = true
	case "before", "until", "till", "by":
	default:
		return Period{}, 0
	}
	c, n := r.clockBehind(i + 1)
	if n == 0 {
		c, n = r.bareHour(i + 1)
	}
	if n == 0 {
		return Period{}, 0
	}
	if s.from.Hour() >= 18 {
		c = c.atNight()
		s.from, s.unit = StartOfDay(s.from), day
		if !from {
			return Period{DayStart(s.from.Year(), s.from.Month(), s.from.Day(), s.from.Location()).Add(18 * time.Hour), c.on(s).from}, n
		}
	}
	if from {
		return Period{c.on(s).end(), s.until}, n
	}
	return Period{s.from, c.on(s).from}, n
}

// bareHour reads an hour without am and pm behind the day that it is of: "friday after 9".
func (r *Reader) bareHour(i int) (clock, int) {
	h, ok := digits(r.text(i))
	m, _ := monthOf(r.text(i + 1))
	if !ok || h >= 24 || len(r.text(i)) > 2 || m != 0 || unitOf(r.text(i+1)) != noUnit || r.text(i+1) == "-" {
		return clock{}, 0
	}
	return clock{from: businessHour(h), unit: hour}, i + 1
}

// openEnded reads "or later", "onwards", "or earlier" behind a time.
func (r *Reader) openEnded(s span, i int) (Period, int) {
	switch {
	case r.text(i) == "onwards" || r.text(i) == "onward":
		return Period{From: s.cut()}, i + 1
	case r.is(i, "so", "far"), r.is(i, "to", "date"):
		return Period{s.from, s.until}, i + 2
	case r.text(i) != "or" && r.text(i) != "and":
		return Period{}, 0
	}
	switch r.text(i + 1) {
	case "later", "newer", "after", "onwards":
		return Period{From: s.cut()}, i + 2
	case "earlier", "older", "before":
		return Period{Until: s.end()}, i + 2
	}
	return Period{}, 0
}

// limited reads "no later than friday" and "not older than 2 weeks".
func (r *Reader) limited(i int) (Period, int) {
	led := r.led
	r.led = true
	defer func() { r.led = led }()
	if r.text(i+2) != "than" {
		return Period{}, 0
	}
	if a, n := r.amount(i + 3); n > 0 {
		n = r.skip(n, "ago", "old")
		switch r.text(i + 1) {
		case "older", "more", "longer":
			return Period{From: r.since(a)}, n
		case "newer", "less", "later":
			return Period{Until: r.since(a)}, n
		}
		return Period{}, 0
	}
	s, n := r.point(i + 3)
	if n == 0 {
		return Period{}, 0
	}
	switch r.text(i + 1) {
	case "later", "newer":
		return Period{Until: s.end()}, n
	case "earlier", "older", "sooner":
		return Period{From: s.cut()}, n
	}
	return Period{}, 0
}

// toDate reads "year to date" and its short forms.
func (r *Reader) toDate(i int) (Period, int) {
	u := noUnit
	switch r.text(i) {
	case "ytd":
		u = year
	case "qtd":
		u = quarter
	case "mtd":
		u = month
	case "wtd":
		u = week
	}
	if u != noUnit {
		return Period{From: u.start(r.now)}, i + 1
	}
	i = r.skip(i, "the")
	if u = unitOf(r.text(i)); u >= week && r.is(i+1, "to", "date") {
		return Period{From: u.start(r.now)}, i + 3
	}
	return Period{}, 0
}

// edgeOf reads "beginning of the month" and "end of last week".
func (r *Reader) edgeOf(i int) (span, int) {
	i = r.skip(i, "the")
	begin := false
	switch r.text(i) {
	case "beginning", "start":
		begin = true
	case "end":
	default:
		return span{}, 0
	}
	if r.text(i+1) != "of" {
		return span{}, 0
	}
	led := r.led
	r.led = true
	whole, n := r.whole(i + 2)
	r.led = led
	if n == 0 {
		return span{}, 0
	}
	part := 10
	switch whole.unit {
	case week:
		part = 2
	case quarter, year:
		part = 31
	case day:
		part = 0
	}
	s := span{from: whole.from, until: AddDays(whole.from, part), unit: day, edge: whole.from, again: whole.again}
	if !begin {
		s.from, s.until, s.edge = AddDays(whole.until, -part), whole.until, whole.until
	}
	if part == 0 {
		s.from, s.until = whole.from, whole.until
	}
	return s, n
}

// whole reads a unit of the calendar: the month, this week, last quarter, march.
func (r *Reader) whole(i int) (span, int) {
	j := r.skip(i, "the")
	if u := unitOf(r.text(j)); u >= day {
		return unitSpan(u, r.now), j + 1
	}
	for _, read := range [...]func(*Reader, int) (span, int){(*Reader).named, (*Reader).relative, (*Reader).month, (*Reader).quarterOrYear} {
		if s, n := read(r, i); n > 0 {
			return s, n
		}
	}
	return span{}, 0
}

// numberedWeek reads "week 47" of the ISO calendar, the latest such that is not
// ahead where no year is named.
func (r *Reader) numberedWeek(i int) (span, int) {
	if s, n := r.weekOf(i); n > 0 {
		return s, n
	}
	n, y, end := r.weekNumber(i)
	if end == 0 {
		return span{}, 0
	}
	named := y != 0
	if !named {
		y = r.now.Year()
	}
	at := func(y int) span {
		return unitSpan(week, AddDays(week.start(DayStart(y, 1, 4, r.now.Location())), 7*(n-1)))
	}
	s := at(y)
	if !named && s.from.After(r.now) {
		s = at(y - 1)
	}
	return s, end
}

// weekNumber reads "week 47 of 2026", "cw47" and "2026-w47"; the year is 0 where none is
// named.
func (r *Reader) weekNumber(i int) (n, y, end int) {
	if y, ok := digits(r.text(i)); ok && y >= 1970 && y <= 2100 && r.text(i+1) == "-" && r.sameWord(i, i+2) {
		if n, ok := r.joinedWeek(i + 2); ok {
			return n, y, i + 3
		}
		return 0, 0, 0
	}
	if text := r.text(i); text == "" || text[0] != 'w' && text[0] != 'k' && text[0] != 'c' {
		return 0, 0, 0
	}
	n, ok := r.joinedWeek(i)
	end = i + 1
	if !ok {
		n, ok = digits(r.text(i + 1))
		end = i + 2
		if word := r.text(i); word != "week" && word != "wk" && word != "cw" && word != "kw" || !ok || n < 1 || n > 53 {
			return 0, 0, 0
		}
	}
	y, end = r.yearAt(end)
	return n, y, end
}

// joinedWeek reads the number of "cw47", and of "w47" where a year or the text says that
// it is a time.
func (r *Reader) joinedWeek(i int) (int, bool) {
	name := strings.TrimRight(r.text(i), "0123456789")
	switch name {
	case "kw", "cw":
	case "w", "wk":
		if !r.led && !r.likely && (i == 0 || r.text(i-1) != "-") {
			return 0, false
		}
	default:
		return 0, false
	}
	n, ok := digits(r.text(i)[len(name):])
	return n, ok && n >= 1 && n <= 53
}

// weekOf reads "the week of november 2": the week that has the day.
func (r *Reader) weekOf(i int) (span, int) {
	i = r.skip(i, "the")
	if !r.is(i, "week", "of") && !r.is(i, "week", "beginning") && !r.is(i, "week", "starting") && !r.is(i, "week", "commencing") {
		return span{}, 0
	}
	led := r.led
	r.led = true
	defer func() { r.led = led }()
	for _, read := range [...]func(*Reader, int) (span, int){(*Reader).dated, (*Reader).dayAndMonth, (*Reader).numeric} {
		if s, n := read(r, i+2); n > 0 && s.unit == day {
			return unitSpan(week, week.start(s.from)), n
		}
	}
	return span{}, 0
}

// weekend reads "the weekend": the latest that is not ahead.
func (r *Reader) weekend(i int) (span, int) {
	j := r.skip(i, "the")
	if r.text(j) != "weekend" || j == i && !r.led && !r.likely {
		return span{}, 0
	}
	saturday, n := AddDays(week.start(r.now), 5), j+1
	switch s, m := r.dateBehindOf(n); {
	case m > 0:
		saturday, n = AddDays(week.start(s.from), 5), m
	case saturday.After(r.now):
		saturday = AddDays(saturday, -7)
	}
	return span{from: saturday, until: AddDays(saturday, 2), unit: week}, n
}

// dateBehindOf reads the day of "the weekend of nov 7".
func (r *Reader) dateBehindOf(i int) (span, int) {
	if r.text(i) != "of" {
		return span{}, 0
	}
	s, n := r.dayAndMonth(i + 1)
	if n == 0 || s.unit != day {
		return span{}, 0
	}
	return s, n
}

// dated reads a date behind the name of its weekday: "tue, 10 nov 2026".
func (r *Reader) dated(i int) (span, int) {
	d, _, ok := weekdayOf(r.text(i))
	if !ok {
		return span{}, 0
	}
	led := r.led
	r.led = true
	defer func() { r.led = led }()
	j := r.skip(r.skip(i+1, "the"), "on")
	for _, read := range [...]func(*Reader, int) (span, int){(*Reader).dayAndMonth, (*Reader).numeric} {
		if s, n := read(r, j); n > 0 && s.unit == day && s.from.Weekday() == d {
			return s, n
		}
	}
	return span{}, 0
}
