package mailbox

import (
	"regexp"
	"strings"

	"tidings/event"
)

// vendorDomains are where vendors write the name of a message before the "@" of
// the Message-ID that they give to the mail. A reply names that Message-ID.
var vendorDomains = []string{".sendgrid.net", ".amazonses.com", "@amazonses.com", "@mtasv.net", ".mtasv.net"}

// sendgridHost is how SendGrid's servers call themselves in the Message-IDs that
// they make: geopod-ismtpd-8, ismtpd0042p1sjc2.sendgrid.net.
var sendgridHost = regexp.MustCompile(`@(?:geopod-)?ismtpd[0-9a-z.-]*$`)

// MessageOf is the message that a Message-ID stands for, as the vendor that made
// the id calls the message; the id itself where no vendor is known that did.
func MessageOf(id string) string {
	local, _, ok := strings.Cut(id, "@")
	if !ok || local == "" {
		return id
	}
	if sendgridHost.MatchString(id) {
		return local
	}
	for _, domain := range vendorDomains {
		if strings.HasSuffix(id, domain) {
			return local
		}
	}
	return id
}

// named calls messages as their vendors do; the Message-ID is an alias then.
func named(events []event.Input) {
	for i := range events {
		if vendors := MessageOf(events[i].Message); vendors != events[i].Message {
			events[i].Aliases = append(events[i].Aliases, events[i].Message)
			events[i].Message = vendors
		}
	}
}
