package mailbox

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// zones are the names that RFC 5322 section 4.3 gives a meaning, and those that
// one region alone uses, in minutes. Any other name says nothing, and counts as
// UTC: what time.Parse makes of it would depend on the zone of this machine.
var zones = map[string]int{
	"UT": 0, "GMT": 0, "UTC": 0, "Z": 0,
	"EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
	"BST": 60, "WEST": 60, "CET": 60, "MET": 60, "CEST": 120, "MEST": 120, "MESZ": 120, "MEZ": 60,
	"EET": 120, "EEST": 180, "MSK": 180, "JST": 540, "KST": 540, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
	"HST": -600, "AKST": -540, "AKDT": -480, "HKT": 480, "SGT": 480,
}

// monthNames are beginnings of months as programs of several languages write
// them. The longest that fits counts.
var monthNames = map[string]time.Month{
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
	// German, Dutch, Scandinavian.
	"jän": 1, "jaen": 1, "mär": 3, "mrz": 3, "maer": 3, "maa": 3, "mrt": 3, "mai": 5, "mei": 5, "maj": 5, "okt": 10, "dez": 12, "des": 12,
	// French.
	"fév": 2, "fev": 2, "avr": 4, "juin": 6, "juil": 7, "aoû": 8, "aou": 8, "déc": 12,
	// Spanish, Portuguese, Italian.
	"ene": 1, "gen": 1, "abr": 4, "mag": 5, "giu": 6, "lug": 7, "ago": 8, "set": 9, "out": 10, "ott": 10, "dic": 12,
	// Polish, Czech.
	"sty": 1, "lut": 2, "kwi": 4, "cze": 6, "lip": 7, "sie": 8, "wrz": 9, "paź": 10, "paz": 10, "lis": 11, "gru": 12,
	// Russian.
	"янв": 1, "фев": 2, "мар": 3, "апр": 4, "май": 5, "мая": 5, "июн": 6, "июл": 7, "авг": 8, "сен": 9, "окт": 10, "ноя": 11, "дек": 12,
}

// monthOf is the month that a word names, or 0.
func monthOf(word string) time.Month {
	word = strings.ToLower(strings.Trim(word, ".,"))
	for letters := 4; letters >= 3; letters-- {
		runes := []rune(word)
		if len(runes) >= letters && !strings.ContainsFunc(word, unicode.IsDigit) {
			if month, ok := monthNames[string(runes[:letters])]; ok {
				return month
			}
		}
	}
	return 0
}

// maxDate is more than any date needs, with its comments.
const maxDate = 200

// parseDate reads a Date field, by the standard or by what is often found in
// its place; without a zone it is UTC.
func parseDate(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if len(text) > maxDate {
		return time.Time{}, false
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, true
	}
	var d dateParts
	d.year, d.day, d.hour = -1, -1, -1
	for _, word := range dateWords(text) {
		d.word(word)
	}
	return d.time()
}

// dateWords cuts a date into words, without its comments, which nest.
func dateWords(text string) []string {
	var bare strings.Builder
	depth := 0
	for _, r := range text {
		switch {
		case r == '(':
			depth++
		case r == ')' && depth > 0:
			depth--
		case depth == 0:
			bare.WriteRune(r)
		}
	}
	text = strings.NewReplacer(",", " ", "\u00a0", " ", "\u202f", " ").Replace(bare.String())
	return strings.Fields(text)
}

// dateParts are what the words of a date have said.
type dateParts struct {
	year, day, hour, minute, second int
	month                           time.Month
	// offset is the zone's, in minutes; zoned says that there was one.
	offset       int
	zoned        bool
	afternoon    bool
	twelve       bool
	contradicted bool
}

func (d *dateParts) word(word string) {
	switch {
	case d.meridian(word), d.clock(word), d.wholeDate(word), d.zone(word):
	case (d.month == 0 || d.hour < 0) && monthOf(word) != 0:
		// The last counts: "mar" begins March, and Tuesday in French and Spanish.
		d.month = monthOf(word)
	default:
		d.number(word)
	}
}

func (d *dateParts) meridian(word string) bool {
	switch strings.ToUpper(strings.ReplaceAll(word, ".", "")) {
	case "AM":
		d.twelve = true
	case "PM":
		d.twelve, d.afternoon = true, true
	default:
		return false
	}
	return true
}

// clock reads 9:30, 09:30:00.5, 09.30.00, 00:01+0000 and 9:30PM.
func (d *dateParts) clock(word string) bool {
	if d.hour >= 0 {
		return false
	}
	if at := strings.IndexAny(word, "+-"); at > 0 && strings.Contains(word[:at], ":") {
		if !d.clock(word[:at]) {
			return false
		}
		d.zone(word[at:])
		return true
	}
	upper := strings.ToUpper(word)
	for _, half := range []string{"AM", "PM", "Z"} {
		if rest, found := strings.CutSuffix(upper, half); found && strings.Contains(rest, ":") {
			if !d.clock(rest) {
				return false
			}
			return d.meridian(half) || d.zone(half)
		}
	}
	if !strings.Contains(word, ":") && strings.Count(word, ".") == 2 && len(word) <= len("09.30.00") {
		word = strings.ReplaceAll(word, ".", ":")
	}
	fields := strings.Split(word, ":")
	if len(fields) < 2 || len(fields) > 3 {
		return false
	}
	numbers := [3]int{}
	for i, field := range fields {
		field, _, _ = strings.Cut(field, ".")
		n, err := strconv.Atoi(field)
		if err != nil || n < 0 || len(field) > 2 {
			return false
		}
		numbers[i] = n
	}
	d.hour, d.minute, d.second = numbers[0], numbers[1], numbers[2]
	return true
}

// wholeDate reads 2026-11-16, 29-04-2017, 16/11/2026, 2-Nov-26 and
// 2026-11-16T09:30:00.
func (d *dateParts) wholeDate(word string) bool {
	date, clock, _ := strings.Cut(word, "T")
	fields := strings.FieldsFunc(date, func(r rune) bool { return r == '-' || r == '/' })
	if len(fields) != 3 || d.day >= 0 || d.year >= 0 {
		return false
	}
	if month := monthOf(fields[1]); month != 0 {
		d.month = month
		d.number(fields[0])
		d.number(fields[2])
		return true
	}
	first, err1 := strconv.Atoi(fields[0])
	middle, err2 := strconv.Atoi(fields[1])
	last, err3 := strconv.Atoi(fields[2])
	if err1 != nil || err2 != nil || err3 != nil {
		return false
	}
	switch {
	case len(fields[0]) == 4:
		d.year, d.month, d.day = first, time.Month(middle), last
	case middle > 12:
		d.year, d.month, d.day = fullYear(last, len(fields[2])), time.Month(first), middle
	default:
		d.year, d.month, d.day = fullYear(last, len(fields[2])), time.Month(middle), first
	}
	if clock != "" {
		d.clock(clock)
	}
	return true
}

// zone reads +0100, -600, +05:30, GMT+0200, CEST. A sign alone tells an offset
// from a year.
func (d *dateParts) zone(word string) bool {
	upper := strings.ToUpper(word)
	if rest, found := strings.CutPrefix(upper, "GMT"); found && rest != "" {
		upper = rest
	} else if rest, found := strings.CutPrefix(upper, "UTC"); found && rest != "" {
		upper = rest
	}
	if upper != "" && (upper[0] == '+' || upper[0] == '-') {
		digits := strings.ReplaceAll(upper[1:], ":", "")
		n, err := strconv.Atoi(digits)
		if err != nil || len(digits) > 4 {
			return false
		}
		if len(digits) <= 2 {
			n *= 100
		}
		d.setZone((n/100*60 + n%100) * map[byte]int{'+': 1, '-': -1}[upper[0]])
		return true
	}
	if offset, known := zones[upper]; known && d.hour >= 0 {
		d.setZone(offset)
		return true
	}
	return false
}

// setZone keeps the first zone: what follows repeats it in another form.
func (d *dateParts) setZone(minutes int) {
	if !d.zoned && minutes > -24*60 && minutes < 24*60 {
		d.offset, d.zoned = minutes, true
	}
}

// number reads a day or a year; of a date that begins with its month the first
// number is the day.
func (d *dateParts) number(word string) {
	digits := strings.TrimRight(word, ".")
	for _, ordinal := range []string{"st", "nd", "rd", "th"} {
		digits = strings.TrimSuffix(digits, ordinal)
	}
	n, err := strconv.Atoi(digits)
	switch {
	case err != nil || n < 0:
	case d.day < 0 && len(digits) <= 2:
		d.day = n
	case d.year < 0 && len(digits) <= 4:
		d.year = fullYear(n, len(digits))
	case d.day < 0:
		d.day = n
	default:
		d.contradicted = d.contradicted || len(digits) > 4
	}
}

// fullYear is RFC 5322's: two digits from 00 to 49 are of this century, and all
// others with two or three are counted from 1900.
func fullYear(n, digits int) int {
	switch {
	case digits >= 4:
		return n
	case digits <= 2 && n < 50:
		return 2000 + n
	}
	return 1900 + n
}

// time is the date, if all of it was said and can be. A leap second and 24:00
// are moments of the next day.
func (d *dateParts) time() (time.Time, bool) {
	if d.twelve && d.hour >= 0 && d.hour <= 12 {
		d.hour %= 12
		if d.afternoon {
			d.hour += 12
		}
	}
	good := d.year >= 0 && d.month >= 1 && d.month <= 12 && d.day >= 1 && d.day <= 31 &&
		d.hour >= 0 && d.hour <= 24 && d.minute < 60 && d.second <= 60 && !d.contradicted &&
		(d.hour < 24 || d.minute == 0 && d.second == 0)
	if !good {
		return time.Time{}, false
	}
	at := time.Date(d.year, d.month, d.day, d.hour, d.minute, d.second, 0, time.UTC)
	if d.hour < 24 && d.second < 60 && at.Day() != d.day {
		return time.Time{}, false // There is no 31st of that month.
	}
	return at.Add(-time.Duration(d.offset) * time.Minute), true
}
