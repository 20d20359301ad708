package mailbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tidings/event"
)

// Bounds of package event on what goes into an input, in bytes.
const (
	maxMessage = 2000
	maxSubject = 2000
	maxName    = 400
	maxAddress = 320
	// maxUser is less than an address may have.
	maxUser = 200
	// maxText is more than a body may have, so that the event shows its cut.
	maxText = event.MaxBody + 1024
	// maxAhead is how far ahead of us a mail's clock may be.
	maxAhead = time.Hour
)

// importSource is where the events of mail say they come from.
const importSource = "import"

// mail is what of a mail becomes events, decoded but not judged.
type mail struct {
	// id and replyTo are without angle brackets, empty when unusable.
	id, replyTo string
	date        string
	// from has no address when the mail names no sender.
	from event.Person
	to   []event.Person
	// named says that recipients were given, of which to has the usable.
	named   bool
	subject string
	body    string
}

// inputs are the events of a mail, or why there are none.
func (m mail) inputs(options Options) ([]event.Input, *Refusal) {
	recipients := distinct(m.to)
	switch {
	case len(recipients) == 0 && !m.named:
		return nil, &Refusal{Code: NoRecipient}
	case len(recipients) == 0:
		return nil, &Refusal{Code: BadRecipients}
	case m.from.Email == "" || len(m.from.Email) > maxUser:
		return nil, &Refusal{Code: NoSender}
	}
	seconds, refused := m.seconds(options.Now())
	if refused != nil {
		return nil, refused
	}
	message := m.id
	if message == "" {
		message = m.hash(seconds, recipients)
	}
	user := options.User
	if user == "" {
		user = m.from.Email
	}
	var made []event.Input
	for piece := 0; piece*event.MaxRecipients < len(recipients); piece++ {
		rest := recipients[piece*event.MaxRecipients:]
		send := m.input(event.Send, eventKey(message, sendSuffix(piece)), message, seconds)
		send.User = user
		send.Recipients = rest[:min(len(rest), event.MaxRecipients)]
		made = append(made, send)
	}
	if m.replyTo != "" && m.replyTo != message {
		reply := m.input(event.Reply, eventKey(message, ":reply"), m.replyTo, seconds)
		from := m.from
		reply.Recipient = &from
		made = append(made, reply)
	}
	return made, nil
}

func (m mail) input(kind event.Type, key, message string, seconds event.Moment) event.Input {
	return event.Input{
		ID: key, Type: kind, Time: &seconds, Message: message,
		Subject: m.subject, Body: m.body, Source: importSource,
	}
}

// seconds is the mail's date, if an event may have it.
func (m mail) seconds(now time.Time) (event.Moment, *Refusal) {
	if strings.TrimSpace(m.date) == "" {
		return 0, &Refusal{Code: NoDate, Detail: "it has none"}
	}
	at, ok := parseDate(m.date)
	switch {
	case !ok:
		return 0, &Refusal{Code: NoDate, Detail: "it cannot be read"}
	case at.Unix() < 0:
		return 0, &Refusal{Code: NoDate, Detail: "it is before 1970"}
	case at.After(now.Add(maxAhead)):
		return 0, &Refusal{Code: NoDate, Detail: "it is more than an hour ahead"}
	}
	return event.Moment(at.Unix()), nil
}

// hash names a mail that has no name of its own.
func (m mail) hash(seconds event.Moment, recipients []event.Person) string {
	sum := sha256.New()
	part := func(text string) { fmt.Fprintf(sum, "%d:%s", len(text), text) }
	part(strconv.FormatInt(int64(seconds), 10))
	part(m.from.Email)
	for _, person := range recipients {
		part(person.Email)
	}
	part(m.subject)
	return "sha256-" + hex.EncodeToString(sum.Sum(nil)[:16])
}

// sendSuffix ends the key of a send's piece, counted from 0.
func sendSuffix(piece int) string {
	if piece == 0 {
		return ":send"
	}
	return ":send:" + strconv.Itoa(piece+1)
}

// eventKey is the event's key within its bound.
func eventKey(message, suffix string) string {
	key := "mail:" + message + suffix
	if len(key) <= event.MaxKey {
		return key
	}
	sum := sha256.Sum256([]byte(message))
	return "mail:sha256-" + hex.EncodeToString(sum[:]) + suffix
}

// distinct keeps the first of each address, with the first name given to it.
func distinct(people []event.Person) []event.Person {
	at := make(map[string]int, len(people))
	kept := make([]event.Person, 0, len(people))
	for _, person := range people {
		i, known := at[person.Email]
		if !known {
			at[person.Email] = len(kept)
			kept = append(kept, person)
		} else if kept[i].Name == "" {
			kept[i].Name = person.Name
		}
	}
	return kept
}

// messageID is the first id of a Message-ID or In-Reply-To field, without its
// angle brackets, or empty. Old programs wrote a sentence with the id at its
// end, and new ones leave out the brackets.
func messageID(field string) string {
	field = strings.TrimSpace(field)
	id := field
	if begin := strings.IndexByte(field, '<'); begin >= 0 {
		if begin > 0 {
			begin = strings.LastIndexByte(field, '<')
		}
		id, _, _ = strings.Cut(field[begin+1:], ">")
		id = strings.TrimSpace(id)
	}
	unfit := func(r rune) bool { return r <= ' ' || r == 0x7f }
	if len(id) > maxMessage || !utf8.ValidString(id) || strings.ContainsFunc(id, unfit) {
		return ""
	}
	return id
}
