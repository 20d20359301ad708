package indexer_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
)

// wants keeps which weeks were asked for.
type wants map[event.Week]int

func (w wants) Wanted(_ context.Context, weeks []event.Week) error {
	for _, week := range weeks {
		w[week]++
	}
	return nil
}

func mailed(kind event.Type, message string, at int64, key string) event.Event {
	e := event.Event{Workspace: "w", Message: message, Type: kind, Time: at, Source: "api"}
	if kind == event.Send {
		e.Subject, e.User, e.Recipients = "About "+message, "u_ana", people
	} else {
		e.Recipient = &event.Person{Email: people[0].Email}
	}
	e.ID = event.NewID(at, e.Workspace, e.Source, true, []byte(key))
	return e
}

func TestEventsOfABlockedWeekWaitUncountedAndHurtNoNeighbour(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	ctx := context.Background()
	old := mailed(event.Open, "m-1", start, "before")
	_, err := s.index.Create(ctx, []event.Event{old})
	require.NoError(t, err)
	require.NoError(t, s.index.Seal(ctx, old.Week()))

	late := mailed(event.Open, "m-1", start+60, "late")
	neighbour := mailed(event.Open, "m-2", start+2*3600, "neighbour")
	q, l, asked := newQueue(late, neighbour), &listener{}, wants{}
	c := s.config(q, l)
	c.Blocks = asked
	for range 10 { // many more than a failing event is allowed
		require.NoError(t, indexer.New(c).Handle(ctx, q.take(10)))
	}
	require.Equal(t, 1, q.waiting(), "the neighbour is done")
	require.Empty(t, q.failed)
	require.Equal(t, wants{old.Week(): 10}, asked)
	found, err := s.index.Get(ctx, "w", []event.ID{late.ID, neighbour.ID})
	require.NoError(t, err)
	require.Len(t, found, 1)

	require.NoError(t, s.index.Unseal(ctx, old.Week()))
	require.NoError(t, indexer.New(c).Handle(ctx, q.take(10)))
	require.Zero(t, q.waiting())
	found, err = s.index.Get(ctx, "w", []event.ID{late.ID})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, 1, announcedTimes(l, late.ID), "what waited is announced once it is there")
}

func TestASendWaitsWhileItsPendingEventIsInABlockedWeek(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	ctx := context.Background()
	pending := mailed(event.Open, "m-1", start, "early")
	q, l, asked := newQueue(pending), &listener{}, wants{}
	c := s.config(q, l)
	c.Blocks = asked
	require.NoError(t, indexer.New(c).Handle(ctx, q.take(10)))
	require.NoError(t, s.index.Seal(ctx, pending.Week()))

	send := mailed(event.Send, "m-1", start+2*3600, "send")
	other := mailed(event.Send, "m-2", start+2*3600, "other")
	q = newQueue(send, other)
	c.Queue = q
	require.NoError(t, indexer.New(c).Handle(ctx, q.take(10)))
	require.Equal(t, 1, q.waiting(), "the other message is done")
	require.Equal(t, wants{pending.Week(): 1}, asked)

	require.NoError(t, s.index.Unseal(ctx, pending.Week()))
	require.NoError(t, indexer.New(c).Handle(ctx, q.take(10)))
	require.Zero(t, q.waiting())
	require.Empty(t, q.failed)
	found, err := s.index.Get(ctx, "w", []event.ID{pending.ID})
	require.NoError(t, err)
	require.Equal(t, "About m-1", found[0].Subject)
	require.Positive(t, announcedTimes(l, send.ID))
}

func announcedTimes(l *listener, id event.ID) int {
	n := 0
	for _, announcements := range l.announcements {
		if announcements.Kind == event.AnnounceEvent && announcements.Event.ID == id {
			n++
		}
	}
	return n
}
