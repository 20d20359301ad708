package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/live"
)

// withHub puts the live handlers over a log into a whole server.
func withHub(t *testing.T, log *scroll) func(*api.Config) {
	hub := live.NewHub(live.Config{
		Log: log, Render: api.NewLiveRenderer(named{}, time.Now).Render, Logger: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- hub.Run(ctx) }()
	t.Cleanup(func() {
		require.NoError(t, hub.Close(context.Background()))
		cancel()
		require.NoError(t, <-done)
	})
	handler := &api.LiveHandler{Hub: hub, Questions: asking{}, Origins: []string{"https://feed.example"}, Timing: api.LiveTiming{Linger: time.Second}}
	return func(c *api.Config) {
		c.Live, c.SSE = http.HandlerFunc(handler.Socket), http.HandlerFunc(handler.SSE)
	}
}

// dialSite opens a socket on a whole server.
func dialSite(s *site, header http.Header) (*client, int) {
	s.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"tidings.v1"}}
	conn, response, err := dialer.Dial("ws"+strings.TrimPrefix(s.http.URL, "http")+"/v1/live", header)
	if err != nil {
		require.NotNil(s.t, response, "%v", err)
		return nil, response.StatusCode
	}
	s.t.Cleanup(func() { conn.Close() })
	return &client{s.t, conn}, response.StatusCode
}

func bearer(key string) http.Header { return http.Header{"Authorization": {"Bearer " + key}} }

func TestARevokedKeyEndsItsSockets(t *testing.T) {
	log := &scroll{more: make(chan struct{})}
	s := newSite(t, withHub(t, log))
	admin := s.key("acme", account.RoleAdmin, "")
	text, key, err := s.keys.Create(t.Context(), "acme", account.KeyRequest{Role: account.RoleRead, User: "ana"})
	require.NoError(t, err)
	reads, _ := dialSite(s, bearer(text))
	stays, _ := dialSite(s, bearer(admin))
	reads.subscribe("a", "", "")
	stays.subscribe("a", "", "")
	s.do(call{method: "DELETE", path: "/v1/keys/" + key.ID, key: admin}).is(204)
	require.Equal(t, 4401, reads.hearClose())
	log.announce(announced("acme", "ana", event.Send, "m1", ""))
	require.Equal(t, "m1", stays.hear().item(t).Message)
	_, status := dialSite(s, bearer(text))
	require.Equal(t, http.StatusUnauthorized, status)
	_, status = dialSite(s, bearer(s.key("acme", account.RoleIngest, "")))
	require.Equal(t, http.StatusForbidden, status)
}

func TestSocketsOfASession(t *testing.T) {
	s := newSite(t, withHub(t, &scroll{more: make(chan struct{})}))
	b := s.signIn(map[string]string{"key": s.key("acme", account.RoleAdmin, "")})
	cases := []struct {
		name   string
		origin []string
		status int
	}{
		{"this host", []string{s.http.URL}, http.StatusSwitchingProtocols},
		{"a host of the list", []string{"https://feed.example"}, http.StatusSwitchingProtocols},
		{"a host of the list without TLS", []string{"http://feed.example"}, http.StatusForbidden},
		{"another host", []string{"https://evil.example"}, http.StatusForbidden},
		{"another port", []string{"http://127.0.0.1:1"}, http.StatusForbidden},
		{"a name that begins the same", []string{s.http.URL + ".evil.example"}, http.StatusForbidden},
		{"a sandbox", []string{"null"}, http.StatusForbidden},
		{"none", nil, http.StatusForbidden},
	}
	for _, tc := range cases {
		header := http.Header{"Cookie": {b.cookie.Name + "=" + b.cookie.Value}}
		if tc.origin != nil {
			header["Origin"] = tc.origin
		}
		_, status := dialSite(s, header)
		require.Equal(t, tc.status, status, tc.name)
	}
	foreign := map[string]string{"Origin": "https://evil.example"}
	b.do(call{method: "GET", path: "/v1/live/sse", header: foreign}).problem(http.StatusForbidden)

	c, _ := dialSite(s, http.Header{"Cookie": {b.cookie.Name + "=" + b.cookie.Value}, "Origin": {s.http.URL}})
	c.subscribe("a", "", "")
	b.do(call{method: "DELETE", path: "/v1/session", header: map[string]string{"X-CSRF-Token": b.csrf}}).is(204)
	require.Equal(t, 4401, c.hearClose())
}
