package times

import "time"

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

// whole is the day of a time of day.
func (s span) whole() span { return unitSpan(day, s.from) }
