package event

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"tidings/address"
)

func checkDetails(in Input, _ *Event, _ Limits) *FieldError {
	if in.Bounce != nil {
		if in.Type != Bounce {
			return Invalid("bounce", "belongs on a bounce event")
		}
		switch in.Bounce.Kind {
		case "", BounceHard, BounceSoft, BounceRejected:
		default:
			return Invalid("bounce.kind", fmt.Sprintf("%q is not one of hard, soft, rejected", clip(in.Bounce.Kind)))
		}
		if err := checkText("bounce.detail", in.Bounce.Detail, maxText, false); err != nil {
			return err
		}
	}
	if in.Client != nil {
		if err := checkClient(*in.Client); err != nil {
			return err
		}
	}
	switch {
	case in.Type == Custom && in.Kind == "":
		return Invalid("kind", "is required on a custom event: a word for what it is")
	case in.Type == Custom && in.Title == "":
		return Invalid("title", "is required on a custom event: what people read in the feed")
	}
	return nil
}

// checkClient bounds what is kept of a request.
func checkClient(client Client) *FieldError {
	if client.IP != "" {
		if _, err := netip.ParseAddr(client.IP); err != nil {
			return Invalid("client.ip", fmt.Sprintf("%q is not an IP address", clip(client.IP)))
		}
	}
	if client.UserAgent != nil {
		if err := checkText("client.user_agent", *client.UserAgent, maxAgent, false); err != nil {
			return err
		}
	}
	if err := checkText("client.method", client.Method, maxMethod, true); err != nil {
		return err
	}
	if len(client.Headers) > maxHeaders {
		return Invalid("client.headers", fmt.Sprintf("has %d headers; at most %d are taken", len(client.Headers), maxHeaders))
	}
	for name, value := range client.Headers {
		if name == "" || name != strings.ToLower(name) {
			return Invalid("client.headers", fmt.Sprintf("%q is not a name of a header in lower case", clip(name)))
		}
		if err := checkText("client.headers", name, maxName, true); err != nil {
			return err
		}
		if err := checkText("client.headers."+clip(name), value, maxHeader, false); err != nil {
			return err
		}
	}
	return nil
}

// lenient is the input without what is wrong and an event can do without.
func (in Input) lenient() Input {
	if in.Recipient != nil {
		if person, err := normalPerson("", lenientPerson(*in.Recipient)); err != nil {
			in.Recipient = nil
		} else if person.Name != in.Recipient.Name {
			in.Recipient = &Person{Email: in.Recipient.Email, Name: person.Name}
		}
	}
	in.Recipients, in.Candidates = lenientPeople(in.Recipients), lenientPeople(in.Candidates)
	for _, text := range []struct {
		at   *string
		most int
	}{
		{&in.User, maxName},
		{&in.Title, maxText},
		{&in.Subject, maxText},
		{&in.Kind, maxName},
		{&in.Link, maxLink},
		{&in.File, maxText},
		{&in.Body, MaxBody},
	} {
		*text.at = cutText(*text.at, text.most, text.at != &in.Body)
	}
	if len(in.Aliases) > MaxAliases {
		in.Aliases = in.Aliases[:MaxAliases]
	}
	in.Aliases = slices.DeleteFunc(slices.Clone(in.Aliases), func(name string) bool {
		return checkText("", name, maxAlias, true) != nil
	})
	if in.Client != nil && checkClient(*in.Client) != nil {
		in.Client = nil
	}
	return in
}

func lenientPeople(people []Person) []Person {
	kept := make([]Person, 0, min(len(people), MaxRecipients))
	for _, person := range people[:min(len(people), MaxRecipients)] {
		if _, problem := address.Canonical(person.Email); problem == "" {
			kept = append(kept, lenientPerson(person))
		}
	}
	return kept
}

func lenientPerson(p Person) Person {
	p.Name = cutText(p.Name, 2*maxName, true)
	return p
}

// cutText is a text of valid characters, without control characters where line
// is set, cut at the end of a character.
func cutText(text string, most int, line bool) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if line && strings.ContainsFunc(text, isControl) {
		text = strings.Map(func(r rune) rune {
			if isControl(r) {
				return -1
			}
			return r
		}, text)
	}
	if !line || len(text) <= most {
		return text // a body is cut with a mark elsewhere
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
