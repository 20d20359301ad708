package mailbox

import (
	"fmt"

	"tidings/event"
)

// Code says why a record was refused.
type Code string

// The codes of refusals.
const (
	// NoRecipient is a mail that names nobody in To, Cc or Bcc.
	NoRecipient Code = "no-recipient"
	// BadRecipients is a mail that names recipients, none with an address.
	BadRecipients Code = "bad-recipients"
	// NoSender is a mail without a From or Sender that holds an address.
	NoSender Code = "no-sender"
	// NoDate is a mail without a Date, or with one that cannot be read, is
	// before 1970 or is more than an hour ahead.
	NoDate Code = "no-date"
	// Unreadable is a mail, or a line, whose syntax is beyond repair.
	Unreadable Code = "unreadable"
	// TooLong is a line over the bound of 10 MiB.
	TooLong Code = "too-long"
	// NoEvent is a line of ndjson that the decoder refused.
	NoEvent Code = "no-event"
)

// String says it of one record and of many: "141 without any recipient".
func (c Code) String() string {
	switch c {
	case NoRecipient:
		return "without any recipient"
	case BadRecipients:
		return "without a recipient's address"
	case NoSender:
		return "without a sender's address"
	case NoDate:
		return "without a usable date"
	case Unreadable:
		return "unreadable"
	case TooLong:
		return "over 10 MiB"
	case NoEvent:
		return "not an event"
	}
	return string(c)
}

// Refusal is a record that became no events. It does not stop the Reader. It
// holds no address and nothing of a body, but for what the caller's decoder
// says about a line of ndjson.
type Refusal struct {
	// Path is the file.
	Path string
	// Record counts mails, or lines that are not empty, from 1.
	Record int64
	// Line counts from 1 in formats of lines, and is 0 in others.
	Line int64
	// Offset is where the record begins, in bytes of the uncompressed file;
	// 0 in a directory.
	Offset int64
	Code   Code
	// Detail says more than the code, or is empty.
	Detail string
}

func (r *Refusal) Error() string {
	where := ""
	switch {
	case r.Line > 0:
		where = fmt.Sprintf(", line %d", r.Line)
	case r.Offset > 0:
		where = fmt.Sprintf(", byte %d", r.Offset)
	}
	text := fmt.Sprintf("%s: record %d%s: %s", r.Path, r.Record, where, r.Code)
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	return text
}

// Is makes every Refusal an event.ErrInvalid.
func (r *Refusal) Is(target error) bool { return target == event.ErrInvalid }
