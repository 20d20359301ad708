package times

import (
	"strings"
	"time"
)

// numeric reads dates in digits.
func (r *Reader) numeric(i int) (span, int) {
	text := r.text(i)
	if name, day, ok := strings.Cut(text, "/"); ok {
		if m, _ := monthOf(name); m != 0 {
			d, ok := digits(day) // nov/2
			if !ok {
				return span{}, 0
			}
			return r.checked(0, int(m), d, i+1)
		}
	}
	if len(text) < 3 || text[0] < '0' || text[0] > '9' {
		return span{}, 0
	}
	dotted := strings.HasSuffix(text, ".") // 13.11.
	text = strings.TrimSuffix(text, ".")
	for _, sign := range []string{"-", "/", "."} {
		fields := strings.Split(text, sign)
		if len(fields) != 2 && len(fields) != 3 {
			continue
		}
		var n [3]int
		for k, field := range fields {
			var ok bool
			if n[k], ok = digits(field); !ok {
				return r.stamp(i)
			}
		}
		if len(fields) == 2 {
			if y, m := n[1], n[0]; len(fields[1]) == 4 && m >= 1 && m <= 12 && y >= 1970 && y <= 2100 && (r.led || r.likely) {
				return unitSpan(month, DayStart(y, time.Month(m), 1, r.now.Location())), i + 1 // 11/2026
			}
			if sign != "." && len(fields[0]) == 4 && n[1] >= 1 && n[1] <= 12 && (r.led || sign == "/" && r.likely) {
				return unitSpan(month, DayStart(n[0], time.Month(n[1]), 1, r.now.Location())), i + 1
			}
			switch {
			case sign == "/" && (r.led || r.likely || r.timeBehind(i+1)):
			case sign == "." && (dotted || r.led && i > 0) && len(fields[0]) <= 2 && len(fields[1]) <= 2:
			default:
				return span{}, 0
			}
			m, d := r.ordered(n[0], n[1], sign == ".")
			if sign == "/" && m > 12 {
				m, d = d, m
			}
			return r.checked(0, m, d, i+1)
		}
		if len(fields[0]) == 4 {
			return r.checked(n[0], n[1], n[2], i+1)
		}
		if len(fields[2]) == 2 {
			const century = 70 // is 1970, and 69 is 2069
			if n[2] += 1900; n[2] < 1900+century {
				n[2] += 100
			}
		} else if len(fields[2]) != 4 {
			return span{}, 0
		}
		m, d := r.ordered(n[0], n[1], sign == ".")
		if m > 12 {
			m, d = d, m
		}
		return r.checked(n[2], m, d, i+1)
	}
	return r.stamp(i)
}

// ordered tells the month from the day. Dates with dots have the day first
// everywhere.
func (r *Reader) ordered(a, b int, dots bool) (m, d int) {
	if r.dayFirst || dots {
		return b, a
	}
	return a, b
}

func (r *Reader) checked(y, m, d, n int) (span, int) {
	if m < 1 || m > 12 || d < 1 || d > 31 || y != 0 && (y < 1970 || y > 2105) {
		return span{}, 0
	}
	return r.onDate(y, time.Month(m), d, n)
}

// stamp reads an ISO time.
func (r *Reader) stamp(i int) (span, int) {
	text := strings.ToUpper(r.text(i))
	for _, layout := range [...]struct {
		text string
		unit unit
	}{{"2006-01-02T15:04", minute}, {"2006-01-02T15:04:05", second}, {time.RFC3339, second}, {"2006-01-02T15:04Z07:00", minute}} {
		if at, err := time.ParseInLocation(layout.text, text, r.now.Location()); err == nil {
			at = Clamp(at).In(r.now.Location())
			return span{from: at, until: layout.unit.add(at, 1), unit: layout.unit}, i + 1
		}
	}
	return span{}, 0
}

// quarterOrYear reads q3 and 2026, which are times only where one is expected.
func (r *Reader) quarterOrYear(i int) (span, int) {
	text := r.text(i)
	if len(text) == 2 && text[0] == 'q' && text[1] >= '1' && text[1] <= '4' {
		y, n := r.yearAt(i + 1)
		if y == 0 && !r.led && !r.likely && !r.is(i+1, "so", "far") && !r.is(i+1, "to", "date") {
			return span{}, 0
		}
		s := span{}
		m := time.Month(text[1]-'1')*3 + 1
		if y != 0 {
			return unitSpan(quarter, DayStart(y, m, 1, r.now.Location())), n
		}
		if s = unitSpan(quarter, DayStart(r.now.Year(), m, 1, r.now.Location())); s.from.After(r.now) {
			s = unitSpan(quarter, s.from.AddDate(-1, 0, 0))
		}
		s.again = year
		return s, n
	}
	if y, ok := digits(text); ok && (r.led || r.likely || r.text(i+1) == "or" && r.text(i+2) == "later") && len(text) == 4 && y >= 1970 && y <= 2100 {
		return unitSpan(year, DayStart(y, 1, 1, r.now.Location())), i + 1
	}
	return span{}, 0
}
