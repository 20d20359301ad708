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
	// OnAbsence tells of each send that nobody has opened, or answered, so long after it.
	OnAbsence When = "absence"
	// OnBy tells at a time, once or each week.
	OnBy When = "by"
	// OnCount tells when so many events are found within a time.
	OnCount When = "count"
	// OnRate tells when so many of the sends bounce, and when no longer.
	OnRate When = "rate"
	// OnSilence tells when a source sends nothing, and when it does again.
	OnSilence When = "silence"
	// OnReport tells each week the figures of the week before.
	OnReport When = "report"
)

// What a rule of absence, or of a message by a time, waits for in vain.
const (
	NoOpen  = "open"
	NoReply = "reply"
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
	On When `json:"on,omitempty" enum:"event,absence,by,count,rate,silence,report" doc:"event when absent"`
	// Q, Message, Person and Kinds all hold where they are given.
	Q       string `json:"q,omitempty" maxLength:"2000" doc:"a search for events, as it is typed; without times and without conditions on what happens later"`
	Message string `json:"message,omitempty" maxLength:"2000" doc:"of this message alone, by id"`
	Person  string `json:"person,omitempty" maxLength:"320" doc:"by this recipient alone, by address"`
	Kinds   []Kind `json:"kinds,omitempty" maxItems:"10" doc:"of these kinds alone, such as open and reply"`
	// Once ends it with the first that it tells.
	Once    bool `json:"once,omitempty" doc:"the rule ends with the first that it tells"`
	Enabled bool `json:"enabled"`
	// No and After are of absence; No is of by and a message too.
	No    string `json:"no,omitempty" enum:"open,reply" doc:"absence, and by with a message: what has not happened"`
	After string `json:"after,omitempty" maxLength:"30" doc:"absence: how long after the send, such as 36h, 3d or 5 working days; 60 days at most"`
	// At or Weekly is when a rule of a time tells.
	At     int64   `json:"at,omitempty" doc:"by: when, Unix seconds"`
	Weekly *Weekly `json:"weekly,omitempty" doc:"by, report: each week, by the clock of the owner's zone; a report is of the seven days before"`
	// Count, Within and Per are of counts; Within is of rates and of silence too.
	Count  int    `json:"count,omitempty" doc:"count: how many, 2 to 50"`
	Within string `json:"within,omitempty" maxLength:"30" doc:"count, rate, silence: within how long, such as 1h; a week at most"`
	Per    string `json:"per,omitempty" enum:"recipient,message,domain" doc:"count: by the same recipient (when absent), of the same message, or by the same company"`
	// Percent and Least are of rates, Source is of silence.
	Percent float64 `json:"percent,omitempty" doc:"rate: tells when more of the sends than this bounce"`
	Least   int     `json:"least,omitempty" doc:"rate: of so many sends at least, 100 when absent"`
	Source  string  `json:"source,omitempty" maxLength:"200" doc:"silence: the name of the source"`
	// Cell says how often and where it tells.
	Cell Cell `json:"do"`
}

// Bounds of rules.
const (
	// MaxRules is how many a person has, and maxWorkspaceRules how many a workspace.
	MaxRules          = 50
	maxWorkspaceRules = 1000
	maxRuleText       = 2000
	maxRuleKinds      = 10
	maxRuleName       = 200
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
	if err := a.checkTimes(); err != nil {
		return err
	}
	for _, text := range []struct{ name, value string }{{"q", a.Q}, {"message", a.Message}, {"person", a.Person}, {"source", a.Source}} {
		if len(text.value) > maxRuleText || !utf8.ValidString(text.value) {
			return event.Invalid(text.name, "is too long, or not valid UTF-8; 2,000 bytes are taken")
		}
	}
	if a.Once && (a.asked() == OnRate || a.asked() == OnSilence || a.asked() == OnReport || a.asked() == OnBy && a.Message == "") {
		return event.Invalid("once", "is of rules that tell of an event or a message: leave it out")
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
func (r *Rule) about(e *event.Event) bool {
	switch {
	case !r.Enabled || r.On != "" && r.On != OnEvent && r.On != OnCount:
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
