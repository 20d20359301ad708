package app_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tidings/account"
	"tidings/api"
	"tidings/app"
	"tidings/tracing"
)

// followed is the app with all its parts, over a server of the test's own.
type followed struct {
	t   *testing.T
	app *app.App
	web *httptest.Server
	key string
}

func follow(t *testing.T, tracer *tracing.Tracer) *followed {
	t.Helper()
	a, err := app.Open(t.Context(), app.Settings{Data: t.TempDir(), Tracer: tracer}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	running, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	require.NoError(t, a.AwaitReady(t.Context()))
	f := &followed{t: t, app: a, web: httptest.NewServer(a.Public())}
	t.Cleanup(func() {
		require.NoError(t, a.Hub.Close(context.Background()))
		f.web.Close()
		stop()
		require.NoError(t, <-done)
		require.NoError(t, a.Close())
	})
	f.key, _, err = account.NewKeys(a.State, time.Now, rand.Reader).Create(t.Context(), "acme", account.KeyRequest{Role: account.RoleAdmin})
	require.NoError(t, err)
	return f
}

func (f *followed) do(method, path string, header http.Header, body []byte) []byte {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), method, f.web.URL+path, bytes.NewReader(body))
	require.NoError(f.t, err)
	request.Header = header
	response, err := f.web.Client().Do(request)
	require.NoError(f.t, err)
	defer response.Body.Close()
	var out bytes.Buffer
	_, err = out.ReadFrom(response.Body)
	require.NoError(f.t, err)
	require.Less(f.t, response.StatusCode, 300, out.String())
	return out.Bytes()
}

// sendgrid posts one open as SendGrid does, signed.
func (f *followed) sendgrid() {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(f.t, err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(f.t, err)
	source, err := json.Marshal(map[string]any{"provider": "sendgrid", "keys": []string{base64.StdEncoding.EncodeToString(public)}})
	require.NoError(f.t, err)
	admin := http.Header{"Authorization": {"Bearer " + f.key}, "Content-Type": {"application/json"}}
	var made api.NewSource
	require.NoError(f.t, json.Unmarshal(f.do(http.MethodPut, "/v1/sources/mail", admin, source), &made))

	now := strconv.FormatInt(time.Now().Unix(), 10)
	body := fmt.Appendf(nil, `[{"event":"open","email":"jo@acme.example","timestamp":%s,"sg_event_id":"e1","sg_message_id":"m-1.filter0","ip":"192.0.2.1","useragent":"Mozilla/5.0"}]`, now)
	sum := sha256.Sum256(append([]byte(now), body...))
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	require.NoError(f.t, err)
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(signature))
	header.Set("X-Twilio-Email-Event-Webhook-Timestamp", now)
	f.do(http.MethodPost, made.Path, header, body)
}

// socket subscribes to everything and returns a function that waits for the
// next event.
func (f *followed) socket() (next func() string) {
	f.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"tidings.v1"}}
	conn, response, err := dialer.DialContext(f.t.Context(), "ws"+strings.TrimPrefix(f.web.URL, "http")+"/v1/live",
		http.Header{"Authorization": {"Bearer " + f.key}})
	require.NoError(f.t, err)
	require.NoError(f.t, response.Body.Close())
	f.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(f.t, conn.WriteJSON(map[string]any{"op": "subscribe", "id": "a", "filters": map[string]any{"automated": "show"}}))
	return func() string {
		f.t.Helper()
		require.NoError(f.t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
		for {
			_, frame, err := conn.ReadMessage()
			require.NoError(f.t, err)
			if bytes.Contains(frame, []byte(`"op":"event"`)) {
				return string(frame)
			}
		}
	}
}

func TestOneSendGridRequestIsFollowedToTheSocket(t *testing.T) {
	kept := tracetest.NewInMemoryExporter()
	f := follow(t, tracing.New(sdk.NewTracerProvider(sdk.WithSyncer(kept))))
	next := f.socket()
	f.sendgrid()
	require.Contains(t, next(), `"message":"m-1"`)

	byName := map[string]tracetest.SpanStub{}
	require.Eventually(t, func() bool {
		for _, span := range kept.GetSpans() {
			byName[span.Name] = span
		}
		_, pushed := byName["push"]
		_, indexed := byName["index"]
		return pushed && indexed
	}, time.Minute, 10*time.Millisecond)
	chain := []string{"POST /v1/hooks/:token", "publish EVENTS", "index", "push"}
	for i, name := range chain {
		span, ok := byName[name]
		require.True(t, ok, "%s among %v", name, byName)
		require.Equal(t, byName[chain[0]].SpanContext.TraceID(), span.SpanContext.TraceID(), name)
		if i > 0 {
			require.Equal(t, byName[chain[i-1]].SpanContext.SpanID(), span.Parent.SpanID(), "%s goes on with %s", name, chain[i-1])
		}
	}
	require.Equal(t, byName[chain[0]].SpanContext.SpanID(), byName["verify webhook"].Parent.SpanID())
	var steps []string
	for _, step := range byName["index"].Events {
		steps = append(steps, step.Name)
	}
	require.Equal(t, []string{"enrich", "judge", "apply", "create", "complete", "announce", "ack"}, steps)
	all, err := json.Marshal(kept.GetSpans())
	require.NoError(t, err)
	for _, secret := range []string{"hook_", "jo@acme", f.key} {
		require.NotContains(t, string(all), secret)
	}
}
