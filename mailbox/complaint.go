package mailbox

import (
	"strings"

	"tidings/event"
)

// complaint reads RFC 5965: a message/feedback-report.
func (r interpreter) complaint() (Reading, bool) {
	part := r.mail.parts.machine("message/feedback-report")
	if part == nil {
		return r.junkReport()
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
	if person.Email == "" {
		person = r.reporter()
	}
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
	return r.complained(in, person, returned), true
}

// junkReport reads what Outlook.com reports without RFC 5965: the mail itself, whole or
// as a part.
func (r interpreter) junkReport() (Reading, bool) {
	person := r.reporter()
	if person.Email == "" || passedOn.MatchString(r.mail.Subject) {
		return Reading{}, false
	}
	returned := r.returned()
	if returned.ID == "" {
		returned = r.mail
	}
	in := r.input(event.Complaint, eventKey(r.mail.key(), ":complaint"), "")
	return r.complained(in, person, returned), true
}

// reporter is who complained, as Outlook.com says it: in a field of its own, which it
// puts before the header of the mail that it returns.
func (r interpreter) reporter() event.Person {
	headers := []header{r.mail.header}
	for _, inner := range r.mail.parts.inner {
		headers = append(headers, inner.header)
	}
	for _, h := range headers {
		if people, _ := addresses(h.first("x-hmxmroriginalrecipient")); len(people) == 1 {
			return people[0]
		}
	}
	return event.Person{}
}

// complained is the reading of a complaint by a person about a mail.
func (r interpreter) complained(in event.Input, person event.Person, returned Mail) Reading {
	var sent bool
	if in.Message, sent = r.reportedMessage(returned); !sent {
		return Reading{Kind: Complaint, Why: "it is about a message that is not one of yours"}
	}
	if person.Email == "" {
		return Reading{Kind: Complaint, Why: "it names nobody"}
	}
	in.Recipient, in.Subject = &person, returned.Subject
	return Reading{Kind: Complaint, Events: []event.Input{in}}
}
