package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/event"
)

// Context is what Decide is told beside the trigger and the settings.
type Context struct {
	User string
	// Visible says that the person may see the event.
	Visible bool
	Scope   Scope
	// Own says that one of the person's own addresses did it.
	Own      bool
	Defaults Defaults
	// Rules are the person's own that match, by name.
	Rules []Rule
	// Holder is the event that has the claim; zero where nobody has.
	Holder event.ID
	// Fresh is how old an event may be.
	Fresh time.Duration
	// Corrected says that the verdict was overturned after a decision.
	Corrected bool
	Shadow    bool
	// Capped is the limit that is reached, BeyondPerson or BeyondWorkspace; "" for none.
	Capped string
	// Devices says that they have registered one.
	Devices bool
	// Left is how many left the house for them by themselves within this hour.
	Left int
	// Timed is what a rule that waits for a time, or counts, concluded; nil for an event.
	Timed *Timed

	now time.Time
}

// Fresh is how old an event may be by default.
const Fresh = 24 * time.Hour

// Decide concludes for one person whether they are told of a trigger. It does no I/O:
// the live path, "why" and simulation call it.
func Decide(t event.Trigger, s Settings, given Context, now time.Time) Decision {
	given.now = now
	d := deciding{
		trigger: t, settings: s, given: given, now: now,
		Decision: Decision{
			ID:        IDOf(t.Event.Workspace, t.Event.ID.String(), "", given.User),
			Workspace: t.Event.Workspace, User: given.User, Event: t.Event.ID, Message: t.Event.Message,
			Kind: Kind(t.Event.Type), Outcome: Notified, Rev: s.Rev, At: now.UnixMilli(), Version: 1, Shadow: given.Shadow,
		},
	}
	if t.Event.Recipient != nil {
		d.Person = event.KeyOf(t.Event.Recipient.Email)
	}
	if given.Timed != nil {
		d.ID, d.Kind = IDOf(t.Event.Workspace, given.Timed.Cause, t.Event.Message, given.User), given.Timed.Kind
	}
	for i, ask := range []func() (found string, pass bool){
		d.seenBy, d.kind, d.self, d.mute, d.person, d.fresh, d.first, d.cap, d.quiet, d.channel,
	} {
		name := checkOrder[i]
		found, pass := ask()
		d.Checks = append(d.Checks, Checked{name, pass, found})
		if !pass {
			d.Outcome, d.Check, d.Found = Not, name, found
			d.Channels, d.Until = nil, 0
			if name != CheckFirst {
				d.Claim = ""
			}
			break
		}
	}
	if d.Outcome != Not {
		d.Found = d.told()
		if d.Leaves() {
			if s.passes(t.Event) {
				s.Quiet = nil
			}
			d.Window = s.window(given.Left, now)
			s.Digest = nil
			d.PushWindow = s.window(given.Left, now)
		}
	}
	if given.Corrected && d.Outcome == Notified {
		d.Reasons = append(d.Reasons, ReasonCorrection)
	}
	return d.Decision
}

// deciding is a decision on its way through the checks.
type deciding struct {
	Decision
	trigger  event.Trigger
	settings Settings
	given    Context
	now      time.Time
	cell     Cell
	// once is the claim of a rule of once, where nothing else tells of it.
	once string
	// from says whose the cell is.
	from string
}

func (d *deciding) seenBy() (string, bool) {
	if !d.given.Visible {
		return "You may not see this.", false
	}
	return "You may see this.", true
}

// kind finds the row that holds: a rule's own before the settings' of a scope. What a
// machine did is a kind of its own where that is told; otherwise person stops it.
func (d *deciding) kind() (string, bool) {
	if timed := d.given.Timed; timed != nil {
		d.cell, d.from = timed.Rule.Cell, "the rule "+timed.Rule.Name
		d.Rules, d.Reasons = []string{timed.Rule.Name}, []Reason{timed.Reason}
		return "Your rule “" + timed.Rule.Name + "” asks for it.", true
	}
	if d.trigger.Event.Automated() {
		if cell, from := row(d.settings, d.given.Defaults, d.given.Scope, KindAutomated); cell.Often != Off {
			d.cell, d.Kind, d.from = cell, KindAutomated, from
			d.Reasons = []Reason{reasonOf(d.given.Scope)}
			return fmt.Sprintf("You are told of what machines do (%s).", from), true
		}
	}
	cell, from := row(d.settings, d.given.Defaults, d.given.Scope, d.Kind)
	d.cell = cell
	on := cell.Often != Off
	if on {
		d.Reasons = append(d.Reasons, reasonOf(d.given.Scope))
	}
	for _, rule := range d.given.Rules {
		if !on {
			d.cell = rule.Cell
			if rule.Once {
				d.once = rule.onceKey()
			}
		}
		on = true
		d.Rules = append(d.Rules, rule.Name)
	}
	if len(d.Rules) > 0 {
		if !d.given.Defaults.Locked[d.Kind] {
			d.cell = d.given.Rules[0].Cell
		}
		d.Reasons = append(d.Reasons, ReasonRule)
		from = "the rule " + d.Rules[0]
	}
	if !on {
		return fmt.Sprintf("You are told of no %s of %s (%s).", nouns[d.Kind].many, scopeWords[d.given.Scope], from), false
	}
	d.from = from
	return fmt.Sprintf("You are told of %s (%s).", d.which(), from), true
}

// which are the events that the row tells of.
func (d *deciding) which() string {
	noun := nouns[d.Kind]
	first := firstWords[d.cell.Often]
	if first == "" {
		return "every " + noun.one + " of " + scopeWords[d.given.Scope]
	}
	return fmt.Sprintf(first, noun.one) + " of " + scopeWords[d.given.Scope]
}

var firstWords = map[Often]string{
	FirstPerRecipient: "the first %s by each recipient", FirstPerMessage: "the first %s of each message",
	FirstPerLink: "the first %s on each link", FirstPerDomain: "the first %s by each company",
}

// told says why somebody is told.
func (d *deciding) told() string {
	if d.given.Timed != nil {
		return d.given.Timed.Found
	}
	if len(d.Rules) > 0 {
		return "Your rule “" + d.Rules[0] + "” found it."
	}
	return "You are told of " + d.which() + " (" + d.from + ")."
}

// nouns name kinds in sentences.
var nouns = map[Kind]struct{ one, many string }{
	"reply": {"reply", "replies"}, "meeting": {"answer to an invitation", "answers to invitations"},
	"open": {"open", "opens"}, "click": {"click", "clicks"}, "download": {"download", "downloads"},
	"bounce": {"bounce", "bounces"}, "complaint": {"complaint", "complaints"},
	"unsubscribe": {"unsubscribe", "unsubscribes"}, "custom": {"event of your own", "events of your own"},
	KindAutomated: {"event that a machine made", "events that machines made"},
}

var scopeWords = map[Scope]string{Mine: "your messages", Team: "your team's messages", Everyone: "everyone's messages"}

func reasonOf(scope Scope) Reason {
	switch scope {
	case Mine:
		return ReasonYours
	case Team:
		return ReasonTeam
	}
	return ReasonEveryone
}

func (d *deciding) self() (string, bool) {
	if d.given.Own {
		return "You did this yourself.", false
	}
	return "Somebody else did this.", true
}

// mute asks all mutes; they add up. A locked kind is told all the same.
func (d *deciding) mute() (string, bool) {
	if d.given.Defaults.Locked[d.Kind] {
		return "The workspace locks this kind: mutes do not count.", true
	}
	if mute, muted := d.settings.muting(d.trigger.Event, d.Kind, d.now); muted {
		return fmt.Sprintf("You muted %s %s.", muteWords[mute.What], mute.untilWords(d.settings)), false
	}
	return "Nothing that you muted.", true
}

// muting is a mute that is about an event at a time.
func (s Settings) muting(e event.Event, kind Kind, now time.Time) (Mute, bool) {
	at := slices.IndexFunc(s.Mutes, func(m Mute) bool { return m.holds(e, kind, now) })
	if at < 0 {
		return Mute{}, false
	}
	return s.Mutes[at], true
}

// Muted reports whether a person has muted an event of a kind, in a workspace of these
// defaults: what was held is not told once it is.
func (d Defaults) Muted(s Settings, e event.Event, kind Kind, now time.Time) bool {
	_, muted := s.muting(e, kind, now)
	return muted && !d.Locked[kind]
}

var muteWords = map[string]string{
	MuteMessage: "this message", MutePerson: "this person", MuteDomain: "this company",
	MuteUser: "this colleague's messages", MuteKind: "this kind", MuteAll: "everything",
}

// holds reports whether a mute is about an event at a time.
func (m Mute) holds(e event.Event, kind Kind, now time.Time) bool {
	if m.Until != 0 && now.Unix() >= m.Until {
		return false
	}
	email := strings.ToLower(e.RecipientEmail())
	switch m.What {
	case MuteAll:
		return true
	case MuteMessage:
		return m.ID == e.Message
	case MutePerson:
		return email != "" && strings.ToLower(m.ID) == email
	case MuteDomain:
		return email != "" && strings.HasSuffix(email, "@"+strings.ToLower(m.ID))
	case MuteUser:
		return e.User != "" && m.ID == e.User
	case MuteKind:
		return m.ID == string(kind)
	}
	return false
}

func (m Mute) untilWords(s Settings) string {
	if m.Until == 0 {
		return "for ever"
	}
	return "until " + time.Unix(m.Until, 0).In(s.location()).Format("Mon 2 Jan, 15:04")
}

func (d *deciding) person() (string, bool) {
	if d.given.Timed == nil && d.trigger.Event.Automated() && d.Kind != KindAutomated {
		return fmt.Sprintf("A machine did this (rule %s).", d.trigger.Event.Verdict.Rule), false
	}
	return "Nothing says that a machine did this.", true
}

func (d *deciding) fresh() (string, bool) {
	at := d.trigger.Event.At()
	if d.given.Timed != nil {
		at = d.given.Timed.Due
	}
	if age := d.now.Sub(at); age > d.given.Fresh {
		return fmt.Sprintf("It came %d hours late.", int(age.Hours())), false
	}
	return "It is recent.", true
}

// first asks who has the claim. The holder goes on, since a trigger may come again.
func (d *deciding) first() (string, bool) {
	timed := d.given.Timed
	switch {
	case timed == nil:
		d.Claim = cmp.Or(d.once, claimKey(d.cell.Often, d.User, d.Kind, d.trigger.Event))
	case timed.Rule.Once:
		d.Claim = timed.Rule.onceKey()
	default:
		return "It is told once.", true
	}
	switch {
	case d.Claim == "":
		return "Every one is told.", true
	case d.given.Holder.IsZero() || d.given.Holder == d.trigger.Event.ID:
		return "It is the first.", true
	}
	d.Other = d.given.Holder
	if timed != nil {
		return "Your rule “" + timed.Rule.Name + "” tells once, and that was another.", false
	}
	return "You are told of " + d.which() + " alone, and that was another.", false
}

// claimKey is the key under which an event is told only once, "" for every time.
func claimKey(often Often, user string, kind Kind, e event.Event) string {
	person := string(event.KeyOf(e.RecipientEmail()))
	parts := []string{"first", user, string(kind), e.Message}
	switch often {
	case FirstPerRecipient:
		parts = append(parts, person)
	case FirstPerMessage:
	case FirstPerLink:
		parts = append(parts, person, linkKey(e.Link))
	case FirstPerDomain:
		email := e.RecipientEmail()
		parts = append(parts, "@"+email[strings.LastIndexByte(email, '@')+1:])
	default:
		return ""
	}
	return strings.Join(parts, "|")
}

// cap asks whether there was too much.
func (d *deciding) cap() (string, bool) {
	switch d.given.Capped {
	case BeyondPerson:
		return "You were told of so much within this hour that the rest of it is in the log alone.", false
	case BeyondWorkspace:
		return "Your workspace was told of so much within this hour that the rest of it is in the log alone.", false
	}
	return "It is not too much.", true
}

// linkKey stands for a link in a claim: links are long, and a claim is kept twice.
func linkKey(link string) string {
	sum := sha256.Sum256([]byte(link))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// quiet holds what leaves the house; the page shows it at once.
func (d *deciding) quiet() (string, bool) {
	end, in := d.settings.Quiet.until(d.now.In(d.settings.location()))
	if !in {
		return "Outside of your quiet hours.", true
	}
	if d.settings.passes(d.trigger.Event) {
		return "In your quiet hours, which your VIPs pass.", true
	}
	d.Until = end.Unix()
	return "In your quiet hours: nothing leaves the house until " + end.Format("Mon 15:04") + ".", true
}

func (d *deciding) channel() (string, bool) {
	d.Channels = d.cell.Channels
	if mails := d.settings.Mails(d.Kind); !mails || !d.given.Devices {
		d.Channels = slices.DeleteFunc(slices.Clone(d.Channels), func(c Channel) bool {
			return c == Mail && !mails || c == Push && !d.given.Devices
		})
	}
	switch {
	case len(d.cell.Channels) == 0:
		return "No channel is chosen.", false
	case len(d.Channels) == 0 && !slices.Contains(d.cell.Channels, Mail):
		return "You have no device that is told.", false
	case len(d.Channels) == 0:
		return "You unsubscribed from mails of this kind, and no other channel is chosen.", false
	}
	inPage := false
	names := make([]string, len(d.Channels))
	for i, channel := range d.Channels {
		names[i] = channel.words()
		inPage = inPage || channel == InPage || channel == Desktop
	}
	if d.Until != 0 && !inPage {
		d.Outcome = Held
	}
	return "Told " + strings.Join(names, ", ") + ".", true
}
