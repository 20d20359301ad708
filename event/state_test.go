package event_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

var persons = []event.Person{
	{Email: "jo@acme.example", Name: "Jo"}, {Email: "ana@acme.example"}, {Email: "li@globex.example", Name: "Li Wei"},
}

// anyEvent draws an event of one message: pieces of the send, and what its
// recipients do, with every verdict.
func anyEvent(t *rapid.T) event.Event {
	e := event.Event{
		Workspace: "w", Message: "m-17", Source: "api",
		Type: rapid.SampledFrom(event.Types).Draw(t, "type"),
		Time: rapid.Int64Range(1000, 1020).Draw(t, "time"),
	}
	if e.Type == event.Send {
		e.Subject = rapid.SampledFrom([]string{"", "Pricing", "Pricing proposal"}).Draw(t, "subject")
		e.User = rapid.SampledFrom([]string{"", "u_ana", "u_ben", "u_cy"}).Draw(t, "user")
		e.Recipients = rapid.SliceOfN(rapid.SampledFrom(persons), 1, 3).Draw(t, "recipients")
	} else {
		person := rapid.SampledFrom(persons).Draw(t, "recipient")
		e.Recipient = &person
	}
	e.Verdict.Is = rapid.SampledFrom([]string{event.Human, event.Machine, event.Unknown}).Draw(t, "verdict")
	e.ID = event.NewID(e.Time, "w", "api", true, fmt.Append(nil, rapid.IntRange(0, 9).Draw(t, "key")))
	return e
}

// fold applies events one by one to a fresh state and forgets how often.
func fold(events []event.Event) event.State {
	var s event.State
	for _, e := range events {
		s.Apply(event.ChangeOf(e))
	}
	return unversioned(s)
}

// unversioned forgets how often a state was changed.
func unversioned(s event.State) event.State {
	s = s.Clone()
	s.Version = 0
	for user, part := range s.Parts {
		part.Version = 0
		s.Parts[user] = part
	}
	return s
}

func TestAnyOrderAndAnyRepetitionGiveTheSameState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(anyEvent), 1, 12).Draw(t, "events")
		want := fold(events)
		again := rapid.Permutation(append(events, events...)).Draw(t, "again, shuffled")
		if diff := cmp.Diff(want, fold(again)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAMergedChangeIsTheSameAsItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(anyEvent), 1, 8).Draw(t, "events")
		merged := event.ChangeOf(events[0])
		for _, e := range events[1:] {
			merged.Merge(event.ChangeOf(e))
		}
		var s event.State
		s.MessageKey = merged.MessageKey
		s.Apply(merged)
		s.MessageKey = event.MessageKey{}
		if diff := cmp.Diff(fold(events), unversioned(s)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestVersionRisesWithEachEffectAndOnlyThen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s event.State
		for _, e := range rapid.SliceOfN(rapid.Custom(anyEvent), 1, 12).Draw(t, "events") {
			before, version := s.Clone(), s.Version
			changed := s.Apply(event.ChangeOf(e))
			before, after := unversioned(before), unversioned(s)
			require.Equal(t, changed, s.Version == version+1)
			if !changed {
				require.Empty(t, cmp.Diff(before, after))
			}
		}
	})
}

func send(people ...event.Person) event.Event {
	return event.Event{Type: event.Send, Time: 1000, Recipients: people, Subject: "Pricing", User: "u_ana"}
}

func by(t event.Type, person event.Person, at int64, verdict string) event.Event {
	return event.Event{Type: t, Time: at, Recipient: &person, Verdict: event.Verdict{Is: verdict}}
}

func TestWhoHasNotOpened(t *testing.T) {
	jo, ana := persons[0], persons[1]
	cases := map[string]struct {
		then     []event.Event
		unopened int
	}{
		"nobody yet":                         {nil, 2},
		"a person opened":                    {[]event.Event{by(event.Open, jo, 1001, event.Human)}, 1},
		"unknown counts as a person":         {[]event.Event{by(event.Open, jo, 1001, event.Unknown)}, 1},
		"a machine opened":                   {[]event.Event{by(event.Open, jo, 1001, event.Machine)}, 2},
		"a click is an open":                 {[]event.Event{by(event.Click, jo, 1001, event.Human)}, 1},
		"a machine's click is none":          {[]event.Event{by(event.Click, jo, 1001, event.Machine)}, 2},
		"a reply is an open":                 {[]event.Event{by(event.Reply, jo, 1001, event.Human)}, 1},
		"a download is an open":              {[]event.Event{by(event.Download, jo, 1001, event.Human)}, 1},
		"a bounce is none":                   {[]event.Event{by(event.Bounce, jo, 1001, "")}, 2},
		"someone who was not written to":     {[]event.Event{by(event.Open, persons[2], 1001, event.Human)}, 2},
		"everyone":                           {[]event.Event{by(event.Open, jo, 1001, event.Human), by(event.Reply, ana, 1002, event.Human)}, 0},
		"a later piece with someone new":     {[]event.Event{by(event.Open, jo, 1001, event.Human), by(event.Open, ana, 1001, event.Human), send(persons[2])}, 1},
		"one person, twice, another machine": {[]event.Event{by(event.Open, jo, 1001, event.Human), by(event.Open, jo, 1002, event.Machine)}, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := fold(append([]event.Event{send(jo, ana)}, c.then...))
			require.Len(t, s.Unopened(), c.unopened)
			require.Equal(t, c.unopened == 0, s.Complete())
		})
	}
}

func TestADoneMessageDoesNotBecomeUnopenedAgain(t *testing.T) {
	jo, ana, li := persons[0], persons[1], persons[2]
	history := []event.Event{send(jo, ana), by(event.Open, jo, 1001, event.Human), by(event.Click, ana, 1002, event.Human)}
	s := fold(history)
	s.Finish()
	for _, e := range history {
		s.Apply(event.ChangeOf(e))
	}
	require.True(t, s.Done)
	require.Empty(t, s.Unopened())
	require.Equal(t, int64(1002), s.First[event.MarkClicked][event.KeyOf(ana.Email)], "clicks are kept")
	require.Empty(t, s.First[event.MarkOpened], "opens were let go")

	s.Apply(event.ChangeOf(by(event.Reply, jo, 1500, event.Human)))
	require.Equal(t, int64(1500), s.First[event.MarkReplied][event.KeyOf(jo.Email)], "replies still come in")

	s.Apply(event.ChangeOf(send(li)))
	require.Equal(t, []event.RecipientKey{event.KeyOf(li.Email)}, s.Unopened(), "someone new has not opened")
}
