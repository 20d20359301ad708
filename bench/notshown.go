package bench

import "strings"

// NotShownError is the failure of a measurement whose figures do not show what they have to.
// The figures are there all the same.
type NotShownError struct{ Not []string }

func (e *NotShownError) Error() string { return "this was not shown: " + e.What() }

// What is not shown, as a line.
func (e *NotShownError) What() string { return strings.Join(e.Not, "; ") }

// notShown is the error where there is something in it.
func notShown(not []string) error {
	if len(not) == 0 {
		return nil
	}
	return &NotShownError{not}
}
