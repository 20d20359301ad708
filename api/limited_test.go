package api_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
)

// Every use takes from its own bucket, and its answers say so.
func TestAnswersSayWhichLimitTheyTakeFrom(t *testing.T) {
	quick := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	s := newSite(t, func(c *api.Config) { c.Live, c.SSE = quick, quick })
	key := s.key("acme", account.RoleAdmin, "")
	for asked, left := range map[string]string{
		"GET /v1/feed": `"reads-credential";r=599;t=1`, "GET /v1/export": `"exports-credential";r=19;t=5`,
		"GET /v1/suggest?q=a": `"suggestions-credential";r=199;t=1`, "GET /v1/live/sse": `"sockets-credential";r=99;t=1`,
		"POST /v1/events": `"events-credential";r=199998;t=1`,
	} {
		method, path, _ := strings.Cut(asked, " ")
		c := call{method: method, path: path, key: key}
		if method == "POST" {
			c.body = []any{open(map[string]any{"id": "a"}), open(map[string]any{"id": "b"})}
		}
		a := s.do(c)
		require.Less(t, a.status, 300, "%s: %s", asked, a.body)
		require.Equal(t, left, a.header.Get("RateLimit"), asked)
	}
}

// Who opens sockets too fast waits for the next one, is refused where there is none, and is
// looked at again where there is.
func TestASocketTooManyWaitsForItsTurn(t *testing.T) {
	quick := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for name, test := range map[string]struct {
		patience time.Duration
		revoked  bool
		status   int
	}{
		"its turn comes": {time.Minute, false, 200}, "it does not come": {time.Millisecond, false, 429},
		"the key is revoked meanwhile": {time.Minute, true, 401},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *api.Config) { c.Live, c.SSE, c.SocketPatience = quick, quick, test.patience })
			key, made, err := s.keys.Create(t.Context(), "acme", account.KeyRequest{Role: account.RoleAdmin})
			require.NoError(t, err)
			for range 100 {
				s.get(key, "/v1/live/sse").is(200)
			}
			answered := make(chan answer, 1)
			go func() { answered <- s.get(key, "/v1/live/sse") }()
			if test.patience == time.Minute {
				require.Never(t, func() bool { return len(answered) > 0 }, 50*time.Millisecond, 10*time.Millisecond, "none is free")
			}
			if test.revoked {
				s.do(call{method: "DELETE", path: "/v1/keys/" + made.ID, key: s.key("acme", account.RoleAdmin, "")}).is(204)
			}
			if test.status != 429 {
				s.pass(time.Second)
			}
			require.Equal(t, test.status, (<-answered).status)
		})
	}
}

func TestTooManyRequestsAreToldWhenToComeBack(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleIngest, "")
	for range 600 {
		s.get(key, "/v1/session").is(200)
	}
	a := s.get(key, "/v1/session")
	a.problem(429)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.Equal(t, `"reads-credential";r=0;t=12`, a.header.Get("RateLimit"))
	s.get(s.key("acme", account.RoleIngest, ""), "/v1/session").is(200)
	s.pass(time.Second)
	s.get(key, "/v1/session").is(200)
}

func TestSignInsAreBoundedByAddress(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	good := s.key("acme", account.RoleRead, "")
	try := func(key, from string) answer {
		return s.do(call{
			method: "POST", path: "/v1/session", body: map[string]string{"key": key}, header: map[string]string{"X-Forwarded-For": from},
		})
	}
	for range 120 {
		try("tid_wrong", "192.0.2.1")
	}
	a := try(good, "192.0.2.1")
	a.problem(429)
	require.Contains(t, string(a.body), "too many sign-ins from this address")
	require.Equal(t, "1", a.header.Get("Retry-After"))
	try(good, "192.0.2.2").is(200)
}

// However many keys one address has, it takes no more than a workspace may: others are
// served. This machine and trusted proxies speak for many and have no such limit.
func TestAnAddressIsLimitedWhateverKeysItHas(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	export := func(workspace, from string) answer {
		header := map[string]string{}
		if from != "" {
			header["X-Forwarded-For"] = from
		}
		return s.do(call{method: "GET", path: "/v1/export", key: s.key(workspace, account.RoleAdmin, ""), header: header})
	}
	for i := range 60 {
		export(fmt.Sprint("workspace-", i%10), "2001:db8::1").is(200)
	}
	a := export("workspace-0", "2001:db8::2")
	a.problem(429)
	require.Contains(t, string(a.body), "too many exports of this address")
	require.Contains(t, a.header.Get("RateLimit"), `"exports-address";r=0`)
	export("workspace-0", "2001:db8:1::1").is(200)
	export("workspace-0", "").is(200)
}

// A flood of what is refused is counted, not written into the log line by line.
func TestFewRefusalsAreLogged(t *testing.T) {
	s := newSite(t)
	lines := func() int { return strings.Count(s.log.String(), "level=INFO msg=request") }
	for range 300 {
		s.get("tid_none", "/v1/feed").problem(401)
	}
	require.Equal(t, 200, lines())
	require.Contains(t, string(s.get("", "/metrics").body), `tidings_http_requests_total{method="GET",route="/v1/feed",status="401"} 300`)
	s.get(s.key("acme", account.RoleAdmin, ""), "/v1/session").is(200)
	require.Equal(t, 201, lines(), "what is not refused is logged")
	require.Contains(t, s.log.String(), "unlogged=")
}
