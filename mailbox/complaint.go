package mailbox

import (
	"strings"

	"tidings/event"
)

// complaint reads RFC 5965: a message/feedback-report.
func (r interpreter) complaint() (Reading, bool) {
	part := r.mail.parts.machine("message/feedback-report")
	if part == nil {
		return Reading{}, false
	}
	kind, person := "abuse", event.Person{}
	for _, group := range fieldGroups(part.text) {
		for _, f := range group {
			switch strings.ToLower(f.Name) {
			case "feedback-type":
				kind = strings.ToLower(firstWord(f.Value))
			case "original-rcpt-to", "removal-recipient":
				if address := typedAddress(f.Value); address != "" && person.Email == "" {
					person.Email = address
				}
			}
		}
	}
	returned := r.returned()
	if person.Email == "" && len(returned.To) == 1 {
		person = returned.To[0]
	}
	in := r.input(event.Complaint, eventKey(r.mail.key(), ":complaint"), "")
	switch kind {
	case "opt-out", "opt-out-list":
		in.Type = event.Unsubscribe
	case "not-spam", "auth-failure", "dmarc", "dkim":
		return Reading{Kind: Complaint, Why: "it complains of nothing"}, true
	}
	var ours bool
	if in.Message, ours = r.reportedMessage(returned); !ours {
		return Reading{Kind: Complaint, Why: "it is about a message that is not one of yours"}, true
	}
	if person.Email == "" {
		return Reading{Kind: Complaint, Why: "it names nobody"}, true
	}
	in.Recipient, in.Subject = &person, returned.Subject
	return Reading{Kind: Complaint, Events: []event.Input{in}}, true
}
