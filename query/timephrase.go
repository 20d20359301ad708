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

// timeReader reads times out of words. Its methods take the position of a piece
// and return the position behind what they read, 0 when that is no time.
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

// skip is the position behind any one of the words at i, or i.
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
	return r.within(i)
}

// within reads a time that is meant as a whole, or two with their range between,
// perhaps behind a word such as "on" or "during".
func (r *timeReader) within(i int) (period, int) {
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
