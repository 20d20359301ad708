package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"tidings/event"
	"tidings/mailbox"
)

// ownDomains are where vendors write the name of a message before the "@" of
// the Message-ID that they give to the mail. A reply names that Message-ID.
var ownDomains = []string{
	".sendgrid.net", ".amazonses.com", "@amazonses.com", "@mtasv.net", ".mtasv.net",
}

// replied is the message that a mail answers, as its provider calls it.
func replied(id string) string {
	local, _, ok := strings.Cut(id, "@")
	if !ok {
		return id
	}
	for _, domain := range ownDomains {
		if strings.HasSuffix(id, domain) {
			return local
		}
	}
	return id
}

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
	in.ID, in.Message = key("reply", own), shorten(firstOf(replied(m.ReplyTo), own), maxText)
	if m.From.Email != "" {
		in.Recipient = &m.From
	}
	owner := ""
	if len(m.To) > 0 {
		owner = m.To[0].Email
	}
	return Event{Input: in, Owner: owner}
}
