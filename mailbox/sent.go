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
	// maxUser is less than an address may have.
	maxUser = 200
	// maxText is more than a body may have, so that the event shows its cut.
	maxText = event.MaxBody + 1024
	// maxAhead is how far ahead of us a mail's clock may be.
	maxAhead = time.Hour
)

// importSource is where the events of mail say they come from.
const importSource = "import"

// outcome is a reading or a refusal.
type outcome struct {
	reading Reading
	refused *Refusal
}

func (o outcome) err() error {
	if o.refused != nil {
		return o.refused
	}
	return nil
}

// sent is a mail of an internal author: a send in pieces of 1,000 recipients, and a
// reply where it answers what another internal author wrote.
func (r interpreter) sent() (outcome, bool) {
	user, internal := r.author()
	m := r.mail
	if m.From.Email == "" && r.authors() && !m.hasLabels() {
		return outcome{refused: &Refusal{Code: NoSender}}, true
	}
	inSent := r.owner.Folder == FolderSent || m.labelled(FolderSent)
	if !internal || m.isList() && !inSent {
		return outcome{}, false
	}
	if refused := r.checkSend(user); refused != nil {
		return outcome{reading: Reading{Kind: Sent}, refused: refused}, true
	}
	if resent, ok := r.resent(); ok {
		return outcome{reading: resent}, true
	}
	found := Reading{Kind: Sent, Events: r.sends(user, m.key(), m.To), Assumed: r.owner.anybody() && !r.owner.Everybody && !m.hasLabels()}
	if original, ok := r.answered(); ok && !original.Self {
		found.Events = append(found.Events, r.reply(original.Message))
	}
	return outcome{reading: found}, true
}

// checkSend says why a mail cannot be a send.
func (r interpreter) checkSend(user string) *Refusal {
	switch m := r.mail; {
	case len(m.To) == 0 && !m.named:
		return &Refusal{Code: NoRecipient}
	case len(m.To) == 0:
		return &Refusal{Code: BadRecipients}
	case !strings.Contains(m.From.Email, "@") || len(user) > maxUser:
		return &Refusal{Code: NoSender}
	}
	return r.checkTime()
}

// resent is a mail that an internal author has sent on as it was: RFC 5322 section
// 3.6.6. It is a send of theirs; its first author's is another mail.
func (r interpreter) resent() (Reading, bool) {
	h := r.mail.header
	by, ok := sender(h.get("resent-from"), "")
	if !ok || r.owner.anybody() {
		return Reading{}, false
	}
	user, internal := r.owner.user(by.Email)
	to, _ := addresses(h.get("resent-to") + ", " + h.get("resent-cc"))
	id := messageID(h.first("resent-message-id"))
	at, dated := parseDate(h.first("resent-date"))
	if _, first := r.owner.user(r.mail.From.Email); first || !internal || len(to) == 0 || id == "" || !dated {
		return Reading{}, false
	}
	again := r
	again.mail.Time = at
	if again.checkTime() != nil {
		return Reading{}, false
	}
	return Reading{Kind: Sent, Events: again.sends(user, id, distinct(to))}, true
}

// sends are the send events of a message.
func (r interpreter) sends(user, message string, to []event.Person) []event.Input {
	var made []event.Input
	for piece := 0; piece*event.MaxRecipients < len(to); piece++ {
		rest := to[piece*event.MaxRecipients:]
		send := r.input(event.Send, eventKey(message, sendSuffix(piece)), message)
		send.Body = r.mail.Body
		send.User = user
		send.Recipients = rest[:min(len(rest), event.MaxRecipients)]
		made = append(made, send)
	}
	return made
}

// reply is the event of an answer, with what it quotes.
func (r interpreter) reply(message string) event.Input {
	in := r.input(event.Reply, eventKey(r.mail.key(), ":reply"), message)
	in.Body = r.mail.Body
	from := r.mail.From
	in.Recipient = &from
	return in
}

// input is an event of the mail.
func (r interpreter) input(kind event.Type, key, message string) event.Input {
	seconds := event.Moment(r.mail.Time.Unix())
	return event.Input{
		ID: key, Type: kind, Time: &seconds, Message: message,
		Subject: r.mail.Subject, Source: r.owner.Source,
	}
}

// key names the mail: its Message-ID, or a hash of what it is.
func (m Mail) key() string {
	if m.ID != "" {
		return m.ID
	}
	sum := sha256.New()
	part := func(text string) { fmt.Fprintf(sum, "%d:%s", len(text), text) }
	part(strconv.FormatInt(m.Time.Unix(), 10))
	part(m.From.Email)
	for _, person := range m.To {
		part(person.Email)
	}
	part(m.Subject)
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
	if !fitID(id) {
		return ""
	}
	return id
}

func fitID(id string) bool {
	unfit := func(r rune) bool { return r <= ' ' || r == 0x7f }
	return len(id) <= maxMessage && utf8.ValidString(id) && !strings.ContainsFunc(id, unfit)
}

// maxReferences bounds the ids of a References field; of longer ones the first
// and the last are kept, as RFC 5537 has it.
const maxReferences = 50

// messageIDs are the ids of a References field, in their order.
func messageIDs(field string) []string {
	var ids []string
	if !strings.Contains(field, "<") {
		for _, id := range strings.FieldsFunc(field, func(r rune) bool { return r <= ' ' || r == ',' }) {
			if strings.Contains(id, "@") && fitID(id) {
				ids = append(ids, id)
			}
		}
	}
	for rest := field; ; {
		_, after, found := strings.Cut(rest, "<")
		if !found {
			break
		}
		var id string
		if id, rest, found = strings.Cut(after, ">"); !found {
			break
		}
		// Folding may have cut an id in two.
		if id = strings.Join(strings.Fields(id), ""); id != "" && fitID(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) > maxReferences {
		ids = append(ids[:1:1], ids[len(ids)-maxReferences+1:]...)
	}
	return ids
}
