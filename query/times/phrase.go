package times

// phrase reads a time with what bounds it: "since monday", "between 3 and 9
// november", "yesterday".
func (r *Reader) phrase(i int) (Period, int) {
	led := r.led
	defer func() { r.led = led }()
	switch r.text(i) {
	case "since", "starting":
		r.led = true
		if s, n := r.point(i + 1); n > 0 {
			return Period{From: s.cut()}, n
		}
		if a, n := r.amount(i + 1); n > 0 {
			return Period{From: r.since(a)}, n // "since 3 days"
		}
		return Period{}, 0
	case "after":
		r.led = true
		return r.after(i + 1)
	case "before", "until", "till", "til", "by", "prior":
		r.led = true
		j := i + 1
		if r.is(i, "prior", "to") {
			j++
		}
		if r.is(i, "until", "and", "including") {
			j += 2
		}
		return r.before(j, r.text(i) != "before" && r.text(i) != "prior")
	case "up":
		if r.is(i, "up", "to") || r.is(i, "up", "until") {
			r.led = true
			j := i + 2
			if r.is(j, "and", "including") {
				j += 2
			}
			return r.before(j, true)
		}
		return Period{}, 0
	case "between":
		r.led = true
		return r.between(i+1, "and")
	case "from":
		r.led = true
		if p, n := r.between(i+1, "to", "until", "till", "til", "through", "thru", "-"); n > 0 {
			return p, n
		}
		return r.at(i + 1)
	case "no", "not":
		return r.limited(i)
	case ">", "<":
		return r.compared(i)
	case "earlier":
		if r.text(i+1) != "than" {
			return r.earlier(i + 1)
		}
		return r.compared(i)
	case "over", "more", "older", "longer", "less", "newer", "younger", "fewer", "under", "later":
		if p, n := r.compared(i); n > 0 {
			return p, n
		}
	}
	return r.within(i)
}

// within reads a time that is meant as a whole, or two with their range between,
// perhaps behind a word such as "on" or "during".
func (r *Reader) within(i int) (Period, int) {
	if r.text(i) == "within" {
		if a, n := r.amount(i + 1); n > 0 {
			return Period{From: r.since(a)}, n
		}
	}
	j := r.skip(i, "within", "over", "for", "throughout")
	if j == i {
		j = r.skip(i, "on", "in", "at", "during", "around")
		r.led = r.led || j > i
	} else if r.text(j) != "the" && r.text(j) != "last" && r.text(j) != "past" {
		return Period{}, 0
	}
	if p, n := r.between(j, "to", "until", "till", "til", "through", "thru", "-"); n > 0 {
		return p, n
	}
	return r.at(j)
}

// at reads a time that is meant as a whole, or a part of it: "yesterday between
// 3pm and 5pm", "monday before noon", "2018 or later".
func (r *Reader) at(i int) (Period, int) {
	if p, n := r.toDate(i); n > 0 {
		return p, n
	}
	s, n := r.point(i)
	if n == 0 {
		return Period{}, 0
	}
	if p, m := r.openEnded(s, n); m > 0 {
		return p, m
	}
	if s.unit == day {
		if p, m := r.partOf(s, n); m > 0 {
			return p, m
		}
	}
	return Period{s.from, s.until}, n
}

// after reads what stands behind "after". A time of the day alone is bounded by
// that day.
func (r *Reader) after(i int) (Period, int) {
	if c, n := r.clock(i); n > 0 {
		if _, m := r.point(i); m == n {
			s := r.onLatestDay(c)
			return Period{s.end(), AddDays(StartOfDay(s.from), 1)}, n
		}
	}
	s, n := r.point(i)
	if n == 0 {
		return Period{}, 0
	}
	if !s.edge.IsZero() {
		return Period{From: s.edge}, n
	}
	return Period{From: s.end()}, n
}

// before reads what stands behind "before", or behind "until", which includes
// the day that is named.
func (r *Reader) before(i int, including bool) (Period, int) {
	if c, n := r.clock(i); n > 0 {
		if _, m := r.point(i); m == n {
			s := c.on(unitSpan(day, r.now))
			return Period{StartOfDay(s.from), s.from}, n
		}
	}
	s, n := r.point(i)
	switch {
	case n == 0:
		return Period{}, 0
	case !including && s.unit < day && s.edge.IsZero() && StartOfDay(s.from).Equal(StartOfDay(r.now)):
		return Period{StartOfDay(s.from), s.from}, n // "before 8am today"
	case including && s.edge.IsZero():
		return Period{Until: s.end()}, n
	}
	return Period{Until: s.cut()}, n
}

// earlier reads "today" and "this week" behind "earlier".
func (r *Reader) earlier(i int) (Period, int) {
	if r.text(i) != "today" && r.text(i) != "this" {
		return Period{}, 0
	}
	s, n := r.date(i)
	if n == 0 || !s.from.Before(r.now) {
		return Period{}, 0
	}
	return Period{s.from, r.now}, n
}

// compared reads "over 3 days ago", "less than a week old" and "later than friday".
func (r *Reader) compared(i int) (Period, int) {
	more := false
	switch r.text(i) {
	case "over", "more", "older", "longer", ">":
		more = r.text(i+1) != "recent"
	}
	j := i + 1
	if sign := r.text(i) == ">" || r.text(i) == "<"; !sign && r.text(i) != "over" && r.text(i) != "under" {
		if r.is(i, "more", "recent", "than") {
			j++
		}
		if r.text(j) != "than" {
			return Period{}, 0
		}
		j++
	}
	old := r.text(i) == "older" || r.text(i) == "newer" || r.text(i) == "younger" || r.text(i+1) == "recent"
	d, n := r.amount(j)
	if n > 0 && r.is(n, "from", "now") {
		at := d.move(r.now, 1)
		if d.unit >= day {
			at = StartOfDay(at)
		}
		switch {
		case old && more:
			return Period{Until: at}, n + 2
		case more:
			return Period{From: at}, n + 2
		}
		return Period{r.now, at}, n + 2
	}
	if n > 0 && (old || r.is(n, "ago") || r.is(n, "old")) {
		at := d.Before(r.now)
		if d.unit >= day {
			at = StartOfDay(at)
		}
		n = r.skip(n, "ago", "old")
		if more {
			return Period{Until: at}, n
		}
		return Period{From: at}, n
	}
	if r.text(j-1) != "than" {
		return Period{}, 0
	}
	r.led = r.led || r.text(i+1) == "recent" || r.text(i) != "more" && r.text(i) != "less"
	s, n := r.point(j)
	switch {
	case n == 0:
		return Period{}, 0
	case r.text(i) == "older" || r.text(i) == "earlier" || r.text(i) == "less" || r.text(i) == "fewer":
		return Period{Until: s.cut()}, n
	}
	return Period{From: s.cut()}, n
}
