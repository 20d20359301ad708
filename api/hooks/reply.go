package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tidings/event"
	"tidings/mailbox"
)

// fingerprint names a mail that has no name of its own: the same mail has the
// same one whenever it comes.
func fingerprint(m mailbox.Mail) string {
	sum := sha256.New()
	for _, part := range []string{m.From.Email, strconv.FormatInt(m.Time.Unix(), 10), m.Subject, m.Body} {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return "sha256-" + hex.EncodeToString(sum.Sum(nil)[:16])
}

// replyEvent is a mail that came in. One that answers nothing is a
// conversation of its own.
func replyEvent(m mailbox.Mail, vendorKey string) Event {
	in := event.Input{
		Type: event.Reply, Time: momentOf(m.Time), Subject: shorten(m.Subject, maxText),
		Body: strings.TrimSpace(strings.ReplaceAll(m.Body, "\r\n", "\n")),
	}
	own := firstOf(m.ID, vendorKey, fingerprint(m))
	in.ID, in.Message = key("reply", own), shorten(firstOf(mailbox.MessageOf(m.ReplyTo), own), maxText)
	if m.From.Email != "" {
		in.Recipient = &m.From
	}
	owner := ""
	if len(m.To) > 0 {
		owner = m.To[0].Email
	}
	return Event{Input: in, Owner: owner}
}

// mail adds what a mail that came in means. vendorKey is the vendor's own id of it,
// payload what is looked at for fields, and body what can be decoded again.
func (d *Decoded) mail(m mailbox.Mail, vendorKey string, payload, body []byte) error {
	owner := ""
	if len(m.To) > 0 {
		owner = m.To[0].Email
	}
	return d.mailTo(m, owner, vendorKey, payload, body)
}

// mailTo is mail for a person on our side whom the vendor names.
func (d *Decoded) mailTo(m mailbox.Mail, owner, vendorKey string, payload, body []byte) error {
	untimed := m.Time.IsZero()
	if untimed {
		m.Time = time.Unix(1, 0) // replaced by when it first arrived
	}
	reading, err := mailbox.Read(m, mailbox.Owner{Arrived: true, Now: m.Time})
	if err != nil {
		return event.Invalid("mail", "has no date that an event may have")
	}
	var events []Event
	switch {
	case reading.Kind == mailbox.Reply && len(reading.Events) > 0:
		reply := replyEvent(m, vendorKey)
		reply.Message = shorten(reading.Events[0].Message, maxText)
		reply.Aliases = reading.Events[0].Aliases
		events = []Event{reply}
	case reading.Kind == mailbox.Received, reading.Kind == mailbox.Reply:
		events = []Event{replyEvent(m, vendorKey)}
	case len(reading.Events) == 0:
		d.unknownIn("a mail that is "+string(reading.Kind), body)
		return nil
	default:
		for _, in := range reading.Events {
			in.ID, in.Message, in.Source = key(in.ID), shorten(in.Message, maxText), ""
			events = append(events, Event{Input: in})
		}
	}
	for i := range events {
		events[i].Owner, events[i].Payload, events[i].Again = owner, payload, body
		if untimed {
			events[i].Time, events[i].Untimed = nil, true
		}
	}
	d.Events = append(d.Events, events...)
	return nil
}
