package event

import (
	"fmt"
	"time"
)

// Week is an ISO 8601 week in UTC, counted from the one that holds 1 January
// 1970 (week 0, which began on Monday 29 December 1969).
type Week int32

const (
	weekSeconds = 7 * 24 * 60 * 60
	// epochLead is how much of week 0 was over when Unix time began.
	epochLead = 3 * 24 * 60 * 60
)

// WeekOf is the week that holds a time in Unix seconds.
func WeekOf(seconds int64) Week {
	shifted := seconds + epochLead
	week := shifted / weekSeconds
	if shifted%weekSeconds < 0 {
		week--
	}
	return Week(week)
}

// Start is the first second of the week.
func (w Week) Start() int64 { return int64(w)*weekSeconds - epochLead }

// End is the first second after the week.
func (w Week) End() int64 { return (w + 1).Start() }

// String is "2026-w47", with the ISO year.
func (w Week) String() string {
	year, week := time.Unix(w.Start(), 0).UTC().ISOWeek()
	return fmt.Sprintf("%04d-w%02d", year, week)
}

// ParseWeek reads what String writes.
func ParseWeek(text string) (Week, error) {
	var year, number int
	if n, err := fmt.Sscanf(text, "%04d-w%02d", &year, &number); n != 2 || err != nil {
		return 0, Invalid("week", "a week is written like 2026-w47")
	}
	// The fourth of January is always in week 1.
	week := WeekOf(time.Date(year, time.January, 4, 0, 0, 0, 0, time.UTC).Unix()) + Week(number-1)
	if week.String() != text {
		return 0, Invalid("week", "a week is written like 2026-w47, and that year has no such week")
	}
	return week, nil
}

// MarshalText writes "2026-w47".
func (w Week) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads "2026-w47".
func (w *Week) UnmarshalText(text []byte) error {
	parsed, err := ParseWeek(string(text))
	if err != nil {
		return err
	}
	*w = parsed
	return nil
}
