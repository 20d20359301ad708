package api_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tidings/account"
	"tidings/api"
	"tidings/audit"
	"tidings/event"
	"tidings/notify"
	"tidings/store/sqlite"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The queue's clock for access times ends with its last file store, up to
		// a tick later.
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server/ats.init.0.func1"),
	)
}

// noon is when every test begins.
var noon = time.Date(2026, time.November, 16, 12, 0, 0, 0, time.UTC)

// site is a server under test over real records, with spies for the rest.
type site struct {
	t       testing.TB
	server  *api.Server
	http    *httptest.Server
	keys    *account.Keys
	records account.Records
	intake  *intake
	letters *letters
	feed    *reader
	reports *reports
	// verdicts keeps overrides.
	verdicts *verdicts
	audit    *audit.Log
	// decisions are about who is told of what.
	decisions *sqlite.Notify
	// auditStore is where the log is kept.
	auditStore *auditStore
	log        *locked
	metrics    *prometheus.Registry

	mu  sync.Mutex
	now time.Time
}

// newSite starts a server. change may alter its configuration.
func newSite(t testing.TB, change ...func(*api.Config)) *site {
	t.Helper()
	states, err := sqlite.OpenState(filepath.Join(t.TempDir(), "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, states.Close()) })
	s := &site{
		t: t, records: states, intake: &intake{}, letters: &letters{}, feed: &reader{}, reports: &reports{}, verdicts: &verdicts{},
		log: &locked{}, metrics: prometheus.NewRegistry(), now: noon,
	}
	config := api.Config{
		Intake: s.intake, Feed: s.feed, Suggester: s.feed, Contacts: s.feed, Reports: s.reports, Records: states, DeadLetters: s.letters,
		Weeks: weeks{}, Eraser: &eraser{}, Samples: noSamples{}, Clock: s.clock, Rand: rand.Reader,
		Verdicts: s.verdicts,
		Logger:   slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Metrics:  s.metrics,
	}
	decisions, err := sqlite.OpenNotify(filepath.Join(t.TempDir(), "notify.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, decisions.Close()) })
	s.decisions = decisions
	config.Notify = notify.NewEngine(notify.Config{
		Store: decisions, Books: notify.NewBooks(states, s.clock), People: account.NewDirectory(states, s.clock), Events: s.feed, Searches: plainRules{}, Feed: s.feed, Observer: uncounted{}, Clock: s.clock,
	})
	store, err := sqlite.OpenAudit(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	s.auditStore = &auditStore{Store: store}
	config.Audit, err = audit.Open(t.Context(), audit.Config{Store: s.auditStore, Records: states, Clock: s.clock, Rand: rand.Reader})
	require.NoError(t, err)
	s.audit = config.Audit
	for _, apply := range change {
		apply(&config)
	}
	s.server, err = api.New(config)
	require.NoError(t, err)
	s.keys = account.NewKeys(config.Records, s.clock, rand.Reader)
	s.http = httptest.NewServer(s.server)
	t.Cleanup(s.http.Close)
	return s
}

// uncounted counts no decisions.
type uncounted struct{}

func (uncounted) Decided(notify.Decision) {}

func (uncounted) Beyond(string) {}

// in makes failures those of a subtest.
func (s *site) in(t testing.TB) {
	outer := s.t
	s.t = t
	t.Cleanup(func() { s.t = outer })
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	// As a running server does all the time.
	_ = s.audit.Flush(s.t.Context())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// key makes a key.
func (s *site) key(workspace string, role account.Role, user string) string {
	s.t.Helper()
	text, _, err := s.keys.Create(s.t.Context(), workspace, account.KeyRequest{Role: role, User: user})
	require.NoError(s.t, err)
	return text
}

// call is a request under construction.
type call struct {
	method, path string
	body         any // string, []byte, or a value for JSON
	key          string
	header       map[string]string
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

func (s *site) do(c call) answer {
	s.t.Helper()
	var body io.Reader
	contentType := "application/json"
	switch given := c.body.(type) {
	case nil:
		contentType = ""
	case string:
		body = strings.NewReader(given)
	case []byte:
		body = bytes.NewReader(given)
	default:
		raw, err := json.Marshal(given)
		require.NoError(s.t, err)
		body = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), c.method, s.http.URL+c.path, body)
	require.NoError(s.t, err)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	for name, value := range c.header {
		request.Header.Set(name, value)
		if value == "" {
			request.Header.Del(name)
		}
	}
	response, err := s.http.Client().Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return answer{s.t, response.StatusCode, response.Header, raw}
}

func (s *site) get(key, path string) answer {
	s.t.Helper()
	return s.do(call{method: "GET", path: path, key: key})
}

// is requires a status.
func (a answer) is(status int) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, "%s", a.body)
	return a
}

// json decodes the body.
func (a answer) json(into any) answer {
	a.t.Helper()
	require.Contains(a.t, a.header.Get("Content-Type"), "json")
	require.NoError(a.t, json.Unmarshal(a.body, into), "%s", a.body)
	return a
}

// problem requires a well-formed problem with a status and returns it.
func (a answer) problem(status int) api.Problem {
	a.t.Helper()
	a.is(status)
	require.Equal(a.t, "application/problem+json", a.header.Get("Content-Type"))
	var p api.Problem
	require.NoError(a.t, json.Unmarshal(a.body, &p), "%s", a.body)
	require.Equal(a.t, status, p.Status)
	require.Equal(a.t, http.StatusText(status), p.Title)
	require.NotEmpty(a.t, p.Detail)
	return p
}

// open is an open of message m-1, with changes.
func open(change map[string]any) map[string]any {
	e := map[string]any{
		"id": "evt-1", "type": "open", "time": "2026-11-16T09:30:00Z", "message": "m-1",
		"recipient": map[string]any{"email": "jo@acme.example"},
	}
	for name, value := range change {
		e[name] = value
		if value == nil {
			delete(e, name)
		}
	}
	return e
}

// locked lets several requests log at once, while a test reads it.
type locked struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// auditStore is a store of the audit log that can be away.
type auditStore struct {
	audit.Store
	away atomic.Bool
}

func (a *auditStore) Append(ctx context.Context, day audit.Day, entries []audit.Entry) (int, error) {
	if a.away.Load() {
		return 0, event.ErrUnavailable
	}
	return a.Store.Append(ctx, day, entries)
}
