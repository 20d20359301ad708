package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/feed"
)

// endless is an export that goes on until it has to end.
type endless struct{ reports }

func (*endless) Export(ctx context.Context, _ feed.ExportRequest, visit func([]feed.Item) error) error {
	if err := visit([]feed.Item{{Message: "m-1"}}); err != nil {
		return err
	}
	<-ctx.Done()
	return visit([]feed.Item{{Message: "m-2"}})
}

// reading is something that lasts, and a way to wait for its end.
func (s *site) reading(key, cookie, path string) (ended func() string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.http.URL+path, nil)
	require.NoError(s.t, err)
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if cookie != "" {
		request.Header.Set("Cookie", cookie)
	}
	response, err := s.http.Client().Do(request)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, response.StatusCode)
	return func() string {
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			require.True(s.t, errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
			return "broken off"
		}
		return string(text)
	}
}

func TestWhatIsOpenEndsWithWhatItsCallerMaySee(t *testing.T) {
	one := newSite(t, withLive, func(c *api.Config) { c.Reports = &endless{} })
	two := newSite(t, func(c *api.Config) { c.Records = one.records })
	admin := one.key("acme", account.RoleAdmin, "")
	var ofBo api.NewKey
	two.do(call{method: "POST", path: "/v1/keys", key: admin, body: `{"role":"read","user":"u_bo"}`}).is(201).json(&ofBo)
	team := func(members string) {
		two.do(call{method: "PUT", path: "/v1/teams/sales", key: admin, body: `{"name":"Sales","members":[` + members + `]}`}).is(200)
	}
	team(`"u_ana","u_bo"`)
	ana, bo := one.key("acme", account.RoleRead, "u_ana"), ofBo.Text
	cookie := cookieOf(one.do(call{method: "POST", path: "/v1/session", body: map[string]string{"key": ana}}).is(200))
	session := cookie.Name + "=" + cookie.Value
	token := embedToken(one, admin, map[string]any{"user": "u_cy", "origins": []string{shop}, "seconds": 60}).Token
	const stream, export = "/v1/live/sse", "/v1/export?format=ndjson"

	stays := one.reading(admin, "", stream)
	for _, path := range []string{stream, export} {
		left := []func() string{one.reading(ana, "", path), one.reading("", session, path)}
		team(`"u_bo"`)
		one.pass(time.Second)
		one.server.LookAgain(t.Context())
		for _, ended := range left {
			require.NotEqual(t, "gone", ended(), "they may still read, but less")
		}
		team(`"u_ana","u_bo"`)
		one.pass(time.Second)
	}
	expires := one.reading(token, "", stream)
	one.get(token, export).problem(http.StatusForbidden)
	one.pass(time.Minute)
	one.server.LookAgain(t.Context())
	require.Equal(t, "gone", expires())

	revoked := []func() string{one.reading(bo, "", stream), one.reading(bo, "", export)}
	two.do(call{method: "DELETE", path: "/v1/keys/" + ofBo.ID, key: admin}).is(204)
	one.pass(time.Second)
	one.server.LookAgain(t.Context())
	require.Equal(t, "gone", revoked[0]())
	require.Equal(t, "broken off", revoked[1]())

	old := one.reading("", session, stream)
	one.pass(account.SessionLife)
	one.server.LookAgain(t.Context())
	require.Equal(t, "gone", old(), "the session is over")
	one.http.CloseClientConnections()
	stays()
}

// Sessions and keys that end in another process end what is open here, and pages too.
func TestWhatIsOpenEndsWithItsSessionOrKey(t *testing.T) {
	one := newSite(t, withLive, func(c *api.Config) { c.Reports = &endless{} })
	two := newSite(t, func(c *api.Config) { c.Records = one.records })
	admin := one.key("acme", account.RoleAdmin, "")
	const stream, export = "/v1/live/sse", "/v1/export?format=ndjson"
	b, ana := one.accepted(admin, map[string]any{"name": "Ana", "role": "member"})
	cookie := b.cookie.Name + "=" + b.cookie.Value
	left := []func() string{one.reading("", cookie, stream), one.reading("", cookie, export)}
	two.do(call{method: "DELETE", path: "/v1/sessions?user=" + ana.User, key: admin}).is(204)
	one.pass(3 * time.Second)
	one.server.LookAgain(t.Context())
	require.Equal(t, []string{"gone", "broken off"}, []string{left[0](), left[1]()})
	b.do(call{method: "GET", path: "/v1/feed"}).problem(http.StatusUnauthorized)

	var key api.NewKey
	body := map[string]any{"role": "read", "user": ana.User, "ends": one.clock().Add(time.Hour)}
	two.do(call{method: "POST", path: "/v1/keys", key: admin, body: body}).is(201).json(&key)
	left = []func() string{one.reading(key.Text, "", stream), one.reading(key.Text, "", export)}
	one.pass(time.Hour)
	one.server.LookAgain(t.Context())
	require.Equal(t, []string{"gone", "broken off"}, []string{left[0](), left[1]()})
	one.get(key.Text, "/v1/feed").problem(http.StatusUnauthorized)
}

func TestOneWorkspaceDoesNotTakeAllExports(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.Reports = &endless{} })
	busy, quiet := s.key("acme", account.RoleRead, ""), s.key("globex", account.RoleRead, "")
	for range 4 {
		s.reading(busy, "", "/v1/export?format=ndjson")
	}
	s.get(busy, "/v1/export").problem(http.StatusTooManyRequests)
	s.reading(quiet, "", "/v1/export?format=ndjson")
	s.http.CloseClientConnections()
}

// makers counts the exports that are made at one time.
type makers struct {
	reports
	now, most atomic.Int64
	two       chan struct{}
	met       func() // closes two
}

func (m *makers) Export(ctx context.Context, _ feed.ExportRequest, visit func([]feed.Item) error) error {
	for range 3 {
		now := m.now.Add(1)
		m.most.Store(max(m.most.Load(), now))
		if now == 2 {
			m.met()
		}
		select { // long enough for another to be made meanwhile, were it let
		case <-m.two:
		case <-time.After(20 * time.Millisecond):
		}
		m.now.Add(-1)
		if err := visit(nil); err != nil {
			return err
		}
	}
	return visit([]feed.Item{{ID: event.NewID(1, "w", "api", true, nil)}})
}

// While another workspace asks, the exports of one are made by turns, one for each two
// processors, and one of them at least.
func TestExportsTakeTurnsWithQuestions(t *testing.T) {
	two := make(chan struct{})
	made := &makers{two: two, met: sync.OnceFunc(func() { close(two) })}
	s := newSite(t, func(c *api.Config) { c.Reports, c.Processors = made, 2 })
	busy, quiet := s.key("acme", account.RoleRead, ""), s.key("globex", account.RoleRead, "")
	s.get(quiet, "/v1/feed").is(http.StatusOK)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { s.get(busy, "/v1/export?format=ndjson").is(http.StatusOK) })
	}
	group.Wait()
	require.Equal(t, int64(1), made.most.Load())
}
