package query

import (
	"strings"
	"time"
)

// period is a time as it was written, half-open; a zero end is open.
type period struct{ from, until time.Time }

// span is a time that stands on its own: a day, a month, an hour.
type span struct {
	from, until time.Time
	// edge is where "since" and "before" cut when that is not from: two weeks
	// ago is a week, and since then are 14 days.
	edge time.Time
	// unit is how exact the time is.
	unit unit
	// again is after how long the same words mean the next such time: years for
	// the 5th of March, weeks for Monday, days for nine o'clock. It is noUnit
	// for what means one time alone.
	again unit
}

// unitSpan is the unit that holds a time.
func unitSpan(u unit, t time.Time) span {
	from := u.start(t)
	return span{from: from, until: u.add(from, 1), unit: u}
}

func (s span) cut() time.Time {
	if s.edge.IsZero() {
		return s.from
	}
	return s.edge
}

// end is where a range that ends with s does: with the whole day or month, but
// at the beginning of an hour.
func (s span) end() time.Time {
	if s.unit < day {
		return s.from
	}
	return s.until
}

func (s span) move(n int) span {
	s.from, s.until = s.again.add(s.from, n), s.again.add(s.until, n)
	return s
}

// piece is a part of a word that a time can be made of.
type piece struct {
	text string
	// word is the number of the word it comes from, last whether the word ends
	// with it.
	word int
	last bool
}

// timeReader reads times out of words. Its methods take the place of a piece
// and return the place behind what they read, 0 when that is no time.
type timeReader struct {
	now      time.Time
	dayFirst bool
	pieces   []piece
	// led is whether something before makes it likely that a time follows, so
	// that words which mean other things too are taken as times.
	led bool
	// ahead is whether times that lie ahead are meant too, as of meetings.
	ahead bool
}

// text is the piece at i, "" behind the end.
func (r *timeReader) text(i int) string {
	if i < 0 || i >= len(r.pieces) {
		return ""
	}
	return r.pieces[i].text
}

// is reports whether the pieces from i on are these words.
func (r *timeReader) is(i int, words ...string) bool {
	for k, word := range words {
		if r.text(i+k) != word {
			return false
		}
	}
	return true
}

// skip is the place behind any one of the words at i, or i.
func (r *timeReader) skip(i int, words ...string) int {
	for _, word := range words {
		if r.text(i) == word {
			return i + 1
		}
	}
	return i
}

// phrase reads a time with what bounds it: "since monday", "between 3 and 9
// november", "yesterday".
func (r *timeReader) phrase(i int) (period, int) {
	led := r.led
	defer func() { r.led = led }()
	switch r.text(i) {
	case "since", "starting":
		r.led = true
		if s, n := r.point(i + 1); n > 0 {
			return period{from: s.cut()}, n
		}
		return period{}, 0
	case "after":
		r.led = true
		return r.after(i + 1)
	case "before", "until", "till", "til", "by", "prior":
		r.led = true
		j := i + 1
		if r.is(i, "prior", "to") {
			j++
		}
		return r.before(j, r.text(i) != "before" && r.text(i) != "prior")
	case "up":
		if r.is(i, "up", "to") || r.is(i, "up", "until") {
			r.led = true
			return r.before(i+2, true)
		}
		return period{}, 0
	case "between":
		r.led = true
		return r.between(i+1, "and")
	case "from":
		r.led = true
		if p, n := r.between(i+1, "to", "until", "till", "til", "through", "thru", "-"); n > 0 {
			return p, n
		}
		return r.at(i + 1)
	case "earlier":
		if r.text(i+1) != "than" {
			return r.earlier(i + 1)
		}
		return r.compared(i)
	case "over", "more", "older", "longer", "less", "newer", "fewer", "under", "later":
		if p, n := r.compared(i); n > 0 {
			return p, n
		}
	}
	if r.text(i) == "within" {
		if a, n := r.amount(i + 1); n > 0 {
			return period{from: r.since(a)}, n
		}
	}
	j := r.skip(i, "within", "over", "for", "throughout")
	if j == i {
		j = r.skip(i, "on", "in", "at", "during")
		r.led = r.led || j > i
	} else if r.text(j) != "the" && r.text(j) != "last" && r.text(j) != "past" {
		return period{}, 0
	}
	if p, n := r.between(j, "to", "until", "till", "til", "through", "thru", "-"); n > 0 {
		return p, n
	}
	return r.at(j)
}

// at reads a time that is meant as a whole, or hours of a day: "yesterday
// between 3pm and 5pm".
func (r *timeReader) at(i int) (period, int) {
	s, n := r.point(i)
	if n == 0 || s.unit != day {
		return period{s.from, s.until}, n
	}
	if a, b, m := r.hours(r.skip(n, "between", "from"), "and", "to", "until", "till", "-"); m > 0 {
		return r.hoursOn(s, a, b), m
	}
	return period{s.from, s.until}, n
}

// hours reads two times of day: "9am to 5pm", "3-5".
func (r *timeReader) hours(i int, joins ...string) (a, b clock, n int) {
	read := func(i int) (clock, int) {
		if c, n := r.clock(i); n > 0 {
			return c, n
		}
		if h, ok := digits(r.text(i)); ok && h < 24 && len(r.text(i)) <= 2 {
			return clock{from: businessHour(h), unit: hour}, i + 1
		}
		return clock{}, 0
	}
	a, n = read(i)
	j := r.skip(n, joins...)
	if n == 0 || j == n {
		return a, b, 0
	}
	b, n = read(j)
	return a, b, n
}

// hoursOn are hours of a day, into the night where the second is the earlier.
func (r *timeReader) hoursOn(s span, a, b clock) period {
	p := period{a.on(s).from, b.on(s).from}
	if !p.until.After(p.from) {
		p.until = p.until.AddDate(0, 0, 1)
	}
	return p
}

// after reads what stands behind "after". A time of the day alone is bounded by
// that day.
func (r *timeReader) after(i int) (period, int) {
	if c, n := r.clock(i); n > 0 {
		if _, m := r.point(i); m == n {
			s := r.onLatestDay(c)
			return period{s.end(), dayOf(s.from).AddDate(0, 0, 1)}, n
		}
	}
	s, n := r.point(i)
	if n == 0 {
		return period{}, 0
	}
	if !s.edge.IsZero() {
		return period{from: s.edge}, n
	}
	return period{from: s.end()}, n
}

// before reads what stands behind "before", or behind "until", which includes
// the day that is named.
func (r *timeReader) before(i int, including bool) (period, int) {
	if c, n := r.clock(i); n > 0 {
		if _, m := r.point(i); m == n {
			s := c.on(unitSpan(day, r.now))
			return period{dayOf(s.from), s.from}, n
		}
	}
	s, n := r.point(i)
	switch {
	case n == 0:
		return period{}, 0
	case including && s.edge.IsZero():
		return period{until: s.end()}, n
	}
	return period{until: s.cut()}, n
}

// between reads two times with one of the words between them.
func (r *timeReader) between(i int, joins ...string) (period, int) {
	if p, n := r.daysOfMonth(i, joins); n > 0 {
		return p, n
	}
	if a, b, n := r.hours(i, joins...); n > 0 {
		if s, m := r.date(r.skip(n, "on")); m > 0 && s.unit == day {
			return r.hoursOn(s, a, b), m
		}
	}
	a, n := r.point(i)
	if n == 0 {
		return period{}, 0
	}
	j := r.skip(n, joins...)
	if j == n {
		return period{}, 0
	}
	led := r.led
	r.led = true
	b, n := r.point(r.skip(j, "the"))
	if n == 0 {
		b, n = r.sameDay(a, j)
	}
	r.led = led
	if n == 0 {
		return period{}, 0
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
		return period{}, 0
	}
	return period{a.from, b.end()}, n
}

// onDay moves a time of day to the day of another time.
func (r *timeReader) onDay(s span, t time.Time) span {
	length := s.until.Sub(s.from)
	s.from = time.Date(t.Year(), t.Month(), t.Day(), s.from.Hour(), s.from.Minute(), s.from.Second(), 0, t.Location())
	s.until = s.from.Add(length)
	return s
}

// sameDay reads a bare day of the month of a: "12 to 15th".
func (r *timeReader) sameDay(a span, i int) (span, int) {
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
func (r *timeReader) daysOfMonth(i int, joins []string) (period, int) {
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
			return period{}, 0
		}
		j := r.skip(n, joins...)
		if last, n = read(j); j == n || n == 0 || last < first {
			return period{}, 0
		}
		if next, _ := monthOf(r.text(r.skip(n, "of"))); next != 0 {
			return period{}, 0 // That is the beginning of another date.
		}
		y, n := r.yearAt(n)
		return r.daysFrom(y, m, first, last), n
	}
	if first, n = read(i); n == 0 {
		return period{}, 0
	}
	j := r.skip(n, joins...)
	if j == n {
		return period{}, 0
	}
	if last, n = read(j); n == 0 || last < first {
		return period{}, 0
	}
	m, _ := monthOf(r.text(r.skip(n, "of")))
	if m == 0 {
		return period{}, 0
	}
	y, n := r.yearAt(r.skip(n, "of") + 1)
	return r.daysFrom(y, m, first, last), n
}

// daysFrom are days of a month, of the latest such that is not ahead when the
// year is 0.
func (r *timeReader) daysFrom(y int, m time.Month, first, last int) period {
	if y == 0 {
		y = r.now.Year()
		if time.Date(y, m, first, 0, 0, 0, 0, r.now.Location()).After(r.now) {
			y--
		}
	}
	return period{
		time.Date(y, m, first, 0, 0, 0, 0, r.now.Location()),
		time.Date(y, m, last+1, 0, 0, 0, 0, r.now.Location()),
	}
}

// earlier reads "today" and "this week" behind "earlier".
func (r *timeReader) earlier(i int) (period, int) {
	if r.text(i) != "today" && r.text(i) != "this" {
		return period{}, 0
	}
	s, n := r.date(i)
	if n == 0 || !s.from.Before(r.now) {
		return period{}, 0
	}
	return period{s.from, r.now}, n
}

// compared reads "over 3 days ago", "less than a week old" and "later than friday".
func (r *timeReader) compared(i int) (period, int) {
	more := false
	switch r.text(i) {
	case "over", "more", "older", "longer":
		more = true
	}
	j := i + 1
	if r.text(i) != "over" && r.text(i) != "under" {
		if r.text(j) != "than" {
			return period{}, 0
		}
		j++
	}
	old := r.text(i) == "older" || r.text(i) == "newer"
	d, n := r.amount(j)
	if n > 0 && r.is(n, "from", "now") {
		at := d.move(r.now, 1)
		if d.unit >= day {
			at = dayOf(at)
		}
		switch {
		case old && more:
			return period{until: at}, n + 2
		case more:
			return period{from: at}, n + 2
		}
		return period{r.now, at}, n + 2
	}
	if n > 0 && (old || r.is(n, "ago") || r.is(n, "old")) {
		at := d.before(r.now)
		if d.unit >= day {
			at = dayOf(at)
		}
		n = r.skip(n, "ago", "old")
		if more {
			return period{until: at}, n
		}
		return period{from: at}, n
	}
	if r.text(i+1) != "than" {
		return period{}, 0
	}
	r.led = r.led || r.text(i) != "more" && r.text(i) != "less"
	s, n := r.point(j)
	switch {
	case n == 0:
		return period{}, 0
	case r.text(i) == "older" || r.text(i) == "earlier" || r.text(i) == "less" || r.text(i) == "fewer":
		return period{until: s.cut()}, n
	}
	return period{from: s.cut()}, n
}

// split cuts a word where times are joined without a space: "fri@3pm",
// "11am-2pm", but not a date that is written with dashes.
func split(word string, number int, to []piece) []piece {
	dashed := strings.Count(word, "-")
	iso := dashed == 2 && strings.Trim(word, "0123456789-") == "" || strings.ContainsAny(word, "t:") && dashed >= 2
	start := 0
	for i, r := range word {
		if r != '@' && (iso || r != '-' && r != '–' && r != '—') {
			continue
		}
		if start < i {
			to = append(to, piece{text: word[start:i], word: number})
		}
		text, size := "-", len(string(r))
		if r == '@' {
			text = "@"
		}
		to = append(to, piece{text: text, word: number})
		start = i + size
	}
	if start < len(word) {
		to = append(to, piece{text: word[start:], word: number})
	}
	if len(to) > 0 {
		to[len(to)-1].last = true
	}
	return to
}
