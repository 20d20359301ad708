package notify_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/notify"
)

// model says what Ana, whose message it is, Jo of her team, and Ben, who may not see it, are
// told, by nothing but the words of docs/notifications.md.
type model struct {
	preset, muted map[string]string
	// outcome is by user and event, and first who has the first open of a recipient.
	outcome map[string]map[event.ID]string
	first   map[string]map[string]event.ID
}

// often is how often a user is told of a type.
func (m *model) often(user string, of event.Type) string {
	preset := m.preset[user]
	important := of == event.Reply || of == event.Bounce
	switch {
	case user == "u_ben":
		return "" // he may not see it
	case user == "u_jo" && (preset != notify.PresetAll || !important):
		return "" // a team's are told by "all" alone, and of them what is important
	case important || preset == notify.PresetAll:
		return "every"
	case preset == notify.PresetNormal:
		return "first"
	}
	return ""
}

// decide is what becomes of an event for a user that is new, or is a person's again.
func (m *model) decide(user string, e event.Event) {
	often, by := m.often(user, e.Type), e.Recipient.Email
	holder := m.first[user][by]
	outcome := "notified"
	switch {
	case often == "":
		return
	case m.muted[user] == by:
		outcome = "not mute"
	case e.Automated():
		outcome = "not person"
	case often == "first" && !holder.IsZero() && holder != e.ID:
		outcome = "not first"
	case often == "first":
		m.first[user][by] = e.ID
	}
	m.outcome[user][e.ID] = outcome
}

// correct is what becomes of an event that a machine made after all; others are all of its
// message.
func (m *model) correct(user string, e event.Event, others []event.Event) {
	if !e.Automated() { // nobody doubts that a person replies, or what a server says
		return
	}
	if m.outcome[user][e.ID] != "notified" {
		if m.outcome[user][e.ID] == "" {
			m.decide(user, e)
		}
		return
	}
	m.outcome[user][e.ID] = "withdrawn person"
	if m.first[user][e.Recipient.Email] != e.ID || m.often(user, e.Type) != "first" {
		return
	}
	delete(m.first[user], e.Recipient.Email)
	next := slices.IndexFunc(others, func(o event.Event) bool {
		return o.ID != e.ID && o.Type == e.Type && o.Recipient.Email == e.Recipient.Email && !o.Automated()
	})
	if next >= 0 {
		m.decide(user, others[next])
	}
}

// killed handles triggers in a process that dies at a write, so many writes on, before or
// after it; then in another. It does not die for a number below zero.
func (o *office) killed(left int, after bool, triggers []event.Trigger) {
	o.t.Helper()
	m := &mortal{Store: o.store, left: left, after: after, deliveries: make(map[string]int)}
	handle := func() error {
		config := o.engine.Config
		config.Store, config.Announcer, config.Outbox = m, m, m
		return notify.NewEngine(config).Handle(context.Background(), triggers)
	}
	err := handle()
	if err != nil {
		require.ErrorIs(o.t, err, errKilled)
		err = handle()
	}
	require.NoError(o.t, err)
}

// Settings, mutes, a team, disorder, repetition, machines, corrections and crashes at random:
// what is in the log is what the model says, each once.
func TestDecisionsAreThoseOfTheModel(t *testing.T) {
	o := newOffice(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		o.events = nil
		m := &model{
			preset: make(map[string]string), muted: make(map[string]string),
			outcome: make(map[string]map[event.ID]string), first: make(map[string]map[string]event.ID),
		}
		people := []string{"lee@dox.test", "kim@dox.test"}
		dies := func(triggers []event.Trigger) {
			o.killed(rapid.IntRange(-3, 6).Draw(rt, "dies at"), rapid.Bool().Draw(rt, "after it"), triggers)
		}
		for _, user := range []string{"u_ana", "u_jo", "u_ben"} {
			m.outcome[user], m.first[user] = make(map[event.ID]string), make(map[string]event.ID)
			m.preset[user] = rapid.SampledFrom([]string{notify.PresetQuiet, notify.PresetNormal, notify.PresetAll}).Draw(rt, user)
			m.muted[user] = rapid.SampledFrom([]string{"", people[0], people[1]}).Draw(rt, "muted by "+user)
			o.set(user, func(s *notify.Settings) {
				*s = notify.Settings{Rev: s.Rev, Preset: m.preset[user]}
				if m.muted[user] != "" {
					s.Mutes = []notify.Mute{{What: notify.MutePerson, ID: m.muted[user]}}
				}
			})
		}
		o.pass(time.Hour) // limits of an hour begin anew
		var events []event.Event
		for i := range rapid.IntRange(1, 7).Draw(rt, "events") {
			at := o.now.Add(time.Duration(i-10) * time.Minute).Unix() // the oldest first
			events = append(events, event.Event{
				ID: event.NewID(at, "w", "test", true, fmt.Appendf(nil, "%d-%d", round, i)), Workspace: "w", Time: at, Source: "test",
				Type: rapid.SampledFrom([]event.Type{event.Open, event.Open, event.Reply, event.Bounce}).Draw(rt, "type"),
				User: "u_ana", Message: fmt.Sprint("model_", round), Recipient: &event.Person{Email: rapid.SampledFrom(people).Draw(rt, "by")},
				Verdict: event.Verdict{Is: rapid.SampledFrom([]string{event.Human, event.Human, event.Machine}).Draw(rt, "is"), Rule: "r"},
			})
		}
		o.events = events
		order := rapid.Permutation(append(slices.Clone(events), events...)).Draw(rt, "order")
		for len(order) > 0 {
			n := rapid.IntRange(1, len(order)).Draw(rt, "together")
			triggers := make([]event.Trigger, n)
			for i, e := range order[:n] {
				triggers[i] = event.Trigger{Kind: event.AnnounceEvent, Event: e}
				for user := range m.outcome {
					if m.outcome[user][e.ID] == "" {
						m.decide(user, e)
					}
				}
			}
			dies(triggers)
			order = order[n:]
		}
		for _, i := range rapid.SliceOfDistinct(rapid.IntRange(0, len(events)-1), rapid.ID[int]).Draw(rt, "corrected") {
			events[i].Verdict.Is = event.Machine
			for range 2 {
				dies([]event.Trigger{{Kind: event.AnnounceChanged, Event: events[i]}})
			}
			for user := range m.outcome {
				m.correct(user, events[i], events)
			}
		}
		for user, want := range m.outcome {
			page, _, err := o.store.Page(context.Background(), "w", notify.Filter{User: user, Message: events[0].Message}, "", 100)
			require.NoError(rt, err)
			got := make(map[event.ID]string)
			for _, d := range page {
				text := string(d.Outcome)
				if d.Check != "" {
					text += " " + string(d.Check)
				}
				require.Empty(rt, got[d.Event], "decided twice")
				got[d.Event] = text
			}
			require.Equal(rt, want, got, user)
		}
	})
}
