package notify

import (
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"

	"tidings/event"
)

// Outcome is what a decision came to.
type Outcome string

// The outcomes.
const (
	Notified  Outcome = "notified"
	Held      Outcome = "held"
	Not       Outcome = "not"
	Withdrawn Outcome = "withdrawn"
)

// Check is one of the questions that Decide asks, in this order. The first that
// stops is the outcome.
type Check string

// The checks.
const (
	CheckSeenBy  Check = "seen-by"
	CheckKind    Check = "kind"
	CheckSelf    Check = "self"
	CheckMute    Check = "mute"
	CheckPerson  Check = "person"
	CheckFresh   Check = "fresh"
	CheckFirst   Check = "first"
	CheckCap     Check = "cap"
	CheckQuiet   Check = "quiet"
	CheckChannel Check = "channel"
)

// checkOrder are the checks in the order in which they are asked.
var checkOrder = []Check{
	CheckSeenBy, CheckKind, CheckSelf, CheckMute, CheckPerson, CheckFresh, CheckFirst, CheckCap, CheckQuiet, CheckChannel,
}

// Reason is why somebody is told.
type Reason string

// The reasons.
const (
	ReasonYours      Reason = "yours"
	ReasonTeam       Reason = "team"
	ReasonEveryone   Reason = "everyone"
	ReasonRule       Reason = "rule"
	ReasonCorrection Reason = "correction"
	ReasonAbsence    Reason = "absence"
	ReasonSchedule   Reason = "schedule"
	ReasonCount      Reason = "count"
	ReasonRate       Reason = "rate"
)

// Channel is a way to tell.
type Channel string

// The channels.
const (
	InPage  Channel = "inpage"
	Desktop Channel = "desktop"
	Mail    Channel = "mail"
	Chat    Channel = "chat"
	// Push is all devices that the person has registered.
	Push Channel = "push"
)

// words say where a channel tells, behind "told".
func (c Channel) words() string {
	switch c {
	case InPage:
		return "in the page"
	case Desktop:
		return "on the desktop"
	case Mail:
		return "by mail"
	case Chat:
		return "in the chat"
	case Push:
		return "on your devices"
	}
	return "by " + string(c)
}

// Channels lists the channels, in the order of the page.
var Channels = []Channel{InPage, Desktop, Push, Mail, Chat}

// Decision is what was concluded for one person about one event. It names nobody by
// address and quotes nothing: what is shown is rendered from the event.
type Decision struct {
	ID        string             `json:"id"`
	Workspace string             `json:"w"`
	User      string             `json:"user"`
	Event     event.ID           `json:"event"`
	Message   string             `json:"message,omitempty"`
	Person    event.RecipientKey `json:"person,omitempty"`
	Kind      Kind               `json:"kind"`
	Reasons   []Reason           `json:"reasons,omitempty"`
	// Rules are the names of the user's rules that matched.
	Rules   []string `json:"rules,omitempty"`
	Outcome Outcome  `json:"outcome"`
	// Check is the one that stopped, and Found what it found, in a sentence; of what is
	// told it is why.
	Check Check  `json:"check,omitempty"`
	Found string `json:"found,omitempty"`
	// Other is the event that was told instead, of CheckFirst.
	Other event.ID `json:"other,omitzero"`
	// Until is until when what leaves the house waits, Unix seconds.
	Until    int64     `json:"until,omitempty"`
	Channels []Channel `json:"channels,omitempty"`
	// Window is when what leaves the house does, with all else of that time, Unix seconds;
	// 0 for at once and by itself.
	Window int64 `json:"window,omitempty"`
	// PushWindow is the same of devices: a digest does not hold what they are told.
	PushWindow int64 `json:"push,omitempty"`
	// Claim is the key under which it is told only once.
	Claim string `json:"claim,omitempty"`
	// Rev is the revision of the user's settings.
	Rev int64 `json:"rev"`
	// At is when it was decided, Unix milliseconds.
	At   int64 `json:"at"`
	Read bool  `json:"read,omitempty"`
	// Shadow says that the workspace decides and tells nobody.
	Shadow bool `json:"shadow,omitempty"`
	// Version rises by one with each change.
	Version int64 `json:"v"`

	// Checks are all that were asked. They are not kept: "why" asks anew.
	Checks []Checked `json:"-"`
}

// Checked is a check and what it found.
type Checked struct {
	Check Check  `json:"check"`
	Pass  bool   `json:"pass"`
	Found string `json:"found" doc:"a sentence"`
}

// IDOf names the decision for a person or a rule about a subject, by its cause: 26
// letters and digits of a hash, the same in any process, any number of times.
func IDOf(workspace, cause, subject, who string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{workspace, cause, subject, who}, "\x00")))
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))[:26]
}

// Forget reports whether a decision says what an erased person's rules are called, and
// returns those of its rules that are gone and are theirs.
func (d Decision) Forget(f Forgotten) (gone []string, named bool) {
	theirs := d.Person == f.Person && len(d.Rules) > 0
	for _, rule := range d.Rules {
		named = named || f.Rules[rule]
		if theirs && !f.Kept[rule] {
			gone = append(gone, rule) // it was deleted before
		}
	}
	return gone, named || theirs
}

// Nameless is a decision without what its rules are called.
func (d Decision) Nameless() Decision {
	d.Rules, d.Claim, d.Found = nil, "", "A rule found it, about a person who was erased."
	return d
}

// Tells reports whether somebody is told, now or later.
func (d Decision) Tells() bool { return d.Outcome == Notified || d.Outcome == Held }

// Leaves reports whether a channel besides the page is told.
func (d Decision) Leaves() bool {
	for _, c := range d.Channels {
		if c != InPage && c != Desktop {
			return d.Tells() && !d.Shadow
		}
	}
	return false
}

// alone reports whether something of a decision leaves the house by itself.
func (d Decision) alone() bool {
	if !d.Leaves() {
		return false
	}
	return d.Window == 0 || d.PushWindow == 0 && slices.Contains(d.Channels, Push)
}

// kept reports whether a decision is worth a row: what a switched-off kind stopped is
// not, since "why" can ask again.
func (d Decision) kept() bool {
	return d.Outcome != Not || (d.Check != CheckKind && d.Check != CheckSeenBy)
}
