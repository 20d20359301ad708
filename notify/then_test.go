package notify_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/notify"
)

func (o *office) set(user string, change func(*notify.Settings)) {
	o.t.Helper()
	_, err := o.books.ChangeSettings(context.Background(), "w", user, func(s *notify.Settings) error { change(s); return nil })
	require.NoError(o.t, err)
	o.pass(time.Second)
}

// checkOf is what a check found for Ana, and whether it let pass.
func (o *office) checkOf(e event.Event, name notify.Check) (string, bool) {
	o.t.Helper()
	why, err := o.engine.Why(context.Background(), "w", "u_ana", e.ID)
	require.NoError(o.t, err)
	for _, c := range why.Checks {
		if c.Check == name {
			return c.Found, c.Pass
		}
	}
	return "", false
}

// Whatever is changed afterwards, "why" answers by what was in force when it was decided.
func TestWhyAnswersByTheSettingsOfThen(t *testing.T) {
	o := newOffice(t)
	told := o.open(0, event.Human)
	o.handle(event.AnnounceEvent, told)
	before, passed := o.checkOf(told, notify.CheckKind)
	require.True(t, passed)
	require.Equal(t, "You are told of the first open by each recipient of your messages (the preset normal).", before)
	o.pass(time.Second)

	// Off by her own choice: it was told by the preset all the same, and what came while it
	// was off, of which no decision is kept, was stopped by her choice.
	off := notify.Cells{notify.Mine: {"open": {Often: notify.Off}}}
	o.set("u_ana", func(s *notify.Settings) { s.Cells = off })
	found, passed := o.checkOf(told, notify.CheckKind)
	require.True(t, passed)
	require.Equal(t, before, found)
	o.pass(time.Minute)
	untold := o.open(0, event.Human)
	untold.ID = event.NewID(untold.Time, "w", "test", true, []byte("while off"))
	o.events[len(o.events)-1] = untold
	o.handle(event.AnnounceEvent, untold)
	o.pass(time.Minute)

	// On again, and muted: neither changes what was.
	o.set("u_ana", func(s *notify.Settings) { s.Cells = nil })
	o.set("u_ana", func(s *notify.Settings) { s.Mutes = []notify.Mute{{What: notify.MuteAll}} })
	found, passed = o.checkOf(untold, notify.CheckKind)
	require.False(t, passed)
	require.Equal(t, "You are told of no opens of your messages (your settings).", found)
	found, passed = o.checkOf(told, notify.CheckMute)
	require.True(t, passed)
	require.Equal(t, "Nothing that you muted.", found)

	// The workspace's settings of today are not those of then either.
	_, err := o.books.ChangeDefaults(context.Background(), "w", func(d *notify.Defaults) error {
		d.Cells, d.Locked = off, map[notify.Kind]bool{"open": true}
		return nil
	})
	require.NoError(t, err)
	found, passed = o.checkOf(told, notify.CheckKind)
	require.True(t, passed)
	require.Equal(t, before, found)
	why, err := o.engine.Why(context.Background(), "w", "u_ana", told.ID)
	require.NoError(t, err)
	require.Equal(t, notify.CheckKind, why.Now.Check, "what would be decided today is beside it")
}

// Where it is not known any more what was in force, nothing is made up.
func TestWhyMakesUpNoSettings(t *testing.T) {
	o := newOffice(t)
	told := o.open(0, event.Human)
	o.handle(event.AnnounceEvent, told)
	o.pass(time.Minute)
	for i := range 60 {
		o.set("u_ana", func(s *notify.Settings) { s.Zone = []string{"Europe/Lisbon", "UTC"}[i%2] })
	}
	found, passed := o.checkOf(told, notify.CheckKind)
	require.True(t, passed)
	require.Equal(t, "It stopped nothing then.", found)
	doc, err := o.records.Get(context.Background(), "w", "notify-then", "u_ana")
	require.NoError(t, err)
	var all []json.RawMessage
	require.NoError(t, json.Unmarshal(doc, &all))
	require.Len(t, all, 50)
}

// Who is erased is in no earlier settings either, and who leaves has none.
func TestEarlierSettingsForget(t *testing.T) {
	o := newOffice(t)
	lee := notify.Mute{What: notify.MutePerson, ID: "lee@dox.test"}
	o.set("u_ana", func(s *notify.Settings) { s.Mutes = []notify.Mute{lee} })
	o.set("u_ana", func(s *notify.Settings) { s.Zone = "Europe/Lisbon" })
	kept := func() string {
		doc, err := o.records.Get(context.Background(), "w", "notify-then", "u_ana")
		if err != nil {
			return ""
		}
		return string(doc)
	}
	require.Contains(t, kept(), "lee@dox.test")
	for range 2 {
		require.NoError(t, o.books.ForgetPerson(context.Background(), "w", []string{"lee@dox.test"}))
	}
	require.NotContains(t, kept(), "lee@dox.test")
	require.Contains(t, kept(), "Lisbon")
	for range 2 {
		require.NoError(t, o.books.ForgetUser(context.Background(), "w", "u_ana"))
	}
	require.Empty(t, kept())
}
