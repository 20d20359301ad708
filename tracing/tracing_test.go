package tracing_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tidings/tracing"
)

func TestATraceGoesOnWhereItsParentSays(t *testing.T) {
	kept := tracetest.NewInMemoryExporter()
	tracer := tracing.New(sdk.NewTracerProvider(sdk.WithSyncer(kept)))
	ctx, first := tracer.Start(t.Context(), "first", trace.SpanKindServer)
	parent := tracing.Parent(ctx)
	first.End()
	_, second := tracer.Resume(t.Context(), parent, "second", trace.SpanKindConsumer)
	second.End()
	spans := kept.GetSpans()
	require.Len(t, spans, 2)
	require.Equal(t, spans[0].SpanContext.TraceID(), spans[1].SpanContext.TraceID())
	require.Equal(t, spans[0].SpanContext.SpanID(), spans[1].Parent.SpanID())
	require.True(t, spans[1].Parent.IsRemote())
}

func TestWhatIsNotTracedLeavesNothing(t *testing.T) {
	off := tracing.New(nil)
	ctx, span := off.Start(t.Context(), "first", trace.SpanKindServer)
	span.End()
	require.Equal(t, t.Context(), ctx)
	require.Empty(t, tracing.Parent(ctx))
	never := tracing.New(sdk.NewTracerProvider(sdk.WithSampler(sdk.NeverSample())))
	ctx, span = never.Start(t.Context(), "first", trace.SpanKindServer)
	require.Empty(t, tracing.Parent(ctx), "what nobody records needs no header")
	span.End()
	_, span = never.Resume(t.Context(), "no trace parent", "second", trace.SpanKindConsumer)
	require.False(t, span.IsRecording())
	span.End()
}
