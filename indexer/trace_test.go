package indexer_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace/noop"

	"tidings/event"
	"tidings/indexer"
	"tidings/tracing"
)

// Most events come without a trace, also where traces are made: they are indexed as
// others are.
func TestEventsWithoutATraceAreIndexedBesideATracer(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	e := event.Event{
		Workspace: "w", Type: event.Send, Message: "m", User: "u_ana", Time: start, Source: "api",
		Recipients: []event.Person{{Email: "jo@acme.example"}},
	}
	e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, []byte("1"))
	q := newQueue(e)
	config := s.config(q, &listener{})
	config.Tracer = tracing.New(noop.NewTracerProvider())
	require.NoError(t, indexer.New(config).Handle(context.Background(), q.take(1)))
	require.Empty(t, q.failed)
	found, err := s.index.Get(context.Background(), "w", []event.ID{e.ID})
	require.NoError(t, err)
	require.Len(t, found, 1)
}
