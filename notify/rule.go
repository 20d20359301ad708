package notify

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"tidings/event"
)

// When says what a rule waits for.
type When string

// The ways. The zero value is OnEvent.
const (
	// OnEvent tells of each event that is found.
	OnEvent When = "event"
)

// Rule tells a person of what they asked for, whoever's it is that they may see.
type Rule struct {
	Name  string `json:"name"`
	Owner string `json:"owner"`
	Ask
	// Created is when it was made or what it asks changed, Unix milliseconds: nothing
	// from before is told.
	Created int64 `json:"created,omitempty"`
	// Done is the event that a rule of once told of.
	Done event.ID `json:"done,omitzero"`
}

// Ask is what a rule asks, as its owner writes it.
type Ask struct {
	On When `json:"on,omitempty" enum:"event" doc:"event when absent"`
	// Q, Message, Person and Kinds all hold where they are given.
	Q       string `json:"q,omitempty" maxLength:"2000" doc:"a search for events, as it is typed; without times and without conditions on what happens later"`
	Message string `json:"message,omitempty" maxLength:"2000" doc:"of this message alone, by id"`
	Person  string `json:"person,omitempty" maxLength:"320" doc:"by this recipient alone, by address"`
	Kinds   []Kind `json:"kinds,omitempty" maxItems:"10" doc:"of these kinds alone, such as open and reply"`
	// Once ends it with the first that it tells.
	Once    bool `json:"once,omitempty" doc:"the rule ends with the first that it tells"`
	Enabled bool `json:"enabled"`
	// Cell says how often and where it tells.
	Cell Cell `json:"do"`
}

// Bounds of rules.
const (
	// MaxRules is how many a person has, and maxSpaceRules how many a workspace.
	MaxRules      = 50
	maxSpaceRules = 1000
	maxRuleText   = 2000
	maxRuleKinds  = 10
	maxRuleName   = 200
)

// asked is how a rule waits.
func (a Ask) asked() When {
	if a.On == "" {
		return OnEvent
	}
	return a.On
}

// Check says what is wrong with a rule.
func (r Rule) Check() *event.FieldError {
	if strings.TrimSpace(r.Name) == "" || len(r.Name) > maxRuleName || !utf8.ValidString(r.Name) {
		return event.Invalid("name", "is empty, or has more than 200 bytes")
	}
	return r.Ask.Check()
}

// Check says what is wrong with what a rule asks.
func (a Ask) Check() *event.FieldError {
	if a.asked() != OnEvent {
		return event.Invalid("on", "is not one of the choices")
	}
	if strings.TrimSpace(a.Q) == "" && a.Message == "" && a.Person == "" {
		return event.Invalid("q", "is required where neither message nor person is given")
	}
	for _, text := range []struct{ name, value string }{{"q", a.Q}, {"message", a.Message}, {"person", a.Person}} {
		if len(text.value) > maxRuleText || !utf8.ValidString(text.value) {
			return event.Invalid(text.name, "is too long, or not valid UTF-8; 2,000 bytes are taken")
		}
	}
	if len(a.Kinds) > maxRuleKinds || slices.ContainsFunc(a.Kinds, func(k Kind) bool { return !slices.Contains(Kinds, k) }) {
		return event.Invalid("kinds", "has one that is not known, such as open or reply")
	}
	if err := (Cells{Mine: {"open": a.Cell}}).Check(); err != nil || a.Cell.Often == Off || len(a.Cell.Channels) == 0 {
		return event.Invalid("do", "has how often and at least one channel; a rule that is off is not enabled")
	}
	return nil
}

// about reports whether an event is one of those that a rule is about, but for its text.
func (r Rule) about(e event.Event) bool {
	switch {
	case !r.Enabled || r.asked() != OnEvent:
		return false
	case !r.Done.IsZero() && r.Done != e.ID:
		return false
	case r.Message != "" && r.Message != e.Message:
		return false
	case r.Person != "" && event.KeyOf(r.Person) != event.KeyOf(e.RecipientEmail()):
		return false
	}
	return len(r.Kinds) == 0 || slices.Contains(r.Kinds, Kind(e.Type))
}

// onceKey is the claim of a rule of once: it tells of one event until that is withdrawn.
func (r Rule) onceKey() string { return fmt.Sprintf("once|%s|%s|%d", r.Owner, r.Name, r.Created) }
