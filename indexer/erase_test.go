package indexer_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
)

func TestWhatHappensAfterAnErasureIsKept(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	events := someOpens(3)
	q, l := newQueue(events...), &listener{}
	c := s.config(q, l)
	require.NoError(t, indexer.New(c).Handle(t.Context(), q.take(10)))
	_, err := c.Eraser.Erase(t.Context(), "w", people[0].Email)
	require.NoError(t, err)

	now := time.Now().Add(time.Hour).Unix() // after the erasure
	send := event.Event{Workspace: "w", Message: "m-new", Type: event.Send, Time: now, Source: "api", Recipients: people[:2]}
	send.ID = event.NewID(now, "w", "api", true, []byte("new"))
	opened := event.Event{Workspace: "w", Message: "m-new", Type: event.Reply, Time: now + 1, Source: "api", Recipient: &people[0]}
	opened.ID = event.NewID(now+1, "w", "api", true, []byte("new"))
	for range 3 { // each batch looks twice who is erased
		again := newQueue(append(slices.Clone(events), send, opened)...)
		c.Queue = again
		require.NoError(t, indexer.New(c).Handle(t.Context(), again.take(10)))
		require.Zero(t, again.waiting())
	}
	found, err := s.index.Get(t.Context(), "w", []event.ID{events[0].ID, events[1].ID, events[2].ID, send.ID, opened.ID})
	require.NoError(t, err)
	require.Len(t, found, 2, "repetitions of what was erased stay out")
	state, err := s.state.Of(t.Context(), "w", []string{"m-new"})
	require.NoError(t, err)
	require.Len(t, state["m-new"].Recipients, 2)
	require.Contains(t, state["m-new"].First[event.MarkReplied], event.KeyOf(people[0].Email))
}
