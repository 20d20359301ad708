package crm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What a step makes sure of.
const (
	ensurePerson = "person"
	ensureMember = "member"
	ensureEvent  = "event"
)

// personStep is the key of the first step of all.
const personStep = ensurePerson

// Bounds of steps.
const (
	MaxSteps  = 8
	maxFields = 20
	maxText   = 500
	maxName   = 80
)

// EnsureStep is one thing that is made sure of.
type EnsureStep struct {
	// Ensure is person, member or event. The person is the first step, and the only one of
	// its kind.
	Ensure string `json:"ensure" enum:"person,member,event" doc:"what is made sure of; the person first"`
	// Of is the id of the list or the campaign, or the name of HubSpot's event.
	Of string `json:"of,omitempty" maxLength:"80" doc:"member: the id of the list (HubSpot) or the campaign (Salesforce). event: its name at HubSpot, such as pe123_opened"`
	// Set are fields of what is made, with a text or the name of a value behind a $.
	Set map[string]string `json:"set,omitempty" doc:"fields of a record that is made, each with a text, or $ and one of email, name, first_name, last_name, domain, type, subject, sentence, time, link, owner"`
}

// ValueNames are the values that fields may be set to.
var ValueNames = []string{
	"email", "name", "first_name", "last_name", "domain", "type", "subject", "sentence", "time", "link", "owner",
}

// key names a step among those of an account: it stays where steps are added around it.
func (s EnsureStep) key() string {
	if s.Of == "" {
		return s.Ensure
	}
	return s.Ensure + "/" + s.Of
}

// together is how many subjects go in one call: an answer of HubSpot's about a hundred
// contacts may be larger than what is read of one.
func (s EnsureStep) together() int {
	if s.Ensure == ensurePerson {
		return Most / 2
	}
	return Most
}

// fields are those of a record that is made: what the vendor needs, and what the step
// sets. An empty value sets nothing.
func (s EnsureStep) fields(defaults, values map[string]string) map[string]string {
	fields := make(map[string]string, len(defaults)+len(s.Set))
	for name, value := range defaults {
		if value != "" {
			fields[name] = value
		}
	}
	for name, text := range s.Set {
		if value, of := strings.CutPrefix(text, "$"); of {
			text = values[value]
		}
		if text != "" {
			fields[name] = cut(text)
		}
	}
	return fields
}

// cut keeps a value within what fields of text take at both vendors.
func cut(text string) string {
	if runes := []rune(text); len(runes) > 255 {
		return string(runes[:254]) + "…"
	}
	return text
}

// CheckSteps says what is wrong with the steps of an account.
func CheckSteps(vendor Vendor, steps []EnsureStep) error {
	if len(steps) == 0 || steps[0].Ensure != ensurePerson {
		return errors.New("do not begin with a person")
	}
	if len(steps) > MaxSteps {
		return fmt.Errorf("are more than %d", MaxSteps)
	}
	keys := make(map[string]bool)
	for i, step := range steps {
		if err := step.check(vendor, i == 0); err != nil {
			return fmt.Errorf("step %d %w", i+1, err)
		}
		if keys[step.key()] {
			return fmt.Errorf("step %d is there twice", i+1)
		}
		keys[step.key()] = true
	}
	return nil
}

func (s EnsureStep) check(vendor Vendor, first bool) error {
	switch s.Ensure {
	case ensurePerson:
		if !first || s.Of != "" {
			return errors.New("makes sure of another person")
		}
	case ensureMember:
		if !plainName(s.Of) {
			return errors.New("has no id of a list or a campaign in of")
		}
	case ensureEvent:
		if (vendor == HubSpot) != plainName(s.Of) || vendor != HubSpot && s.Of != "" {
			return errors.New("has of where it must not, or lacks it: HubSpot's events have a name, Salesforce's have none")
		}
	default:
		return errors.New("ensures none of person, member, event")
	}
	if vendor == HubSpot && s.Ensure == ensureMember && len(s.Set) > 0 {
		return errors.New("sets fields: a member of HubSpot's lists has none")
	}
	if len(s.Set) > maxFields {
		return fmt.Errorf("sets more than %d fields", maxFields)
	}
	for name, text := range s.Set {
		if !plainName(name) {
			return errors.New("sets a field whose name is not one: it has letters, digits and _")
		}
		if value, of := strings.CutPrefix(text, "$"); len(text) > maxText || of && !slices.Contains(ValueNames, value) {
			return fmt.Errorf("sets a field to something that is neither a text of at most %d bytes nor one of $%s", maxText, strings.Join(ValueNames, ", $"))
		}
	}
	return nil
}

// plainName is a name or an id as both vendors have them: nothing in it can end a path or
// a query.
func plainName(text string) bool {
	return text != "" && len(text) <= maxName && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_'
	})
}
