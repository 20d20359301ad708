package api_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
)

func (s *site) newKey(admin string, body any) api.NewKey {
	s.t.Helper()
	var made api.NewKey
	s.do(call{method: "POST", path: "/v1/keys", key: admin, body: body}).is(201).json(&made)
	return made
}

func TestAKeyDoesWhatItsScopesSay(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	questions := map[string]call{
		"feed:read": {method: "GET", path: "/v1/feed"}, "stats:read": {method: "GET", path: "/v1/stats"},
		"export": {method: "GET", path: "/v1/export"}, "rules:write": {method: "PUT", path: "/v1/searches/x", body: `{"q":"x"}`},
		"events:write": {method: "POST", path: "/v1/events", body: open(nil)}, "admin": {method: "GET", path: "/v1/weeks"},
	}
	for scope := range questions {
		made := s.newKey(admin, map[string]any{"scopes": []string{scope}})
		require.Equal(t, []account.Scope{account.Scope(scope)}, made.Scopes)
		for needed, question := range questions {
			question.key = made.Text
			a := s.do(question)
			require.Equal(t, scope != needed && scope != "admin", a.status == 403, "%s with %s: %d", needed, scope, a.status)
		}
		s.get(made.Text, "/v1/session").is(200)
	}
	both := s.newKey(admin, `{"scopes":["events:write","feed:read"]}`)
	s.get(both.Text, "/v1/feed").is(200)
	s.do(call{method: "POST", path: "/v1/events", body: open(nil), key: both.Text}).is(202)
	for _, body := range []string{`{}`, `{"scopes":[]}`, `{"scopes":["all"]}`, `{"role":"read","scopes":["admin"]}`, `{"role":"read","networks":["here"]}`, `{"role":"read","ends":"soon"}`, `{"role":"read","ends":"2020-01-01T00:00:00Z"}`} {
		s.do(call{method: "POST", path: "/v1/keys", key: admin, body: body}).problem(400)
	}
}

func TestAKeyEnds(t *testing.T) {
	s := newSite(t)
	admin := s.newKey(s.key("acme", account.RoleAdmin, ""), `{"role":"admin","ends":"never"}`)
	require.Nil(t, admin.Ends)
	year := s.newKey(admin.Text, `{"role":"read"}`)
	require.Equal(t, noon.AddDate(0, 0, 365), *year.Ends)
	day := s.newKey(admin.Text, map[string]any{"role": "read", "ends": noon.Add(24 * time.Hour).Format(time.RFC3339)})
	b := s.signIn(map[string]string{"key": day.Text})
	s.pass(24 * time.Hour)
	s.get(day.Text, "/v1/feed").problem(401)
	b.do(call{method: "GET", path: "/v1/feed"}).problem(401)
	s.get(year.Text, "/v1/feed").is(200)
	s.pass(364 * 24 * time.Hour)
	s.get(year.Text, "/v1/feed").problem(401)
	s.get(admin.Text, "/v1/feed").is(200)
}

func TestAKeyIsForItsNetworksAndSources(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	admin := s.key("acme", account.RoleAdmin, "")
	office := s.newKey(admin, `{"role":"read","networks":["192.0.2.0/24"]}`)
	for from, status := range map[string]int{"192.0.2.7": 200, "198.51.100.7": 403} {
		header := map[string]string{"X-Forwarded-For": from}
		s.do(call{method: "GET", path: "/v1/feed", key: office.Text, header: header}).is(status)
		s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"key": office.Text}, header: header}).is(status)
	}
	crm := s.newKey(admin, `{"role":"ingest","sources":["crm"]}`)
	s.do(call{method: "POST", path: "/v1/events", body: open(map[string]any{"source": "crm"}), key: crm.Text}).is(202)
	s.do(call{method: "POST", path: "/v1/events", body: open(map[string]any{"source": "shop"}), key: crm.Text}).problem(400)
	s.do(call{method: "POST", path: "/v1/events", body: open(nil), key: crm.Text}).problem(400)
}

func TestARotatedKeyIsOneKey(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	first := s.newKey(admin, `{"role":"read","user":"u_ana"}`)
	rotate := func(body string) (second api.NewKey) {
		s.do(call{method: "POST", path: "/v1/keys/" + first.ID + "/rotate", key: admin, body: body}).is(201).json(&second)
		return second
	}
	second := rotate(`{}`)
	require.Equal(t, first.ID, second.ID)
	require.Equal(t, noon.Add(24*time.Hour), *second.Overlap)
	b := s.signIn(map[string]string{"key": first.Text})
	for _, text := range []string{first.Text, second.Text} {
		s.get(text, "/v1/feed").is(200)
	}
	embedded := embedToken(s, first.Text, map[string]any{"origins": []string{shop}}).Token
	s.get(embedded, "/v1/feed").is(200)
	s.pass(24 * time.Hour)
	s.get(first.Text, "/v1/feed").problem(401)
	b.do(call{method: "GET", path: "/v1/feed"}).problem(401)
	third := rotate(`{"overlap_hours":0}`)
	s.get(second.Text, "/v1/feed").problem(401)
	fourth := rotate(`{"overlap_hours":1}`)
	s.do(call{method: "DELETE", path: "/v1/keys/" + first.ID, key: admin}).is(204)
	for _, text := range []string{third.Text, fourth.Text} {
		s.get(text, "/v1/feed").problem(401)
	}
	s.do(call{method: "POST", path: "/v1/keys/" + first.ID + "/rotate", key: admin, body: `{}`}).problem(404)
	another := s.newKey(admin, `{"role":"read"}`)
	s.do(call{method: "POST", path: "/v1/keys/" + another.ID + "/rotate", key: admin, body: `{"overlap_hours":169}`}).problem(400)
	s.do(call{method: "POST", path: "/v1/keys/" + another.ID + "/rotate", key: s.key("globex", account.RoleAdmin, ""), body: `{}`}).problem(404)
}

// What a key may not do, neither does what it signs or signs in.
func TestNothingThatAKeyBeginsDoesMoreThanTheKey(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	admin := s.key("acme", account.RoleAdmin, "")
	do := func(b browser, method, path string, body any) answer {
		return b.do(call{method: method, path: path, body: body, header: map[string]string{"X-CSRF-Token": b.csrf}})
	}
	stats := s.newKey(admin, `{"scopes":["stats:read"]}`)
	b := s.signIn(map[string]string{"key": stats.Text})
	do(b, "GET", "/v1/stats", nil).is(200)
	do(b, "GET", "/v1/feed", nil).problem(403)
	do(b, "PUT", "/v1/searches/x", `{"q":"x"}`).problem(403)

	claims := map[string]any{"iss": "acme", "origins": []string{shop}, "exp": noon.Add(time.Minute).Unix()}
	s.get(signed(t, map[string]any{"alg": "HS256", "kid": stats.ID}, claims, account.HashOf(stats.Text)), "/v1/feed").problem(401)

	crm := s.newKey(admin, `{"role":"ingest","sources":["crm"]}`)
	b = s.signIn(map[string]string{"key": crm.Text})
	do(b, "POST", "/v1/events", open(map[string]any{"source": "crm"})).is(202)
	do(b, "POST", "/v1/events", open(map[string]any{"source": "shop"})).problem(400)

	office := s.newKey(admin, `{"role":"read","networks":["192.0.2.0/24"]}`)
	at := func(from string, c call) answer {
		c.header["X-Forwarded-For"] = from
		return s.do(c)
	}
	a := at("192.0.2.7", call{method: "POST", path: "/v1/session", body: map[string]string{"key": office.Text}, header: map[string]string{}}).is(200)
	for from, status := range map[string]int{"192.0.2.7": 200, "198.51.100.7": 403} {
		at(from, call{method: "GET", path: "/v1/feed", header: browser{s, cookieOf(a), ""}.headers()}).is(status)
	}

	for person, question := range map[account.Role]string{account.RoleIntegrator: "/v1/sources", account.RoleLead: "/v1/teams", account.RoleAuditor: "/v1/audit"} {
		_, who := s.accepted(admin, map[string]any{"name": "A person", "role": person})
		do(s.signIn(map[string]string{"key": s.key("acme", account.RoleRead, who.User)}), "GET", question, nil).problem(403)
	}
}

func TestAKeyOfAPersonReadsTheAuditLogWhereTheyMay(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	for role, status := range map[account.Role]int{account.RoleAuditor: 200, account.RoleAdmin: 200, account.RoleViewer: 403, account.RoleMember: 403} {
		_, who := s.accepted(admin, map[string]any{"name": "A person", "role": role})
		made := s.newKey(admin, map[string]any{"scopes": []string{"audit:read"}, "user": who.User})
		require.Equal(t, status, s.get(made.Text, "/v1/audit").status, role)
	}
	s.get(s.newKey(admin, `{"scopes":["audit:read"]}`).Text, "/v1/audit").is(200)
}
