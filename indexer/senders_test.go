package indexer_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/indexer"
)

// campaignEvent draws a send of one of three users to one of three people, all
// with one message id, or what somebody does with theirs, which names no user.
func campaignEvent(workspace string) func(*rapid.T) event.Event {
	return func(t *rapid.T) event.Event { return drawCampaign(t, workspace) }
}

func drawCampaign(t *rapid.T, workspace string) event.Event {
	e := event.Event{
		Workspace: workspace, Message: "campaign-42", Source: "api", Time: start + rapid.Int64Range(100, 2*3600).Draw(t, "time"),
		Type: rapid.SampledFrom([]event.Type{event.Send, event.Send, event.Reply, event.Open, event.Delivery}).Draw(t, "type"),
	}
	person := rapid.SampledFrom(people).Draw(t, "person")
	if e.Type == event.Send {
		e.User = rapid.SampledFrom([]string{"u_ana", "u_ben", "u_cy"}).Draw(t, "user")
		e.Subject, e.Recipients = "Of "+e.User, []event.Person{person}
	} else {
		e.Recipient = &event.Person{Email: person.Email}
	}
	e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, fmt.Append(nil, e.Type, person.Email, e.User))
	return e
}

// checkSenders holds each event to the senders of its person, once the message is
// one of several users.
func checkSenders(t require.TestingT, s stores, events []event.Event) {
	workspace := events[0].Workspace
	byID := make(map[event.ID]event.Event)
	var whole event.State
	for _, e := range events {
		byID[e.ID] = e
		whole.Apply(event.ChangeOf(e))
	}
	states, err := s.state.Of(context.Background(), workspace, []string{"campaign-42"})
	require.NoError(t, err)
	state := states["campaign-42"]
	for _, person := range people {
		key := event.KeyOf(person.Email)
		require.ElementsMatch(t, whole.SendersOf(key), state.SendersOf(key), person.Email)
	}
	if !whole.Shared() {
		return
	}
	found, err := s.index.Get(context.Background(), workspace, slices.Collect(maps.Keys(byID)))
	require.NoError(t, err)
	require.Len(t, found, len(byID))
	for _, e := range found {
		if e.Type == event.Send {
			continue
		}
		if senders := whole.SendersOf(event.KeyOf(e.Recipient.Email)); len(senders) > 0 {
			require.Contains(t, senders, e.User, "whose mail %s is about", e.Recipient.Email)
			require.Equal(t, "Of "+e.User, e.Subject)
		}
	}
}

func TestAStateThatKnewOneSenderLearnsTheOthersFromTheirSends(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	sent := func(user string, person event.Person, at int64) event.Event {
		e := event.Event{
			Workspace: "w", Message: "campaign-42", Type: event.Send, Time: start + at, Source: "api",
			User: user, Subject: "Of " + user, Recipients: []event.Person{person},
		}
		e.ID = event.NewID(e.Time, "w", "api", true, []byte(user))
		return e
	}
	opened := event.Event{
		Workspace: "w", Message: "campaign-42", Type: event.Reply, Time: start + 500, Source: "api",
		Recipient: &people[1], User: "u_ana", Subject: "Of u_ana", // as it was filled in before
	}
	opened.ID = event.NewID(opened.Time, "w", "api", true, []byte("open"))
	events := []event.Event{sent("u_ana", people[0], 1), sent("u_ben", people[1], 2), opened}
	ctx, l := context.Background(), &listener{}
	q := newQueue(events...)
	require.NoError(t, indexer.New(s.config(q, l)).Handle(ctx, q.take(3)))
	states, err := s.state.Of(ctx, "w", []string{"campaign-42"})
	require.NoError(t, err)
	old := states["campaign-42"]
	old.Parts, old.Senders = nil, nil // as the code of before has written it
	replaced, err := s.state.Replace(ctx, old)
	require.NoError(t, err)
	require.True(t, replaced)

	l.announcements = nil
	c := s.reevaluator(l)
	require.NoError(t, c.Reevaluate(ctx, []event.MessageKey{old.MessageKey}))
	c.quiet(t, s)
	checkSenders(t, s, events)
	gone := slices.ContainsFunc(l.announcements, func(a event.Announcement) bool {
		return a.Kind == event.AnnounceGone && a.User == "u_ana" && *a.Gone == opened.ID
	})
	require.True(t, gone, "whoever saw it as hers is told")
}
