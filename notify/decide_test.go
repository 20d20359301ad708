package notify

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestTheFirstThatSpeaksDecidesARow(t *testing.T) {
	mine := Cells{Mine: {"open": {Often: Every}}}
	everyone := Cells{Everyone: {"open": {Often: FirstPerLink}}}
	for _, c := range []struct {
		name     string
		settings Settings
		defaults Defaults
		scope    Scope
		often    Often
	}{
		{"the preset", Settings{}, Defaults{}, Mine, FirstPerRecipient},
		{"the preset that was chosen", Settings{Preset: PresetQuiet}, Defaults{}, Mine, Off},
		{"no preset for a team", Settings{}, Defaults{}, Team, Off},
		{"the workspace over the preset", Settings{}, Defaults{Cells: mine}, Mine, Every},
		{"the person over the workspace", Settings{Cells: Cells{Mine: {"open": {Often: Off}}}}, Defaults{Cells: mine}, Mine, Off},
		{"a lock without a row is the preset normal", Settings{Preset: PresetQuiet, Cells: Cells{Mine: {"open": {Often: Off}}}}, Defaults{Locked: map[Kind]bool{"open": true}}, Mine, FirstPerRecipient},
		{"a lock over the person", Settings{Cells: Cells{Mine: {"open": {Often: Off}}}}, Defaults{Cells: mine, Locked: map[Kind]bool{"open": true}}, Mine, Every},
		{"everyone's row where there is no other", Settings{Cells: everyone}, Defaults{}, Team, FirstPerLink},
	} {
		t.Run(c.name, func(t *testing.T) {
			cell, _ := row(c.settings, c.defaults, c.scope, "open")
			require.Equal(t, c.often, cell.Often)
		})
	}
}

func TestQuietHoursAreOfTheWallClock(t *testing.T) {
	lisbon, err := time.LoadLocation("Europe/Lisbon")
	require.NoError(t, err)
	night := &Quiet{Days: map[time.Weekday][]Range{
		time.Saturday: {{"18:30", "08:00"}}, time.Sunday: {{"00:00", "00:00"}},
	}}
	at := func(day, hour int) time.Time { return time.Date(2026, 10, day, hour, 0, 0, 0, lisbon) }
	// The clocks go back on Sunday, 25 October.
	until, quiet := night.until(at(24, 20))
	require.True(t, quiet)
	require.Equal(t, at(26, 0), until, "two ranges that meet are one")
	_, quiet = night.until(at(24, 12))
	require.False(t, quiet)
}

func TestVIPsPassQuietHoursAndNothingElse(t *testing.T) {
	now := time.Date(2026, 11, 18, 20, 0, 0, 0, time.UTC)
	night := &Quiet{Days: map[time.Weekday][]Range{time.Wednesday: {{"18:30", "08:00"}}}}
	decide := func(vips []string, mutes ...Mute) Decision {
		s := Settings{VIPs: vips, Quiet: night, Mutes: mutes, Cells: Cells{Mine: {"open": {Often: Every, Channels: []Channel{Mail}}}}}
		require.Nil(t, s.Check())
		e := event.Event{Type: event.Open, Workspace: "w", Time: now.Unix(), Recipient: &event.Person{Email: "lee@dox.test"}}
		return Decide(event.Trigger{Kind: event.AnnounceEvent, Event: e}, s, Context{User: "u_ana", Visible: true, Scope: Mine, Fresh: Fresh}, now)
	}
	for _, c := range []struct {
		name string
		vips []string
		held bool
	}{
		{"nobody", nil, true},
		{"another", []string{"jo@dox.test", "ox.test"}, true},
		{"the person", []string{"Lee@DOX.test"}, false},
		{"their company", []string{"dox.test"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decide(c.vips)
			require.Equal(t, c.held, d.Outcome == Held, d.Outcome)
			require.Equal(t, c.held, d.Window != 0, "it leaves at once")
		})
	}
	require.Equal(t, CheckMute, decide([]string{"dox.test"}, Mute{What: MuteDomain, ID: "dox.test"}).Check)
	for _, wrong := range []string{"", "lee", "lee@", "a b@dox.test", strings.Repeat("a", 400) + ".test"} {
		require.NotNil(t, Settings{VIPs: []string{wrong}}.Check(), wrong)
	}
}

func TestALockIsByWhoMadeIt(t *testing.T) {
	var d Defaults
	d.Lock([]Kind{"bounce"}, "u_ana")
	d.Lock([]Kind{"bounce", "reply"}, "u_jo")
	require.Equal(t, map[Kind]string{"bounce": "u_ana", "reply": "u_jo"}, d.LockedBy)
	d.Lock([]Kind{"reply"}, "u_ana")
	d.Lock([]Kind{"bounce", "reply"}, "u_jo")
	require.Equal(t, map[Kind]string{"bounce": "u_jo", "reply": "u_jo"}, d.LockedBy)
}

func TestWhatTheChecksStop(t *testing.T) {
	now := time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	open := event.Event{Type: event.Open, Workspace: "w", Time: now.Unix(), Recipient: &event.Person{Email: "lee@dox.test"}}
	for _, c := range []struct {
		name  string
		check Check
		with  func(*event.Event, *Settings, *Context)
	}{
		{"nothing", "", func(*event.Event, *Settings, *Context) {}},
		{"what may not be seen", CheckSeenBy, func(_ *event.Event, _ *Settings, f *Context) { f.Visible = false }},
		{"a kind that is off", CheckKind, func(e *event.Event, _ *Settings, _ *Context) { e.Type = event.Custom }},
		{"one's own", CheckSelf, func(_ *event.Event, _ *Settings, f *Context) { f.Own = true }},
		{"a muted company", CheckMute, func(_ *event.Event, s *Settings, _ *Context) { s.Mutes = []Mute{{What: MuteDomain, ID: "dox.test"}} }},
		{"a mute that is over", "", func(_ *event.Event, s *Settings, _ *Context) { s.Mutes = []Mute{{What: MuteAll, Until: now.Unix()}} }},
		{"a machine", CheckPerson, func(e *event.Event, _ *Settings, _ *Context) { e.Verdict.Is = event.Machine }},
		{"what is old", CheckFresh, func(e *event.Event, _ *Settings, _ *Context) { e.Time -= 2 * 86400 }},
		{"no channel", CheckChannel, func(_ *event.Event, s *Settings, _ *Context) {
			s.Cells = Cells{Mine: {"open": {Often: Every}}}
		}},
		{"mail alone, which was unsubscribed from", CheckChannel, func(_ *event.Event, s *Settings, _ *Context) {
			s.Cells, s.Stopped = Cells{Mine: {"open": {Often: Every, Channels: []Channel{Mail}}}}, []Kind{"open"}
		}},
		{"mail of another kind, which was", "", func(_ *event.Event, s *Settings, _ *Context) {
			s.Cells, s.Stopped = Cells{Mine: {"open": {Often: Every, Channels: []Channel{Mail}}}}, []Kind{"click"}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, s, f := open, Settings{}, Context{User: "u_ana", Visible: true, Scope: Mine, Fresh: Fresh}
			c.with(&e, &s, &f)
			d := Decide(event.Trigger{Kind: event.AnnounceEvent, Event: e}, s, f, now)
			require.Equal(t, c.check, d.Check, d.Found)
			require.Equal(t, c.check == "", d.Tells())
		})
	}
}

func TestChannelsAreWords(t *testing.T) {
	d := deciding{cell: Cell{Channels: Channels}}
	found, tells := d.channel()
	require.True(t, tells)
	require.Equal(t, "Told in the page, on the desktop, by mail, in the chat.", found)
}
