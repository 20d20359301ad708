package notify_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/notify"
)

var everyInPage = notify.Cell{Often: notify.Every, Channels: []notify.Channel{notify.InPage}}

func (o *office) rule(owner, name string, ask notify.Ask) notify.Rule {
	o.t.Helper()
	ask.Enabled = true
	if ask.Cell.Often == "" {
		ask.Cell = everyInPage
	}
	r, err := o.books.PutRule(context.Background(), "w", notify.Rule{Name: name, Owner: owner, Ask: ask})
	require.NoError(o.t, err)
	return r
}

func TestARuleTellsOfWhatItFindsAndItsOwnerMaySee(t *testing.T) {
	o := newOffice(t)
	for _, user := range []string{"u_jo", "u_ben"} {
		o.rule(user, "dox", notify.Ask{Q: "opens from dox.test"})
	}
	first := o.open(2, event.Human)
	o.handle(event.AnnounceEvent, first)
	require.Len(t, o.bell("u_jo"), 1)
	require.Equal(t, "Your rule “dox” found it.", o.bell("u_jo")[0].Found)
	require.Empty(t, o.bell("u_ben"), "he may not see it")
	require.Len(t, o.bell("u_ana"), 1, "it is hers")

	require.NoError(t, o.books.DeleteRule(context.Background(), "w", "u_jo", "dox"))
	o.now = o.now.Add(time.Minute)
	o.handle(event.AnnounceEvent, o.open(1, event.Human))
	require.Len(t, o.bell("u_jo"), 1)
}

// Ana is told of her own by her settings too: one event is one notification.
func TestManyRulesMakeOneNotification(t *testing.T) {
	o := newOffice(t)
	o.rule("u_ana", "a", notify.Ask{Q: "opens from dox.test"})
	o.rule("u_ana", "b", notify.Ask{Person: "Lee@dox.test"})
	o.handle(event.AnnounceEvent, o.open(2, event.Human))
	bell := o.bell("u_ana")
	require.Len(t, bell, 1)
	require.Equal(t, []string{"a", "b"}, bell[0].Rules)
	require.Equal(t, []notify.Reason{notify.ReasonYours, notify.ReasonRule}, bell[0].Reasons)
}

// "Tell me when they open": once, and once more where that was a scanner.
func TestARuleOfOneMessageTellsOnce(t *testing.T) {
	o := newOffice(t)
	_, err := o.books.ChangeSettings(context.Background(), "w", "u_ana", func(s *notify.Settings) error {
		s.Preset = notify.PresetQuiet
		return nil
	})
	require.NoError(t, err)
	o.rule("u_ana", "m", notify.Ask{Message: "m_1", Person: "lee@dox.test", Kinds: []notify.Kind{"open", "reply"}, Once: true})
	other := o.open(9, event.Human)
	other.Message = "m_2"
	o.handle(event.AnnounceEvent, other)
	require.Empty(t, o.bell("u_ana"))
	scanner, person := o.open(8, event.Human), o.open(5, event.Human)
	for range 2 {
		o.handle(event.AnnounceEvent, scanner)
		o.handle(event.AnnounceEvent, person)
	}
	require.Len(t, o.bell("u_ana"), 1)
	rules, err := o.books.Rules(context.Background(), "w", "u_ana")
	require.NoError(t, err)
	require.Equal(t, scanner.ID, rules[0].Done)

	scanner.Verdict.Is = event.Machine
	o.events = []event.Event{scanner, person}
	o.now = o.now.Add(time.Minute)
	o.handle(event.AnnounceChanged, scanner)
	o.now = o.now.Add(time.Minute)
	bell := o.bell("u_ana")
	require.Len(t, bell, 1)
	require.Equal(t, person.ID, bell[0].Event)
	o.now = o.now.Add(time.Minute)
	o.handle(event.AnnounceEvent, o.open(1, event.Human))
	require.Len(t, o.bell("u_ana"), 1, "it has told")
}

func TestAPreviewCountsLastWeek(t *testing.T) {
	o := newOffice(t)
	for day := range 10 {
		o.open(day*24*60+30, event.Human)
	}
	o.open(90, event.Machine)
	preview := func(ask notify.Ask) notify.Preview {
		ask.Cell = everyInPage
		p, err := o.engine.PreviewRule(context.Background(), "w", notify.Rule{Name: "p", Owner: "u_ana", Ask: ask})
		require.NoError(t, err)
		return p
	}
	p := preview(notify.Ask{Q: "opens from dox.test"})
	require.Equal(t, 7, p.Count)
	require.Len(t, p.Examples, 7)
	require.Len(t, p.Days, 8)
	require.Equal(t, notify.DayCount{Date: "2026-11-18", Count: 1}, p.Days[7])
	require.Equal(t, o.events[0].ID, p.Examples[0], "the newest first")
	require.Equal(t, 1, preview(notify.Ask{Message: "m_1", Once: true}).Count)
	require.Zero(t, preview(notify.Ask{Q: "replies"}).Count)
	require.Empty(t, o.bell("u_ana"), "nobody is told")
}

func TestWhatNoRuleCanBeMadeOf(t *testing.T) {
	o := newOffice(t)
	for _, tc := range []struct {
		ask   notify.Ask
		field string
	}{
		{notify.Ask{}, "q"},
		{notify.Ask{Q: "opens today"}, "q"},
		{notify.Ask{Q: "opened more than 3 times"}, "q"},
		{notify.Ask{Q: "is:unopened"}, "q"},
		{notify.Ask{Q: "acme", Kinds: []notify.Kind{"send"}}, "kinds"},
		{notify.Ask{Q: "acme", On: "someday"}, "on"},
		{notify.Ask{Q: "acme", Cell: notify.Cell{Often: notify.Off}}, "do"},
	} {
		if tc.ask.Cell.Often == "" {
			tc.ask.Cell = everyInPage
		}
		var field *event.FieldError
		require.ErrorAs(t, o.engine.CheckRule(context.Background(), "w", notify.Rule{Name: "r", Owner: "u_ana", Ask: tc.ask}), &field, "%+v", tc.ask)
		require.Equal(t, tc.field, field.Field)
	}
	for i := range notify.MaxRules {
		o.rule("u_ana", fmt.Sprint(i), notify.Ask{Q: "acme"})
	}
	_, err := o.books.PutRule(context.Background(), "w", notify.Rule{Name: "one more", Owner: "u_ana", Ask: notify.Ask{Q: "acme", Cell: everyInPage}})
	require.ErrorIs(t, err, event.ErrTooMuch)
}

func TestAnErasedPersonIsInNoRuleOrMute(t *testing.T) {
	ctx := context.Background()
	o := newOffice(t)
	o.rule("u_ana", "a", notify.Ask{Person: "lee@dox.test"})
	o.rule("u_ana", "b", notify.Ask{Q: "opens from lee@dox.test"})
	o.rule("u_ana", "c", notify.Ask{Q: "opens from dox.test"})
	_, err := o.books.Change(ctx, "w", "u_ana", notify.SettingsChange{Mute: &notify.Mute{What: notify.MutePerson, ID: "Lee@dox.test"}})
	require.NoError(t, err)
	_, err = o.books.Change(ctx, "w", "u_ana", notify.SettingsChange{VIPs: &[]string{"lee@DOX.test", "dox.test"}})
	require.NoError(t, err)
	require.NoError(t, o.books.ForgetPerson(ctx, "w", []string{"lee@dox.test"}))
	rules, err := o.books.Rules(ctx, "w", "u_ana")
	require.NoError(t, err)
	require.Len(t, rules, 1)
	s, err := o.books.Settings(ctx, "w", "u_ana")
	require.NoError(t, err)
	require.Empty(t, s.Mutes)
	require.Equal(t, []string{"dox.test"}, s.VIPs)
	require.NoError(t, o.books.ForgetUser(ctx, "w", "u_ana"))
	rules, err = o.books.Rules(ctx, "w", "u_ana")
	require.NoError(t, err)
	require.Empty(t, rules)
}
