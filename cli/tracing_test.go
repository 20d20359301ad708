package cli

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTracesAreOffUntilTheEnvironmentAsks(t *testing.T) {
	for name, c := range map[string]struct {
		env    map[string]string
		wanted bool
		wrong  string
	}{
		"nothing":             {nil, false, ""},
		"an endpoint":         {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, true, ""},
		"one for traces":      {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, true, ""},
		"an exporter":         {map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, true, ""},
		"switched off":        {map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "TRUE"}, false, ""},
		"none, with endpoint": {map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, false, ""},
		"another exporter":    {map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, false, "zipkin"},
		"another protocol":    {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, false, "grpc"},
	} {
		t.Run(name, func(t *testing.T) {
			wanted, err := tracesWanted(func(name string) string { return c.env[name] })
			require.Equal(t, c.wanted, wanted)
			if c.wrong != "" {
				require.ErrorContains(t, err, c.wrong)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

func TestTracesGoWhereTheEnvironmentSays(t *testing.T) {
	got := make(chan string, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.URL.Path }))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	tracer, closing, err := openTracing(t.Context(), &environment{log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	_, span := tracer.Start(t.Context(), "x", 0)
	span.End()
	require.NoError(t, closing())
	require.Equal(t, "/v1/traces", <-got)
}
