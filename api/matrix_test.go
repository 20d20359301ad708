package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
)

// expectations say who may call each documented route: public, anyone, or the
// credentials by name. A route without one fails.
var expectations = map[string]string{
	"GET /healthz": "public", "GET /readyz": "public", "POST /v1/hooks/{token}": "public", "POST /v1/session": "public",
	"POST /v1/sign-in/mail": "public", "POST /v1/sign-in/mail/link": "public", "GET /v1/sign-in": "public",
	"GET /auth/{provider}": "public", "GET /auth/{provider}/callback": "public", "POST /auth/{provider}/logout": "public",
	"GET /v1/sign-in/providers": "admins", "PUT /v1/sign-in/providers/{name}": "admins", "DELETE /v1/sign-in/providers/{name}": "admins",
	"POST /v1/sign-in/providers/{name}/test": "admins",
	"GET /v1/session":                        "anyone", "GET /v1/sessions": "anyone but a token", "DELETE /v1/sessions": "anyone but a token", "DELETE /v1/sessions/{id}": "anyone but a token",
	"POST /v1/keys/{id}/rotate": "admins", "DELETE /v1/session": "anyone but a token",
	"POST /v1/events": "senders", "POST /v1/links": "senders",
	"GET /v1/people/{email}/tracking": "senders", "PUT /v1/people/{email}/tracking": "senders",
	"GET /v1/feed": "page", "GET /v1/answer": "page", "GET /v1/messages/{id}": "page", "GET /v1/messages/{id}/events": "page",
	"GET /v1/events/{id}": "page", "GET /v1/stats": "page", "GET /v1/suggest": "page", "GET /v1/settings": "settings",
	"GET /v1/live": "page", "GET /v1/live/sse": "page",
	"GET /v1/export": "readers", "GET /v1/people/{email}": "readers", "GET /v1/companies/{domain}": "readers",
	"GET /v1/nudges": "readers", "GET /v1/calls": "readers", "GET /v1/follow-ups/{email}": "readers", "PUT /v1/follow-ups/{email}": "members",
	"GET /v1/notifications": "readers", "POST /v1/notifications/read": "readers", "GET /v1/decisions": "readers and support",
	"GET /v1/notification-defaults": "admins", "PATCH /v1/notification-defaults": "admins",
	"GET /v1/notification-settings": "readers", "PUT /v1/notification-settings": "readers",
	"PATCH /v1/notification-settings": "readers", "GET /v1/notifications/why": "readers and support",
	"GET /v1/notification-rules": "readers", "PUT /v1/notification-rules/{name}": "readers",
	"DELETE /v1/notification-rules/{name}": "readers", "POST /v1/notification-rules/preview": "readers",
	"POST /v1/notifications/simulate": "readers",
	"GET /v1/push-devices":            "readers", "POST /v1/push-devices": "readers", "DELETE /v1/push-devices/{id}": "readers",
	"POST /v1/push-devices/{id}/test": "readers",
	"GET /v1/searches":                "readers", "PUT /v1/searches/{name}": "readers", "DELETE /v1/searches/{name}": "readers",
	"PUT /v1/settings": "own settings", "PUT /v1/events/{id}/verdict": "members", "POST /v1/embed-tokens": "reading keys",
	"GET /v1/people/{email}/data": "admins", "GET /v1/people/{email}/access": "auditors",
	"GET /v1/audit": "auditors", "GET /v1/audit/mine": "people",
	"GET /v1/keys": "admins", "POST /v1/keys": "admins", "DELETE /v1/keys/{id}": "admins",
	"GET /v1/link-keys": "admins", "POST /v1/link-keys": "admins", "DELETE /v1/link-keys/{id}": "admins",
	"GET /v1/invitations": "admins", "POST /v1/invitations": "admins", "DELETE /v1/invitations/{id}": "admins",
	"GET /v1/users": "leads", "PATCH /v1/users/{id}": "admins", "PUT /v1/users/{id}": "admins", "DELETE /v1/users/{id}": "admins",
	"GET /v1/teams": "leads", "PUT /v1/teams/{id}": "lead of the team", "DELETE /v1/teams/{id}": "admins",
	"POST /v1/sample": "admins", "DELETE /v1/sample": "admins",
	"GET /v1/weeks": "admins", "DELETE /v1/people/{email}": "admins",
	"GET /v1/dead-letters": "admins", "GET /v1/dead-letters/reasons": "admins", "POST /v1/dead-letters/replay": "admins",
	"POST /v1/dead-letters/drop": "admins", "GET /v1/dead-letters/{id}": "admins", "DELETE /v1/dead-letters/{id}": "admins",
	"POST /v1/dead-letters/{id}/replay": "admins",
	"GET /v1/scanners":                  "admins", "PUT /v1/scanners/{domain}": "admins", "DELETE /v1/scanners/{domain}": "admins",
	"GET /v1/endpoints": "integrators", "PUT /v1/endpoints/{name}": "integrators", "DELETE /v1/endpoints/{name}": "integrators",
	"POST /v1/endpoints/{name}/test": "integrators", "POST /v1/endpoints/{name}/enable": "integrators",
	"GET /v1/endpoints/{name}/deliveries": "integrators and support", "POST /v1/endpoints/{name}/replay": "integrators and support",
	"GET /v1/sources": "integrators", "PUT /v1/sources/{name}": "integrators", "DELETE /v1/sources/{name}": "integrators",
	"POST /v1/sources/{name}/test": "integrators", "POST /v1/sources/{name}/try": "admins", "GET /v1/sources/{name}/payloads": "admins",
	"GET /v1/sources/{name}/rejected": "admins", "POST /v1/sources/{name}/rejected/replay": "admins",
	"POST /v1/sources/{name}/rejected/{id}/replay": "admins", "DELETE /v1/sources/{name}/rejected/{id}": "admins",
}

// allowed are the credentials of each kind of expectation; what none of them holds is
// 401, and the others are 403.
var allowed = map[string][]string{
	"anyone":                  {"ingest", "read", "read of a user", "admin", "embed", "session", "viewer", "member", "lead", "support", "auditor", "integrator", "person admin"},
	"anyone but a token":      {"ingest", "read", "read of a user", "admin", "session", "viewer", "member", "lead", "support", "auditor", "integrator", "person admin"},
	"senders":                 {"ingest", "admin", "person admin"},
	"readers":                 {"read", "read of a user", "admin", "session", "viewer", "member", "lead", "integrator", "person admin"},
	"readers and support":     {"read", "read of a user", "admin", "session", "viewer", "member", "lead", "support", "integrator", "person admin"},
	"members":                 {"read", "read of a user", "admin", "session", "member", "lead", "integrator", "person admin"},
	"reading keys":            {"read", "read of a user", "admin"}, // a session's page needs no token
	"page":                    {"read", "read of a user", "admin", "embed", "session", "viewer", "member", "lead", "integrator", "person admin"},
	"settings":                {"read", "read of a user", "admin", "embed", "session", "viewer", "member", "lead", "support", "integrator", "person admin"},
	"own settings":            {"read", "read of a user", "admin", "session", "viewer", "member", "lead", "support", "integrator", "person admin"},
	"integrators":             {"admin", "integrator", "person admin"},
	"integrators and support": {"admin", "integrator", "support", "person admin"},
	"leads":                   {"admin", "lead", "person admin"},
	"lead of the team":        {"admin", "person admin"}, // and the lead, of their own: TestALeadSaysWhoIsInTheirTeam
	"admins":                  {"admin", "person admin"},
	"auditors":                {"admin", "auditor", "person admin"},
	"people":                  {"read of a user", "session", "viewer", "member", "lead", "support", "auditor", "integrator", "person admin"},
}

// documentedRoutes are the routes of the document, as "GET /v1/feed".
func (s *site) documentedRoutes() []string {
	var document struct {
		Paths map[string]map[string]any
	}
	s.get("", "/openapi.json").is(200).json(&document)
	var all []string
	for path, methods := range document.Paths {
		for method := range methods {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(all)
	return all
}

// credentials are the headers of callers of the workspace acme, and of those who are
// none any more.
func (s *site) credentials() (all map[string]map[string]string, none []string) {
	bearer := func(text string) map[string]string { return map[string]string{"Authorization": "Bearer " + text} }
	signIn := func() map[string]string {
		var view api.SessionView
		a := s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"key": s.key("acme", account.RoleRead, "u_ana")}}).is(200).json(&view)
		cookie := cookieOf(a)
		return map[string]string{"Cookie": cookie.Name + "=" + cookie.Value, "X-CSRF-Token": view.CSRF}
	}
	admin := s.key("acme", account.RoleAdmin, "")
	var revoked api.NewKey
	s.do(call{method: "POST", path: "/v1/keys", key: admin, body: `{"role":"admin"}`}).is(201).json(&revoked)
	token := func(key string, seconds int) map[string]string {
		return bearer(embedToken(s, key, map[string]any{"user": "u_ana", "origins": []string{shop}, "seconds": seconds}).Token)
	}
	all = map[string]map[string]string{
		"ingest": bearer(s.key("acme", account.RoleIngest, "")), "read": bearer(s.key("acme", account.RoleRead, "")),
		"read of a user": bearer(s.key("acme", account.RoleRead, "u_bo")), "admin": bearer(admin),
		"session": signIn(), "embed": token(admin, 3600),
		"none": {}, "garbage": bearer("tid_garbage"), "revoked": bearer(revoked.Text), "embed of a revoked key": token(revoked.Text, 3600),
		"expired embed": token(admin, 10), "signed out": signIn(), "suspended": s.person(admin, account.RoleMember),
	}
	for _, role := range account.PersonRoles() {
		name := string(role)
		if role == account.RoleAdmin {
			name = "person admin"
		}
		all[name] = s.person(admin, role)
	}
	s.suspend(admin, all["suspended"])
	s.do(call{method: "DELETE", path: "/v1/keys/" + revoked.ID, key: admin}).is(204)
	s.do(call{method: "DELETE", path: "/v1/session", header: all["signed out"]}).is(204)
	s.pass(time.Minute)
	return all, []string{"none", "garbage", "revoked", "embed of a revoked key", "expired embed", "signed out", "suspended"}
}

// Every documented route, called with every credential.
func TestEveryRouteKnowsItsCaller(t *testing.T) {
	quick := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	s := newSite(t, func(c *api.Config) { c.Live, c.SSE = quick, quick })
	s.furnish("acme")
	fill := strings.NewReplacer("{id}", "x", "{name}", "x", "{email}", "x%40x.test", "{domain}", "x.test", "{token}", "x", "{provider}", "acme.x")
	all, none := s.credentials()
	for _, route := range s.documentedRoutes() {
		expected, known := expectations[route]
		require.True(t, known, "%s is new: say who may call it", route)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			method, path, _ := strings.Cut(route, " ")
			c := call{method: method, path: fill.Replace(path), header: all[name]}
			if method == "POST" || method == "PUT" || method == "PATCH" {
				c.body = `{}`
			}
			status, cell := s.do(c).status, fmt.Sprintf("%s with %s", route, name)
			switch {
			case expected == "public":
				require.NotEqual(t, 403, status, cell)
			case slices.Contains(none, name):
				require.Equal(t, 401, status, cell)
			case slices.Contains(allowed[expected], name):
				require.NotContains(t, []int{401, 403}, status, cell)
			default:
				require.Equal(t, 403, status, cell)
			}
		}
		if route == "DELETE /v1/session" {
			all, none = s.credentials()
		}
	}
}

// besideTheDocument are the routes that people's mail programs and operators call, and that
// the document leaves out. Anybody may, and who calls makes no difference.
var besideTheDocument = []string{
	"GET /metrics", "GET /openapi.json", "GET /docs", "GET /docs/docs.js", "GET /docs/docs.css",
	"GET /t/o/{token}", "HEAD /t/o/{token}", "GET /t/c/{token}", "HEAD /t/c/{token}",
	"GET /t/u/{token}", "HEAD /t/u/{token}", "POST /t/u/{token}",
	"GET /t/n/{token}", "HEAD /t/n/{token}", "POST /t/n/{token}",
}

// A route is in the document, and so in the matrix, or is named here.
func TestEveryRouteIsKnown(t *testing.T) {
	s := newSite(t)
	s.furnish("acme")
	documented := s.documentedRoutes()
	for _, route := range s.server.Registered() {
		require.True(t, slices.Contains(documented, route) || slices.Contains(besideTheDocument, route),
			"%s is in no document: document it, or say that anybody may call it", route)
	}
	all, _ := s.credentials()
	for _, route := range besideTheDocument {
		require.Contains(t, s.server.Registered(), route)
		method, path, _ := strings.Cut(route, " ")
		want := 0
		for _, name := range slices.Sorted(maps.Keys(all)) {
			status := s.do(call{method: method, path: strings.Replace(path, "{token}", "garbage", 1), header: all[name]}).status
			require.Less(t, status, 500, "%s with %s", route, name)
			require.NotContains(t, []int{401, 403}, status, "%s with %s", route, name)
			if want == 0 {
				want = status
			}
			require.Equal(t, want, status, "%s with %s", route, name)
		}
	}
}

// What another team has, or another workspace, is in no answer of any route that reads,
// whatever it is asked for, and no route that writes changes it.
func TestNoRouteTellsOfOthers(t *testing.T) {
	s := newThrough(t)
	s.run(t)
	admin := s.key("acme", account.RoleAdmin, "")
	put := func(path, body string) { s.do(call{method: "PUT", path: path, key: admin, body: body}).is(200) }
	put("/v1/users/u_ana", `{"name":"Ana"}`)
	put("/v1/users/u_zephyrine", `{"name":"Zephyrine","emails":["zephyrine@own.example"]}`)
	put("/v1/teams/sales", `{"name":"Sales","members":["u_ana"]}`)
	put("/v1/teams/zephyrine", `{"name":"Team Zephyrine","members":["u_zephyrine"]}`)
	s.do(call{
		method: "PUT", path: "/v1/searches/zephyrine", body: `{"q":"zephyrine","shared":true}`,
		key: s.key("acme", account.RoleAdmin, "u_zephyrine"),
	}).is(200)
	put("/v1/follow-ups/jo%40zephyrine.example?user=u_zephyrine", `{"note":"zephyrine called"}`)
	put("/v1/sources/zephyrine", `{"provider":"calendly","keys":["long enough to be a secret"]}`)
	person := map[string]any{"email": "jo@zephyrine.example", "name": "Jo Zephyrine"}
	hers := sent("z", "m-zephyrine")
	hers["user"], hers["subject"], hers["recipients"] = "u_zephyrine", "On zephyrine", []any{person}
	opened := open(map[string]any{"id": "zo", "message": "m-zephyrine", "user": "u_zephyrine", "recipient": person, "time": time.Now().Add(-30 * time.Second).Unix()})
	var receipt api.Receipt
	s.do(call{method: "POST", path: "/v1/events?ids=1", key: admin, body: []any{hers, opened, sent("a", "m-ana")}}).is(202).json(&receipt)
	var page struct{ Items []any }
	require.Eventually(t, func() bool {
		s.get(admin, "/v1/feed?automated=show").is(200).json(&page)
		return len(page.Items) == 3
	}, 20*time.Second, 20*time.Millisecond)

	event := receipt.IDs[1].String()
	s.toldOfOthers(admin, event)
	s.changedByOthers(admin, event)
}

// toldOfOthers calls every route that reads, as others than those who may know.
func (s *through) toldOfOthers(admin, event string) {
	t := s.t
	t.Helper()
	asked := map[string]string{
		"/v1/messages/{id}": "m-zephyrine", "/v1/messages/{id}/events": "m-zephyrine", "/v1/events/{id}": event,
		"/v1/people/{email}": "jo@zephyrine.example", "/v1/people/{email}/tracking": "jo@zephyrine.example",
		"/v1/people/{email}/data": "jo@zephyrine.example", "/v1/people/{email}/access": "jo@zephyrine.example", "/v1/follow-ups/{email}": "jo@zephyrine.example",
		"/v1/companies/{domain}": "zephyrine.example", "/v1/endpoints/{name}/deliveries": "zephyrine",
		"/v1/sources/{name}/rejected": "zephyrine", "/v1/sources/{name}/payloads": "zephyrine", "/v1/dead-letters/{id}": event,
		"/auth/{provider}": "acme.zephyrine", "/auth/{provider}/callback": "acme.zephyrine",
	}
	// What is asked for does not name it, so that an answer that repeats the question does not.
	questions := map[string][]string{
		"/v1/feed": {"?automated=show", "?q=zep*", "?q=from:ana"}, "/v1/suggest": {"?q=zeph", "?q=from:z", "?q=from:zeph", "?q=to:zeph"},
		"/v1/export": {"?format=csv", "?format=ndjson"}, "/v1/answer": {"?q=who+opened"},
	}
	token := embedToken(s.site, admin, map[string]any{"user": "u_ana", "origins": []string{shop}}).Token
	callers := map[string]string{
		"another team": s.key("acme", account.RoleRead, "u_ana"), "another team, by a token": token,
		"another workspace": s.key("globex", account.RoleAdmin, ""), "": admin,
	}
	told := 0
	for _, route := range s.documentedRoutes() {
		method, path, _ := strings.Cut(route, " ")
		if method != "GET" || strings.HasPrefix(path, "/v1/live") {
			continue
		}
		filled := path
		if at := strings.Index(path, "{"); at >= 0 {
			value, ok := asked[path]
			require.True(t, ok, "%s is new: say what to ask it for", route)
			filled = path[:at] + value + path[strings.Index(path, "}")+1:]
		}
		for _, question := range append(questions[path], "") {
			for name, key := range callers {
				a := s.get(key, filled+question)
				answer := strings.ToLower(string(a.body))
				if a.status >= 400 {
					continue
				}
				if name == "" {
					if strings.Contains(answer, "zephyrine") {
						told++
					}
					continue
				}
				if strings.HasSuffix(path, "/tracking") || strings.HasSuffix(path, "/data") || strings.HasSuffix(path, "/access") {
					answer = strings.ReplaceAll(answer, "jo@zephyrine.example", "") // it repeats the question
				}
				require.NotContains(t, answer, "zephyrine", "GET %s%s, as %s", filled, question, name)
			}
		}
	}
	require.GreaterOrEqual(t, told, 12, "it is told to those who may know")
}

// sinceWhen is from when on scanners are looked for: it moves with the clock.
var sinceWhen = regexp.MustCompile(`"since":"[^"]*",`)

// changedByOthers calls every route that writes, as the admin of another workspace.
func (s *through) changedByOthers(admin, event string) {
	t := s.t
	t.Helper()
	lists := []string{"/v1/follow-ups/jo%40zephyrine.example", "/v1/users", "/v1/teams", "/v1/keys", "/v1/sources", "/v1/searches", "/v1/scanners", "/v1/settings", "/v1/messages/m-zephyrine"}
	shown := func() (all []string) {
		for _, path := range lists {
			all = append(all, sinceWhen.ReplaceAllString(string(s.get(admin, path).is(200).body), ""))
		}
		return all
	}
	before, stranger := shown(), s.key("globex", account.RoleAdmin, "")
	names := strings.NewReplacer("{id}", "u_zephyrine", "{name}", "zephyrine", "{email}", "jo@zephyrine.example", "{domain}", "zephyrine.example", "{token}", "x", "{provider}", "acme.zephyrine")
	for _, route := range s.documentedRoutes() {
		method, path, _ := strings.Cut(route, " ")
		if method == "GET" || path == "/v1/session" {
			continue
		}
		filled := names.Replace(path)
		if strings.HasPrefix(path, "/v1/events/{id}") || strings.HasPrefix(path, "/v1/dead-letters/{id}") {
			filled = strings.Replace(path, "{id}", event, 1)
		}
		c := call{method: method, path: filled, key: stranger}
		if method != "DELETE" {
			c.body = `{"name":"Other","members":[],"provider":"calendly","keys":["another secret, long enough"],"all":true}`
		}
		require.Less(t, s.do(c).status, 500, route)
	}
	require.Equal(t, before, shown())
}
