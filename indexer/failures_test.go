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

func TestAPoisonedEventGoesAsideAndItsNeighboursDoNot(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	good := event.Event{Workspace: "w", Message: "m", Type: event.Open, Time: start, Recipient: &people[0], Source: "api"}
	good.ID = event.NewID(start, "w", "api", true, []byte("good"))
	q, l := newQueue(good), &listener{}
	poison := event.NewID(start, "w", "api", true, []byte("poison"))
	q.items = append(q.items,
		&item{queue: q, payload: []byte(`{"type":`), id: poison},
	)
	for q.waiting() > 0 {
		require.NoError(t, indexer.New(s.config(q, l)).Handle(t.Context(), q.take(10)))
	}
	require.Len(t, q.failed[poison], 3, "it was tried three times")
	require.Empty(t, q.failed[good.ID])
	found, err := s.index.Get(t.Context(), "w", []event.ID{good.ID})
	require.NoError(t, err)
	require.Len(t, found, 1)
}

// breaking is an index that panics over one event, and is away when told.
type breaking struct {
	indexer.Index
	on   event.ID
	away bool
}

func (b *breaking) Create(ctx context.Context, events []event.Event) ([]event.Outcome, error) {
	if b.away {
		return nil, fmt.Errorf("create: %w", event.ErrUnavailable)
	}
	for _, e := range events {
		if e.ID == b.on {
			panic("cannot happen")
		}
	}
	return b.Index.Create(ctx, events)
}

func someOpens(n int) []event.Event {
	opens := make([]event.Event, n)
	for i := range opens {
		opens[i] = event.Event{Workspace: "w", Message: "m", Type: event.Open, Time: start, Recipient: &people[0], Source: "api"}
		opens[i].ID = event.NewID(start, "w", "api", true, fmt.Append(nil, i))
	}
	return opens
}

func TestAPanicOverOneEventBreaksOnlyIt(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	opens := someOpens(5)
	q, l := newQueue(opens...), &listener{}
	c := s.config(q, l)
	c.Index = &breaking{Index: s.index, on: opens[2].ID}
	for q.waiting() > 0 {
		require.NoError(t, indexer.New(c).Handle(t.Context(), q.take(10)))
	}
	require.Len(t, q.failed, 1)
	require.Contains(t, q.failed[opens[2].ID][0], "panic")
	infos, err := s.index.WeekInfos(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(4), infos[0].Events)
}

// stumbling is an announcer that breaks once.
type stumbling struct {
	*listener
	broke bool
}

func (s *stumbling) Announce(ctx context.Context, announcements []event.Announcement) error {
	if !s.broke {
		s.broke = true
		return errors.New("cannot happen")
	}
	return s.listener.Announce(ctx, announcements)
}

// The batch had created its events when it broke: whoever goes through the steps
// alone then creates nothing, and must be heard of nevertheless.
func TestEventsOfABatchThatBrokeAfterTheyWereCreatedAreAnnounced(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	opens := someOpens(5)
	q, l := newQueue(opens...), &listener{}
	c := s.config(q, l)
	c.Announcer = &stumbling{listener: l}
	require.NoError(t, indexer.New(c).Handle(t.Context(), q.take(10)))
	require.Zero(t, q.waiting())
	require.Empty(t, q.failed)
	heard := make(map[event.ID]bool)
	for _, announcements := range l.announcements {
		if announcements.Event != nil {
			heard[announcements.Event.ID] = true
		}
	}
	for _, open := range opens {
		require.True(t, heard[open.ID])
	}
}

func TestAnOutageCountsAgainstNoEvent(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	q, l := newQueue(someOpens(5)...), &listener{}
	c := s.config(q, l)
	index := &breaking{Index: s.index, away: true}
	c.Index = index
	x := indexer.New(c)
	for range 10 {
		require.ErrorIs(t, x.Handle(t.Context(), q.take(10)), event.ErrUnavailable)
	}
	require.Empty(t, q.failed)
	require.Equal(t, 5, q.waiting())
	index.away = false
	require.NoError(t, x.Handle(t.Context(), q.take(10)))
	require.Zero(t, q.waiting())
}

// noting is an index that notes what it is given.
type noting struct {
	indexer.Index
	events []event.Event
}

func (n *noting) Create(ctx context.Context, events []event.Event) ([]event.Outcome, error) {
	n.events = append(n.events, events...)
	return n.Index.Create(ctx, events)
}
