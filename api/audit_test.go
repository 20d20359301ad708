package api_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/audit"
	"tidings/event"
)

// audited are the rows of a workspace, the oldest first.
func (s *site) audited(workspace string) []audit.Row {
	s.t.Helper()
	page, err := s.audit.Read(s.t.Context(), audit.Question{Workspace: workspace, Limit: 1000}, "")
	require.NoError(s.t, err)
	rows := page.Rows
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows
}

// auditPage reads a page of the log over HTTP.
func (s *site) auditPage(key, path string) api.AuditPage {
	s.t.Helper()
	var page api.AuditPage
	s.get(key, path).is(200).json(&page)
	return page
}

// Every documented route says what it leaves in the log, and leaves it.
func TestEveryRouteLeavesInTheAuditLogWhatItSays(t *testing.T) {
	quick := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	s := newSite(t, func(c *api.Config) { c.Live, c.SSE = quick, quick })
	s.furnish("acme")
	var document struct {
		Paths map[string]map[string]struct {
			Audit string `json:"x-audit"`
		}
	}
	s.get("", "/openapi.json").is(200).json(&document)
	fill := strings.NewReplacer("{id}", "x", "{name}", "x", "{email}", "x%40x.test", "{domain}", "x.test", "{token}", "x", "{provider}", "acme.x")
	kinds := map[string][]audit.Kind{
		"reads": {audit.KindRead}, "counts": {audit.KindRead}, "intake": {audit.KindRead}, "takes": {audit.KindRead}, "log": {audit.KindRead},
		"changes": {audit.KindBegun, audit.KindChange}, "nothing": nil, "sign-ins": nil,
	}
	nothing := 0
	for path, methods := range document.Paths {
		for method, route := range methods {
			name := strings.ToUpper(method) + " " + path
			wanted, known := kinds[route.Audit]
			require.True(t, known, "%s has no expectation of the audit log", name)
			if route.Audit == "nothing" || route.Audit == "sign-ins" {
				nothing++
			}
			before := len(s.audited("acme"))
			key := s.key("acme", account.RoleAdmin, "u_ana")
			c := call{method: strings.ToUpper(method), path: fill.Replace(path), key: key}
			if method == "post" || method == "put" {
				c.body = `{}`
			}
			status := s.do(c).status
			if status == 422 || status == 429 {
				before = min(before, len(s.audited("acme"))) // huma refuses some before anything is looked at
			}
			var left []audit.Kind
			for _, row := range s.audited("acme")[before:] {
				require.Equal(t, name, row.Route)
				require.Equal(t, "user:u_ana", row.Actor, name)
				left = append(left, row.Kind)
			}
			require.Equal(t, wanted, left, "%s, status %d", name, status)
		}
	}
	require.Less(t, nothing, 30, "most routes leave something")
}

func TestALookAtSomebodyElsesMailIsOnRecord(t *testing.T) {
	s := newSite(t)
	s.furnish("acme")
	s.feed.events = []event.Event{stored("acme", "u_bob", "2")}
	admin := s.key("acme", account.RoleAdmin, "u_boss")
	s.get(admin, "/v1/feed?q="+url.QueryEscape("to:jo@acme.example opened")).is(200)

	rows := s.audited("acme")
	row := rows[len(rows)-1]
	jo := s.audit.Names().Person("jo@acme.example")
	require.Equal(t, "user:u_boss", row.Actor)
	require.Equal(t, "GET /v1/feed", row.Route)
	require.Equal(t, "q=to:"+jo+" opened", row.Object)
	require.Equal(t, []string{"user:u_bob", jo}, row.About)
	require.Equal(t, 1, row.Rows)
	require.Equal(t, "127.0.0.0/24", row.Address)
	require.NotContains(t, s.log.String(), "jo@acme.example")

	t.Run("and they see who it was", func(t *testing.T) {
		mine := s.auditPage(s.key("acme", account.RoleRead, "u_bob"), "/v1/audit/mine")
		require.Len(t, mine.Items, 1)
		require.Equal(t, "user:u_boss", mine.Items[0].Actor)
		require.Empty(t, mine.Items[0].Object)
		require.Empty(t, s.auditPage(s.key("acme", account.RoleRead, "u_zoe"), "/v1/audit/mine").Items)
	})
	t.Run("and who saw a person", func(t *testing.T) {
		access := s.auditPage(admin, "/v1/people/jo%40acme.example/access")
		require.NotEmpty(t, access.Items)
		require.Equal(t, "GET /v1/feed", access.Items[len(access.Items)-1].Route)
		found := s.auditPage(admin, "/v1/audit?object=jo%40acme.example&route=GET+/v1/feed")
		require.Len(t, found.Items, 1)
	})
	t.Run("and who read the log", func(t *testing.T) {
		page := s.auditPage(admin, "/v1/audit?actor=user:u_boss&route=GET+/v1/people/%7Bemail%7D/access")
		require.Len(t, page.Items, 1)
	})
	t.Run("a token of another kind may not read it", func(t *testing.T) {
		s.get(s.key("acme", account.RoleRead, ""), "/v1/audit").problem(403)
	})
}

func TestLooksAtOnesOwnMailAreCounted(t *testing.T) {
	s := newSite(t)
	s.furnish("acme")
	ana := s.key("acme", account.RoleRead, "u_ana")
	for range 5 {
		s.get(ana, "/v1/feed").is(200)
	}
	require.NoError(t, s.audit.Flush(t.Context()))
	s.pass(20 * time.Minute)
	s.get(ana, "/v1/feed").is(200)
	rows := slices.DeleteFunc(s.audited("acme"), func(r audit.Row) bool { return r.Kind != audit.KindRead })
	require.Equal(t, 3, len(rows))
	require.Equal(t, []int{1, 4, 1}, []int{rows[0].Count, rows[1].Count, rows[2].Count})
	require.Equal(t, "own and teams", rows[1].Object)
}

func TestAChangeSaysWhatItWrote(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/users/u_ana", key: admin, body: `{"name":"Ana"}`, header: map[string]string{"Tidings-Reason": "new here"}}).is(200)
	s.do(call{method: "PUT", path: "/v1/users/u_ana", key: admin, body: `{"name":"Ana M."}`}).is(200)
	rows := s.audited("acme")
	require.Len(t, rows, 4)
	require.Equal(t, audit.KindBegun, rows[0].Kind)
	require.Equal(t, rows[0].ID, rows[1].Of)
	require.Equal(t, "new here", rows[1].Reason)
	require.Len(t, rows[1].Changes, 1)
	first, second := rows[1].Changes[0], rows[3].Changes[0]
	require.Equal(t, "user", first.Kind)
	require.Equal(t, "u_ana", first.ID)
	require.Empty(t, first.Before)
	require.Equal(t, first.After, second.Before)
	require.NotEqual(t, second.Before, second.After)
}

func TestWhatCannotBeOnRecordDoesNotHappen(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	s.get(admin, "/v1/feed").is(200)
	s.auditStore.away.Store(true)
	s.do(call{method: "PUT", path: "/v1/users/u_ana", key: admin, body: `{"name":"Ana"}`}).problem(503)
	s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"key": admin}}).problem(503)
	require.NotContains(t, string(s.get(admin, "/v1/users").is(200).body), "Ana")
	s.get(admin, "/v1/feed").is(200) // for a minute
	s.pass(61 * time.Second)
	s.get(admin, "/v1/feed").problem(503)
	s.get(admin, "/v1/export?format=csv").problem(503)
}

func TestSignInsAreOnRecord(t *testing.T) {
	s := newSite(t)
	s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"key": s.key("acme", account.RoleAdmin, "u_ana")}}).is(200)
	s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": "nothing"}}).is(401)
	s.get("tid_garbage", "/v1/feed").is(401)
	rows := s.audited("acme")
	require.Len(t, rows, 1)
	require.Equal(t, audit.KindSignIn, rows[0].Kind)
	require.Equal(t, "user:u_ana", rows[0].Actor)
	rows = s.audited(audit.Installation)
	require.Len(t, rows, 2)
	require.Equal(t, audit.KindSignIn, rows[0].Kind)
	require.Equal(t, 401, rows[0].Result)
	require.Equal(t, audit.KindRefused, rows[1].Kind)
}

// Erasing a person leaves no address of theirs in the log.
func TestTheLogOfAnErasureHoldsNoAddress(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	s.get(admin, "/v1/people/jo%40acme.example")
	s.do(call{method: "DELETE", path: "/v1/people/jo%40acme.example", key: admin}).is(200)
	for _, row := range s.audited("acme") {
		require.NotContains(t, row.Object, "@")
		require.Contains(t, row.About, s.audit.Names().Person("jo@acme.example"))
	}
}
