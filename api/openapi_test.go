package api_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
)

var update = flag.Bool("update", false, "write golden files")

func TestOpenAPIDocument(t *testing.T) {
	s := newSite(t, withLive)
	got := s.get("", "/openapi.json").is(200)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	if *update {
		require.NoError(t, os.WriteFile("openapi.json", got.body, 0o644))
	}
	want, err := os.ReadFile("openapi.json")
	require.NoError(t, err, "run with -update")
	require.True(t, bytes.Equal(want, got.body), "openapi.json has changed: run with -update and look at the difference")
	var document struct {
		OpenAPI string
		Paths   map[string]any
	}
	got.json(&document)
	require.True(t, strings.HasPrefix(document.OpenAPI, "3.1."), document.OpenAPI)
	for _, path := range []string{
		"/v1/events", "/v1/feed", "/v1/messages/{id}", "/v1/messages/{id}/events", "/v1/events/{id}", "/v1/events/{id}/verdict", "/v1/weeks",
		"/v1/dead-letters", "/v1/dead-letters/{id}", "/v1/dead-letters/{id}/replay", "/v1/dead-letters/reasons", "/v1/dead-letters/replay", "/v1/dead-letters/drop", "/v1/keys", "/v1/keys/{id}", "/v1/users",
		"/v1/events", "/v1/feed", "/v1/stats", "/v1/export", "/v1/searches", "/v1/searches/{name}", "/v1/messages/{id}", "/v1/messages/{id}/events", "/v1/events/{id}", "/v1/weeks",
		"/v1/dead-letters", "/v1/dead-letters/{id}", "/v1/dead-letters/{id}/replay", "/v1/keys", "/v1/keys/{id}", "/v1/users",
		"/v1/users/{id}", "/v1/teams", "/v1/teams/{id}", "/v1/session", "/v1/people/{email}", "/v1/companies/{domain}", "/v1/settings", "/v1/live",
		"/v1/live/sse", "/v1/hooks/{token}", "/v1/sources", "/v1/sources/{name}", "/v1/sources/{name}/test", "/healthz", "/readyz",
	} {
		require.Contains(t, document.Paths, path)
	}
}

func TestDocsAskNoOtherHost(t *testing.T) {
	s := newSite(t)
	elsewhere := regexp.MustCompile(`(?i)https?://|["'(]//|style=|<style|\bon[a-z]+=|javascript:`)
	for path, mediaType := range map[string]string{
		"/docs": "text/html; charset=utf-8", "/docs/docs.js": "text/javascript; charset=utf-8", "/docs/docs.css": "text/css; charset=utf-8",
	} {
		a := s.get("", path).is(200)
		require.Equal(t, mediaType, a.header.Get("Content-Type"))
		require.Contains(t, a.header.Get("Content-Security-Policy"), "default-src 'self';")
		require.NotEmpty(t, a.body)
		require.Empty(t, elsewhere.FindAllString(string(a.body), -1), path)
	}
}

// withLive puts handlers where the live ones go.
func withLive(c *api.Config) {
	c.Live = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _ := api.CallerFrom(r.Context())
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-caller.Gone:
			_, _ = w.Write([]byte("gone"))
		case <-r.Context().Done():
			select {
			case <-caller.Gone:
				_, _ = w.Write([]byte("gone"))
			default:
			}
		}
	})
	c.SSE = c.Live
}

func TestEveryAnswerHasSecurityHeaders(t *testing.T) {
	pages := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("the application")) })
	s := newSite(t, func(c *api.Config) { c.Web = pages })
	key := s.key("acme", account.RoleRead, "")
	for _, path := range []string{"/", "/v1/feed", "/v1/nothing", "/healthz", "/metrics", "/docs", "/openapi.json", "/v1/weeks"} {
		h := s.get(key, path).header
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'self'", path)
		require.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'", path)
		require.NotContains(t, h.Get("Content-Security-Policy"), "unsafe", path)
		require.NotEmpty(t, h.Get("Referrer-Policy"), path)
		if path == "/" {
			require.Empty(t, h.Get("Cache-Control"), "the application says how long its files keep")
		} else {
			require.Equal(t, "no-store", h.Get("Cache-Control"), path)
		}
	}
	require.Equal(t, "the application", string(s.get("", "/some/page").is(200).body))
	s.get("", "/v1/some/page").problem(404)
}

func TestHealthReadinessAndMetrics(t *testing.T) {
	var broken error
	s := newSite(t, func(c *api.Config) {
		c.Ready = readiness(&broken)
		c.ReadySelf = func(context.Context) map[string]error { return map[string]error{"live": nil} }
	})
	require.JSONEq(t, `{"status":"ok"}`, string(s.get("", "/healthz").is(200).body))
	require.JSONEq(t, `{"status":"ok","checks":{"index":"ok","stream":"ok"}}`, string(s.get("", "/readyz").is(200).body))
	broken = os.ErrPermission
	require.JSONEq(t, `{"status":"unavailable","checks":{"index":"ok","stream":"unavailable"},
		"problems":["events cannot be accepted or indexed, and nothing is pushed: the queue: it is unavailable"]}`, string(s.get("", "/readyz").is(503).body))
	broken = fmt.Errorf("publish: %w", syscall.ENOSPC)
	require.Contains(t, string(s.get("", "/readyz").is(503).body), "the queue: the disk is full", "in words of our own")
	broken = &event.WeekDamaged{Week: 2949, Cause: "its file is cut short", Remedy: "restore it"}
	require.JSONEq(t, `{"status":"degraded","checks":{"index":"ok","stream":"degraded"},
		"problems":["week 2026-w28 is damaged: its file is cut short; restore it"]}`, string(s.get("", "/readyz").is(200).body))
	broken = os.ErrPermission
	require.Contains(t, s.log.String(), "permission denied", "the reason is in the log")
	require.JSONEq(t, `{"status":"ok","checks":{"live":"ok"}}`, string(s.get("", "/readyz?self=true").is(200).body), "it takes requests itself")
	s.get("", "/healthz").is(200)

	key := s.key("acme", account.RoleIngest, "")
	s.do(call{method: "POST", path: "/v1/events", body: []any{open(nil), open(map[string]any{"colour": 1}), open(map[string]any{"type": "x"})}, key: key}).is(202)
	shown := string(s.get("", "/metrics").is(200).body)
	for _, line := range []string{
		`tidings_http_requests_total{method="POST",route="/v1/events",status="202"} 1`,
		`tidings_http_requests_total{method="GET",route="/readyz",status="503"} 2`,
		`tidings_events_accepted_total 1`,
		`tidings_events_rejected_total{reason="unknown_field"} 1`,
		`tidings_events_rejected_total{reason="invalid_value"} 1`,
	} {
		require.Contains(t, shown, line)
	}
	require.NotContains(t, shown, "acme")
	require.NotContains(t, shown, key)
}

func TestAPanicIsA500WithAReference(t *testing.T) {
	s := newSite(t, func(c *api.Config) {
		c.Live = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") })
	})
	a := s.get(s.key("acme", account.RoleRead, ""), "/v1/live")
	p := a.problem(500)
	require.NotContains(t, string(a.body), "secret")
	require.Contains(t, s.log.String(), "reference="+p.Reference)
}

func TestTheLogHoldsNoSecretsAndNoQuestions(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	s.get(key, "/v1/feed?q=jane+at+globex").is(200)
	s.get(key, "/v1/messages/m-secret").is(404)
	s.do(call{method: "DELETE", path: "/v1/people/jane@globex.example", key: key}).is(200)
	s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"key": key}}).is(200)
	for _, secret := range []string{key, "globex", "m-secret"} {
		require.NotContains(t, s.log.String(), secret)
	}
	require.Contains(t, s.log.String(), "route=/v1/people/:email")
}

func TestAnswersAreJSONWhateverIsAskedFor(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	for _, accept := range []string{"application/json", "*/*", "text/html", "application/xml", "application/cbor", "image/*;q=0.1"} {
		header := map[string]string{"Accept": accept}
		good := s.do(call{method: "GET", path: "/v1/weeks", key: key, header: header}).is(200)
		require.Equal(t, "application/json", good.header.Get("Content-Type"), accept)
		s.do(call{method: "GET", path: "/v1/weeks?x=1", key: key, header: header}).problem(422)
		s.do(call{method: "GET", path: "/v1/messages/none", key: key, header: header}).problem(404)
	}
}
