package indexer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
)

// panicky is an index whose Create panics for one event.
type panicky struct {
	indexer.Index
	on event.ID
}

func (p panicky) Create(ctx context.Context, events []event.Event) ([]event.Outcome, error) {
	for _, e := range events {
		if e.ID == p.on {
			panic("a bug")
		}
	}
	return p.Index.Create(ctx, events)
}

// about is an event of a message about somebody, with a key of its own.
func about(t event.Type, message, key, email string) event.Event {
	e := event.Event{
		Workspace: "w", Message: message, Type: t, Time: start, Source: "api",
		ID: event.NewID(start, "w", "api", true, []byte(key)),
	}
	if t == event.Send {
		e.Subject, e.User, e.Recipients = "About "+message, "u_"+message, []event.Person{{Email: email}}
	} else {
		e.Recipient = &event.Person{Email: email}
	}
	return e
}

func TestAnErasedEventAndOneThatPanicsLeaveTheOthersAlone(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	erased := about(event.Open, "m-1", "erased", "gone@acme.example")
	breaks := about(event.Open, "m-1", "breaks", "jo@acme.example")
	good := about(event.Open, "m-1", "good", "li@acme.example")
	require.NoError(t, s.state.MarkErased(t.Context(), "w", "gone@acme.example", 0))
	q, l := newQueue(erased, breaks, good), &listener{}
	c := s.config(q, l)
	c.Index = panicky{s.index, breaks.ID}
	require.NoError(t, handle(indexer.New(c), q.take(10)))

	found, err := s.index.Get(t.Context(), "w", []event.ID{erased.ID, breaks.ID, good.ID})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, good.ID, found[0].ID)
	require.Equal(t, 1, q.waiting(), "only the one that breaks comes again")
	require.Len(t, q.failed[breaks.ID], 1)
	require.Len(t, q.failed, 1)
}

func TestABatchOfErasedPeopleAloneIsEnded(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	require.NoError(t, s.state.MarkErased(t.Context(), "w", "gone@acme.example", 0))
	q := newQueue(about(event.Open, "m-1", "erased", "gone@acme.example"))
	require.NoError(t, handle(indexer.New(s.config(q, &listener{})), q.take(10)))
	require.Zero(t, q.waiting())
}

func TestAnIDOfAnotherMessageIsAConflict(t *testing.T) {
	first, second := about(event.Open, "m-1", "id", "jo@acme.example"), about(event.Open, "m-2", "id", "jo@acme.example")
	require.Equal(t, first.ID, second.ID)
	other := about(event.Click, "m-1", "id", "jo@acme.example")
	somebody := about(event.Open, "m-1", "id", "li@acme.example")
	for name, conflict := range map[string]event.Event{"message": second, "type": other, "person": somebody} {
		for _, together := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " together ", together), func(t *testing.T) {
				s, closeStores := openStores(t)
				defer closeStores()
				q, l := newQueue(first, conflict, about(event.Send, "m-2", "send", "jo@acme.example")), &listener{}
				x := indexer.New(s.config(q, l))
				batch := 1
				if together {
					batch = 10
				}
				for range 3 {
					require.NoError(t, handle(x, q.take(batch)))
				}
				found, err := s.index.Get(t.Context(), "w", []event.ID{first.ID})
				require.NoError(t, err)
				require.Len(t, found, 1)
				require.Equal(t, first.Message, found[0].Message)
				require.Empty(t, found[0].User, "nobody sees what is not theirs")
				require.Empty(t, found[0].Subject)
				states, err := s.state.Read(t.Context(), []event.MessageKey{{Workspace: "w", Message: "m-2"}})
				require.NoError(t, err)
				require.Empty(t, states[event.MessageKey{Workspace: "w", Message: "m-2"}].First, "nobody opened the second")
				require.Len(t, q.failed[first.ID], 1, "no other try ends otherwise")
				require.Contains(t, q.failed[first.ID][0], "conflict")
				require.Zero(t, q.waiting())
			})
		}
	}
}

// A sender that gives an id again and again costs one dead letter a batch, in which the last
// of them is: each would take the place of the one before.
func TestManyEventsOfOneIDAreOneDeadLetter(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	events := []event.Event{about(event.Open, "m-0", "id", "jo@acme.example")}
	for i := range 50 {
		events = append(events, about(event.Open, fmt.Sprint("m-", i+1), "id", "jo@acme.example"))
	}
	q := newQueue(events...)
	require.NoError(t, handle(indexer.New(s.config(q, &listener{})), q.take(100)))
	require.Len(t, q.failed[events[0].ID], 1)
	require.Zero(t, q.waiting())
}

// Whoever came second has the id after all where the first was not kept.
func TestAnIDIsFreeAgainWhereItsFirstEventWasNotKept(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	first, second := about(event.Open, "m-1", "id", "jo@acme.example"), about(event.Open, "m-2", "id", "jo@acme.example")
	q := newQueue(first, second)
	config := s.config(q, &listener{})
	config.Index = refusing{config.Index, "m-1"}
	x := indexer.New(config)
	for range 10 {
		require.NoError(t, handle(x, q.take(10)))
	}
	require.Zero(t, q.waiting())
	found, err := s.index.Get(t.Context(), "w", []event.ID{first.ID})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "m-2", found[0].Message)
}

// refusing keeps no event of a message.
type refusing struct {
	indexer.Index
	message string
}

func (r refusing) Create(ctx context.Context, events []event.Event) ([]event.Outcome, error) {
	outcomes := make([]event.Outcome, len(events))
	for i, e := range events {
		if e.Message == r.message {
			outcomes[i].Err = errors.New("refused")
			continue
		}
		one, err := r.Index.Create(ctx, events[i:i+1])
		if err != nil {
			return nil, err
		}
		outcomes[i] = one[0]
	}
	return outcomes, nil
}

func TestEveryPendingEventGetsItsSubjectHoweverManyThereAre(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	var events []event.Event
	var ids []event.ID
	for i := range event.MaxPending + 200 {
		e := about(event.Bounce, "m-1", fmt.Sprint(i), "jo@acme.example")
		events, ids = append(events, e), append(ids, e.ID)
	}
	l := &listener{}
	for _, given := range [][]event.Event{events, {about(event.Send, "m-1", "send", "jo@acme.example")}} {
		q := newQueue(given...)
		x := indexer.New(s.config(q, l))
		for q.waiting() > 0 {
			require.NoError(t, handle(x, q.take(500)))
		}
	}
	s.reevaluator(l).quiet(t, s)
	found, err := s.index.Get(t.Context(), "w", ids)
	require.NoError(t, err)
	require.Len(t, found, len(ids))
	for _, e := range found {
		require.Equal(t, "About m-1", e.Subject)
		require.Equal(t, "u_m-1", e.User)
	}
}

// A list of pending events may name an id that another message has taken
// meanwhile: two indexers had the two at the same time.
func TestAPendingIDOfAnotherMessageIsNotCompleted(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	first := about(event.Open, "m-1", "id", "jo@acme.example")
	l := &listener{}
	q := newQueue(first)
	require.NoError(t, handle(indexer.New(s.config(q, l)), q.take(1)))
	_, err := s.state.Apply(t.Context(), []event.Change{
		{MessageKey: event.MessageKey{Workspace: "w", Message: "m-2"}, Pending: []event.ID{first.ID}},
	}, nil)
	require.NoError(t, err)
	q = newQueue(about(event.Send, "m-2", "send", "jo@acme.example"))
	require.NoError(t, handle(indexer.New(s.config(q, l)), q.take(1)))
	found, err := s.index.Get(t.Context(), "w", []event.ID{first.ID})
	require.NoError(t, err)
	require.Empty(t, found[0].Subject)
	require.Empty(t, found[0].User)
}
