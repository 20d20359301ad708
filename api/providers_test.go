package api_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/audit"
)

func TestAProviderSignsItsPeopleOut(t *testing.T) {
	a := newAt(t, nil)
	out := func(token string) answer {
		return a.do(call{
			method: "POST", path: "/auth/acme.fake/logout", body: "logout_token=" + url.QueryEscape(token),
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		})
	}
	is := func(session string, status int) {
		t.Helper()
		a.do(call{method: "GET", path: "/v1/session", header: map[string]string{"Cookie": session}}).is(status)
	}
	_, one := a.signIn("/auth/acme.fake")
	a.fake.claims = map[string]any{"sid": "session-2"}
	_, two := a.signIn("/auth/acme.fake")
	for name, change := range map[string]map[string]any{
		"of another issuer": {"iss": "https://other.example"}, "for another client": {"aud": "other"}, "too old": {"exp": noon.Add(-time.Minute).Unix()},
		"without an end": {"exp": nil}, "good for ever": {"exp": noon.AddDate(1, 0, 0).Unix()}, "a token of a sign-in": {"nonce": "n"},
		"without the event": {"events": nil}, "about nobody": {"sid": nil}, "without an id": {"jti": nil},
	} {
		require.Equal(t, 400, out(a.fake.logoutToken(change)).status, name)
	}
	out("").is(400)
	a.fake.sign = unsigned
	out(a.fake.logoutToken(nil)).is(400)
	a.fake.sign = nil
	is(one, 200)

	token := a.fake.logoutToken(nil)
	a.auditStore.away.Store(true) // nothing is ended that is not on record: the provider tries again
	out(token).is(503)
	a.auditStore.away.Store(false)
	out(token).is(200)
	is(one, 401)
	is(two, 200)
	out(token).is(400) // once
	out(a.fake.logoutToken(map[string]any{"sid": nil, "sub": "ana-at-fake"})).is(200)
	is(two, 401)
	rows := a.audited("acme")
	last := rows[len(rows)-1]
	require.Equal(t, []any{audit.KindChange, "provider:fake", "signed out at the provider"}, []any{last.Kind, last.Actor, last.Object})
}

func TestAProviderIsAskedAgain(t *testing.T) {
	a := newAt(t, map[string]any{"groups_claim": "groups", "map": []map[string]string{{"group": "s", "role": "viewer"}, {"group": "m", "role": "member"}}})
	a.fake.claims = map[string]any{"groups": []string{"m"}}
	_, session := a.signIn("/auth/acme.fake")
	asks := func(after time.Duration) int {
		a.pass(after)
		a.do(call{method: "GET", path: "/v1/session", header: map[string]string{"Cookie": session}})
		a.server.Finish()
		return a.do(call{method: "GET", path: "/v1/session", header: map[string]string{"Cookie": session}}).status
	}
	a.fake.claims = map[string]any{"groups": []string{"s"}}
	require.Equal(t, 200, asks(50*time.Minute))
	require.Equal(t, account.RoleMember, a.users("u_ana").Role, "not yet")
	require.Equal(t, 200, asks(11*time.Minute))
	require.Equal(t, account.RoleViewer, a.users("u_ana").Role)
	t.Run("without a token it is asked for the groups", func(t *testing.T) {
		a.fake.lie = func(answer map[string]any) { delete(answer, "id_token") }
		a.fake.info = map[string]any{"sub": "ana-at-fake", "groups": []string{"m"}}
		require.Equal(t, 200, asks(61*time.Minute))
		require.Equal(t, account.RoleMember, a.users("u_ana").Role)
		a.fake.lie = nil
	})
	t.Run("while it is away nothing changes", func(t *testing.T) {
		a.fake.again = "temporarily_unavailable"
		require.Equal(t, 200, asks(61*time.Minute))
		a.fake.again = ""
		a.fake.claims = map[string]any{"groups": []string{"s"}}
		require.Equal(t, 200, asks(6*time.Minute))
		require.Equal(t, account.RoleViewer, a.users("u_ana").Role)
	})
	t.Run("about somebody else it says nothing", func(t *testing.T) {
		a.fake.claims = map[string]any{"sub": "bo", "groups": []string{"m"}}
		require.Equal(t, 200, asks(61*time.Minute))
		require.Equal(t, account.RoleViewer, a.users("u_ana").Role)
	})
	t.Run("who is in no group is out", func(t *testing.T) {
		a.fake.claims = map[string]any{"groups": []string{}}
		require.Equal(t, 401, asks(6*time.Minute))
	})
	t.Run("and who was taken off there", func(t *testing.T) {
		a.fake.claims = map[string]any{"groups": []string{"m"}}
		_, session = a.signIn("/auth/acme.fake")
		a.fake.again = "invalid_grant"
		require.Equal(t, 401, asks(61*time.Minute))
		kept, err := a.records.List(t.Context(), "acme", account.KindProviderGrant)
		require.NoError(t, err)
		require.Empty(t, kept, "nothing to ask with stays")
	})
}

func TestWhatAnIssuerGaveIsShownToNoOther(t *testing.T) {
	a := newAt(t, nil)
	_, session := a.signIn("/auth/acme.fake")
	by := call{method: "GET", path: "/v1/session", header: map[string]string{"Cookie": session}}
	a.put("fake", map[string]any{"issuer": a.fake.http.URL + "/other"}).is(200)
	a.pass(61 * time.Minute)
	a.do(by)
	a.server.Finish()
	a.do(by).is(401)
}

func TestAProviderAlone(t *testing.T) {
	a := newAt(t, map[string]any{"groups_claim": "groups", "map": []map[string]string{{"group": "it", "role": "admin"}, {"group": "s", "role": "member"}}})
	only := map[string]any{"only": true, "groups_claim": "groups", "map": []map[string]string{{"group": "it", "role": "admin"}, {"group": "s", "role": "member"}}}
	a.put("fake", only).problem(409)
	a.fake.claims = map[string]any{"groups": []string{"it"}}
	_, session := a.signIn("/auth/acme.fake")
	body := map[string]any{"issuer": a.fake.http.URL, "client_id": "client", "domains": []string{"acme.example"}}
	for field, value := range only {
		body[field] = value
	}
	by := map[string]string{"Cookie": session, "X-CSRF-Token": a.view(session).CSRF}
	a.do(call{method: "PUT", path: "/v1/sign-in/providers/fake", header: by, body: body}).is(200)

	var made api.NewInvitation
	a.do(call{method: "POST", path: "/v1/invitations", key: a.admin, body: `{"name":"Guest","role":"member"}`}).is(201).json(&made)
	a.do(call{method: "POST", path: "/v1/session", body: map[string]string{"invitation": made.Token}}).problem(403)
	a.do(call{method: "POST", path: "/v1/session", body: map[string]string{"key": a.admin}}).problem(403)
	token, err := a.server.NewSignInToken(t.Context(), "acme", "u_ana", account.RoleRead, 0)
	require.NoError(t, err)
	a.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": token}}).problem(403)
	a.get(a.admin, "/v1/users").is(200) // programs go on

	var ways api.SignInWays
	a.get("", "/v1/sign-in?email=x%40acme.example").is(200).json(&ways)
	require.False(t, ways.Key)
	a.fake.claims = map[string]any{"sub": "guest", "email": "g@other.example", "groups": []string{"s"}}
	_, session = a.signIn("/auth/acme.fake?invitation=" + made.Token)
	require.Equal(t, made.User, a.view(session).User.ID)
	grant, _, err := a.server.GrantAccess(t.Context(), "acme", account.RoleAdmin, time.Hour, "IdP down")
	require.NoError(t, err)
	a.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": grant}}).is(200)
}

func TestADomainIsOfTheWorkspaceThatNamesItFirst(t *testing.T) {
	a := newAt(t, nil)
	other := a.key("globex", account.RoleAdmin, "")
	put := func(domains ...string) answer {
		return a.do(call{method: "PUT", path: "/v1/sign-in/providers/own", key: other, body: map[string]any{
			"issuer": a.fake.http.URL, "client_id": "client", "domains": domains,
		}})
	}
	require.Contains(t, put("globex.example", "ACME.example").problem(409).Detail, "decides over acme.example")
	put("globex.example").is(200)
	a.put("second", nil).is(200) // several of one workspace may
	a.put("third", map[string]any{"domains": []string{"globex.example"}}).problem(409)
	for _, name := range []string{"fake", "second"} {
		put("acme.example").problem(409)
		a.do(call{method: "DELETE", path: "/v1/sign-in/providers/" + name, key: a.admin}).is(204)
	}
	a.pass(time.Minute) // a provider may be about to be written
	put("acme.example").is(200)
	a.put("fake", nil).problem(409)
}

func TestAProviderIsTried(t *testing.T) {
	a := newAt(t, nil)
	try := func(name string) (tested api.ProviderTest) {
		a.do(call{method: "POST", path: "/v1/sign-in/providers/" + name + "/test", key: a.admin}).is(200).json(&tested)
		return tested
	}
	tested := try("fake")
	require.True(t, tested.OK, "%+v", tested)
	a.put("wrong", map[string]any{"secret": "another"}).is(200)
	tested = try("wrong")
	require.False(t, tested.OK)
	require.Contains(t, tested.Steps[3].Detail, "its secret is another")
	a.fake.http.Close()
	require.False(t, try("fake").OK)

	list := string(a.get(a.admin, "/v1/sign-in/providers").is(200).body)
	require.NotContains(t, list, "a-secret")
	require.Contains(t, list, `"callback":"https://t.example.com/auth/acme.fake/callback"`)
}

func TestAProviderIsCheckedAsItIsWritten(t *testing.T) {
	a := newAt(t, nil)
	for field, change := range map[string]map[string]any{
		"issuer":       {"issuer": "https://127.0.0.1:1/"},
		"client_id":    {"client_id": ""},
		"domains[0]":   {"domains": []string{"no domain"}},
		"button":       {"domains": []string{}},
		"groups_claim": {"map": []map[string]string{{"group": "g", "role": "member"}}},
		"map[0].team":  {"groups_claim": "g", "map": []map[string]string{{"group": "g", "team": "none"}}},
		"map[0]":       {"groups_claim": "g", "map": []map[string]string{{"group": "g"}}},
		"scopes[0]":    {"scopes": []string{"a b"}},
	} {
		require.Equal(t, "body."+field, a.put("x", change).problem(400).Errors[0].Location)
	}
	a.do(call{method: "PUT", path: "/v1/sign-in/providers/fake", key: a.admin, body: map[string]any{
		"issuer": strings.Replace(a.fake.http.URL, "127.0.0.1", "localhost", 1), "client_id": "client", "button": true,
	}}).problem(400)
	a.put("No Name", nil).problem(422)
	require.NotContains(t, a.log.String(), "a-secret")
}
