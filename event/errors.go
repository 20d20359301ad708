package event

import (
	"errors"
	"fmt"
	"time"
)

// The kinds of failure that callers tell apart. Adapters translate their
// vendor's errors into these and wrap them with the operation.
var (
	// ErrInvalid is input that can never succeed as it is; see FieldError.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound is a thing that is not there, or belongs to someone else.
	ErrNotFound = errors.New("not found")
	// ErrForbidden is a thing that this caller may not do.
	ErrForbidden = errors.New("forbidden")
	// ErrConflict is a write that met another one.
	ErrConflict = errors.New("conflict")
	// ErrUnavailable is a store or stream that is away: the same call may
	// succeed later, and it is no fault of what was asked.
	ErrUnavailable = errors.New("unavailable")
	// ErrTooMuch is a bound that was reached; see TooMuch.
	ErrTooMuch = errors.New("too much")
)

// FieldError is an invalid input with the field that is at fault.
type FieldError struct {
	// Field is a path such as "recipients[3].email".
	Field string
	// Problem says what is wrong and what would be right, for the sender.
	Problem string
	// Later is set where the same will be valid later: a time that is ahead of our clock,
	// which may be the one that is wrong.
	Later bool
}

// Invalid makes a FieldError.
func Invalid(field, problem string) *FieldError { return &FieldError{Field: field, Problem: problem} }

func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return fmt.Sprintf("%s: %s", e.Field, e.Problem)
}

// Is makes every FieldError an ErrInvalid.
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }

// TooMuch is a bound that was reached, with when to try again.
type TooMuch struct {
	// What names the bound, for the caller.
	What string
	// After is how long to wait, 0 when waiting does not help.
	After time.Duration
}

func (e *TooMuch) Error() string { return e.What }

// Is makes every TooMuch an ErrTooMuch.
func (e *TooMuch) Is(target error) bool { return target == ErrTooMuch }
