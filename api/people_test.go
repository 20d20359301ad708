package api_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
)

// accepted is the browser of somebody who was invited and has accepted.
func (s *site) accepted(admin string, invitation map[string]any) (browser, api.NewInvitation) {
	s.t.Helper()
	var made api.NewInvitation
	s.do(call{method: "POST", path: "/v1/invitations", key: admin, body: invitation}).is(201).json(&made)
	return s.signIn(map[string]string{"invitation": made.Token}), made
}

func (b browser) headers() map[string]string {
	return map[string]string{"Cookie": b.cookie.Name + "=" + b.cookie.Value, "X-CSRF-Token": b.csrf}
}

// person is the session of a new person with a role.
func (s *site) person(admin string, role account.Role) map[string]string {
	s.t.Helper()
	b, _ := s.accepted(admin, map[string]any{"name": "A " + string(role), "role": role})
	return b.headers()
}

// suspend suspends who holds a session.
func (s *site) suspend(admin string, session map[string]string) {
	s.t.Helper()
	var view api.SessionView
	s.do(call{method: "GET", path: "/v1/session", header: session}).is(200).json(&view)
	s.change(admin, view.User.ID, `{"state":"suspended"}`).is(200)
}

func (s *site) change(key, user, body string) answer {
	s.t.Helper()
	return s.do(call{method: "PATCH", path: "/v1/users/" + user, key: key, body: body})
}

func (b browser) role() account.Role {
	b.t.Helper()
	var view api.SessionView
	b.do(call{method: "GET", path: "/v1/session"}).is(200).json(&view)
	return view.Role
}

func TestAnInvitationMakesAUserOnce(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/teams/sales", key: admin, body: `{"name":"Sales","members":[]}`}).is(200)
	b, made := s.accepted(admin, map[string]any{"name": "Ana", "email": "Ana@Own.example", "role": "member", "teams": []string{"sales"}})
	require.Equal(t, account.RoleMember, b.role())
	require.Equal(t, "/#invitation="+made.Token, made.Path)
	s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"invitation": made.Token}}).problem(401)

	var users struct{ Items []account.Member }
	s.get(admin, "/v1/users").is(200).json(&users)
	require.Equal(t, []account.Member{{ID: made.User, Name: "Ana", Emails: []string{"ana@own.example"}, Role: "member", State: "active", Rev: 1}}, users.Items)
	var teams struct{ Items []account.Team }
	s.get(admin, "/v1/teams").is(200).json(&teams)
	require.Equal(t, []string{made.User}, teams.Items[0].Members)

	_, again := s.accepted(admin, map[string]any{"email": "ana@own.example", "role": "viewer"})
	require.Equal(t, made.User, again.User, "they are known by their address")
	require.Equal(t, account.RoleViewer, b.role(), "and have the new role in the old session too")
}

func TestAnInvitationEnds(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	var late, taken api.NewInvitation
	s.do(call{method: "POST", path: "/v1/invitations", key: admin, body: `{"name":"Late","role":"member","days":1}`}).is(201).json(&late)
	s.do(call{method: "POST", path: "/v1/invitations", key: admin, body: `{"name":"Taken","role":"member"}`}).is(201).json(&taken)
	s.do(call{method: "DELETE", path: "/v1/invitations/" + taken.ID, key: s.key("globex", account.RoleAdmin, "")}).problem(404)
	s.do(call{method: "DELETE", path: "/v1/invitations/" + taken.ID, key: admin}).is(204)
	s.pass(24 * time.Hour)
	for _, token := range []string{late.Token, taken.Token} {
		s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"invitation": token}}).problem(401)
	}
	for _, body := range []string{`{"role":"member"}`, `{"name":"x","role":"root"}`, `{"name":"x","role":"member","teams":["none"]}`, `{"name":"x","role":"member","days":31}`, `{"user":"u_none","role":"member"}`} {
		s.do(call{method: "POST", path: "/v1/invitations", key: admin, body: body}).problem(400)
	}
	s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"invitation": "x", "token": "x"}}).problem(400)
}

// One person has one user, however many links they were sent, and no link is a way back.
func TestASecondInvitationIsNoWayBack(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	invite := func(body string) string {
		var made api.NewInvitation
		s.do(call{method: "POST", path: "/v1/invitations", key: admin, body: body}).is(201).json(&made)
		return made.Token
	}
	users := func() []account.Member {
		var list struct{ Items []account.Member }
		s.get(admin, "/v1/users").is(200).json(&list)
		return list.Items
	}
	const ana = `{"name":"Ana","email":"ana@own.example","role":"member"}`
	first, second, third := invite(ana), invite(ana), invite(ana)
	s.signIn(map[string]string{"invitation": first})
	s.signIn(map[string]string{"invitation": second})
	require.Len(t, users(), 1, "both links were for one address")
	byID := invite(`{"user":"` + users()[0].ID + `","role":"admin"}`)
	s.change(admin, users()[0].ID, `{"state":"suspended"}`).is(200)
	s.change(admin, users()[0].ID, `{"state":"active"}`).is(200)
	for _, token := range []string{third, byID} {
		s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"invitation": token}}).problem(401)
	}
	last := invite(ana)
	s.do(call{method: "DELETE", path: "/v1/users/" + users()[0].ID, key: admin}).is(204)
	s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"invitation": last}}).problem(401)
	require.Empty(t, users())
}

func TestTheLastAdminStays(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	b, first := s.accepted(key, map[string]any{"name": "First", "role": "admin"})
	for _, body := range []string{`{"role":"member"}`, `{"state":"suspended"}`} {
		require.Contains(t, s.change(key, first.User, body).problem(409).Detail, "last admin")
	}
	s.do(call{method: "DELETE", path: "/v1/users/" + first.User, key: key}).problem(409)
	s.do(call{method: "PUT", path: "/v1/users/" + first.User, key: key, body: `{"name":"First","role":"viewer"}`}).problem(409)
	b.do(call{method: "GET", path: "/v1/keys"}).is(200)

	_, second := s.accepted(key, map[string]any{"name": "Second", "role": "admin"})
	statuses := make(chan int, 2)
	var both sync.WaitGroup
	both.Go(func() { statuses <- s.change(key, first.User, `{"role":"member"}`).status })
	both.Go(func() {
		statuses <- s.do(call{method: "DELETE", path: "/v1/users/" + second.User, key: key}).status
	})
	both.Wait()
	require.Equal(t, 409, max(<-statuses, <-statuses), "one of two at once stays")
	var users struct{ Items []account.Member }
	s.get(key, "/v1/users").is(200).json(&users)
	admins := 0
	for _, user := range users.Items {
		if user.Role == account.RoleAdmin && user.State == account.StateActive {
			admins++
		}
	}
	require.Equal(t, 1, admins)
}

func TestAChangeToWhatHasChangedIsRefused(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	_, ana := s.accepted(admin, map[string]any{"name": "Ana", "role": "member"})
	s.change(admin, ana.User, `{"role":"viewer","rev":1}`).is(200)
	s.change(admin, ana.User, `{"role":"lead","rev":1}`).problem(409)
	s.change(admin, "u_none", `{"role":"lead"}`).problem(404)
	s.change(admin, ana.User, `{"role":"root"}`).problem(400)
}

// What a key may do ends where its user's role does.
func TestAKeyOfAPersonIsBoundByTheirRole(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/users/u_ana", key: admin, body: `{"name":"Ana"}`}).is(200)
	ofAna, reads := s.key("acme", account.RoleAdmin, "u_ana"), s.key("acme", account.RoleRead, "u_ana")
	s.get(ofAna, "/v1/keys").is(200) // nobody has given her a role
	session := s.signIn(map[string]string{"key": reads})

	s.change(admin, "u_ana", `{"role":"viewer"}`).is(200)
	s.get(ofAna, "/v1/keys").problem(403)
	s.do(call{method: "PUT", path: "/v1/searches/x", key: reads, body: `{"q":"x","shared":true}`}).problem(403)
	s.do(call{method: "POST", path: "/v1/embed-tokens", key: ofAna, body: map[string]any{"user": "u_bo", "origins": []string{shop}}}).problem(400)
	s.change(admin, "u_ana", `{"role":"auditor"}`).is(200)
	s.get(reads, "/v1/feed").problem(403)
	s.change(admin, "u_ana", `{"role":"admin"}`).is(200)
	s.get(ofAna, "/v1/keys").is(200)
	s.get(reads, "/v1/keys").problem(403)
	session.do(call{method: "GET", path: "/v1/keys"}).problem(403)
}

func TestALeadSaysWhoIsInTheirTeam(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	b, ana := s.accepted(admin, map[string]any{"name": "Ana", "role": "member"})
	put := func(team, body string) answer {
		return s.do(call{method: "PUT", path: "/v1/teams/" + team, body: body, header: b.headers()})
	}
	for _, id := range []string{"u_zo", "u_bo"} {
		s.do(call{method: "PUT", path: "/v1/users/" + id, key: admin, body: `{"name":"One","emails":["` + id[2:] + `@acme.example"]}`}).is(200)
	}
	s.do(call{method: "PUT", path: "/v1/teams/other", key: admin, body: `{"name":"Other","members":["u_zo"]}`}).is(200)
	s.do(call{method: "PUT", path: "/v1/teams/sales", key: admin, body: `{"name":"Sales","members":["` + ana.User + `"]}`}).is(200)
	put("sales", `{"name":"Sales","members":[]}`).problem(403)
	s.do(call{method: "PUT", path: "/v1/teams/sales", key: admin, body: `{"name":"Sales","members":["u_x"],"leads":["` + ana.User + `"]}`}).problem(400)
	s.do(call{method: "PUT", path: "/v1/teams/sales", key: admin, body: `{"name":"Sales","members":["` + ana.User + `"],"leads":["` + ana.User + `"]}`}).is(200)
	require.Equal(t, account.RoleLead, b.role())
	for _, stranger := range []string{"u_bo", "u_nobody"} {
		require.Contains(t, put("sales", `{"name":"Sales","members":["`+ana.User+`","`+stranger+`"]}`).problem(400).Detail, "none of your teams",
			"whose mail they may not see is not theirs to share")
	}
	s.do(call{method: "PUT", path: "/v1/teams/south", key: admin, body: `{"name":"South","members":["` + ana.User + `","u_bo"]}`}).is(200)
	var team account.Team
	put("sales", `{"name":"Sales","members":["`+ana.User+`","u_bo"],"leads":[]}`).is(200).json(&team)
	require.Equal(t, []string{ana.User}, team.Leads, "who leads is for admins to say")
	put("other", `{"name":"Other","members":["`+ana.User+`"]}`).problem(403)
	put("new", `{"name":"New","members":[]}`).problem(403)
	s.do(call{method: "DELETE", path: "/v1/teams/sales", header: b.headers()}).problem(403)
	var teams struct{ Items []account.Team }
	b.do(call{method: "GET", path: "/v1/teams"}).is(200).json(&teams)
	require.Len(t, teams.Items, 1)
	var people struct{ Items []account.Member }
	b.do(call{method: "GET", path: "/v1/users"}).is(200).json(&people)
	require.Len(t, people.Items, 2, "they choose from their own teams")
	for _, person := range people.Items {
		require.NotEqual(t, "u_zo", person.ID)
		require.Empty(t, person.Role, "what others may do is for admins to know")
	}
}

// Demotion and suspension count in what is open, in another process too.
func TestWhatIsOpenEndsWithARole(t *testing.T) {
	one := newSite(t, withLive, func(c *api.Config) { c.Reports = &endless{} })
	two := newSite(t, func(c *api.Config) { c.Records = one.records })
	admin := one.key("acme", account.RoleAdmin, "")
	const stream, export = "/v1/live/sse", "/v1/export?format=ndjson"
	for change, signedOut := range map[string]bool{`{"role":"auditor"}`: false, `{"role":"member"}`: false, `{"state":"suspended"}`: true} {
		_, other := one.accepted(admin, map[string]any{"name": "Other", "role": "admin"})
		b, ana := one.accepted(admin, map[string]any{"name": "Ana", "role": "admin"})
		cookie := b.cookie.Name + "=" + b.cookie.Value
		text := one.key("acme", account.RoleAdmin, ana.User)
		left := []func() string{
			one.reading("", cookie, stream), one.reading("", cookie, export), one.reading(text, "", stream), one.reading(text, "", export),
		}
		two.change(admin, ana.User, change).is(200)
		one.pass(time.Second)
		one.server.LookAgain(t.Context())
		for i, ended := range left {
			text := ended()
			require.False(t, signedOut && i%2 == 0 && text != "gone", "%s: %s", change, text)
		}
		want := http.StatusForbidden
		if signedOut {
			want = http.StatusUnauthorized
		}
		b.do(call{method: "GET", path: "/v1/keys"}).problem(want)
		one.get(text, "/v1/keys").problem(want)
		one.do(call{method: "DELETE", path: "/v1/users/" + ana.User, key: admin}).is(204)
		one.get(text, "/v1/keys").problem(http.StatusUnauthorized)
		_ = other
	}
}

// A directory from before there were roles goes on as it was.
func TestADirectoryFromBeforeRolesGoesOn(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "u_ana")
	require.NoError(t, s.records.Put(t.Context(), "acme", "user", "u_ana", []byte(`{"id":"u_ana","name":"Ana","emails":["ana@own.example"]}`)))
	require.NoError(t, s.records.Put(t.Context(), "acme", "team", "sales", []byte(`{"id":"sales","name":"Sales","members":["u_ana","u_bo"]}`)))
	s.get(admin, "/v1/keys").is(200)
	b := s.signIn(map[string]string{"key": s.key("acme", account.RoleRead, "u_bo")})
	b.do(call{method: "GET", path: "/v1/feed"}).is(200)
	var users struct{ Items []account.Member }
	s.get(admin, "/v1/users").is(200).json(&users)
	require.Equal(t, []account.Member{{ID: "u_ana", Name: "Ana", Emails: []string{"ana@own.example"}, State: "active"}}, users.Items)
	s.do(call{method: "DELETE", path: "/v1/users/u_ana", key: admin}).is(204)
}
