package mailbox

import (
	"regexp"
	"strings"

	"tidings/event"
)

// receipt reads RFC 8098: a message/disposition-notification.
func (r interpreter) receipt() (Reading, bool) {
	part := r.mail.parts.machine("message/disposition-notification", "message/global-disposition-notification")
	if part == nil {
		return Reading{}, false
	}
	var about, original, final, disposition, agent string
	for _, group := range fieldGroups(part.text) {
		for _, f := range group {
			switch strings.ToLower(f.Name) {
			case "original-message-id":
				about = messageID(f.Value)
			case "original-recipient":
				original = typedAddress(f.Value)
			case "final-recipient":
				final = typedAddress(f.Value)
			case "disposition":
				disposition = strings.ToLower(f.Value)
			case "reporting-ua":
				agent = cleanLine(f.Value, maxSubject)
			}
		}
	}
	returned := r.returned()
	person := r.mail.From
	if address := (delivery{original: original, final: final}).recipient(returned); address != "" && address != person.Email {
		person = event.Person{Email: address}
	}
	message, ok := r.about(append([]string{about, returned.ID}, r.mail.ancestors()...)...)
	switch {
	case !ok:
		return Reading{Kind: Receipt, Why: "it is about a message that is not one of yours"}, true
	case !strings.Contains(person.Email, "@"):
		return Reading{Kind: Receipt, Why: "it names nobody"}, true
	}
	in := r.input(event.Open, eventKey(r.mail.key(), ":receipt"), message)
	in.Subject, in.Recipient = returned.Subject, &person
	_, what, _ := strings.Cut(disposition, ";")
	what = firstWord(strings.NewReplacer("/", " ", ",", " ").Replace(what))
	switch what {
	case "displayed", "":
		// A receipt is made when a person has the mail shown to them.
		human := false
		in.Client = &event.Client{Automated: &human, Method: "MDN"}
		if agent != "" {
			in.Client.UserAgent = &agent
		}
	case "deleted":
		if strings.Contains(disposition, "automatic-action") && r.isRejection() {
			in.Type, in.ID = event.Bounce, eventKey(r.mail.key(), ":report")
			in.Bounce = &event.BounceDetail{Kind: event.BounceHard, Detail: cleanLine(r.mail.parts.text(), maxDetail)}
			if fullMailbox.MatchString(in.Bounce.Detail) {
				in.Bounce.Kind = event.BounceSoft
			}
			return Reading{Kind: Report, Events: []event.Input{in}}, true
		}
		in.Type, in.Kind, in.Title = event.Custom, "deleted", "Deleted without being displayed"
	default:
		return Reading{Kind: Receipt, Why: "it does not say that the mail was displayed"}, true
	}
	return Reading{Kind: Receipt, Events: []event.Input{in}}, true
}

// maxDetail bounds what is kept of the words of a refusal.
const maxDetail = 500

// fullMailbox is a refusal that may pass.
var fullMailbox = regexp.MustCompile(`(?i)quota|mailbox(?:es)? (?:is|are|was) full|mailbox full|full mailbox|inbox (?:is )?full|out of storage|insufficient (?:disk )?(?:space|storage)|postfach (?:ist )?(?:\S+ )?(?:voll|überfüllt)|boîte (?:aux lettres )?(?:est )?pleine|buzón (?:está )?lleno|casella (?:è )?piena|容量|已满`)

// isRejection reports whether a receipt says that a mailbox refused the mail, as
// Sieve's reject does: RFC 5429 section 2.1.
func (r interpreter) isRejection() bool {
	return strings.Contains(strings.ToLower(r.mail.header.first("auto-submitted")), "rejected") || strings.Contains(strings.ToLower(r.mail.Subject), "rejected")
}

// about is the message that a mail by a program is about, if the workspace sent it.
// An id that is not known counts where the mail is addressed to us.
func (r interpreter) about(ids ...string) (string, bool) {
	if found, ok := r.original(ids...); ok {
		return found.Message, true
	}
	for _, id := range ids {
		if id != "" && id != r.mail.ID && r.addressedToUs() {
			return id, true
		}
	}
	return "", false
}
