package api_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"

	"tidings/account"
	"tidings/api"
	"tidings/outbound"
	"tidings/secret"
)

// The provider of zitadel/oidc, which is OpenID certified, in the place of our own that
// can lie: discovery, PKCE, the client's secret, keys by JWKS, userinfo, refresh tokens
// that rotate. It says what it knows of a person at userinfo, not in the token.
type realProvider struct {
	*storage.Storage
	http   *httptest.Server
	people map[string]*storage.User
	groups map[string][]string
}

func (p *realProvider) GetUserByID(id string) *storage.User { return p.people[id] }
func (p *realProvider) ExampleClientID() string             { return storage.ServiceUserID }

func (p *realProvider) GetUserByUsername(name string) *storage.User {
	for _, person := range p.people {
		if person.Username == name {
			return person
		}
	}
	return nil
}

// SetUserinfoFromToken adds the groups to what the provider tells.
func (p *realProvider) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, token, subject, origin string) error {
	if err := p.Storage.SetUserinfoFromToken(ctx, info, token, subject, origin); err != nil {
		return err
	}
	info.AppendClaims("groups", p.groups[subject])
	return nil
}

// newRealProvider starts one for a client that comes back to redirect.
func newRealProvider(t *testing.T, redirect string) *realProvider {
	t.Helper()
	p := &realProvider{
		people: map[string]*storage.User{
			"1001": {ID: "1001", Username: "ana", Password: "verysecure", FirstName: "Ana", LastName: "Duarte", Email: "Ana@Acme.example", EmailVerified: true},
			"1002": {ID: "1002", Username: "eve", Password: "verysecure", FirstName: "Eve", LastName: "Elsewhere", Email: "ana@acme.example", EmailVerified: false},
		},
		groups: map[string][]string{"1001": {"sales"}, "1002": {"sales"}},
	}
	storage.RegisterClients(storage.WebClient("tidings", "a client's secret", redirect))
	p.Storage = storage.NewStorage(p)
	var handler http.Handler
	p.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(p.http.Close)
	handler = exampleop.SetupServer(p.http.URL, p, nil, false)
	return p
}

// atReal is a site whose people sign in there.
func atReal(t *testing.T) (*at, *realProvider) {
	t.Helper()
	p := newRealProvider(t, publicURL+"/auth/acme.real/callback")
	s := newSite(t, func(c *api.Config) {
		allow, err := outbound.ParseAllow([]string{strings.TrimPrefix(p.http.URL, "http://")})
		require.NoError(t, err)
		c.Outbound, c.PublicURL = outbound.New(allow), publicURL
		c.Secrets = secret.New(t.TempDir()+"/secrets.key", true, c.Records)
	})
	// The provider goes by the time of day; half an hour later its tokens are good still.
	s.pass(time.Since(noon) - 30*time.Minute)
	a := &at{site: s, admin: s.key("acme", account.RoleAdmin, "")}
	s.do(call{method: "PUT", path: "/v1/users/u_boss", key: a.admin, body: `{"name":"Boss","role":"admin"}`}).is(200)
	s.do(call{method: "PUT", path: "/v1/users/u_ana", key: a.admin, body: `{"name":"Ana","emails":["ana@acme.example"],"role":"viewer"}`}).is(200)
	s.do(call{method: "PUT", path: "/v1/sign-in/providers/real", key: a.admin, body: map[string]any{
		"issuer": p.http.URL, "client_id": "tidings", "secret": "a client's secret", "domains": []string{"acme.example"},
		"groups_claim": "groups", "map": []map[string]string{{"group": "sales", "role": "member"}},
	}}).is(200)
	return a, p
}

// signInAt goes the way of a browser: to the provider, through its form, and back.
func (a *at) signInAt(p *realProvider, path, name, password string) (to, session string) {
	a.t.Helper()
	start := a.follow(a.http.URL+path, "")
	require.Equal(a.t, 303, start.StatusCode)
	jar, err := cookiejar.New(nil)
	require.NoError(a.t, err)
	back := ""
	browser := http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), publicURL) {
			back = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	ask := func(method, address string, form url.Values) *http.Response {
		request, err := http.NewRequestWithContext(a.t.Context(), method, address, strings.NewReader(form.Encode()))
		require.NoError(a.t, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := browser.Do(request)
		require.NoError(a.t, err)
		require.NoError(a.t, response.Body.Close())
		return response
	}
	form := ask(http.MethodGet, start.Header.Get("Location"), nil)
	require.Equal(a.t, 200, form.StatusCode)
	require.Equal(a.t, "/login/username", form.Request.URL.Path)
	ask(http.MethodPost, p.http.URL+"/login/username", url.Values{
		"username": {name}, "password": {password}, "id": {form.Request.URL.Query().Get("authRequestID")},
	})
	require.NotEmpty(a.t, back, "the provider sends the browser back")
	return a.comeBack(back, start.Cookies()[0].Name+"="+start.Cookies()[0].Value)
}

func TestARealProviderSignsItsPeopleIn(t *testing.T) {
	a, p := atReal(t)
	var tried api.ProviderTest
	a.do(call{method: "POST", path: "/v1/sign-in/providers/real/test", key: a.admin}).is(200).json(&tried)
	for _, step := range tried.Steps {
		require.True(t, step.OK, "%+v", step)
	}

	to, session := a.signInAt(p, "/auth/acme.real?to=%2Fstats", "ana", "verysecure")
	require.Equal(t, "/stats", to, a.log.String())
	require.Equal(t, "u_ana", a.view(session).User.ID)
	require.Equal(t, account.RoleMember, a.view(session).Role, "by her group")

	t.Run("and not whose address it has not verified", func(t *testing.T) {
		a.in(t)
		to, session := a.signInAt(p, "/auth/acme.real", "eve", "verysecure")
		require.Equal(t, "/#sign-in-failed=not-invited", to)
		require.Empty(t, session)
	})

	by := call{method: "GET", path: "/v1/session", header: map[string]string{"Cookie": session}}
	asked := func(then time.Duration) int {
		a.pass(then)
		a.do(by)
		a.server.Finish()
		return a.do(by).status
	}
	t.Run("it is asked again each hour, with a token that rotates", func(t *testing.T) {
		a.in(t)
		require.Equal(t, 200, asked(61*time.Minute))
		require.Equal(t, account.RoleMember, a.view(session).Role)
	})
	t.Run("and who was taken off there is out", func(t *testing.T) {
		a.in(t)
		require.NoError(t, p.TerminateSession(t.Context(), "1001", "tidings"))
		require.Equal(t, 401, asked(61*time.Minute))
	})
	t.Run("the secret is checked there", func(t *testing.T) {
		a.in(t)
		a.pass(-93 * time.Minute)
		a.do(call{method: "PUT", path: "/v1/sign-in/providers/real", key: a.admin, body: map[string]any{
			"issuer": p.http.URL, "client_id": "tidings", "secret": "another secret", "domains": []string{"acme.example"},
		}}).is(200)
		to, session := a.signInAt(p, "/auth/acme.real", "ana", "verysecure")
		require.Equal(t, "/#sign-in-failed=provider", to)
		require.Empty(t, session)
	})
}
