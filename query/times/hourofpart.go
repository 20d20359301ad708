package times

// hourOfPart reads an hour by the part of the day that it is in: "9 this morning", "at
// 11 last night", "10 yesterday evening", "3 in the afternoon".
func (r *Reader) hourOfPart(i int) (span, int) {
	j := r.skip(i, "at", "@", "around", "about")
	if j == i && !r.led && !r.likely {
		return span{}, 0
	}
	h, ok := digits(r.text(j))
	c := clock{from: h * 3600, unit: hour}
	n := j + 1
	if !ok {
		var parts int
		if c, parts, ok = clockDigits(r.text(j)); !ok || parts < 2 {
			return span{}, 0
		}
		h = c.from / 3600
	}
	if h < 1 || h > 12 {
		return span{}, 0
	}
	s, part, n := r.partOfSomeDay(n)
	if n == 0 {
		return span{}, 0
	}
	switch {
	case part.until > daySeconds:
		c = c.atNight()
	case part.from >= daySeconds/2 && h < 12:
		c.from += daySeconds / 2
	case part.from < daySeconds/2 && h == 12:
		return span{}, 0
	}
	if s.unit == noUnit {
		return r.onLatestDay(c), n
	}
	return c.on(s), n
}

// partOfSomeDay reads "this morning", "yesterday evening", "tonight", "last night" and "in
// the morning", which is of no day.
func (r *Reader) partOfSomeDay(i int) (span, clock, int) {
	night, _ := partOfDay("night")
	today, yesterday := unitSpan(day, r.now), unitSpan(day, AddDays(r.now, -1))
	switch r.text(i) {
	case "tonight":
		return today, night, i + 1
	case "this":
		if part, ok := partOfDay(r.text(i + 1)); ok && part.until != 0 {
			return today, part, i + 2
		}
	case "yesterday", "yest":
		if part, ok := partOfDay(r.text(i + 1)); ok && part.until != 0 {
			return yesterday, part, i + 2
		}
	case "last":
		if r.text(i+1) == "night" {
			return yesterday, night, i + 2
		}
	case "in":
		if part, ok := partOfDay(r.text(i + 2)); ok && part.until != 0 && r.text(i+1) == "the" {
			return span{}, part, i + 3
		}
	}
	return span{}, clock{}, 0
}
