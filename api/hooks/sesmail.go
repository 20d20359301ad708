package hooks

import (
	"encoding/base64"
	"slices"
	"strings"

	"tidings/event"
	"tidings/mailbox"

	"github.com/go-json-experiment/json/jsontext"
)

// sesMail is what SES says of the mail that an event is about.
type sesMail struct {
	Timestamp   instant  `json:"timestamp"`
	Message     string   `json:"messageId"`
	Source      string   `json:"source"`
	Destination []string `json:"destination"`
	Common      struct {
		From    []string `json:"from"`
		To      []string `json:"to"`
		Subject string   `json:"subject"`
		Date    string   `json:"date"`
		Message string   `json:"messageId"`
	} `json:"commonHeaders"`
	Headers []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"headers"`
	Tags jsontext.Value `json:"tags"`
}

// names are other names of the mail: the Message-ID that it was sent with.
func (m sesMail) names() []string {
	names := []string{}
	for _, header := range m.Headers {
		if strings.EqualFold(header.Name, "Message-ID") {
			names = append(names, header.Value)
		}
	}
	var kept []string
	for _, name := range append(names, m.Common.Message) {
		if name = shorten(event.MessageName(name), maxAlias); name != "" && name != m.Message && !slices.Contains(kept, name) && len(kept) < event.MaxAliases {
			kept = append(kept, name)
		}
	}
	return kept
}

// received is a mail that came in: whole where SNS carries it, by its headers
// where it was stored elsewhere.
func (e sesEvent) received(out *Decoded, payload, body []byte) error {
	content := []byte(e.Content)
	if strings.EqualFold(e.Receipt.Action.Encoding, "BASE64") {
		decoded, err := base64.StdEncoding.DecodeString(e.Content)
		if err != nil {
			return event.Invalid("content", "is not base64")
		}
		content = decoded
	}
	var m mailbox.Mail
	if len(content) > 0 {
		var err error
		if m, err = mailbox.ParseMail(content); err != nil {
			return err
		}
	} else {
		m = e.Mail.headers()
	}
	// When SES took it, which is the same at each try; a sender's clock may be
	// wrong.
	if !e.Mail.Timestamp.IsZero() {
		m.Time = e.Mail.Timestamp.Time
	}
	if m.From.Email == "" && e.Mail.Source == "" {
		return event.Invalid("mail", "names no sender")
	}
	if m.From.Email == "" {
		m.From = person(e.Mail.Source, "")
	}
	return out.mail(m, e.Mail.Message, payload, body)
}

// headers is a mail by its headers alone.
func (m sesMail) headers() mailbox.Mail {
	var text strings.Builder
	for _, header := range m.Headers {
		text.WriteString(clean(header.Name) + ": " + clean(header.Value) + "\r\n")
	}
	found, err := mailbox.ParseMail([]byte(text.String() + "\r\n"))
	if err != nil {
		found = mailbox.Mail{
			ID: mailbox.ParseMessageID(m.Common.Message), Time: mailbox.ParseDate(m.Common.Date), Subject: m.Common.Subject,
		}
		if len(m.Common.From) > 0 {
			found.From = person(m.Common.From[0], "")
		}
	}
	if len(found.To) == 0 {
		for _, to := range m.Destination {
			found.To = append(found.To, person(to, ""))
		}
	}
	return found
}
