package event

import (
	"errors"
	"fmt"
	"strings"
)

// WeekDamaged is a week that cannot be read or written as long as somebody does not
// repair it: its file is cut or gone, its index is red. It is an ErrUnavailable of
// that week alone; other weeks work.
type WeekDamaged struct {
	Week Week
	// Cause says what was found, such as "the file is cut short".
	Cause string
	// Remedy says what to do.
	Remedy string
}

func (e *WeekDamaged) Error() string {
	text := fmt.Sprintf("week %s is damaged: %s", e.Week, e.Cause)
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

// Is makes every WeekDamaged an ErrUnavailable.
func (e *WeekDamaged) Is(target error) bool { return target == ErrUnavailable }

// DamagedWeeks comes with an answer that is whole but for these weeks.
type DamagedWeeks []*WeekDamaged

func (e DamagedWeeks) Error() string {
	texts := make([]string, len(e))
	for i, week := range e {
		texts[i] = week.Error()
	}
	return strings.Join(texts, "; ")
}

// Is makes DamagedWeeks an ErrUnavailable.
func (e DamagedWeeks) Is(target error) bool { return target == ErrUnavailable }

// Err is nil where no week is damaged.
func (e DamagedWeeks) Err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// SplitDamaged tells the damaged weeks, if that is all that went wrong, from any
// other error.
func SplitDamaged(err error) (DamagedWeeks, error) {
	if weeks, ok := errors.AsType[DamagedWeeks](err); ok {
		return weeks, nil
	}
	if week, ok := errors.AsType[*WeekDamaged](err); ok {
		return DamagedWeeks{week}, nil
	}
	return nil, err
}
