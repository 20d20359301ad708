package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/feed"
)

// stored is an event as it is kept.
func stored(workspace, user, key string) event.Event {
	in := event.Input{
		ID: key, Type: event.Open, Time: new(event.Moment(noon.Unix() - 60)), Message: "m-" + key, User: user,
		Recipient: &event.Person{Email: "jo@acme.example"},
	}
	e, err := in.Event(workspace, "api", event.Limits{Now: noon})
	if err != nil {
		panic(err)
	}
	return e
}

// routes lists every route with the lowest role of who may call it.
func routes(id event.ID) []struct {
	call
	may    []account.Role
	status int
} {
	taking := []account.Role{account.RoleIngest, account.RoleAdmin}
	reading := []account.Role{account.RoleRead, account.RoleAdmin}
	ruling := []account.Role{account.RoleAdmin}
	all := []account.Role{account.RoleIngest, account.RoleRead, account.RoleAdmin}
	return []struct {
		call
		may    []account.Role
		status int
	}{
		{call{method: "POST", path: "/v1/events", body: open(nil)}, taking, 202},
		{call{method: "GET", path: "/v1/feed"}, reading, 200},
		{call{method: "GET", path: "/v1/messages/m-1"}, reading, 200},
		{call{method: "GET", path: "/v1/messages/m-1/events"}, reading, 200},
		{call{method: "GET", path: "/v1/events/" + id.String()}, reading, 200},
		{call{method: "GET", path: "/v1/settings"}, reading, 200},
		{call{method: "PUT", path: "/v1/settings", body: `{"workspace":{"time_zone":"Europe/Lisbon"}}`}, ruling, 200},
		{call{method: "GET", path: "/v1/session"}, all, 200},
		{call{method: "GET", path: "/v1/weeks"}, ruling, 200},
		{call{method: "GET", path: "/v1/dead-letters"}, ruling, 200},
		{call{method: "GET", path: "/v1/dead-letters/" + id.String()}, ruling, 200},
		{call{method: "GET", path: "/v1/dead-letters/reasons"}, ruling, 200},
		{call{method: "POST", path: "/v1/dead-letters/replay", body: `{"reason":"none"}`}, ruling, 200},
		{call{method: "POST", path: "/v1/dead-letters/drop", body: `{"reason":"none"}`}, ruling, 200},
		{call{method: "GET", path: "/v1/sources"}, ruling, 200},
		{call{method: "PUT", path: "/v1/sources/cal", body: `{"provider":"calendly","keys":["a key that is long enough"]}`}, ruling, 200},
		{call{method: "POST", path: "/v1/sources/cal/test"}, ruling, 200},
		{call{method: "GET", path: "/v1/sources/cal/payloads"}, ruling, 200},
		{call{method: "GET", path: "/v1/sources/cal/rejected"}, ruling, 200},
		{call{method: "POST", path: "/v1/sources/cal/rejected/replay"}, ruling, 200},
		{call{method: "DELETE", path: "/v1/sources/cal"}, ruling, 204},
		{call{method: "POST", path: "/v1/dead-letters/" + id.String() + "/replay"}, ruling, 204},
		{call{method: "DELETE", path: "/v1/dead-letters/" + id.String()}, ruling, 204},
		{call{method: "GET", path: "/v1/keys"}, ruling, 200},
		{call{method: "POST", path: "/v1/keys", body: `{"role":"read"}`}, ruling, 201},
		{call{method: "DELETE", path: "/v1/keys/{key}"}, ruling, 204},
		{call{method: "GET", path: "/v1/users"}, ruling, 200},
		{call{method: "PUT", path: "/v1/users/u_bo", body: `{"name":"Bo"}`}, ruling, 200},
		{call{method: "DELETE", path: "/v1/users/u_ana"}, ruling, 204},
		{call{method: "GET", path: "/v1/teams"}, ruling, 200},
		{call{method: "PUT", path: "/v1/teams/t_2", body: `{"name":"Two","members":[]}`}, ruling, 200},
		{call{method: "DELETE", path: "/v1/teams/t_1"}, ruling, 204},
		{call{method: "GET", path: "/v1/people/jo@acme.example/data"}, ruling, 200},
		{call{method: "DELETE", path: "/v1/people/jo@acme.example"}, ruling, 200},
	}
}

// furnish gives a workspace one of everything and returns the id of its key.
func (s *site) furnish(workspace string) (id event.ID, keyID string) {
	s.t.Helper()
	e := stored(workspace, "u_ana", "1")
	s.feed.events = append(s.feed.events, e)
	s.letters.add(workspace, event.DeadLetter{ID: e.ID.String(), At: noon, Event: json.RawMessage(`{}`)})
	admin := s.key(workspace, account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/users/u_ana", body: `{"name":"Ana"}`, key: admin}).is(200)
	s.do(call{method: "PUT", path: "/v1/teams/t_1", body: `{"name":"One","members":["u_ana"]}`, key: admin}).is(200)
	s.do(call{method: "PUT", path: "/v1/sources/cal", body: `{"provider":"calendly","keys":["a key that is long enough"]}`, key: admin}).is(200)
	var made api.NewKey
	s.do(call{method: "POST", path: "/v1/keys", body: `{"role":"ingest"}`, key: admin}).is(201).json(&made)
	return e.ID, made.ID
}

func TestWhoMayDoWhat(t *testing.T) {
	for _, role := range []account.Role{account.RoleIngest, account.RoleRead, account.RoleAdmin, ""} {
		t.Run("as "+string(role), func(t *testing.T) {
			s := newSite(t)
			id, keyID := s.furnish("acme")
			key := ""
			if role != "" {
				key = s.key("acme", role, "")
			}
			for _, r := range routes(id) {
				s.letters.add("acme", event.DeadLetter{ID: id.String(), At: noon, Event: json.RawMessage(`{}`)})
				r.call.key = key
				r.path = strings.ReplaceAll(r.path, "{key}", keyID)
				a := s.do(r.call)
				switch {
				case role == "":
					a.problem(401)
					require.Contains(t, a.header.Get("WWW-Authenticate"), "Bearer")
				case strings.Contains(fmt.Sprint(r.may), string(role)):
					require.Equal(t, r.status, a.status, "%s %s: %s", r.method, r.path, a.body)
					require.NotRegexp(t, `"(items|emails|members|rejected|recipients|chips|counts|attempts)":null`, string(a.body))
				default:
					a.problem(403)
				}
			}
		})
	}
}

func TestRolesGoBeforeParameters(t *testing.T) {
	s := newSite(t)
	s.get("", "/v1/feed?limit=0").problem(401)
	s.get(s.key("acme", account.RoleIngest, ""), "/v1/feed?limit=0").problem(403)
	s.do(call{method: "POST", path: "/v1/keys", body: "{", key: s.key("acme", account.RoleRead, "")}).problem(403)
}

func TestAnotherWorkspaceIsNotThere(t *testing.T) {
	s := newSite(t)
	s.key("globex", account.RoleAdmin, "")
	id, keyID := s.furnish("acme")
	stranger := s.key("globex", account.RoleAdmin, "")
	own := stored("globex", "u_bo", "2")
	missing := stored("globex", "u_bo", "never stored")
	s.feed.events = append(s.feed.events, own)

	replace := strings.NewReplacer(id.String(), missing.ID.String(), "m-1", "m-none", "u_ana", "u_none", "t_1", "t_none", "{key}", "none", "/cal", "/none")
	together := []string{"/v1/dead-letters/reasons", "/v1/dead-letters/replay", "/v1/dead-letters/drop"}
	for _, r := range routes(id) {
		if r.method == "PUT" || strings.HasPrefix(r.path, "/v1/people/") || !strings.ContainsAny(r.path[4:], "/") || slices.Contains(together, r.path) {
			continue // these make or list the stranger's own
		}
		r.call.key = stranger
		there, nowhere := r.call, r.call
		there.path = strings.ReplaceAll(r.path, "{key}", keyID)
		nowhere.path = replace.Replace(r.path)
		require.NotEqual(t, there.path, nowhere.path)
		theirs, none := s.do(there), s.do(nowhere)
		theirs.problem(404)
		require.Equal(t, string(none.body), string(theirs.body), "%s %s", r.method, r.path)
		require.Equal(t, len(none.header), len(theirs.header))
	}
	for path, want := range map[string]string{
		"/v1/keys": "acme", "/v1/sources": "cal\"", "/v1/users": "Ana", "/v1/teams": "One", "/v1/dead-letters": id.String(), "/v1/feed": id.String(),
	} {
		require.NotContains(t, string(s.get(stranger, path).is(200).body), want)
	}
	require.Contains(t, string(s.get(stranger, "/v1/feed").body), own.ID.String())

	// Nothing of acme has been touched.
	admin := s.key("acme", account.RoleAdmin, "")
	require.Contains(t, string(s.get(admin, "/v1/keys").body), keyID)
	require.Contains(t, string(s.get(admin, "/v1/users").body), "Ana")
	require.Contains(t, string(s.get(admin, "/v1/dead-letters").body), id.String())
}

func TestTheHeaderOfTheOperatorMeansNothingOverTCP(t *testing.T) {
	s := newSite(t)
	id, _ := s.furnish("acme")
	header := map[string]string{"Tidings-Workspace": "acme"}
	s.do(call{method: "GET", path: "/v1/events/" + id.String(), header: header}).problem(401)
	s.do(call{method: "GET", path: "/v1/events/" + id.String(), header: header, key: s.key("globex", account.RoleAdmin, "")}).problem(404)
}

func TestTheOperatorIsAdminOfTheWorkspaceTheyName(t *testing.T) {
	s := newSite(t)
	id, _ := s.furnish("acme")
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", socket)
	require.NoError(t, err)
	local := httptest.NewUnstartedServer(s.server.Operator())
	local.Listener = listener
	local.Start()
	defer local.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	defer client.CloseIdleConnections()
	ask := func(method, path, workspace, body string) answer {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://tidings"+path, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Tidings-Workspace", workspace)
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		var got strings.Builder
		_, err = bufio.NewReader(response.Body).WriteTo(&got)
		require.NoError(t, err)
		return answer{t, response.StatusCode, response.Header, []byte(got.String())}
	}
	ask("GET", "/v1/events/"+id.String(), "acme", "").is(200)
	ask("GET", "/v1/events/"+id.String(), "globex", "").problem(404)
	ask("GET", "/v1/feed", "", "").problem(422)
	ask("GET", "/v1/feed", "no/name", "").problem(422)
	var made api.NewKey
	ask("POST", "/v1/keys", "new", `{"role":"read","user":"u_ana"}`).is(201).json(&made)
	s.get(made.Text, "/v1/feed").is(200)
}

func TestKeys(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	var made api.NewKey
	s.do(call{method: "POST", path: "/v1/keys", body: `{"role":"read","user":"u_ana","name":"laptop"}`, key: admin}).is(201).json(&made)
	require.Regexp(t, `^tid_[A-Za-z0-9_-]{49}$`, made.Text)
	require.True(t, strings.HasPrefix(made.Text, made.Prefix))
	require.Nil(t, made.LastUsed)

	s.get(made.Text, "/v1/feed").is(200)
	s.pass(90 * time.Minute)
	s.get(made.Text, "/v1/feed").is(200)
	var listed struct{ Items []account.Key }
	raw := s.get(admin, "/v1/keys").is(200).json(&listed)
	require.NotContains(t, string(raw.body), made.Text, "a key is shown once")
	require.Len(t, listed.Items, 2)
	at := slices.IndexFunc(listed.Items, func(k account.Key) bool { return k.ID == made.ID })
	require.Equal(t, "laptop", listed.Items[at].Name)
	require.Equal(t, noon.Add(time.Hour), *listed.Items[at].LastUsed, "to the hour")

	s.do(call{method: "DELETE", path: "/v1/keys/" + made.ID, key: admin}).is(204)
	s.get(made.Text, "/v1/feed").problem(401)
	s.do(call{method: "DELETE", path: "/v1/keys/" + made.ID, key: admin}).problem(404)
	for _, wrong := range []string{"", "tid_", made.Text[:20], strings.ToLower(made.Text), made.Text + "x", "Bearer", strings.Repeat("a", 5000)} {
		s.do(call{method: "GET", path: "/v1/feed", header: map[string]string{"Authorization": "Bearer " + wrong}}).problem(401)
	}
	s.do(call{method: "GET", path: "/v1/feed", header: map[string]string{"Authorization": "Basic " + admin}}).problem(401)
	s.do(call{method: "GET", path: "/v1/feed", header: map[string]string{"Authorization": "bearer  " + admin}}).is(200)
}

func TestTheTextOfAKeyIsKeptNowhere(t *testing.T) {
	spy := &puts{}
	s := newSite(t, func(c *api.Config) { spy.Records = c.Records; c.Records = spy })
	text, _, err := account.NewKeys(spy, s.clock, strings.NewReader(strings.Repeat("entropy.", 20))).
		Create(t.Context(), "acme", account.KeyRequest{Role: account.RoleRead})
	require.NoError(t, err)
	a := s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"key": text}}).is(200)
	link, err := s.server.NewSignInToken(t.Context(), "acme", "u_ana", account.RoleRead, 0)
	require.NoError(t, err)
	written := strings.Join(spy.all, "\n")
	require.NotEmpty(t, written)
	require.NotContains(t, written, text)
	require.NotContains(t, written, link)
	require.NotContains(t, written, cookieOf(a).Value)
}

// puts remembers what is written.
type puts struct {
	account.Records
	all []string
}

func (p *puts) Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error {
	p.all = append(p.all, id+" "+string(doc))
	return p.Records.Put(ctx, workspace, kind, id, doc)
}

func TestAReaderSeesTheirTeams(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	put := func(path, body string) { s.do(call{method: "PUT", path: path, body: body, key: admin}).is(200) }
	put("/v1/teams/sales", `{"name":"Sales","members":["u_ana","u_bo"]}`)
	put("/v1/teams/all%2Fhands", `{"name":"Support","members":["u_ana","u_cy"]}`)
	put("/v1/teams/other", `{"name":"Other","members":["u_di"]}`)
	scope := func(key string) feed.Scope {
		s.get(key, "/v1/feed").is(200)
		return s.feed.asked[len(s.feed.asked)-1].Scope
	}
	require.Equal(t, []string{"u_ana", "u_bo", "u_cy"}, scope(s.key("acme", account.RoleRead, "u_ana")).Users)
	require.Equal(t, []string{"u_eve"}, scope(s.key("acme", account.RoleRead, "u_eve")).Users)
	require.Nil(t, scope(s.key("acme", account.RoleRead, "")).Users)
	asAdmin := scope(s.key("acme", account.RoleAdmin, "u_ana"))
	require.Nil(t, asAdmin.Users)
	require.Equal(t, "u_ana", asAdmin.Me)
	require.Equal(t, []string{"u_bo"}, scope(s.key("globex", account.RoleRead, "u_bo")).Users, "teams are a workspace's own")
}

func TestAUserWhoIsTakenOffLosesAccess(t *testing.T) {
	s := newSite(t)
	s.furnish("acme")
	admin, ana, bo := s.key("acme", account.RoleAdmin, ""), s.key("acme", account.RoleRead, "u_ana"), s.key("acme", account.RoleRead, "u_bo")
	link, err := s.server.NewSignInToken(t.Context(), "acme", "u_ana", account.RoleRead, 0)
	require.NoError(t, err)
	cookie := cookieOf(s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": link}}).is(200))
	withCookie := map[string]string{"Cookie": cookie.Name + "=" + cookie.Value}
	s.do(call{method: "GET", path: "/v1/feed", header: withCookie}).is(200)
	s.do(call{method: "DELETE", path: "/v1/users/u_ana", key: admin}).is(204)
	s.get(ana, "/v1/feed").problem(401)
	s.do(call{method: "GET", path: "/v1/feed", header: withCookie}).problem(401)
	s.get(bo, "/v1/feed").is(200)
}

func TestAnOpenSocketHearsOfItsKey(t *testing.T) {
	s := newSite(t, withLive)
	admin := s.key("acme", account.RoleAdmin, "")
	var made api.NewKey
	s.do(call{method: "POST", path: "/v1/keys", body: `{"role":"read"}`, key: admin}).is(201).json(&made)
	cookie := cookieOf(s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"key": made.Text}}).is(200))
	listen := func(header, value string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), "GET", s.http.URL+"/v1/live/sse", nil)
		require.NoError(t, err)
		request.Header.Set(header, value)
		response, err := s.http.Client().Do(request)
		require.NoError(t, err)
		require.Equal(t, 200, response.StatusCode)
		return response
	}
	sockets := []*http.Response{
		listen("Authorization", "Bearer "+made.Text), listen("Authorization", "Bearer "+made.Text),
		listen("Cookie", cookie.Name+"="+cookie.Value),
	}
	other := listen("Authorization", "Bearer "+admin)
	s.do(call{method: "DELETE", path: "/v1/keys/" + made.ID, key: admin}).is(204)
	for _, socket := range sockets {
		got, err := io.ReadAll(socket.Body)
		require.NoError(t, err)
		require.Equal(t, "gone", string(got))
		require.NoError(t, socket.Body.Close())
	}
	require.NoError(t, other.Body.Close())
	s.get(s.key("acme", account.RoleIngest, ""), "/v1/live").problem(403)
	s.get("", "/v1/live").problem(401)
}
