package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"tidings/event"
	"tidings/query"
)

// SettingsChange is what changes of a person's settings; what is absent stays.
type SettingsChange struct {
	Zone   *string `json:"zone,omitempty" doc:"IANA time zone"`
	Preset *string `json:"preset,omitempty" enum:"quiet,normal,all"`
	// Cells replace those of the same scope and kind; one without how often falls back
	// to the preset.
	Cells  Cells  `json:"cells,omitempty" doc:"rows by scope and kind; one with an empty often goes back to the preset"`
	Mute   *Mute  `json:"mute,omitempty" doc:"replaces the one of the same thing"`
	Unmute *Mute  `json:"unmute,omitempty" doc:"the one of this thing goes"`
	Quiet  *Quiet `json:"quiet,omitempty" doc:"without days there are none"`
	// VIPs replace those that there are.
	VIPs   *[]string `json:"vips,omitempty" maxItems:"100" doc:"addresses and domains whose events pass the quiet hours, in place of those that there are"`
	Digest *Digest   `json:"digest,omitempty" doc:"without either time each is sent by itself"`
	Chat   *string   `json:"chat,omitempty" doc:"name of the endpoint that the channel chat leads to"`
	Resume *Kind     `json:"resume,omitempty" doc:"this kind's mails are sent again, which were unsubscribed from"`
}

// Change makes a change to a person's settings, whatever they are by then.
func (b *Books) Change(ctx context.Context, workspace, user string, c SettingsChange) (Settings, error) {
	now := b.clock().Unix()
	return b.ChangeSettings(ctx, workspace, user, func(s *Settings) error {
		c.apply(s, now)
		return nil
	})
}

func (c SettingsChange) apply(s *Settings, now int64) {
	if c.Zone != nil {
		s.Zone = *c.Zone
	}
	if c.Resume != nil {
		s.Stop(*c.Resume, false)
	}
	if c.Preset != nil {
		s.Preset = *c.Preset
	}
	s.Cells = s.Cells.With(c.Cells)
	s.Mutes = slices.DeleteFunc(s.Mutes, func(m Mute) bool {
		return (m.Until != 0 && m.Until <= now) || c.Mute.same(m) || c.Unmute.same(m)
	})
	if c.Mute != nil {
		s.Mutes = append(s.Mutes, *c.Mute)
	}
	if c.Chat != nil {
		s.Chat = *c.Chat
	}
	if c.VIPs != nil {
		s.VIPs = *c.VIPs
	}
	if c.Digest != nil {
		s.Digest = c.Digest
		if *c.Digest == (Digest{}) {
			s.Digest = nil
		}
	}
	if c.Quiet != nil {
		s.Quiet = c.Quiet
		if len(c.Quiet.Days) == 0 {
			s.Quiet = nil
		}
	}
}

// With are rows with others laid over them; one with an empty often goes.
func (c Cells) With(over Cells) Cells {
	all := make(Cells, len(c)+len(over))
	for scope, rows := range c {
		all[scope] = maps.Clone(rows)
	}
	for scope, rows := range over {
		for kind, cell := range rows {
			if cell.Often == "" {
				delete(all[scope], kind)
				continue
			}
			if all[scope] == nil {
				all[scope] = make(map[Kind]Cell)
			}
			all[scope][kind] = cell
		}
	}
	return all
}

// same reports whether two are about the same thing.
func (m *Mute) same(other Mute) bool {
	return m != nil && m.What == other.What && m.ID == other.ID
}

// Why is how it came that a person was told of an event, or was not.
type Why struct {
	// Kept is the decision, nil where none is kept: a kind that is switched off keeps none.
	Kept *Decision
	// Checks are what was asked, in order, and found by the settings of then, up to the one
	// that stopped. There are none where no decision is kept and the settings are not known
	// any more.
	Checks []Checked
	// Now is what would be decided with the settings of today.
	Now Decision
	// Fixes are changes that turn it round.
	Fixes []Fix
}

// Fix is a change of settings with what it does in words.
type Fix struct {
	Words  string         `json:"words"`
	Change SettingsChange `json:"change" doc:"the body of PATCH /v1/notification-settings"`
}

// Why tells how it came that a person was told of an event, or was not. ErrNotFound says
// that they may not see it.
func (x *Engine) Why(ctx context.Context, workspace, user string, id event.ID) (Why, error) {
	found, err := x.Events.Get(ctx, workspace, []event.ID{id})
	if err != nil {
		return Why{}, fmt.Errorf("get event: %w", err)
	}
	if len(found) == 0 {
		return Why{}, fmt.Errorf("event: %w", event.ErrNotFound)
	}
	e := found[0]
	t, ok := event.TriggerOf(event.Announcement{Kind: event.AnnounceEvent, Event: &e})
	if !ok {
		return Why{}, event.Invalid("event", "is of a type that nobody is told of: what is sent and delivered is shown in the feed alone")
	}
	book, err := x.Books.Load(ctx, e.Workspace)
	if err != nil {
		return Why{}, fmt.Errorf("load settings of notifications: %w", err)
	}
	asks, err := x.asks(ctx, e.Workspace, book)
	if err != nil {
		return Why{}, err
	}
	given, err := x.contextOf(ctx, t, book, user, asks.byOwner[user], query.DocumentLater(t.Event))
	if err != nil {
		return Why{}, err
	}
	if !given.Visible {
		return Why{}, fmt.Errorf("event: %w", event.ErrNotFound)
	}
	stored, err := x.Store.OfEvents(ctx, []About{{e.Workspace, e.ID}})
	if err != nil {
		return Why{}, err
	}
	var why Why
	now, settings := x.Clock(), book.Settings[user]
	given.Fresh = now.Sub(e.At()) + x.Fresh // it is asked what would be, were it new
	for i, d := range stored {
		if d.ID == IDOf(e.Workspace, e.ID.String(), "", user) {
			why.Kept, given.Holder = &stored[i], d.Other
		}
	}
	why.Now = Decide(t, settings, given, now)
	if why.Checks, err = x.checksThen(ctx, t, book, given, why.Kept); err != nil {
		return Why{}, err
	}
	if !book.Defaults.Locked[why.Now.Kind] {
		why.Fixes = fixes(why.Now, settings, given, t)
	}
	return why, nil
}

// asDecided are the checks as they were when a decision was made: up to the one that
// stopped it, in the words of then. then are those by the settings of then, as far as known.
func asDecided(d Decision, then []Checked) []Checked {
	var checks []Checked
	for _, name := range checkOrder {
		at := slices.IndexFunc(then, func(c Checked) bool { return c.Check == name })
		switch {
		case name == d.Check:
			return append(checks, Checked{name, false, d.Found})
		case at >= 0 && then[at].Pass:
			checks = append(checks, then[at])
		default:
			checks = append(checks, Checked{name, true, "It stopped nothing then."})
		}
	}
	return checks
}

// fixes are what turns a decision of today round.
func fixes(d Decision, s Settings, f Context, t event.Trigger) []Fix {
	cell := func(words string, kind Kind, c Cell) Fix {
		return Fix{words, SettingsChange{Cells: Cells{f.Scope: {kind: c}}}}
	}
	noun, whose := nouns[d.Kind], scopeWords[f.Scope]
	switch {
	case d.Tells() && len(d.Rules) == 0:
		return []Fix{cell(fmt.Sprintf("Tell me no %s of %s", noun.many, whose), d.Kind, Cell{Often: Off})}
	case d.Check == CheckMute:
		var all []Fix
		for i, mute := range s.Mutes {
			if mute.holds(t.Event, d.Kind, f.now) {
				all = append(all, Fix{"Unmute " + muteWords[mute.What], SettingsChange{Unmute: &s.Mutes[i]}})
			}
		}
		return all
	case d.Check == CheckFirst:
		c := inPage(Every)
		if len(d.Channels) > 0 {
			c.Channels = d.Channels
		}
		return []Fix{cell(fmt.Sprintf("Tell me every %s of %s", noun.one, whose), d.Kind, c)}
	case d.Check == CheckKind && !t.Event.Automated(), d.Check == CheckChannel:
		return []Fix{cell(fmt.Sprintf("Tell me %s of %s", noun.many, whose), d.Kind, inPage(Every))}
	case d.Check == CheckKind, d.Check == CheckPerson:
		return []Fix{cell("Tell me what machines do too", KindAutomated, inPage(Every))}
	}
	return nil
}
