package indexer_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
)

// namedEvent draws something that happens to one of two mails, told under any of its
// names, which may tell some of the others.
func namedEvent(t *rapid.T) event.Event {
	mail := rapid.IntRange(1, 2).Draw(t, "mail")
	name := func() string {
		return fmt.Sprintf("%s-%d", rapid.SampledFrom([]string{"own", "vendor", "message-id@x"}).Draw(t, "name"), mail)
	}
	e := event.Event{
		Workspace: "w", Message: name(), Source: "api",
		Type: rapid.SampledFrom([]event.Type{event.Send, event.Open, event.Reply, event.Unsubscribe, event.Custom}).Draw(t, "type"),
		Time: start + 1800 + rapid.Int64Range(0, 3600).Draw(t, "time"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "aliases") {
		if alias := name(); alias != e.Message && !slices.Contains(e.Aliases, alias) {
			e.Aliases = append(e.Aliases, alias)
		}
	}
	if e.Type == event.Send {
		e.Time = start + (e.Time-start-1800)/4
		e.Subject, e.User = fmt.Sprint("About ", mail), "u_ana"
		e.Recipients = people[:rapid.IntRange(1, 3).Draw(t, "to")]
	} else {
		e.Recipient = &event.Person{Email: rapid.SampledFrom(people).Draw(t, "recipient").Email}
	}
	key := fmt.Sprint(e.Type, e.Message, e.Aliases, e.Recipient, len(e.Recipients))
	e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, []byte(key))
	return e
}

// families are the names of each mail, as far as the events tell, by name.
func families(events []event.Event) map[string][]string {
	family := make(map[string][]string)
	for _, e := range events {
		all := []string{}
		for _, name := range e.Names() {
			all = append(append(all, name), family[name]...)
		}
		slices.Sort(all)
		all = slices.Compact(all)
		for _, name := range all {
			family[name] = all
		}
	}
	return family
}

func checkNames(t *rapid.T, s stores, events []event.Event) {
	ctx := context.Background()
	reader := feed.NewReader(feed.Config{
		Index: s.index, States: s.state, Catalogue: s.state, Directory: nobody{},
		Clock: func() time.Time { return time.Unix(start+2*3600, 0) },
	})
	family := families(events)
	for name, names := range family {
		want := event.State{MessageKey: event.MessageKey{Workspace: "w", Message: "any"}}
		told := make(map[event.ID]event.Event)
		for _, e := range events {
			if _, repeated := told[e.ID]; !repeated && slices.Contains(names, e.Message) {
				told[e.ID] = e
				e.Message = "any"
				want.Apply(event.ChangeOf(e))
			}
		}
		states, err := s.state.Of(ctx, "w", names)
		require.NoError(t, err)
		var root event.State
		for _, state := range states {
			if state.To == "" {
				require.Empty(t, root.Message, "%s and %s are one mail", root.Message, state.Message)
				root = state
			}
		}
		require.Equal(t, want.First, nonEmpty(root.First), "marks of %s", names)
		require.Equal(t, want.Recipients, root.Recipients)
		require.Equal(t, want.Subject, root.Subject)
		require.Equal(t, want.Sent && want.Complete(), root.Expire != 0, "waits to be reduced")

		page, err := reader.Timeline(ctx, feed.Scope{Workspace: "w"}, name, "", 200)
		require.NoError(t, err)
		require.Len(t, page.Items, len(told), "timeline by %s of %s", name, names)
		for _, item := range page.Items {
			require.Equal(t, root.Message, item.Message, "all of a mail has one name")
			called := item.Message
			if item.Original != "" {
				called = item.Original
			}
			require.Equal(t, told[item.ID].Message, called, "as its source told it")
			if want.Sent {
				require.Equal(t, want.Subject, item.Subject)
			}
		}
		found, err := reader.Page(ctx, feed.PageRequest{Scope: feed.Scope{Workspace: "w"}, Text: "message:" + name, Limit: 200})
		require.NoError(t, err)
		require.Len(t, found.Items, len(told))
	}
}

func nonEmpty(first map[event.Mark]map[event.RecipientKey]int64) map[event.Mark]map[event.RecipientKey]int64 {
	if len(first) == 0 {
		return nil
	}
	return first
}

func TestSeveralIndexersJoinTheNamesOfAMail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(namedEvent), 2, 14).Draw(t, "events")
		s, closeStores := openStores(t)
		defer closeStores()
		q, l := newQueue(events...), &listener{}
		size := rapid.IntRange(1, 3).Draw(t, "batch")
		for q.waiting() > 0 {
			var all sync.WaitGroup
			for range 3 {
				batch := q.take(size)
				all.Go(func() {
					if err := indexer.New(s.config(q, l)).Handle(context.Background(), batch); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			q.redeliver()
		}
		s.reevaluator(l).quiet(t, s)
		checkNames(t, s, events)
	})
}

func TestAConstantInAVendorsFieldJoinsNoMails(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	var events []event.Event
	for i := range 3 {
		e := event.Event{
			Workspace: "w", Message: fmt.Sprint("m-", i), Aliases: []string{"campaign"}, Type: event.Send, Time: start + int64(i),
			Subject: fmt.Sprint("About ", i), Recipients: people, Source: "api",
		}
		e.ID = event.NewID(e.Time, "w", "api", true, []byte(e.Message))
		events = append(events, e)
	}
	q, l, counts := newQueue(events...), &listener{}, &counted{of: make(map[indexer.Outcome]int)}
	config := s.config(q, l)
	config.Observer = counts
	for q.waiting() > 0 {
		require.NoError(t, indexer.New(config).Handle(t.Context(), q.take(1)))
	}
	require.Equal(t, map[indexer.Apart]int{indexer.ApartOtherMail: 2}, counts.apart)
	states, err := s.state.Of(t.Context(), "w", []string{"m-0", "m-1", "m-2", "campaign"})
	require.NoError(t, err)
	require.Equal(t, []string{"campaign"}, states["m-0"].Aliases, "the first has the name")
	require.Equal(t, "m-0", states["campaign"].To)
	for i, name := range []string{"m-0", "m-1", "m-2"} {
		require.Equal(t, fmt.Sprint("About ", i), states[name].Subject)
	}
}

func TestAMessageHasABoundOfNames(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	var events []event.Event
	for i := range 3 {
		e := event.Event{Workspace: "w", Message: "m", Type: event.Send, Time: start, Subject: "s", Recipients: people[:1], Source: "api"}
		for j := range event.MaxAliases {
			e.Aliases = append(e.Aliases, fmt.Sprint("name-", i, "-", j))
		}
		e.ID = event.NewID(e.Time, "w", "api", true, fmt.Append(nil, i))
		events = append(events, e)
	}
	q, l, counts := newQueue(events...), &listener{}, &counted{of: make(map[indexer.Outcome]int)}
	config := s.config(q, l)
	config.Observer = counts
	for q.waiting() > 0 {
		require.NoError(t, indexer.New(config).Handle(t.Context(), q.take(1)))
	}
	require.Equal(t, 3*event.MaxAliases-event.MaxNames, counts.apart[indexer.ApartNames])
}

func TestTheNamesOfAMailGoWithItsPeople(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	e := event.Event{
		Workspace: "w", Message: "own", Aliases: []string{"vendor"}, Type: event.Send, Time: start,
		Subject: "Hello", Recipients: people[:1], Source: "api",
	}
	e.ID = event.NewID(e.Time, "w", "api", true, []byte("send"))
	q, l := newQueue(e), &listener{}
	config := s.config(q, l)
	require.NoError(t, indexer.New(config).Handle(t.Context(), q.take(1)))
	_, err := config.Eraser.Erase(t.Context(), "w", people[0].Email)
	require.NoError(t, err)
	states, err := s.state.Of(t.Context(), "w", []string{"own", "vendor"})
	require.NoError(t, err)
	require.Empty(t, states)
}
