package mailbox

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"tidings/event"
)

// Mail is what one mail says of itself.
type Mail struct {
	// ID and ReplyTo are without angle brackets, empty when unusable.
	ID, ReplyTo string
	// Time is zero when the date is missing or cannot be read.
	Time time.Time
	// From has no address when the mail names no sender.
	From event.Person
	To   []event.Person
	// Subject and Body are decoded text.
	Subject, Body string
}

// ParseMail reads one mail as it was sent: RFC 5322 with MIME, and what is
// often found in its place. The error is an event.ErrInvalid.
func ParseMail(raw []byte) (Mail, error) {
	m, err := readMail(bytes.NewReader(raw))
	if errors.Is(err, errNoMail) {
		return Mail{}, event.Invalid("mail", "has no header")
	}
	if err != nil {
		return Mail{}, event.Invalid("mail", "cannot be read")
	}
	at, _ := parseDate(m.date)
	return Mail{
		ID: m.id, ReplyTo: m.replyTo, Time: at, From: m.from, To: distinct(m.to),
		Subject: m.subject, Body: m.body,
	}, nil
}

// ParseAddresses reads an address list as a header field has it; what is no
// address is passed over.
func ParseAddresses(list string) []event.Person {
	people, _ := addresses(list)
	return people
}

// ParseDate reads a Date field, or what is often found in its place. It is zero
// when that is none.
func ParseDate(text string) time.Time {
	at, _ := parseDate(text)
	return at
}

// ParseMessageID is the first id of a Message-ID or In-Reply-To field without
// its angle brackets, empty when it is unusable.
func ParseMessageID(field string) string { return messageID(field) }

// PlainText is roughly what a reader of HTML sees.
func PlainText(html string) string { return htmlText(strings.NewReader(html)) }
