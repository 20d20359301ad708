package event

import (
	"errors"
	"syscall"
)

// CauseOf says in words of our own why something cannot be done now: the words of a
// vendor may hold addresses and names of files.
func CauseOf(err error) string {
	if weeks, other := SplitDamaged(err); other == nil && len(weeks) > 0 {
		return weeks.Error()
	}
	var cause *Cause
	switch {
	case errors.As(err, &cause):
		return cause.Words
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "no more files can be opened"
	case errors.Is(err, syscall.EROFS):
		return "the disk cannot be written"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it does not answer"
	}
	var much *TooMuch
	if errors.As(err, &much) {
		return much.What
	}
	return "it is unavailable"
}

// Cause is an ErrUnavailable with a reason that anybody may read.
type Cause struct{ Words string }

func (e *Cause) Error() string { return e.Words }

// Is makes every Cause an ErrUnavailable.
func (e *Cause) Is(target error) bool { return target == ErrUnavailable }

// Degraded is something that does not work as it should while everything else does,
// in words that anybody may read.
type Degraded struct{ Words string }

func (e *Degraded) Error() string { return e.Words }
