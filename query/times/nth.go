package times

import (
	"strings"
	"time"
)

// nth reads what is counted within a longer time: "last friday of october", "first
// monday in november", "third quarter", and weekends: "two weekends ago", "the weekend
// before last".
func (r *Reader) nth(i int) (span, int) {
	if s, n := r.weekendBack(i); n > 0 {
		return s, n
	}
	if s, n := r.beforeLast(i); n > 0 {
		return s, n
	}
	i = r.skip(i, "the")
	_, _, isDay := weekdayOf(r.text(i + 1))
	if !isDay && r.text(i+1) != "quarter" {
		return span{}, 0
	}
	nth, ok := ordinalOf(r.text(i))
	if !ok && r.text(i) != "last" {
		return span{}, 0
	}
	if r.text(i+1) == "quarter" && ok && nth <= 4 && (r.led || r.likely) {
		return r.nthQuarter(nth, i+2)
	}
	d, _, _ := weekdayOf(r.text(i + 1))
	if !isDay || nth > 5 || r.text(i+2) != "of" && r.text(i+2) != "in" {
		return span{}, 0
	}
	led := r.led
	r.led = true
	m, n := r.month(r.skip(i+3, "the"))
	if n == 0 {
		m, n = r.relative(i + 3)
	}
	r.led = led
	if n == 0 || m.unit != month {
		return span{}, 0
	}
	from := AddDays(m.from, (int(d)-int(m.from.Weekday())+7)%7+7*(nth-1))
	if nth == 0 {
		from = AddDays(m.until, -1-(int(AddDays(m.until, -1).Weekday())-int(d)+7)%7)
	}
	if !from.Before(m.until) {
		return span{}, 0
	}
	s := unitSpan(day, from)
	s.again = m.again
	return s, n
}

// nthQuarter is the latest such quarter that is not ahead, or that of a year.
func (r *Reader) nthQuarter(nth, i int) (span, int) {
	first := (nth-1)*3 + 1
	if y, n := r.yearAt(i); y != 0 {
		return unitSpan(quarter, DayStart(y, time.Month(first), 1, r.now.Location())), n
	}
	s := unitSpan(quarter, DayStart(r.now.Year(), time.Month(first), 1, r.now.Location()))
	s.again = year
	if s.from.After(r.now) {
		s = unitSpan(quarter, DayStart(r.now.Year()-1, time.Month(first), 1, r.now.Location()))
		s.again = year
	}
	return s, i
}

// weekendBack reads "two weekends ago" and "the weekend before last".
func (r *Reader) weekendBack(i int) (span, int) {
	back, n := 0, 0
	if j := r.skip(i, "the"); r.is(j, "weekend", "before", "last") {
		back, n = 1, j+3
	} else if w := r.text(i + 1); (w == "weekends" || w == "weekend") && r.text(i+2) == "ago" {
		if count, ok := numberOf(r.text(i)); ok && count > 0 && count <= 52 {
			back, n = count-1, i+3
		}
	}
	if n == 0 {
		return span{}, 0
	}
	saturday := AddDays(week.start(r.now), 5)
	if saturday.After(r.now) {
		saturday = AddDays(saturday, -7)
	}
	saturday = AddDays(saturday, -7*back)
	return span{from: saturday, until: AddDays(saturday, 2), unit: week}, n
}

// beforeLast reads "the week before last", "the friday before last" and "two fridays ago".
func (r *Reader) beforeLast(i int) (span, int) {
	j := r.skip(i, "the")
	if r.text(j+1) != "before" && r.text(i+2) != "ago" {
		return span{}, 0
	}
	d, _, isDay := weekdayOf(r.text(j))
	if r.is(j+1, "before", "last") {
		if u := unitOf(r.text(j)); u >= week {
			return unitSpan(u, u.add(u.start(r.now), -2)), j + 3
		}
		if isDay {
			return r.weekdaysAgo(d, 2), j + 3
		}
		return span{}, 0
	}
	count, ok := numberOf(r.text(i))
	day, plural := strings.CutSuffix(r.text(i+1), "s")
	d, plain, isDay := weekdayOf(day)
	if !ok || count < 1 || count > 52 || !isDay || !plain || !plural && count > 1 || r.text(i+2) != "ago" {
		return span{}, 0
	}
	return r.weekdaysAgo(d, count), i + 3
}

// weekdaysAgo is the day that was n such weekdays before today.
func (r *Reader) weekdaysAgo(d time.Weekday, n int) span {
	today := StartOfDay(r.now)
	ago := (int(today.Weekday()) - int(d) + 7) % 7
	if ago == 0 {
		ago = 7
	}
	return unitSpan(day, AddDays(today, -ago-7*(n-1)))
}
