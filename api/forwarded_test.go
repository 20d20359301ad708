package api_test

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
)

func TestAProxyThatIsNotTrustedIsWarnedOfOnce(t *testing.T) {
	for _, header := range []string{"X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto"} {
		t.Run(header, func(t *testing.T) {
			var log bytes.Buffer
			s := newSite(t, func(c *api.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			admin, reader := s.key("acme", account.RoleAdmin, ""), s.key("acme", account.RoleRead, "")
			warnings := func(key string) []string {
				var settings api.Settings
				s.get(key, "/v1/settings").is(200).json(&settings)
				return settings.Warnings
			}
			require.Empty(t, warnings(admin))
			for range 3 {
				s.do(call{method: "GET", path: "/healthz", header: map[string]string{header: "192.0.2.1"}}).is(200)
			}
			require.Len(t, warnings(admin), 1)
			require.Contains(t, warnings(admin)[0], "--proxies 127.0.0.1")
			require.Empty(t, warnings(reader))
			require.Equal(t, 1, strings.Count(log.String(), "not trusted"), log.String())
		})
	}
}

func TestATrustedProxyIsNotWarnedOf(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	s.do(call{method: "GET", path: "/healthz", header: map[string]string{"X-Forwarded-For": "192.0.2.1"}}).is(200)
	require.Empty(t, s.server.Warnings(t.Context()))
}

// Bad sign-ins of one lock out nobody else behind the same proxy, trusted or not.
func TestBadSignInsBehindAProxyLockOutOneAlone(t *testing.T) {
	s := newSite(t)
	good := s.key("acme", account.RoleRead, "")
	try := func(key, from string) answer {
		return s.do(call{
			method: "POST", path: "/v1/session", body: map[string]string{"key": key}, header: map[string]string{"X-Forwarded-For": from},
		})
	}
	for range 10 {
		try("tid_wrong", "192.0.2.1").problem(401)
	}
	try(good, "192.0.2.1").problem(429)
	try(good, "192.0.2.2").is(200)
	try(good, "10.1.2.3, 192.0.2.1").problem(429)
}

func TestTheAddressOfAProxyIsNobodysOwn(t *testing.T) {
	s := newSite(t)
	b := s.signIn(map[string]string{"key": s.key("acme", account.RoleRead, "")})
	kept := func() int {
		records, err := s.records.List(t.Context(), "acme", "address")
		require.NoError(t, err)
		return len(records)
	}
	b.do(call{method: "GET", path: "/v1/session", header: map[string]string{"X-Forwarded-For": "192.0.2.1"}}).is(200)
	require.Zero(t, kept())
	b.do(call{method: "GET", path: "/v1/session"}).is(200)
	require.Equal(t, 1, kept())
}
