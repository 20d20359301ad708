package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/event"
)

// Kind is what the settings tell apart: the types of events, and what machines did.
type Kind string

// KindAutomated are opens and clicks that machines made.
const KindAutomated Kind = "automated"

// Kinds lists the kinds, in the order of the page.
var Kinds = []Kind{
	"reply", "meeting", "open", "click", "download", "bounce", "complaint", "unsubscribe", "custom", KindAutomated,
}

// The kinds of what rules conclude; no row of the settings is about them.
const (
	KindUnopened  Kind = "unopened"
	KindUnreplied Kind = "unreplied"
	KindSchedule  Kind = "schedule"
	KindCount     Kind = "count"
	KindRate      Kind = "rate"
	KindSilence   Kind = "silence"
	KindReport    Kind = "report"
)

// KindDigest is what goes together at the end of a digest's time or of quiet hours.
const KindDigest Kind = "digest"

// mailed are the kinds of mails that people may unsubscribe from.
var mailed = append([]Kind{KindUnopened, KindUnreplied, KindSchedule, KindCount, KindRate, KindSilence, KindReport, KindDigest}, Kinds...)

// Scope says whose events a row of the settings is about.
type Scope string

// The scopes, the most specific first.
const (
	Mine     Scope = "mine"
	Team     Scope = "team"
	Everyone Scope = "everyone"
)

var scopes = []Scope{Mine, Team, Everyone}

// Often says which of several events of a kind are told.
type Often string

// How often.
const (
	Off               Often = "off"
	Every             Often = "every"
	FirstPerRecipient Often = "first-per-recipient"
	FirstPerMessage   Often = "first-per-message"
	FirstPerLink      Often = "first-per-link"
	FirstPerDomain    Often = "first-per-domain"
)

var oftens = []Often{Off, Every, FirstPerRecipient, FirstPerMessage, FirstPerLink, FirstPerDomain}

// Cell is one row of the settings: how often a kind is told, and where.
type Cell struct {
	Often    Often     `json:"often" enum:"off,every,first-per-recipient,first-per-message,first-per-link,first-per-domain"`
	Channels []Channel `json:"channels,omitempty" enum:"inpage,desktop,push,mail,chat"`
}

// Cells are rows by scope and kind.
type Cells map[Scope]map[Kind]Cell

// What a mute is about.
const (
	MuteMessage = "message"
	MutePerson  = "person"
	MuteDomain  = "domain"
	MuteUser    = "user"
	MuteKind    = "kind"
	MuteAll     = "all"
)

// Mute keeps something from being told.
type Mute struct {
	What string `json:"what" enum:"message,person,domain,user,kind,all"`
	// ID is the message, address, domain, user or kind; empty of all.
	ID string `json:"id,omitempty" maxLength:"2000"`
	// Until is Unix seconds, 0 for ever.
	Until int64 `json:"until,omitempty"`
}

// Bounds of settings.
const (
	MaxMutes = 500
	// MaxVIPs is how many a person has.
	MaxVIPs = 100
)

// Presets are what holds where neither the user nor the workspace has chosen.
const (
	PresetQuiet  = "quiet"
	PresetNormal = "normal"
	PresetAll    = "all"
)

// Settings are what a person wants to be told. The zero value is the preset normal.
type Settings struct {
	// Rev rises by one with each change.
	Rev    int64  `json:"rev"`
	Zone   string `json:"zone,omitempty" doc:"IANA time zone; UTC when absent"`
	Preset string `json:"preset,omitempty" enum:"quiet,normal,all"`
	Cells  Cells  `json:"cells,omitempty"`
	Mutes  []Mute `json:"mutes,omitempty"`
	// Quiet are the hours in which nothing leaves the house.
	Quiet *Quiet `json:"quiet,omitempty"`
	// VIPs are addresses, and domains of companies, whose events quiet hours do not hold.
	VIPs []string `json:"vips,omitempty" maxItems:"100" doc:"addresses and domains whose events pass the quiet hours; no mute and no lock"`
	// Digest gathers what leaves the house; nil sends each by itself.
	Digest *Digest `json:"digest,omitempty"`
	// Stopped are the kinds whose mails the person has unsubscribed from, whatever the rows
	// and rules say.
	Stopped []Kind `json:"stopped,omitempty" doc:"kinds whose mails were unsubscribed from; digest for what goes together"`
	// Chat is the workspace's endpoint that the channel chat leads to.
	Chat string `json:"chat,omitempty" maxLength:"100" doc:"name of the endpoint that the channel chat leads to"`
}

// Quiet are hours of the wall clock in the person's zone, by weekday (0 is Sunday).
// A range that ends before it begins ends on the next day.
type Quiet struct {
	Days map[time.Weekday][]Range `json:"days"`
}

// Range is from and until a time of day, as "18:30".
type Range struct {
	From  string `json:"from"`
	Until string `json:"until"`
}

// Defaults are a workspace's. A locked kind is as here for everybody.
type Defaults struct {
	Rev    int64         `json:"rev"`
	Cells  Cells         `json:"cells,omitempty"`
	Locked map[Kind]bool `json:"locked,omitempty"`
	// LockedBy are the users who locked the kinds, where that is known.
	LockedBy map[Kind]string `json:"locked_by,omitempty"`
}

// Lock locks these kinds and no others. Those that are locked stay by whom they are.
func (d *Defaults) Lock(all []Kind, by string) {
	was := *d
	d.Locked, d.LockedBy = make(map[Kind]bool, len(all)), make(map[Kind]string, len(all))
	for _, kind := range all {
		d.Locked[kind] = true
		if who := was.LockedBy[kind]; was.Locked[kind] {
			d.LockedBy[kind] = who
		} else {
			d.LockedBy[kind] = by
		}
	}
}

// Check says what is wrong with settings.
func (s Settings) Check() *event.FieldError {
	if _, err := time.LoadLocation(s.Zone); err != nil {
		return event.Invalid("zone", "is not an IANA time zone")
	}
	if s.Preset != "" && presets[s.Preset] == nil {
		return event.Invalid("preset", "is quiet, normal or all")
	}
	if len(s.Mutes) > MaxMutes {
		return event.Invalid("mutes", fmt.Sprintf("has %d; at most %d are taken", len(s.Mutes), MaxMutes))
	}
	for i, mute := range s.Mutes {
		if err := mute.Check(); err != nil {
			return event.Invalid(fmt.Sprintf("mutes[%d].%s", i, err.Field), err.Problem)
		}
	}
	if len(s.Stopped) > len(mailed) {
		return event.Invalid("stopped", "names a kind twice")
	}
	for _, kind := range s.Stopped {
		if !slices.Contains(mailed, kind) {
			return event.Invalid("stopped", "has a kind that is not known")
		}
	}
	if err := s.Digest.check(); err != nil {
		return err
	}
	if len(s.Chat) > 100 || strings.ContainsAny(s.Chat, "|/") {
		return event.Invalid("chat", "is not the name of an endpoint")
	}
	if s.Quiet != nil {
		if err := s.Quiet.check(); err != nil {
			return err
		}
	}
	if err := checkVIPs(s.VIPs); err != nil {
		return err
	}
	return s.Cells.Check()
}

// Mails reports whether mails of a kind are sent.
func (s Settings) Mails(kind Kind) bool { return !slices.Contains(s.Stopped, kind) }

// Stops reports whether mails of a kind can be unsubscribed from: what is told of keys and
// of access cannot.
func (k Kind) Stops() bool { return slices.Contains(mailed, k) }

// Stop unsubscribes from mails of a kind, or subscribes again.
func (s *Settings) Stop(kind Kind, stop bool) {
	s.Stopped = slices.DeleteFunc(s.Stopped, func(one Kind) bool { return one == kind })
	if stop {
		s.Stopped = append(s.Stopped, kind)
	}
}

// Check says what is wrong with a mute.
func (m Mute) Check() *event.FieldError {
	if !slices.Contains([]string{MuteMessage, MutePerson, MuteDomain, MuteUser, MuteKind, MuteAll}, m.What) {
		return event.Invalid("what", "is message, person, domain, user, kind or all")
	}
	if (m.What == MuteAll) != (m.ID == "") {
		return event.Invalid("id", "names what is muted, and is absent for all")
	}
	return nil
}

// Check says what is wrong with rows.
func (c Cells) Check() *event.FieldError {
	for scope, rows := range c {
		if !slices.Contains(scopes, scope) {
			return event.Invalid("cells", "has a scope that is not mine, team or everyone")
		}
		for kind, cell := range rows {
			at := fmt.Sprintf("cells.%s.%s", scope, kind)
			switch {
			case !slices.Contains(Kinds, kind):
				return event.Invalid("cells."+string(scope), "has a kind that is not known")
			case !slices.Contains(oftens, cell.Often):
				return event.Invalid(at+".often", "is not one of the choices")
			}
			for _, channel := range cell.Channels {
				if !slices.Contains(Channels, channel) {
					return event.Invalid(at+".channels", "has one that is not known")
				}
			}
		}
	}
	return nil
}

// presets are the rows that hold by themselves.
var presets = map[string]Cells{
	PresetQuiet: {Mine: {
		"reply": inPage(Every), "meeting": inPage(Every), "bounce": inPage(Every),
	}},
	PresetNormal: {Mine: {
		"reply": inPage(Every), "meeting": inPage(Every), "bounce": inPage(Every),
		"open": inPage(FirstPerRecipient), "click": inPage(FirstPerLink),
	}},
	PresetAll: {
		Mine: {
			"reply": inPage(Every), "meeting": inPage(Every), "open": inPage(Every), "click": inPage(Every),
			"download": inPage(Every), "bounce": inPage(Every), "complaint": inPage(Every), "unsubscribe": inPage(Every),
			"custom": inPage(Every),
		},
		Team: {"reply": inPage(Every), "meeting": inPage(Every), "bounce": inPage(Every)},
	},
}

// inPage is a row that leaves the house for the devices alone that the person registers.
func inPage(often Often) Cell {
	return Cell{Often: often, Channels: []Channel{InPage, Desktop, Push}}
}

// Rows are the rows that hold by scope and kind, chosen or not.
func Rows(s Settings, d Defaults) Cells {
	all := make(Cells, len(scopes))
	for _, scope := range []Scope{Mine, Team} {
		all[scope] = make(map[Kind]Cell, len(Kinds))
		for _, kind := range Kinds {
			all[scope][kind], _ = row(s, d, scope, kind)
		}
	}
	return all
}

// row is the cell that holds for a kind in a scope, and who says so. Among rows the
// most specific scope wins as a whole; a person's choice wins over the workspace's.
func row(s Settings, d Defaults, scope Scope, kind Kind) (Cell, string) {
	from := slices.Index(scopes, scope)
	find := func(c Cells) (Cell, bool) {
		for _, at := range scopes[from:] {
			if cell, ok := c[at][kind]; ok {
				return cell, true
			}
		}
		return Cell{Often: Off}, false
	}
	if d.Locked[kind] {
		cell, ok := find(d.Cells)
		if !ok {
			cell, _ = find(presets[PresetNormal])
		}
		return cell, "locked by the workspace"
	}
	if cell, ok := find(s.Cells); ok {
		return cell, "your settings"
	}
	if cell, ok := find(d.Cells); ok {
		return cell, "the workspace's settings"
	}
	name := s.Preset
	if presets[name] == nil {
		name = PresetNormal
	}
	cell, _ := find(presets[name])
	return cell, "the preset " + name
}
