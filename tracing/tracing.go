// Package tracing follows an event from the request that brings it, across the
// queue, to the sockets that it is pushed to. Between processes a trace travels
// as a W3C traceparent, in the header of a message beside its payload. The nil
// Tracer makes no spans and writes no headers, so tracing costs nothing where it
// is off.
package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Header carries a trace beside a message or a request.
const Header = "traceparent"

// Tracer makes spans.
type Tracer struct{ tracer trace.Tracer }

// New makes a Tracer, which is nil where the provider is.
func New(provider trace.TracerProvider) *Tracer {
	if provider == nil {
		return nil
	}
	return &Tracer{provider.Tracer("tidings")}
}

// Start begins a span. Names and attributes say what is done, never whose mail
// it is about.
func (t *Tracer) Start(ctx context.Context, name string, kind trace.SpanKind, about ...attribute.KeyValue) (context.Context, trace.Span) {
	if t == nil {
		return ctx, noop.Span{}
	}
	return t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(about...))
}

// Resume begins a span of a trace that came with a message; parent is what
// Parent gave there. Without a parent there is none.
func (t *Tracer) Resume(ctx context.Context, parent, name string, kind trace.SpanKind, about ...attribute.KeyValue) (context.Context, trace.Span) {
	if t == nil || parent == "" {
		return ctx, noop.Span{}
	}
	from := propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{Header: parent})
	return t.Start(from, name, kind, about...)
}

// Parent is the trace of a context as a traceparent, empty where nothing is
// recorded.
func Parent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	carrier := make(propagation.MapCarrier, 2)
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[Header]
}
