package account

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"tidings/event"
)

// CheckName bounds a name or an id of 1 to 200 bytes without control
// characters.
func CheckName(field, value string) *event.FieldError {
	switch {
	case value == "":
		return event.Invalid(field, "is required")
	case len(value) > maxNameLength:
		return event.Invalid(field, fmt.Sprintf("has %d bytes; at most %d are taken", len(value), maxNameLength))
	case !utf8.ValidString(value):
		return event.Invalid(field, "is not valid UTF-8")
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return event.Invalid(field, "holds a control character")
	}
	return nil
}
