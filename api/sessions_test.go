package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
)

func (b browser) sessions(question string) []account.Session {
	b.t.Helper()
	var list struct{ Items []account.Session }
	b.do(call{method: "GET", path: "/v1/sessions" + question}).is(200).json(&list)
	return list.Items
}

func (b browser) write(method, path string) answer {
	return b.do(call{method: method, path: path, header: map[string]string{"X-CSRF-Token": b.csrf}})
}

func TestASessionIsNotSeenBeforeItsSignIn(t *testing.T) {
	s := newSite(t)
	s.pass(50 * time.Minute)
	list := s.signIn(map[string]string{"key": s.key("acme", account.RoleRead, "u_ana")}).sessions("")
	require.Len(t, list, 1)
	require.Equal(t, noon.Add(50*time.Minute), list[0].LastSeen)
}

func TestMySessionsAreListedAndEnded(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	here, ana := s.accepted(admin, map[string]any{"name": "Ana", "role": "member"})
	s.do(call{method: "PUT", path: "/v1/users/u_bo", key: admin, body: `{"name":"Bo"}`}).is(200)
	elsewhere := s.signIn(map[string]string{"key": s.key("acme", account.RoleRead, ana.User)})
	third := s.signIn(map[string]string{"key": s.key("acme", account.RoleRead, ana.User)})
	others := s.signIn(map[string]string{"key": s.key("acme", account.RoleRead, "u_bo")})

	s.pass(70 * time.Minute)
	list := here.sessions("")
	require.Len(t, list, 3)
	require.True(t, list[0].Current)
	require.Equal(t, account.Session{
		ID: list[0].ID, User: ana.User, SignedIn: noon, LastSeen: noon.Add(time.Hour), From: "127.0.0.1", Agent: "Go-http-client/1.1", Current: true,
	}, list[0])
	require.False(t, list[1].Current)

	others.write("DELETE", "/v1/sessions/"+list[1].ID).problem(404)
	others.write("DELETE", "/v1/sessions/"+list[1].ID+"?user="+ana.User).problem(403)
	others.do(call{method: "GET", path: "/v1/sessions?user=" + ana.User}).problem(403)
	here.write("DELETE", "/v1/sessions/"+list[1].ID).is(204)
	require.Len(t, here.sessions(""), 2)
	here.write("DELETE", "/v1/sessions").is(204)
	elsewhere.do(call{method: "GET", path: "/v1/feed"}).problem(401)
	third.do(call{method: "GET", path: "/v1/feed"}).problem(401)
	here.do(call{method: "GET", path: "/v1/feed"}).is(200)
	s.do(call{method: "DELETE", path: "/v1/sessions?user=" + ana.User, key: admin}).is(204)
	here.do(call{method: "GET", path: "/v1/feed"}).problem(401)
	others.do(call{method: "GET", path: "/v1/feed"}).is(200)
}

func TestASessionIsMadeAnewWhereItsRoleRises(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	old, ana := s.accepted(admin, map[string]any{"name": "Ana", "role": "viewer"})
	s.change(admin, ana.User, `{"role":"admin"}`).is(200)
	old.do(call{method: "GET", path: "/v1/keys"}).problem(403)
	var view api.SessionView
	a := old.do(call{method: "GET", path: "/v1/session"}).is(200).json(&view)
	require.Equal(t, account.RoleAdmin, view.Role)
	fresh := browser{s, cookieOf(a), view.CSRF}
	require.NotEqual(t, old.cookie.Value, fresh.cookie.Value)
	fresh.do(call{method: "GET", path: "/v1/keys"}).is(200)
	old.do(call{method: "GET", path: "/v1/feed"}).is(200) // what is under way
	s.pass(time.Minute)
	old.do(call{method: "GET", path: "/v1/feed"}).problem(401)
	require.Len(t, fresh.sessions(""), 1)

	again := s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"key": s.key("acme", account.RoleRead, ana.User)}, header: fresh.headers()}).is(200)
	require.NotEqual(t, fresh.cookie.Value, cookieOf(again).Value)
	fresh.do(call{method: "GET", path: "/v1/feed"}).problem(401) // a browser has one session
}

// A role for other work takes the place of the one before in old sessions too.
func TestASessionDoesNotKeepARoleForOtherWork(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/teams/sales", key: admin, body: `{"name":"Sales","members":["u_bo"]}`}).is(200)
	b, ana := s.accepted(admin, map[string]any{"name": "Ana", "role": "auditor", "teams": []string{"sales"}})
	b.do(call{method: "GET", path: "/v1/audit"}).is(200)
	s.change(admin, ana.User, `{"role":"member"}`).is(200)
	b.do(call{method: "GET", path: "/v1/audit"}).problem(403)
	b.do(call{method: "GET", path: "/v1/feed"}).is(200)
	require.ElementsMatch(t, []string{ana.User, "u_bo"}, s.feed.asked[len(s.feed.asked)-1].Users)
	s.change(admin, ana.User, `{"role":"integrator"}`).is(200)
	b.do(call{method: "GET", path: "/v1/feed"}).is(200)
	require.Equal(t, []string{ana.User}, s.feed.asked[len(s.feed.asked)-1].Users)
}

func TestWhatIsGraveTakesAFreshSignIn(t *testing.T) {
	s := newSite(t)
	b, _ := s.accepted(s.key("acme", account.RoleAdmin, ""), map[string]any{"name": "Ana", "role": "admin"})
	grave := []call{
		{method: "POST", path: "/v1/keys", body: `{"role":"read"}`},
		{method: "DELETE", path: "/v1/people/jo@acme.example"},
		{method: "PUT", path: "/v1/sources/x", body: `{"provider":"calendly","keys":["long enough to be a secret"]}`},
		{method: "POST", path: "/v1/link-keys"},
	}
	do := func(c call) answer {
		c.header = map[string]string{"X-CSRF-Token": b.csrf}
		return b.do(c)
	}
	for _, c := range grave {
		require.Less(t, do(c).status, 300, c.path)
	}
	s.pass(11 * time.Minute)
	for _, c := range grave {
		require.Equal(t, "session.signed_in", do(c).problem(403).Errors[0].Location, c.path)
	}
	b.do(call{method: "GET", path: "/v1/keys"}).is(200)
}

// Sessions and keys from before they had what they have now go on.
func TestWhatWasKeptBeforeGoesOn(t *testing.T) {
	s := newSite(t)
	put := func(workspace, kind, id, doc string) {
		require.NoError(t, s.records.Put(t.Context(), workspace, kind, id, json.RawMessage(doc)))
	}
	const text = "tid_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	put("", "key", account.HashOf(text), `{"id":"k1","w":"acme","prefix":"tid_AAAAAAAA","role":"read","user":"u_ana","created":"2025-01-01T00:00:00Z"}`)
	put("acme", "key", "k1", `{"hash":"`+account.HashOf(text)+`"}`)
	s.get(text, "/v1/feed").is(200)
	var keys struct{ Items []account.Key }
	s.get(s.key("acme", account.RoleAdmin, ""), "/v1/keys").is(200).json(&keys)
	require.Nil(t, keys.Items[0].Ends)

	token := "a token from before"
	hash := account.HashOf(token)
	put("", "session", hash, `{"w":"acme","role":"read","user":"u_ana","key":"`+account.HashOf(text)+`"}`)
	put("acme", "session", hash, `{"user":"u_ana","key":"`+account.HashOf(text)+`"}`)
	ends, err := json.Marshal(noon.Add(10 * 24 * time.Hour))
	require.NoError(t, err)
	put("", "session-seen", hash, string(ends))
	old := browser{s, &http.Cookie{Name: "tidings_session", Value: strings.ReplaceAll(token, " ", "_")}, ""}
	old.cookie.Value = token
	old.do(call{method: "GET", path: "/v1/feed"}).is(200)
	require.Len(t, old.sessions(""), 1)
	require.Equal(t, noon, old.sessions("")[0].SignedIn)
	for range 3 {
		s.pass(9 * 24 * time.Hour)
		old.do(call{method: "GET", path: "/v1/feed"}).is(200)
	}
	s.pass(4 * 24 * time.Hour)
	old.do(call{method: "GET", path: "/v1/feed"}).problem(401)
}
