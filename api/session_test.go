package api_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
)

func cookieOf(a answer) *http.Cookie {
	a.t.Helper()
	cookies := (&http.Response{Header: a.header}).Cookies()
	require.Len(a.t, cookies, 1)
	return cookies[0]
}

// browser is a signed-in browser.
type browser struct {
	*site
	cookie *http.Cookie
	csrf   string
}

func (s *site) signIn(body any) browser {
	s.t.Helper()
	a := s.do(call{method: "POST", path: "/v1/session", body: body}).is(200)
	var view api.SessionView
	a.json(&view)
	return browser{s, cookieOf(a), view.CSRF}
}

func (b browser) do(c call) answer {
	b.t.Helper()
	c.header = merge(c.header, map[string]string{"Cookie": b.cookie.Name + "=" + b.cookie.Value})
	return b.site.do(c)
}

func merge(a, b map[string]string) map[string]string {
	all := make(map[string]string)
	for _, m := range []map[string]string{a, b} {
		for name, value := range m {
			all[name] = value
		}
	}
	return all
}

func TestASessionByKey(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/users/u_ana", body: `{"name":"Ana"}`, key: admin}).is(200)
	b := s.signIn(map[string]string{"key": s.key("acme", account.RoleRead, "u_ana")})
	require.True(t, b.cookie.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, b.cookie.SameSite)
	require.Equal(t, "/", b.cookie.Path)
	require.Equal(t, 14*24*60*60, b.cookie.MaxAge)
	require.False(t, b.cookie.Secure, "plain HTTP on this machine")

	var view api.SessionView
	b.do(call{method: "GET", path: "/v1/session"}).is(200).json(&view)
	require.Equal(t, api.SessionView{
		Workspace: "acme", Role: account.RoleRead, User: &api.SessionWho{ID: "u_ana", Name: "Ana", Team: []string{}}, CSRF: b.csrf,
	}, view)
	b.do(call{method: "GET", path: "/v1/feed"}).is(200)

	out := b.do(call{method: "DELETE", path: "/v1/session", header: map[string]string{"X-CSRF-Token": b.csrf}}).is(204)
	require.Negative(t, cookieOf(out).MaxAge)
	b.do(call{method: "GET", path: "/v1/feed"}).problem(401)
}

func TestWhoAmIWithAKey(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleIngest, "")
	a := s.get(key, "/v1/session").is(200)
	require.JSONEq(t, `{"workspace":"acme","role":"ingest","user":null,"csrf":""}`, string(a.body))
	require.Empty(t, a.header.Get("Set-Cookie"))
	s.do(call{method: "DELETE", path: "/v1/session", key: key}).problem(409)
}

func TestCookiesAreSecureBehindHTTPS(t *testing.T) {
	proxy := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, c := range map[string]struct {
		change func(*api.Config)
		header map[string]string
		want   bool
	}{
		"configured":         {func(c *api.Config) { c.SecureCookies = true }, nil, true},
		"a trusted proxy":    {func(c *api.Config) { c.TrustedProxies = proxy }, map[string]string{"X-Forwarded-Proto": "https"}, true},
		"anybody says so":    {func(*api.Config) {}, map[string]string{"X-Forwarded-Proto": "https"}, false},
		"a proxy with HTTP":  {func(c *api.Config) { c.TrustedProxies = proxy }, map[string]string{"X-Forwarded-Proto": "http"}, false},
		"nothing to tell it": {func(*api.Config) {}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, c.change)
			a := s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"key": s.key("acme", account.RoleRead, "")}, header: c.header})
			cookie := cookieOf(a.is(200))
			require.Equal(t, c.want, cookie.Secure)
			require.Equal(t, name == "configured", cookie.Name == "__Host-tidings_session")
			sent := map[string]string{"Cookie": cookie.Name + "=" + cookie.Value}
			s.do(call{method: "GET", path: "/v1/feed", header: sent}).is(200)
			if name == "configured" { // another host of the domain could have set this one
				sent = map[string]string{"Cookie": "tidings_session=" + cookie.Value}
				s.do(call{method: "GET", path: "/v1/feed", header: sent}).problem(401)
			}
		})
	}
}

func TestASessionSlides(t *testing.T) {
	s := newSite(t)
	b := s.signIn(map[string]string{"key": s.key("acme", account.RoleRead, "")})
	for range 2 {
		s.pass(13 * 24 * time.Hour)
		b.do(call{method: "GET", path: "/v1/feed"}).is(200)
	}
	s.pass(4 * 24 * time.Hour)
	b.do(call{method: "GET", path: "/v1/feed"}).problem(401) // 30 days from the sign-in

	b = s.signIn(map[string]string{"key": s.key("acme", account.RoleRead, "")})
	s.pass(14 * 24 * time.Hour)
	b.do(call{method: "GET", path: "/v1/feed"}).problem(401)

	admin := s.signIn(map[string]string{"key": s.key("acme", account.RoleAdmin, "")})
	s.pass(11 * time.Hour)
	admin.do(call{method: "GET", path: "/v1/feed"}).is(200)
	s.pass(12 * time.Hour)
	admin.do(call{method: "GET", path: "/v1/feed"}).problem(401)
}

func TestASessionEndsWithItsKey(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	var made api.NewKey
	s.do(call{method: "POST", path: "/v1/keys", body: `{"role":"read"}`, key: admin}).is(201).json(&made)
	b := s.signIn(map[string]string{"key": made.Text})
	b.do(call{method: "GET", path: "/v1/feed"}).is(200)
	s.do(call{method: "DELETE", path: "/v1/keys/" + made.ID, key: admin}).is(204)
	b.do(call{method: "GET", path: "/v1/feed"}).problem(401)
}

func TestALinkSignsInOnce(t *testing.T) {
	s := newSite(t)
	token, err := s.server.NewSignInToken(t.Context(), "acme", "u_ana", account.RoleAdmin, 0)
	require.NoError(t, err)
	b := s.signIn(map[string]string{"token": token})
	b.do(call{method: "GET", path: "/v1/weeks"}).is(200)
	s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": token}}).problem(401)

	late, err := s.server.NewSignInToken(t.Context(), "acme", "u_ana", account.RoleRead, 0)
	require.NoError(t, err)
	s.pass(account.SignInLife)
	s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": late}}).problem(401)

	_, err = s.server.NewSignInToken(t.Context(), "acme", "u_ana", "root", 0)
	require.Error(t, err)
}

func TestALinkSignsInOnceHoweverManyTry(t *testing.T) {
	s := newSite(t)
	token, err := s.server.NewSignInToken(t.Context(), "acme", "", account.RoleRead, time.Hour)
	require.NoError(t, err)
	statuses := make(chan int, 8)
	for range cap(statuses) {
		go func() {
			statuses <- s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": token}}).status
		}()
	}
	good := 0
	for range cap(statuses) {
		if <-statuses == 200 {
			good++
		}
	}
	require.Equal(t, 1, good)
}

func TestWritesOfASessionNeedItsCSRFToken(t *testing.T) {
	s := newSite(t)
	b := s.signIn(map[string]string{"key": s.key("acme", account.RoleAdmin, "")})
	other := s.signIn(map[string]string{"key": s.key("acme", account.RoleAdmin, "")})
	write := call{method: "PUT", path: "/v1/users/u_ana", body: `{"name":"Ana"}`}
	for name, token := range map[string]string{"none": "", "another session's": other.csrf, "cut": b.csrf[:10], "the cookie": b.cookie.Value} {
		t.Run(name, func(t *testing.T) {
			s.in(t)
			write.header = map[string]string{"X-CSRF-Token": token}
			p := b.do(write).problem(403)
			require.Equal(t, "header.X-CSRF-Token", p.Errors[0].Location)
		})
	}
	for _, r := range []call{
		{method: "POST", path: "/v1/events", body: open(nil)},
		{method: "DELETE", path: "/v1/session"},
		{method: "POST", path: "/v1/keys", body: `{"role":"admin"}`},
		{method: "DELETE", path: "/v1/people/jo@acme.example"},
	} {
		b.do(r).problem(403)
	}
	require.Empty(t, s.intake.all())
	write.header = map[string]string{"X-CSRF-Token": b.csrf}
	b.do(write).is(200)
	// A key beside a cookie is a program's: it needs none.
	s.do(call{method: "PUT", path: "/v1/users/u_bo", body: `{"name":"Bo"}`, key: s.key("acme", account.RoleAdmin, ""), header: map[string]string{"Cookie": "tidings_session=stale"}}).is(200)
}

func TestFailedSignInsAreSlowedDown(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	good := s.key("acme", account.RoleRead, "")
	try := func(key, from string) answer {
		return s.do(call{
			method: "POST", path: "/v1/session", body: map[string]string{"key": key},
			header: map[string]string{"X-Forwarded-For": from},
		})
	}
	for range 20 {
		try(good, "192.0.2.1").is(200) // what is right costs nothing
	}
	for range 10 {
		try("tid_wrong", "192.0.2.1").problem(401)
	}
	a := try(good, "192.0.2.1")
	a.problem(429)
	require.Equal(t, "6", a.header.Get("Retry-After"))
	try(good, "192.0.2.2").is(200)
	try(good, "198.51.100.7, 192.0.2.1").problem(429) // what a client claims before the proxy is not believed
	s.pass(6 * time.Second)
	try(good, "192.0.2.1").is(200)
	for i := range 10 {
		try("tid_wrong", "2001:db8::"+string(rune('1'+i%9))).problem(401)
	}
	try(good, "2001:db8::ffff").problem(429) // a network is one address
}

func TestSettings(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "u_ana")
	reader := s.key("acme", account.RoleRead, "u_bo")
	nobody := s.key("acme", account.RoleRead, "")
	var got api.Settings
	s.get(nobody, "/v1/settings").is(200).json(&got)
	require.Equal(t, api.Settings{Effective: api.Preferences{TimeZone: "UTC", WeekStart: "monday"}, Erased: "keep", Warnings: []string{}}, got)

	s.do(call{method: "PUT", path: "/v1/settings", body: `{"workspace":{"time_zone":"Europe/Lisbon","week_start":"sunday"}}`, key: admin}).is(200)
	s.do(call{method: "PUT", path: "/v1/settings", body: `{"workspace":{}}`, key: reader}).problem(403)
	s.do(call{method: "PUT", path: "/v1/settings", body: `{"reader":{"time_zone":"Asia/Kolkata"}}`, key: reader}).is(200).json(&got)
	require.Equal(t, api.Preferences{TimeZone: "Asia/Kolkata", WeekStart: "sunday"}, got.Effective)
	require.Equal(t, api.Preferences{TimeZone: "Europe/Lisbon", WeekStart: "sunday"}, got.Workspace)

	zone := func(key, question string) string {
		s.get(key, "/v1/feed"+question).is(200)
		return s.feed.asked[len(s.feed.asked)-1].Zone.String()
	}
	require.Equal(t, "Asia/Kolkata", zone(reader, ""))
	require.Equal(t, "Europe/Lisbon", zone(nobody, ""))
	require.Equal(t, "America/New_York", zone(reader, "?tz=America/New_York"))
	require.Equal(t, "UTC", zone(s.key("globex", account.RoleRead, "u_bo"), ""))

	s.do(call{method: "PUT", path: "/v1/settings", body: `{"reader":{"time_zone":"Asia/Tokyo"}}`, key: reader}).is(200)
	require.Equal(t, "Asia/Tokyo", zone(reader, ""), "what this process changes counts at once")
	another := api.Preferences{TimeZone: "Asia/Dubai"}
	require.NoError(t, account.Put(t.Context(), s.records, "acme", "setting", "reader/u_bo", another))
	s.pass(time.Second)
	require.Equal(t, "Asia/Dubai", zone(reader, ""), "and what another one changes, after a second")
}

func TestIDsInPathsMayHoldAnything(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	for _, id := range []string{"<CA+x=/y%z@mail>", "a/b", "m 1", "ü", "a+b", "..", "%2F"} {
		e := stored("acme", "u_ana", "x")
		e.Message = event.MessageName(id)
		s.feed.events = append(s.feed.events, e)
		escaped := strings.NewReplacer("%", "%25", "/", "%2F", " ", "%20", "+", "%2B", "ü", "%C3%BC", "<", "%3C", ">", "%3E", "..", "%2E%2E").Replace(id)
		var view struct{ Message string }
		s.get(admin, "/v1/messages/"+escaped).is(200).json(&view)
		require.Equal(t, event.MessageName(id), view.Message)
	}
	var view struct{ Message string }
	s.get(admin, "/v1/messages/a+b").is(200).json(&view)
	require.Equal(t, "a+b", view.Message, "a plus is a plus in a path")
	s.get(admin, "/v1/messages/a%20b").problem(404)
}
