package times

import (
	"time"
)

// unit is what times are counted in, from the smallest.
type unit int

const (
	noUnit unit = iota
	second
	minute
	hour
	day
	week
	month
	quarter
	year
)

func unitOf(word string) unit {
	switch word {
	case "second", "seconds", "sec", "secs":
		return second
	case "minute", "minutes", "min", "mins":
		return minute
	case "hour", "hours", "hr", "hrs":
		return hour
	case "day", "days":
		return day
	case "week", "weeks", "wk", "wks":
		return week
	case "month", "months":
		return month
	case "quarter", "quarters":
		return quarter
	case "year", "years", "yr", "yrs":
		return year
	}
	return noUnit
}

// add moves a time by n units of the calendar or the clock.
func (u unit) add(t time.Time, n int) time.Time {
	switch u {
	case second:
		return t.Add(time.Duration(n) * time.Second)
	case minute:
		return t.Add(time.Duration(n) * time.Minute)
	case hour:
		return t.Add(time.Duration(n) * time.Hour)
	case day:
		return AddDays(t, n)
	case week:
		return AddDays(t, 7*n)
	case month:
		return AddMonths(t, n)
	case quarter:
		return AddMonths(t, 3*n)
	case year:
		return AddMonths(t, 12*n)
	}
	return t
}

// start is where the unit that holds a time begins. Weeks begin on Monday.
func (u unit) start(t time.Time) time.Time {
	switch u {
	case second:
		return t.Truncate(time.Second)
	case minute:
		return t.Add(-time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
	case hour:
		return minute.start(t).Add(-time.Duration(t.Minute()) * time.Minute)
	case week:
		return AddDays(StartOfDay(t), -int(t.Weekday()+6)%7)
	case month:
		return DayStart(t.Year(), t.Month(), 1, t.Location())
	case quarter:
		return DayStart(t.Year(), (t.Month()-1)/3*3+1, 1, t.Location())
	case year:
		return DayStart(t.Year(), 1, 1, t.Location())
	}
	return StartOfDay(t)
}

var (
	months = [...]string{
		"january", "february", "march", "april", "may", "june",
		"july", "august", "september", "october", "november", "december",
	}
	weekdays = [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
)

// monthOf reads the name of a month. plain is false for names that are other
// words as well, which need something beside them to be a time.
func monthOf(word string) (m time.Month, plain bool) {
	if len(word) < 3 || word[0] < 'a' || word[0] > 's' {
		return 0, false
	}
	for i, name := range months {
		m = time.Month(i + 1)
		switch word {
		case name:
			return m, m != time.March && m != time.May
		case name[:3]:
			return m, false
		}
	}
	if word == "sept" {
		return time.September, false
	}
	return 0, false
}

// weekdayOf reads the name of a day; plain as for months.
func weekdayOf(word string) (d time.Weekday, plain, ok bool) {
	if len(word) < 3 || word[0] < 'f' || word[0] > 'w' {
		return 0, false, false
	}
	for i, name := range weekdays {
		if word == name || word == name[:3] {
			return time.Weekday(i), word == name, true
		}
	}
	switch word {
	case "tues":
		return time.Tuesday, false, true
	case "thur", "thurs":
		return time.Thursday, false, true
	}
	return 0, false, false
}

// whichOf reads a word that chooses a unit, a day or a month by its distance: -1, 0
// or 1.
func whichOf(word string) (distance int, ok bool) {
	switch word {
	case "last", "past", "previous", "prev":
		return -1, true
	case "this", "current":
		return 0, true
	case "next", "coming":
		return 1, true
	}
	return 0, false
}

var (
	smallNumbers = [...]string{
		"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
		"thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
	}
	smallOrdinals = [...]string{
		"", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
		"twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth",
	}
)

// numbers and ordinals are what the words for them mean.
var numbers, ordinals = func() (numbers, ordinals map[string]int) {
	numbers, ordinals = map[string]int{"thirty": 30}, map[string]int{}
	for n, name := range smallNumbers {
		numbers[name] = n
	}
	for n, name := range smallOrdinals[1:] {
		ordinals[name] = n + 1
	}
	return numbers, ordinals
}()

// digits reads a number of at most four digits.
func digits(text string) (int, bool) {
	if text == "" || len(text) > 4 {
		return 0, false
	}
	n := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n = n*10 + int(text[i]-'0')
	}
	return n, true
}

// numberOf reads a count in digits or letters.
func numberOf(word string) (int, bool) {
	if n, ok := digits(word); ok {
		return n, true
	}
	n, ok := numbers[word]
	return n, ok
}

// ordinalOf reads "12th" or "twelfth".
func ordinalOf(word string) (int, bool) {
	if len(word) > 2 && '0' <= word[0] && word[0] <= '9' {
		switch word[len(word)-2:] {
		case "st", "nd", "rd", "th":
			n, ok := digits(word[:len(word)-2])
			return n, ok && n >= 1 && n <= 31
		}
		return 0, false
	}
	n, ok := ordinals[word]
	return n, ok
}
