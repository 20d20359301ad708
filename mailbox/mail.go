package mailbox

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"tidings/event"
)

// Mail is one mail, taken apart and decoded; Read says what it means.
type Mail struct {
	// ID and ReplyTo are without angle brackets, empty when unusable.
	ID, ReplyTo string
	// References are the ids of the mails before it, oldest first.
	References []string
	// Time is zero when nothing says when it was written, or it cannot be read.
	// A caller who knows when it came may set it.
	Time time.Time
	// From has no address when the mail names no sender.
	From event.Person
	// To is everybody it is addressed to, once each; who it was delivered to
	// where it names nobody.
	To []event.Person
	// Subject and Body are decoded text. Body is whole: with what it quotes.
	Subject, Body string

	header header
	parts  content
	// named says that recipients were given, of which To has the usable.
	named bool
	// wrong says why there is no usable date.
	wrong string
}

// ParseMail reads one mail as it was sent: RFC 5322 with MIME, and what is
// often found in its place. The error is an event.ErrInvalid.
func ParseMail(raw []byte) (Mail, error) {
	from := io.Reader(bytes.NewReader(raw))
	if onlyCarriageReturns(raw[:min(len(raw), sniffed)]) {
		from = carriageReturns{from}
	}
	m, err := readMail(from)
	if errors.Is(err, errNoMail) {
		return Mail{}, event.Invalid("mail", "has no header")
	}
	if err != nil {
		return Mail{}, event.Invalid("mail", "cannot be read")
	}
	return m, nil
}

// Field is one field of a header as it was sent, encoded words and all.
type Field struct{ Name, Value string }

// Parts is a mail that a vendor has taken apart.
type Parts struct {
	// Header are the mail's fields; Content-Type tells a report from a reply.
	Header []Field
	// Text and HTML are its decoded bodies.
	Text, HTML string
	// Attachments are its other parts. Those that are for programs are used:
	// delivery reports, receipts, complaints, calendars and returned mails.
	Attachments []Attachment
}

// Attachment is a part of a mail without its encoding.
type Attachment struct {
	// Type is a Content-Type, such as "message/delivery-status".
	Type string
	Data []byte
}

// ParseParts makes a mail of what a vendor has taken apart. It is as ParseMail,
// and never fails: what is missing is empty.
func ParseParts(p Parts) Mail {
	fields := newHeaderFields()
	for _, f := range p.Header {
		value := strings.ReplaceAll(strings.ReplaceAll(f.Value, "\r", " "), "\n", " ")
		fields.line([]byte(f.Name + ": " + value))
	}
	fields.end()
	m := mailOf(fields.header)
	m.parts.plain = cleanBody(p.Text)
	if p.HTML != "" {
		m.parts.html = htmlText(p.HTML[:min(len(p.HTML), maxHTML)])
	}
	for _, a := range p.Attachments {
		r := newMIMEReader(bytes.NewReader(a.Data))
		switch kind, _ := contentType(a.Type); {
		case strings.HasPrefix(kind, "message/"), kind == "text/rfc822-headers", kind == "text/calendar", kind == "application/ics":
			r.entity(header{"content-type": {a.Type}}, &m.parts, maxDepth)
		}
	}
	m.Body = m.parts.text()
	return m
}

// ParseHeader reads a header as it was sent into fields, for Parts.
func ParseHeader(raw string) []Field {
	var fields []Field
	for name, values := range headerOf([]byte(strings.TrimSpace(raw))) {
		for _, value := range values {
			fields = append(fields, Field{name, value})
		}
	}
	return fields
}

// readMail reads one message. The error is errNoMail when it has not one field
// of a header.
func readMail(from io.Reader) (Mail, error) {
	r := newMIMEReader(from)
	h, ended := r.header(true)
	if len(h) == 0 && ended != nil {
		return Mail{}, errNoMail
	}
	m := mailOf(h)
	r.hint = hintOf(h)
	if ended == nil {
		r.entity(h, &m.parts, maxDepth)
	}
	m.Body = m.text()
	return m, nil
}

// readMailOr is readMail, or its header alone.
func readMailOr(from io.Reader, headerAlone bool) (Mail, error) {
	if !headerAlone {
		return readMail(from)
	}
	h, ended := newMIMEReader(from).header(true)
	if len(h) == 0 && ended != nil {
		return Mail{}, errNoMail
	}
	return mailOf(h), nil
}

// receivedAt gives a mail without a usable date the time at which its mailbox
// got it.
func (m *Mail) receivedAt(at time.Time) {
	if m.Time.IsZero() && !at.IsZero() {
		m.Time = at
	}
}

// hintOf is the charset of what names none: the one that the mail names
// elsewhere.
func hintOf(h header) string {
	if _, params := contentType(h.first("content-type")); !noCharset[charsetName(params["charset"])] {
		return params["charset"]
	}
	for _, name := range []string{"subject", "from", "to"} {
		if found := wordCharset(h.first(name)); found != "" {
			return found
		}
	}
	return ""
}

// mailOf is what a header says.
func mailOf(h header) Mail {
	hint := hintOf(h)
	m := Mail{
		header:     h,
		ID:         messageID(toUTF8(h.first("message-id"))),
		ReplyTo:    messageID(toUTF8(h.first("in-reply-to"))),
		References: messageIDs(toUTF8(h.get("references"))),
		Subject:    cleanLine(decodeWords(h.first("subject"), hint), maxSubject),
	}
	for _, field := range []string{"from", "sender", "return-path"} {
		if found, ok := sender(h.get(field), hint); ok {
			m.From = found
			break
		}
		if m.From.Email == "" && field != "return-path" {
			m.From = robot(h.get(field))
		}
		if m.From.Email != "" {
			break
		}
	}
	var to []event.Person
	for _, field := range []string{"to", "cc", "bcc"} {
		people, named := addressesIn(h.get(field), hint)
		to = append(to, people...)
		m.named = m.named || named
	}
	m.To = distinct(to)
	if len(m.To) == 0 {
		m.To = m.deliveredTo()
	}
	m.Time, m.wrong = m.date()
	return m
}

// deliveredTo is whom the mail was delivered to, as servers note it.
func (m Mail) deliveredTo() []event.Person {
	for _, field := range []string{"delivered-to", "x-original-to", "x-delivered-to", "envelope-to", "x-envelope-to", "apparently-to", "x-rcpt-to"} {
		if people, _ := addresses(m.header.get(field)); len(people) > 0 {
			return distinct(people)
		}
	}
	return nil
}

// date is when the mail was written: its Date, or else the time at which the
// last server took it.
func (m Mail) date() (time.Time, string) {
	wrong := "it has none"
	for _, text := range m.header["date"] {
		if at, ok := parseDate(text); ok {
			return at, ""
		}
		wrong = "it cannot be read"
	}
	if at := m.arrival(); !at.IsZero() {
		return at, ""
	}
	return time.Time{}, wrong
}

// arrival is when a server took the mail, the first that can be read, or zero.
func (m Mail) arrival() time.Time {
	for _, hop := range append(append([]string{}, m.header["delivery-date"]...), m.header["received"]...) {
		if at := strings.LastIndexByte(hop, ';'); at >= 0 {
			hop = hop[at+1:]
		}
		if at, ok := parseDate(hop); ok {
			return at
		}
	}
	return time.Time{}
}

// robot is a sender without a domain, as mail systems sign: <MAILER-DAEMON>.
func robot(field string) event.Person {
	t := scanMailbox(cleanLine(field, 0))
	address := t.address
	if !t.angled {
		address = t.name
	}
	address = strings.Trim(strings.TrimSpace(address), `"`)
	if address == "" || len(address) > 60 || strings.ContainsFunc(address, unfit) {
		return event.Person{}
	}
	name := ""
	if t.angled {
		name = cleanLine(decodeName(t.name, t.comment), maxName)
	}
	return event.Person{Email: strings.ToLower(address), Name: name}
}

// text is the body with the mails that it passes on.
func (m Mail) text() string {
	text := m.parts.text()
	if m.reportType() != "" {
		return text
	}
	var whole strings.Builder
	whole.WriteString(text)
	for _, inner := range m.parts.inner {
		if whole.Len() >= maxText {
			break
		}
		passed := mailOf(inner.header)
		if whole.Len() > 0 {
			whole.WriteString("\n\n")
		}
		whole.WriteString("---------- Forwarded message ----------\n")
		if passed.From.Email != "" {
			whole.WriteString("From: " + strings.TrimSpace(passed.From.Name+" <"+passed.From.Email+">") + "\n")
		}
		if passed.Subject != "" {
			whole.WriteString("Subject: " + passed.Subject + "\n")
		}
		passed.parts = inner.content
		if body := passed.text(); body != "" {
			whole.WriteString("\n" + body)
		}
	}
	return cleanBody(whole.String())
}

// reportType is the report that a mail is, by its own word, or empty.
func (m Mail) reportType() string {
	kind, params := contentType(m.header.first("content-type"))
	if kind != "multipart/report" {
		return ""
	}
	if params["report-type"] == "" {
		return "unnamed"
	}
	return strings.ToLower(params["report-type"])
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
func PlainText(html string) string { return htmlText(html[:min(len(html), maxHTML)]) }
