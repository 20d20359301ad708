package indexer

import (
	"context"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"tidings/tracing"
)

// startSpans goes on with the traces that events came with. Events are indexed
// together, so each has a span of its own that lasts as long as its batch.
func (x *Indexer) startSpans(ctx context.Context, entries []*entry) {
	if x.Tracer == nil {
		return
	}
	for _, entry := range entries {
		traced, ok := entry.delivery.(Traced)
		if !ok || traced.Trace() == "" {
			continue
		}
		spanCtx, span := x.Tracer.Resume(ctx, traced.Trace(), "index", trace.SpanKindConsumer)
		entry.span, entry.trace = span, tracing.Parent(spanCtx)
	}
}

// markSpans notes when a step was done.
func markSpans(entries []*entry, step Step) {
	for _, entry := range entries {
		if entry.span != nil {
			entry.span.AddEvent(string(step))
		}
	}
}

// endSpans ends what startSpans began. What went wrong is in the log: an error
// may tell more than a trace should.
func endSpans(entries []*entry, err error) {
	for _, entry := range entries {
		if entry.span == nil {
			continue
		}
		if err != nil || entry.outcome.Err != nil {
			entry.span.SetStatus(codes.Error, "not indexed; it comes again")
		}
		entry.span.End()
		entry.span = nil
	}
}
