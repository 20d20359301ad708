package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/audit"
	"tidings/outbound"
	"tidings/secret"
)

// at is a site whose people sign in at a fake provider.
type at struct {
	*site
	fake  *fakeProvider
	admin string
}

const publicURL = "https://t.example.com"

// newAt makes one, with the provider that is written with change put over it.
func newAt(t testing.TB, change map[string]any) *at {
	var s *site
	fake := newFakeProvider(t, func() time.Time { return s.clock() })
	s = newSite(t, func(c *api.Config) {
		allow, err := outbound.ParseAllow([]string{"127.0.0.1:" + fake.port()})
		require.NoError(t, err)
		c.Outbound, c.PublicURL, c.Graph = outbound.New(allow), publicURL, fake.http.URL
		c.Secrets = secret.New(filepath.Join(t.TempDir(), "secrets.key"), true, c.Records)
	})
	a := &at{s, fake, s.key("acme", account.RoleAdmin, "")}
	s.do(call{method: "PUT", path: "/v1/users/u_ana", key: a.admin, body: `{"name":"Ana","emails":["ana@acme.example"],"role":"member"}`}).is(200)
	s.do(call{method: "PUT", path: "/v1/users/u_boss", key: a.admin, body: `{"name":"Boss","role":"admin"}`}).is(200)
	a.put("fake", change)
	require.NoError(t, s.audit.Save(t.Context()))
	return a
}

func (a *at) put(name string, change map[string]any) answer {
	body := map[string]any{"issuer": a.fake.http.URL, "client_id": "client", "secret": "a-secret", "domains": []string{"acme.example"}}
	for field, value := range change {
		body[field] = value
	}
	return a.do(call{method: "PUT", path: "/v1/sign-in/providers/" + name, key: a.admin, body: body})
}

// follow asks without going on where it is sent.
func (a *at) follow(address, cookie string) *http.Response {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, strings.Replace(address, publicURL, a.http.URL, 1), nil)
	require.NoError(a.t, err)
	if cookie != "" {
		request.Header.Set("Cookie", cookie)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	require.NoError(a.t, err)
	require.NoError(a.t, response.Body.Close())
	return response
}

// goThere sends a browser to the provider; back is where that sends it to.
func (a *at) goThere(path string) (back, cookie string) {
	a.t.Helper()
	start := a.follow(a.http.URL+path, "")
	require.Equal(a.t, 303, start.StatusCode)
	require.Len(a.t, start.Cookies(), 1, start.Header.Get("Location"))
	there := a.follow(start.Header.Get("Location"), "")
	require.Equal(a.t, 302, there.StatusCode)
	return there.Header.Get("Location"), "tidings_signin=" + start.Cookies()[0].Value
}

// comeBack is where the page goes on, and the browser's session.
func (a *at) comeBack(back, cookie string) (to, session string) {
	a.t.Helper()
	end := a.follow(back, cookie)
	require.Equal(a.t, 303, end.StatusCode)
	for _, set := range end.Cookies() {
		if set.Name == "tidings_session" {
			session = set.Name + "=" + set.Value
		}
	}
	return end.Header.Get("Location"), session
}

func (a *at) signIn(path string) (to, session string) {
	a.t.Helper()
	return a.comeBack(a.goThere(path))
}

func (a *at) view(session string) (view api.SessionView) {
	a.t.Helper()
	a.do(call{method: "GET", path: "/v1/session", header: map[string]string{"Cookie": session}}).is(200).json(&view)
	return view
}

func (a *at) users(id string) (user account.Member) {
	a.t.Helper()
	var list struct{ Items []account.Member }
	a.get(a.admin, "/v1/users").is(200).json(&list)
	for _, each := range list.Items {
		if each.ID == id {
			return each
		}
	}
	return user
}

func TestAProviderSignsItsPeopleIn(t *testing.T) {
	a := newAt(t, nil)
	var ways api.SignInWays
	a.get("", "/v1/sign-in?email=anybody%40acme.example").is(200).json(&ways)
	require.Equal(t, []api.SignInProvider{{ID: "acme.fake", Title: "fake", Path: "/auth/acme.fake"}}, ways.Providers)
	to, session := a.signIn(ways.Providers[0].Path + "?email=ana%40acme.example&to=%2Fstats%3Fperiod%3Dweek")
	require.Equal(t, "/stats?period=week", to)
	require.Equal(t, "u_ana", a.view(session).User.ID)
	require.Equal(t, account.RoleMember, a.view(session).Role)
	rows := a.audited("acme")
	row := rows[len(rows)-1]
	require.Equal(t, []any{audit.KindSignIn, "provider fake", "GET /auth/{provider}/callback", "user:u_ana"}, []any{row.Kind, row.Object, row.Route, row.Actor})

	t.Run("and their address may change", func(t *testing.T) {
		a.fake.claims = map[string]any{"email": "ana.new@elsewhere.example"}
		_, session := a.signIn("/auth/acme.fake")
		require.Equal(t, "u_ana", a.view(session).User.ID)
	})
	t.Run("and nobody is led astray", func(t *testing.T) {
		for _, to := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/v1/export", "/auth/acme.fake"} {
			back, _ := a.signIn("/auth/acme.fake?to=" + url.QueryEscape(to))
			require.Equal(t, "/", back, to)
		}
	})
}

// lies are those that a provider, or who stands between, may tell of u_ana's first visit.
var lies = map[string]struct {
	lie    func(f *fakeProvider)
	reason string
}{
	"of another issuer":        {func(f *fakeProvider) { f.claims = map[string]any{"iss": "https://other.example"} }, "provider"},
	"for another client":       {func(f *fakeProvider) { f.claims = map[string]any{"aud": "other"} }, "provider"},
	"for several, nobody's":    {func(f *fakeProvider) { f.claims = map[string]any{"aud": []string{"client", "other"}} }, "provider"},
	"given to another party":   {func(f *fakeProvider) { f.claims = map[string]any{"azp": "other"} }, "provider"},
	"of another nonce":         {func(f *fakeProvider) { f.claims = map[string]any{"nonce": "other"} }, "provider"},
	"without a nonce":          {func(f *fakeProvider) { f.claims = map[string]any{"nonce": nil} }, "provider"},
	"too old":                  {func(f *fakeProvider) { f.claims = map[string]any{"exp": noon.Add(-time.Minute).Unix()} }, "provider"},
	"not good yet":             {func(f *fakeProvider) { f.claims = map[string]any{"nbf": noon.Add(time.Hour).Unix()} }, "provider"},
	"about nobody":             {func(f *fakeProvider) { f.claims = map[string]any{"sub": nil} }, "provider"},
	"signed by nobody":         {func(f *fakeProvider) { f.sign = unsigned }, "provider"},
	"signed by its public key": {func(f *fakeProvider) { f.sign = f.byPublicKey }, "provider"},
	"signed by another key": {func(f *fakeProvider) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(f.t, err)
		f.sign = func(payload []byte) string { return signedWith(f.t, jose.ES256, key, "one", payload) }
	}, "provider"},
	"of a key that is not there": {func(f *fakeProvider) {
		f.sign = func(payload []byte) string { return signedWith(f.t, jose.ES256, f.key, "another", payload) }
	}, "provider"},
	"no token":                      {func(f *fakeProvider) { f.lie = func(a map[string]any) { delete(a, "id_token") } }, "provider"},
	"another access token":          {func(f *fakeProvider) { f.claims = map[string]any{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"} }, "provider"},
	"an answer of another provider": {func(f *fakeProvider) { f.issuer = "https://other.example" }, "provider"},
	"userinfo of somebody else": {func(f *fakeProvider) {
		f.claims = map[string]any{"email": nil}
		f.info = map[string]any{"sub": "bo", "email": "ana@acme.example", "email_verified": true}
	}, "provider"},
	"an address that is not verified":    {func(f *fakeProvider) { f.claims = map[string]any{"email_verified": false} }, "not-invited"},
	"an address without a word on it":    {func(f *fakeProvider) { f.claims = map[string]any{"email_verified": nil} }, "not-invited"},
	"an address that it is not over":     {func(f *fakeProvider) { f.claims = map[string]any{"email": "ana@other.example"} }, "not-invited"},
	"an address that only looks like it": {func(f *fakeProvider) { f.claims = map[string]any{"email": "ana@acme.example.evil.example"} }, "not-invited"},
}

func TestAProviderThatLiesSignsNobodyIn(t *testing.T) {
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			a := newAt(t, nil)
			lie.lie(a.fake)
			to, session := a.signIn("/auth/acme.fake")
			require.Equal(t, "/#sign-in-failed="+lie.reason, to, "%s", a.log.String())
			require.Empty(t, session)
			a.fake.claims, a.fake.sign, a.fake.lie, a.fake.issuer = nil, nil, nil, ""
			a.pass(2 * time.Minute)
			_, session = a.signIn("/auth/acme.fake")
			require.NotEmpty(t, session, "the truth signs in: %s", a.log.String())
		})
	}
}

func TestASignInIsOfTheBrowserThatBeganIt(t *testing.T) {
	a := newAt(t, nil)
	a.put("other", map[string]any{"button": true}).is(200)
	a.fake.onceOnly = false // it takes a code twice
	back, cookie := a.goThere("/auth/acme.fake")
	_, others := a.goThere("/auth/acme.fake")
	otherBack, otherCookie := a.goThere("/auth/acme.other")
	for name, try := range map[string][2]string{
		"none": {back, ""}, "another browser": {back, others}, "another provider": {back, otherCookie},
		"at another provider":   {strings.Replace(back, "acme.fake", "acme.other", 1), cookie},
		"of another provider":   {otherBack, cookie},
		"without a state":       {strings.Replace(back, "&state=", "&was=", 1), cookie},
		"a cookie that is made": {back, "tidings_signin=v1.1.AAAA"},
	} {
		to, session := a.comeBack(try[0], try[1])
		require.Equal(t, "/#sign-in-failed=expired", to, name)
		require.Empty(t, session, name)
	}
	_, session := a.comeBack(back, cookie)
	require.NotEmpty(t, session)
	to, session := a.comeBack(back, cookie)
	require.Equal(t, "/#sign-in-failed=expired", to, "once")
	require.Empty(t, session)

	back, cookie = a.goThere("/auth/acme.fake")
	a.pass(11 * time.Minute)
	to, _ = a.comeBack(back, cookie)
	require.Equal(t, "/#sign-in-failed=expired", to, "too late")
	to, _ = a.comeBack(strings.Replace(back, "code=", "error=access_denied&was=", 1), cookie)
	require.Equal(t, "/#sign-in-failed=expired", to)
}

func TestAProviderSaysNo(t *testing.T) {
	a := newAt(t, nil)
	back, cookie := a.goThere("/auth/acme.fake")
	to, _ := a.comeBack(strings.Replace(back, "code=", "error=access_denied&was=", 1), cookie)
	require.Equal(t, "/#sign-in-failed=declined", to)
	a.fake.http.Close()
	a.pass(2 * time.Hour)
	to, _ = a.comeBack(a.http.URL+"/auth/acme.fake", "")
	require.Equal(t, "/#sign-in-failed=provider", to)
	to, _ = a.comeBack(a.http.URL+"/auth/acme.nobody", "")
	require.Equal(t, "/#sign-in-failed=unknown", to)
}

func TestAKeyThatChangesIsAskedForOnceAMinute(t *testing.T) {
	a := newAt(t, nil)
	_, session := a.signIn("/auth/acme.fake")
	require.NotEmpty(t, session)
	a.fake.rotate("two")
	for range 5 { // asked less than a minute ago
		to, _ := a.signIn("/auth/acme.fake")
		require.Equal(t, "/#sign-in-failed=provider", to)
	}
	require.Equal(t, 1, a.fake.keysAsked)
	a.pass(time.Minute)
	// The library may give the refusal of just before to whom follows on its heels.
	require.Eventually(t, func() bool {
		_, session = a.signIn("/auth/acme.fake")
		return session != ""
	}, time.Minute, time.Millisecond)
	require.Equal(t, 2, a.fake.keysAsked)
}

func TestGroupsGiveRolesAndTeams(t *testing.T) {
	a := newAt(t, nil)
	for _, team := range []string{"sales", "north", "own"} {
		a.do(call{method: "PUT", path: "/v1/teams/" + team, key: a.admin, body: map[string]any{"name": team, "members": []string{}}}).is(200)
	}
	a.do(call{method: "PUT", path: "/v1/teams/own", key: a.admin, body: `{"name":"own","members":["u_ana"]}`}).is(200)
	a.put("fake", map[string]any{"groups_claim": "groups", "map": []map[string]string{
		{"group": "s", "team": "sales", "role": "member"},
		{"group": "n", "team": "north", "role": "lead"},
		{"group": "it", "role": "admin"},
		{"group": "s", "team": "own"},
		{"group": "look", "role": "viewer"},
	}}).is(200)
	type then struct {
		role  account.Role
		teams string
	}
	teams := func() (in string) {
		var list struct{ Items []account.Team }
		a.get(a.admin, "/v1/teams").is(200).json(&list)
		for _, team := range list.Items {
			if strings.Contains(strings.Join(team.Members, " "), "u_ana") {
				in += team.ID + " "
			}
			if strings.Contains(strings.Join(team.Leads, " "), "u_ana") {
				in += "(lead) "
			}
		}
		return strings.TrimSpace(in)
	}
	for _, step := range []struct {
		name   string
		groups any
		then   then
		to     string
	}{
		{"one", []string{"s"}, then{account.RoleMember, "own sales"}, "/"},
		{"several: the most counts", []string{"look", "s", "n", "it"}, then{account.RoleAdmin, "north (lead) own sales"}, "/"},
		{"fewer: what people gave stays", "look", then{account.RoleViewer, "own"}, "/"},
		{"a lead", []string{"n"}, then{account.RoleLead, "north (lead) own"}, "/"},
		{"none is no role: what groups gave is taken back", []string{}, then{account.RoleViewer, "own"}, "/#sign-in-failed=no-role"},
		{"a lead again", []string{"n"}, then{account.RoleLead, "north (lead) own"}, "/"},
		{"nor is no claim", nil, then{account.RoleViewer, "own"}, "/#sign-in-failed=no-role"},
		{"nor others", []string{"x"}, then{account.RoleViewer, "own"}, "/#sign-in-failed=no-role"},
	} {
		a.fake.claims = map[string]any{"groups": step.groups}
		to, _ := a.signIn("/auth/acme.fake")
		require.Equal(t, step.to, to, step.name)
		require.Equal(t, step.then, then{a.users("u_ana").Role, teams()}, step.name)
	}
	t.Run("too many for a token are asked for", func(t *testing.T) {
		a.fake.claims = map[string]any{
			"_claim_names":   map[string]string{"groups": "src1"},
			"_claim_sources": map[string]any{"src1": map[string]string{"endpoint": "https://graph.windows.net/t/users/u/getMemberObjects"}},
		}
		a.fake.groups = []string{"s", "look"}
		to, _ := a.signIn("/auth/acme.fake")
		require.Equal(t, "/", to)
		require.Equal(t, then{account.RoleMember, "own sales"}, then{a.users("u_ana").Role, teams()})
		a.fake.groups = nil // it does not say
		to, _ = a.signIn("/auth/acme.fake")
		require.Equal(t, "/", to)
		require.Equal(t, then{account.RoleMember, "own sales"}, then{a.users("u_ana").Role, teams()})
		require.Contains(t, a.log.String(), "did not tell all groups")
	})
	t.Run("the last admin stays", func(t *testing.T) {
		a.fake.claims = map[string]any{"groups": []string{"it"}}
		a.signIn("/auth/acme.fake")
		a.do(call{method: "DELETE", path: "/v1/users/u_boss", key: a.admin}).is(204)
		a.fake.claims = map[string]any{"groups": []string{"s"}}
		to, _ := a.signIn("/auth/acme.fake")
		require.Equal(t, "/", to)
		require.Equal(t, account.RoleAdmin, a.users("u_ana").Role)
	})
}

func TestADefaultTakesTheRoleOfNobody(t *testing.T) {
	a := newAt(t, nil)
	for _, step := range []struct {
		name   string
		was    string // what people say before
		groups []string
		want   account.Role
	}{
		{"people made them admin", "admin", nil, account.RoleAdmin},
		{"or a member", "member", nil, account.RoleMember},
		{"a group says more", "", []string{"it"}, account.RoleAdmin},
		{"and no more", "", nil, account.RoleViewer},
	} {
		if step.was != "" {
			a.do(call{method: "PATCH", path: "/v1/users/u_ana", key: a.admin, body: map[string]string{"role": step.was}}).is(200)
		}
		a.put("fake", map[string]any{"groups_claim": "groups", "role_default": "viewer", "map": []map[string]string{{"group": "it", "role": "admin"}}}).is(200)
		a.fake.claims = map[string]any{"groups": step.groups}
		to, _ := a.signIn("/auth/acme.fake")
		require.Equal(t, "/", to, step.name)
		require.Equal(t, step.want, a.users("u_ana").Role, step.name)
	}
}

func TestWhoShowsAnewWhoTheyAreIsSaidToHave(t *testing.T) {
	a := newAt(t, nil)
	for name, step := range map[string]struct {
		at any
		to string
	}{
		"just now":     {a.clock().Unix(), "/"},
		"days ago":     {a.clock().Add(-48 * time.Hour).Unix(), "/#sign-in-failed=not-anew"},
		"does not say": {nil, "/#sign-in-failed=not-anew"},
	} {
		a.fake.claims = map[string]any{"auth_time": step.at}
		to, _ := a.signIn("/auth/acme.fake?again=true")
		require.Equal(t, step.to, to, name)
	}
}

func TestWhoIsNewComesInByAGroupOrAnInvitation(t *testing.T) {
	a := newAt(t, map[string]any{"groups_claim": "groups", "map": []map[string]string{{"group": "s", "role": "viewer"}}})
	a.fake.claims = map[string]any{"sub": "new", "email": "new@acme.example", "groups": []string{"s"}, "name": "New Person"}
	_, session := a.signIn("/auth/acme.fake")
	who := a.view(session)
	require.Equal(t, account.RoleViewer, who.Role)
	require.Equal(t, "New Person", who.User.Name)
	require.Equal(t, []string{"new@acme.example"}, a.users(who.User.ID).Emails)

	// From elsewhere, by an invitation alone.
	a.fake.claims = map[string]any{"sub": "guest", "email": "guest@other.example", "groups": []string{"s"}}
	to, _ := a.signIn("/auth/acme.fake")
	require.Equal(t, "/#sign-in-failed=not-invited", to)
	var made api.NewInvitation
	a.do(call{method: "POST", path: "/v1/invitations", key: a.admin, body: `{"name":"Guest","role":"member"}`}).is(201).json(&made)
	_, session = a.signIn("/auth/acme.fake?invitation=" + made.Token)
	require.Equal(t, made.User, a.view(session).User.ID)
	to, session = a.signIn("/auth/acme.fake")
	require.Equal(t, "/", to)
	require.Equal(t, made.User, a.view(session).User.ID)

	t.Run("and not while suspended", func(t *testing.T) {
		a.do(call{method: "PATCH", path: "/v1/users/" + made.User, key: a.admin, body: `{"state":"suspended"}`}).is(200)
		to, _ := a.signIn("/auth/acme.fake")
		require.Equal(t, "/#sign-in-failed=suspended", to)
	})
	t.Run("nor as the one who was taken off", func(t *testing.T) {
		a.do(call{method: "DELETE", path: "/v1/users/" + made.User, key: a.admin}).is(204)
		to, _ := a.signIn("/auth/acme.fake")
		require.Equal(t, "/#sign-in-failed=not-invited", to)
	})
}
