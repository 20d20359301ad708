package times

import (
	"strings"
	"time"
)

// point reads a day, with a time of day or not, or a time of day alone.
func (r *Reader) point(i int) (span, int) {
	if !r.mayBegin(i) {
		return span{}, 0
	}
	if s, n := r.hourOfPart(i); n > 0 {
		return s, n
	}
	i = r.skip(i, "around", "about", "roughly")
	if s, n := r.clockOnDate(i); n > 0 {
		return s, n
	}
	if s, n := r.date(i); n > 0 {
		if s.unit != day {
			return s, n
		}
		if c, m := r.clockBehind(n); m > 0 {
			return c.on(s), m
		}
		return s, n
	}
	if c, n := r.clock(i); n > 0 && (r.led || !c.bare) {
		return r.onLatestDay(c), n
	}
	return span{}, 0
}

// clockOnDate reads a time of day before its date: "3pm on friday".
func (r *Reader) clockOnDate(i int) (span, int) {
	c, n := r.clock(i)
	if n == 0 || !r.led && (r.text(i) == "lunch" || r.text(i) == "lunchtime") {
		return span{}, 0
	}
	led := r.led
	r.led = led || r.text(n) == "on"
	s, n := r.date(r.skip(n, "on", "of"))
	r.led = led
	if n == 0 || s.unit != day {
		return span{}, 0
	}
	return c.on(s), n
}

// clockBehind reads a time of day behind its date: "friday at 3", "yesterday
// morning".
func (r *Reader) clockBehind(i int) (clock, int) {
	at := r.skip(r.skip(i, "at", "@", "this"), "around", "about", "roughly")
	if c, n := r.clock(at); n > 0 {
		return c, n
	}
	if at > i && r.text(i) != "this" {
		if h, ok := digits(r.text(at)); ok && h < 24 && len(r.text(at)) <= 2 {
			return clock{from: businessHour(h), unit: hour}, at + 1
		}
	}
	return clock{}, 0
}

// businessHour is the hour that people mean who leave out am and pm.
func businessHour(h int) int {
	if h >= 1 && h <= 6 {
		h += 12
	}
	return h * 3600
}

// clock is a time of day, from the one second of the day until before the other.
type clock struct {
	from, until int
	unit        unit
	// bare is whether it may be something else: 3:16, lunch.
	bare bool
}

const daySeconds = 24 * 3600

// atNight is the hour of a night that people mean who leave out am and pm.
func (c clock) atNight() clock {
	switch h := c.from / 3600; {
	case h < 6:
		c.from += daySeconds
	case h <= 12: // Noon is in no night: 12 is midnight.
		c.from += daySeconds / 2
	case h >= 13 && h <= 17 && c.unit == hour:
		c.from += daySeconds / 2 // 1 was taken for the afternoon.
	}
	return c
}

func (c clock) on(s span) span {
	at := func(seconds int) time.Time {
		if seconds%daySeconds == 0 {
			return DayStart(s.from.Year(), s.from.Month(), s.from.Day()+seconds/daySeconds, s.from.Location())
		}
		return time.Date(s.from.Year(), s.from.Month(), s.from.Day(), 0, 0, seconds, 0, s.from.Location())
	}
	out := span{from: at(c.from), until: at(c.until), unit: c.unit, again: s.again}
	if c.until == 0 {
		out.until = c.unit.add(out.from, 1)
	}
	return out
}

// onLatestDay is the latest such time of day that is not ahead, unless it may
// be.
func (r *Reader) onLatestDay(c clock) span {
	s := c.on(unitSpan(day, r.now))
	s.again = day
	if s.from.After(r.now) && !r.ahead {
		return s.move(-1)
	}
	return s
}

// clock reads a time of day.
func (r *Reader) clock(i int) (clock, int) {
	if !r.mayBegin(i) {
		return clock{}, 0
	}
	j := i
	if r.is(i, "at") || r.is(i, "@") {
		j++
	}
	switch r.text(r.skip(j, "the")) {
	case "noon", "midday", "lunch", "lunchtime":
		return clock{from: 12 * 3600, unit: hour, bare: j == i}, r.skip(j, "the") + 1
	case "dawn":
		return clock{from: 5 * 3600, unit: hour, bare: j == i}, r.skip(j, "the") + 1
	case "midnight":
		return clock{from: 0, unit: hour, bare: j == i}, j + 1
	}
	if r.text(i) == "in" && r.text(i+1) == "the" || r.text(i) == "at" && r.text(i+1) == "night" || r.led || r.text(i) == "this" {
		k := r.skip(r.skip(i, "in", "at", "this"), "the")
		if c, ok := partOfDay(r.text(k)); ok {
			return c, k + 1
		}
	}
	if i > 0 && r.beforeIsDay(i) {
		if c, ok := partOfDay(r.text(i)); ok {
			return c, i + 1
		}
	}
	if h, ok := digits(r.text(j)); ok && (r.text(i) == "@" || r.text(i) == "at" && r.likely) && h < 24 && len(r.text(j)) <= 2 && halfOf(r.text(j+1)) == 0 {
		return clock{from: businessHour(h), unit: hour}, j + 1
	}
	if c, n := r.spoken(r.skip(j, "the")); n > 0 {
		return c, n
	}
	return r.hourMinute(j)
}

// spoken reads "half past 3", "quarter to four".
func (r *Reader) spoken(i int) (clock, int) {
	minutes := 0
	switch {
	case r.is(i, "half", "past"):
		minutes = 30
	case r.is(i, "quarter", "past"):
		minutes = 15
	case r.is(i, "quarter", "to"):
		minutes = -15
	default:
		return clock{}, 0
	}
	h, ok := numberOf(r.text(i + 2))
	if !ok || h < 1 || h > 12 {
		return clock{}, 0
	}
	n, half := i+3, halfOf(r.text(i+3))
	at := businessHour(h)
	switch half {
	case 1:
		at, n = h%12*3600, n+1
	case 2:
		at, n = (h%12+12)*3600, n+1
	}
	return clock{from: at + minutes*60, unit: minute}, n
}

// beforeIsDay reports whether a day was just read before i, so that "morning"
// is its morning.
func (r *Reader) beforeIsDay(i int) bool {
	before := r.text(i - 1)
	_, _, weekday := weekdayOf(before)
	number, _ := digits(before)
	_, ordinal := ordinalOf(before)
	return weekday || ordinal || number > 0 || before == "yesterday" || before == "yest" || before == "tomorrow" || before == "today" || before == "tom"
}

func partOfDay(word string) (clock, bool) {
	switch word {
	case "morning":
		return clock{from: 6 * 3600, until: 12 * 3600, unit: day}, true
	case "noon":
		return clock{from: 12 * 3600, unit: hour}, true
	case "afternoon":
		return clock{from: 12 * 3600, until: 18 * 3600, unit: day}, true
	case "evening":
		return clock{from: 18 * 3600, until: 24 * 3600, unit: day}, true
	case "night":
		return clock{from: 18 * 3600, until: 30 * 3600, unit: day}, true
	}
	return clock{}, false
}

// hourMinute reads 3pm, 15:30, 10:15:30 am, nine o'clock.
func (r *Reader) hourMinute(i int) (clock, int) {
	text := r.text(i)
	half, letters := 0, strings.TrimRight(text, "apm.")
	bare := len(text)-len(letters) == 1
	if letters != text {
		if half = halfOf(text[len(letters):]); half == 0 {
			return clock{}, 0
		}
	}
	french := false
	if half != 0 {
		letters = strings.ReplaceAll(letters, ".", ":") // 8.30pm
	} else if h, m, ok := strings.Cut(letters, "h"); ok && len(m) == 2 {
		letters, french = h+":"+m, true // 15h30
	}
	c, parts, ok := clockDigits(letters)
	if !ok {
		if n, named := numberOf(text); named && n >= 1 && n <= 12 && r.text(i+1) == "o'clock" {
			return clock{from: n * 3600, unit: hour}, i + 2
		}
		return clock{}, 0
	}
	n := i + 1
	if half == 0 {
		if half = halfOf(r.text(n)); half != 0 {
			bare = len(r.text(n)) == 1
			n++
		}
	}
	c.bare = bare || half == 0 && !french
	hours := c.from / 3600
	switch {
	case half == 0 && r.text(n) == "o'clock":
		c.bare = false
		return c, n + 1
	case half == 0 && parts < 2:
		return clock{}, 0
	case half == 0:
		return c, n
	case hours < 1 || hours > 12:
		return clock{}, 0
	}
	c.from -= hours / 12 * 12 * 3600
	if half == 2 {
		c.from += 12 * 3600
	}
	return c, n
}

// halfOf tells am from pm: 1 or 2, 0 for neither.
func halfOf(word string) int {
	switch strings.ReplaceAll(word, ".", "") {
	case "am", "a":
		return 1
	case "pm", "p":
		return 2
	}
	return 0
}

// clockDigits reads 3, 3:30 or 3:30:10.
func clockDigits(text string) (c clock, parts int, ok bool) {
	bounds := [...]int{24, 60, 60}
	units := [...]unit{hour, minute, second}
	scale := 3600
	for field := range strings.SplitSeq(text, ":") {
		n, ok := digits(field)
		if !ok || parts == len(bounds) || n >= bounds[parts] || len(field) > 2 || parts > 0 && len(field) != 2 {
			return clock{}, 0, false
		}
		c.from += n * scale
		c.unit = units[parts]
		scale /= 60
		parts++
	}
	return c, parts, true
}

// Amount is a length of time.
type Amount struct {
	parts [3]struct {
		n    int
		unit unit
	}
	count int
	// unit is the smallest of the parts.
	unit unit
}

func (a Amount) move(t time.Time, sign int) time.Time {
	for _, part := range a.parts[:a.count] {
		t = part.unit.add(t, sign*part.n)
	}
	return t
}

func (a Amount) Before(t time.Time) time.Time { return a.move(t, -1) }

// amount reads "3 days", "half an hour", "1 hour and 3 minutes".
func (r *Reader) amount(i int) (Amount, int) {
	var a Amount
	for a.count < len(a.parts) {
		j := i
		if a.count > 0 {
			j = r.skip(i, "and")
		}
		n, u, next := r.counted(j)
		if next == 0 {
			break
		}
		a.parts[a.count].n, a.parts[a.count].unit = n, u
		a.count++
		a.unit = u
		i = next
	}
	if a.count == 0 {
		return Amount{}, 0
	}
	return a, i
}

// counted reads one number with its unit.
func (r *Reader) counted(i int) (int, unit, int) {
	text := r.text(i)
	if n, u, end := r.halves(i); end > 0 {
		return n, u, end
	}
	n, ok := numberOf(strings.TrimSuffix(text, "+"))
	switch {
	case ok:
		i++
	case text == "a" || text == "an":
		n, i = 1, i+1
		switch {
		case r.text(i) == "few":
			n, i = 3, i+1
		case r.is(i, "couple"):
			n, i = 2, r.skip(i+1, "of")
		}
	case text == "few":
		n, i = 3, i+1
	case text == "couple":
		n, i = 2, r.skip(i+1, "of")
	default:
		// 3d and 2h, as operators have them.
		cut := len(strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz"))
		n, ok := digits(text[:cut])
		if !ok || cut == len(text) {
			return 0, 0, 0
		}
		if u := shortUnit(text[cut:]); u != noUnit {
			return n, u, i + 1
		}
		return 0, 0, 0
	}
	if r.text(i) == "fortnight" || r.text(i) == "fortnights" {
		return 2 * n, week, i + 1
	}
	if u := unitOf(r.text(i)); u != noUnit {
		return n, u, i + 1
	}
	return 0, 0, 0
}

// halves reads what is counted in halves and quarters: "half an hour", "an hour and a
// half", "two and a half days", "1.5 hours", "three quarters of an hour".
func (r *Reader) halves(i int) (int, unit, int) {
	if !r.halved {
		return 0, 0, 0
	}
	if n, end := r.quartersOfAnHour(i); end > 0 {
		return n, minute, end
	}
	n, j := 0, i
	switch number, ok := numberOf(r.text(i)); {
	case r.text(i) == "half":
		j = r.skip(i+1, "a", "an")
	case ok && r.is(i+1, "and", "a", "half"):
		n, j = number, i+4
	case strings.HasSuffix(r.text(i), ".5"):
		if number, ok = digits(strings.TrimSuffix(r.text(i), ".5")); !ok {
			return 0, 0, 0
		}
		n, j = number, i+1
	default:
		if n = 1; ok {
			n, j = number, i+1
		} else {
			j = r.skip(i, "a", "an")
		}
		if !r.is(j+1, "and", "a", "half") {
			return 0, 0, 0
		}
		if half, u := halfUnit(unitOf(r.text(j))); half > 0 {
			return (2*n + 1) * half, u, j + 4
		}
		return 0, 0, 0
	}
	if half, u := halfUnit(unitOf(r.text(j))); half > 0 {
		return (2*n + 1) * half, u, j + 1
	}
	return 0, 0, 0
}

// quartersOfAnHour reads "a quarter of an hour" as minutes.
func (r *Reader) quartersOfAnHour(i int) (minutes, end int) {
	n, j := 1, r.skip(i, "a")
	if r.text(i) == "three" {
		n, j = 3, i+1
	}
	if w := r.text(j); w != "quarter" && w != "quarters" {
		return 0, 0
	}
	if j++; r.text(j) == "of" {
		j = r.skip(j+1, "an")
	}
	if r.text(j) != "hour" {
		return 0, 0
	}
	return 15 * n, j + 1
}

// halfUnit is half of a unit, in a smaller one.
func halfUnit(u unit) (int, unit) {
	switch u {
	case hour:
		return 30, minute
	case day:
		return 12, hour
	case week:
		return 84, hour
	case month:
		return 15, day
	case year:
		return 6, month
	}
	return 0, noUnit
}

func shortUnit(text string) unit {
	switch text {
	case "h":
		return hour
	case "d":
		return day
	case "w":
		return week
	case "min":
		return minute
	}
	return unitOf(text)
}
