package figures

import (
	"fmt"
	"strings"
)

// Must is what a figure has to be.
type Must struct {
	// Row is its name in the list of figures the product must reach, such as P1.
	Row string
	// Benchmark and Figure are what measures it, by their names, and Unit is the figure's.
	Benchmark, Figure, Unit string
	// Bound is the least that it may be, or the most where Most says so.
	Bound float64
	Most  bool
	// Aim is what it should become; null where nothing more is wanted.
	Aim *float64
	// Open says why no command measures it; empty where one does.
	Open string
}

// Says is the bound in words.
func (m Must) Says() string {
	side := "at least "
	if m.Most {
		side = "at most "
	}
	text := side + number(m.Bound)
	if m.Aim != nil {
		text += ", aim " + number(*m.Aim)
	}
	return text
}

// Ratio is how far a value is from the bound: 1 and more is reached, 2 is twice as good. It is
// null where the bound is 0, of which nothing is a multiple.
func (m Must) Ratio(value float64) *float64 {
	over, under := value, m.Bound
	if m.Most {
		over, under = m.Bound, value
	}
	if m.Bound == 0 || under <= 0 {
		return nil
	}
	ratio := over / under
	return &ratio
}

// Reached reports whether a value is within the bound.
func (m Must) Reached(value float64) bool { return within(value, m.Bound, m.Most) }

func within(value, bound float64, most bool) bool {
	if most {
		return value <= bound
	}
	return value >= bound
}

// verdict says in words how far a value is.
func (m Must) verdict(value float64) string {
	switch {
	case m.Aim != nil && within(value, *m.Aim, m.Most):
		return "reached, and the aim"
	case m.Reached(value):
		return "reached"
	case m.Bound == 0:
		return number(value) + " too many"
	case m.Most:
		return fmt.Sprintf("not reached: %s %% too much", number(100*(value/m.Bound-1)))
	default:
		return fmt.Sprintf("not reached: %s %% too little", number(100*(1-value/m.Bound)))
	}
}

// number writes a number with three digits or more, in groups of three.
func number(value float64) string {
	switch size := max(value, -value); {
	case size == 0:
		return "0"
	case size >= 99.95:
		return grouped(fmt.Sprintf("%.0f", value))
	case size >= 9.995:
		return trimmed(fmt.Sprintf("%.1f", value))
	case size >= 0.01:
		return trimmed(fmt.Sprintf("%.2f", value))
	default:
		return fmt.Sprintf("%.2g", value)
	}
}

// trimmed has no zeros at the end of a fraction.
func trimmed(text string) string {
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func grouped(digits string) string {
	digits, negative := strings.CutPrefix(digits, "-")
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	if negative {
		return "-" + digits
	}
	return digits
}
