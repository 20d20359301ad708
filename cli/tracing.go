package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"tidings/app"
	"tidings/tracing"
)

// flushTime is how long the last spans may take to leave.
const flushTime = 5 * time.Second

// openTracing makes the tracer that OpenTelemetry's standard environment
// variables ask for, nil when they ask for none. close sends what is left.
func openTracing(ctx context.Context, env *environment) (tracer *tracing.Tracer, closing func() error, err error) {
	wanted, err := tracesWanted(os.Getenv)
	if err != nil || !wanted {
		return nil, func() error { return nil }, err
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		env.log.Warn("traces cannot be sent", "error", err)
	}))
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("send traces: %w", err)
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "tidings"), attribute.String("service.version", app.Version())),
		resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("describe this process in traces: %w", err), exporter.Shutdown(ctx))
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))
	return tracing.New(provider), func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
		defer cancel()
		return provider.Shutdown(ctx)
	}, nil
}

// tracesWanted reads what the environment asks for: traces are on when they
// have an exporter or somewhere to go.
func tracesWanted(getenv func(string) string) (bool, error) {
	endpoint := cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	exporter := getenv("OTEL_TRACES_EXPORTER")
	switch {
	case strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || exporter == "none":
		return false, nil
	case exporter == "" && endpoint == "":
		return false, nil
	case exporter != "" && exporter != "otlp":
		return false, &usageError{fmt.Sprintf("OTEL_TRACES_EXPORTER=%s: only otlp and none are understood", exporter)}
	}
	protocol := cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
	if protocol != "http/protobuf" {
		return false, &usageError{fmt.Sprintf("OTEL_EXPORTER_OTLP_PROTOCOL=%s: only http/protobuf is understood", protocol)}
	}
	return true, nil
}
