package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/deliver"
	"tidings/deliver/crm/crmtest"
	"tidings/deliver/forward"
	"tidings/feed"
	"tidings/outbound"
	"tidings/query"
	"tidings/secret"
	"tidings/store/sqlite"
)

// plain understands every search as what it says.
type plain struct{}

func (plain) Understand(_ context.Context, request feed.PageRequest) (feed.Understood, query.Query, error) {
	return feed.Understood{}, query.Parse(request.Text, query.Options{}).Query, nil
}

// receiver is a webhook receiver on loopback.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []*http.Request
	bodies []string
}

func (r *receiver) last(t *testing.T) (*http.Request, string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.NotEmpty(t, r.got)
	return r.got[len(r.got)-1], r.bodies[len(r.bodies)-1]
}

func receive(t *testing.T) *receiver {
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.got, r.bodies = append(r.got, request), append(r.bodies, string(body))
		status := r.status
		r.mu.Unlock()
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "thanks, from inside")
	}))
	t.Cleanup(r.Close)
	return r
}

// leaving is a site that sends, to one receiver in its own network.
func leaving(t *testing.T, to *receiver) (*site, deliver.Outbox) {
	t.Helper()
	outbox, err := sqlite.OpenOutbox(filepath.Join(t.TempDir(), "deliveries.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, outbox.Close()) })
	allow, err := outbound.ParseAllow([]string{to.Listener.Addr().String()})
	require.NoError(t, err)
	out := outbound.New(allow)
	t.Cleanup(out.HTTP().CloseIdleConnections)
	file := filepath.Join(t.TempDir(), "secrets.key")
	s := newSite(t, func(c *api.Config) {
		c.Secrets, c.Outbound, c.Understander = secret.New(file, true, c.Records), out, plain{}
		directory := deliver.NewDirectory(c.Records, c.Secrets, nil)
		c.Endpoints = &api.Endpoints{
			Directory: directory, Outbox: outbox, Sender: deliver.NewSender(out, time.Now),
			Source: &forward.EventSource{Directory: directory, Page: "https://t.example"},
		}
	})
	return s, outbox
}

func (s *site) putEndpoint(key, name string, body map[string]any) (made api.NewEndpoint) {
	s.t.Helper()
	s.do(call{method: "PUT", path: "/v1/endpoints/" + name, key: key, body: body}).is(200).json(&made)
	return made
}

func TestAnEndpointIsMadeAndTried(t *testing.T) {
	to := receive(t)
	s, _ := leaving(t, to)
	s.pass(time.Since(noon)) // The library that verifies knows no other clock.
	key := s.key("acme", account.RoleAdmin, "")
	made := s.putEndpoint(key, "crm", map[string]any{"kind": "webhook", "url": to.URL + "/hook", "search": "type:open"})
	require.True(t, strings.HasPrefix(made.Secret, "whsec_"))
	require.Equal(t, deliver.OK, made.Health.Mode)

	var tried api.EndpointTest
	s.do(call{method: "POST", path: "/v1/endpoints/crm/test", key: key}).is(200).json(&tried)
	require.True(t, tried.OK)
	require.Empty(t, tried.Answer, "what a host inside says is nobody's business")
	request, body := to.last(t)
	verifier, err := standardwebhooks.NewWebhook(made.Secret)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify([]byte(body), request.Header))
	require.Contains(t, body, "This is a test from Tidings")

	rotated := s.putEndpoint(key, "crm", map[string]any{"kind": "webhook", "new_secret": true, "search": "type:open"})
	require.NotEqual(t, made.Secret, rotated.Secret)
	require.Equal(t, 2, rotated.Secrets)
	s.do(call{method: "POST", path: "/v1/endpoints/crm/test", key: key}).is(200).json(&tried)
	request, body = to.last(t)
	for _, text := range []string{made.Secret, rotated.Secret} {
		verifier, err := standardwebhooks.NewWebhook(text)
		require.NoError(t, err)
		require.NoError(t, verifier.Verify([]byte(body), request.Header))
	}
	kept := s.putEndpoint(key, "crm", map[string]any{"kind": "webhook"})
	require.Empty(t, kept.Secret, "it is told once")

	listed := s.get(key, "/v1/endpoints").is(200)
	for _, text := range []string{made.Secret, rotated.Secret} {
		require.NotContains(t, string(listed.body), text)
		raw, err := s.records.Get(t.Context(), "acme", "endpoint", "crm")
		require.NoError(t, err)
		require.NotContains(t, string(raw), text)
		require.NotContains(t, s.log.String(), text)
	}
	for range 4 {
		s.do(call{method: "POST", path: "/v1/endpoints/crm/test", key: key}).is(200)
	}
	limited := s.do(call{method: "POST", path: "/v1/endpoints/crm/test", key: key}).is(429)
	require.NotEmpty(t, limited.header.Get("Retry-After"))
	other := s.key("globex", account.RoleAdmin, "")
	s.do(call{method: "POST", path: "/v1/endpoints/crm/test", key: other}).is(404)
	s.get(other, "/v1/endpoints/crm/deliveries").is(200)
}

func TestWhatAnEndpointMayNotBe(t *testing.T) {
	to := receive(t)
	s, _ := leaving(t, to)
	key := s.key("acme", account.RoleAdmin, "")
	for name, body := range map[string]map[string]any{
		"inside":              {"kind": "webhook", "url": "https://10.0.0.1/"},
		"metadata":            {"kind": "webhook", "url": "http://169.254.169.254/latest"},
		"another port":        {"kind": "webhook", "url": "https://example.com:22/"},
		"no TLS":              {"kind": "webhook", "url": "http://example.com/"},
		"a user":              {"kind": "slack", "url": "https://u:p@hooks.slack.com/x"},
		"none":                {"kind": "teams"},
		"a short secret":      {"kind": "webhook", "url": "https://example.com/", "secret": "whsec_c2hvcnQ="},
		"mail without server": {"kind": "mail", "to": "ana@globex.example"},
		"another kind":        {"kind": "pigeon", "url": "https://example.com/"},
		"how often":           {"kind": "webhook", "url": "https://example.com/", "search": "opened twice"},
		"whether":             {"kind": "webhook", "url": "https://example.com/", "search": "not opened"},
	} {
		a := s.do(call{method: "PUT", path: "/v1/endpoints/x", key: key, body: body})
		require.Equal(t, 400, a.status, "%s: %s", name, a.body)
	}
	made := s.putEndpoint(key, "chat", map[string]any{"kind": "slack", "url": "https://hooks.slack.com/services/T0/B0/xyzzy"})
	require.Equal(t, "hooks.slack.com", made.URL)
	require.Empty(t, made.Secret)
	s.do(call{method: "PUT", path: "/v1/endpoints/chat", key: key, body: map[string]any{"kind": "webhook", "url": "https://example.com/"}}).is(400)
	raw, err := s.records.Get(t.Context(), "acme", "endpoint", "chat")
	require.NoError(t, err)
	require.NotContains(t, string(raw), "xyzzy", "the address of a chat is a secret")
}

func TestDeliveriesAreShownAndSentAgain(t *testing.T) {
	to := receive(t)
	s, outbox := leaving(t, to)
	key := s.key("acme", account.RoleAdmin, "")
	s.putEndpoint(key, "crm", map[string]any{"kind": "webhook", "url": to.URL})
	at := s.clock().UnixMilli()
	one := func(id string, state deliver.State, at int64) deliver.Delivery {
		d := deliver.Delivery{ID: id, Workspace: "acme", Endpoint: "crm", Type: "test", Reason: "search", At: at, Due: at, State: state}
		if state != deliver.Waiting {
			d.Ended = at
			d.Tries = []deliver.Try{{At: at, Status: 500, Took: 12}}
		}
		return d
	}
	require.NoError(t, outbox.Add(t.Context(), []deliver.Delivery{
		one("a", deliver.Failed, at), one("b", deliver.Failed, at+60_000), one("c", deliver.Sent, at+60_000), one("d", deliver.Waiting, at),
	}))
	var list struct{ Items []api.DeliveryView }
	s.get(key, "/v1/endpoints/crm/deliveries?state=failed").is(200).json(&list)
	require.Len(t, list.Items, 2)
	require.Equal(t, 500, list.Items[0].Tries[0].Status)
	replayed := func(body any) int {
		var out struct{ Deliveries int }
		s.do(call{method: "POST", path: "/v1/endpoints/crm/replay", key: key, body: body}).is(200).json(&out)
		return out.Deliveries
	}
	require.Equal(t, 1, replayed(map[string]any{"since": time.UnixMilli(at + 30_000).UTC()}), "all failed since")
	require.Equal(t, 1, replayed(map[string]any{"ids": []string{"c", "d", "of another"}}), "what waits is left alone")
	require.Equal(t, 1, replayed(map[string]any{}))
	s.do(call{method: "DELETE", path: "/v1/endpoints/crm", key: key}).is(204)
	s.get(key, "/v1/endpoints/crm/deliveries?state=cancelled").is(200).json(&list)
	require.Len(t, list.Items, 4)
	require.Equal(t, "the endpoint was deleted", list.Items[0].Why)
	s.do(call{method: "POST", path: "/v1/endpoints/crm/replay", key: key, body: map[string]any{}}).is(404)
}

func TestADisabledEndpointIsEnabledAfterAWhile(t *testing.T) {
	to := receive(t)
	s, _ := leaving(t, to)
	key := s.key("acme", account.RoleAdmin, "")
	s.putEndpoint(key, "crm", map[string]any{"kind": "webhook", "url": to.URL})
	_, err := s.server.Endpoints.Directory.Health(t.Context(), deliver.EndpointKey{Workspace: "acme", Endpoint: "crm"}, func(h *deliver.Health) {
		*h = deliver.Health{Mode: deliver.Disabled, Since: s.clock().UnixMilli(), Why: "it answered 410"}
	})
	require.NoError(t, err)
	enable := call{method: "POST", path: "/v1/endpoints/crm/enable", key: key}
	require.Contains(t, s.do(enable).problem(409).Detail, "12:05:00")
	s.pass(deliver.EnableAfter)
	var view api.EndpointView
	s.do(enable).is(200).json(&view)
	require.Equal(t, deliver.OK, view.Health.Mode)
}

func TestACRMIsSetUpAndTried(t *testing.T) {
	fake := crmtest.NewHubSpot("pat-1", "17")
	defer fake.Close()
	s, _ := leaving(t, &receiver{Server: fake.Server})
	key := s.key("acme", account.RoleAdmin, "")
	steps := []map[string]any{{"ensure": "person"}, {"ensure": "member", "of": "17"}, {"ensure": "event", "of": "pe1_opened", "set": map[string]any{"hs_page_title": "$subject"}}}
	made := s.putEndpoint(key, "hub", map[string]any{"kind": "hubspot", "url": fake.URL + "/", "token": "pat-1", "search": "type:open", "steps": steps})
	require.Empty(t, made.Secret)
	require.Equal(t, fake.URL, made.URL)
	require.Len(t, made.Steps, 3)
	tried := func() (out api.EndpointTest) {
		s.do(call{method: "POST", path: "/v1/endpoints/hub/test", key: key}).is(200).json(&out)
		return out
	}
	require.True(t, tried().OK)
	require.Empty(t, fake.Contacts(), "a test writes nothing")

	// What is absent stays; another address takes another token.
	kept := s.putEndpoint(key, "hub", map[string]any{"kind": "hubspot", "url": fake.URL, "search": "type:open"})
	require.Len(t, kept.Steps, 3)
	require.True(t, tried().OK)
	s.do(call{method: "PUT", path: "/v1/endpoints/hub", key: key, body: map[string]any{"kind": "hubspot", "url": "https://elsewhere.example"}}).is(400)
	fake.SetToken("pat-2")
	refused := tried()
	require.False(t, refused.OK)
	require.Equal(t, 401, refused.Status)
	require.Equal(t, "it answered 401", refused.Error, "what a host inside says is nobody's business")

	raw, err := s.records.Get(t.Context(), "acme", "endpoint", "hub")
	require.NoError(t, err)
	for _, text := range []string{string(raw), string(s.get(key, "/v1/endpoints").is(200).body), s.log.String()} {
		require.NotContains(t, text, "pat-1")
	}
	for name, body := range map[string]map[string]any{
		"no token":      {"kind": "hubspot", "steps": steps},
		"no steps":      {"kind": "hubspot", "token": "x"},
		"no address":    {"kind": "salesforce", "client_id": "a", "client_secret": "b", "steps": steps[:1]},
		"no secret":     {"kind": "salesforce", "url": "https://acme.my.salesforce.com", "client_id": "a", "steps": steps[:1]},
		"more than it":  {"kind": "salesforce", "url": "https://acme.my.salesforce.com/x", "client_id": "a", "client_secret": "b", "steps": steps[:1]},
		"another's":     {"kind": "salesforce", "url": "https://acme.my.salesforce.com", "client_id": "a", "client_secret": "b", "steps": steps},
		"spaces in it":  {"kind": "hubspot", "token": "a b", "steps": steps},
		"another order": {"kind": "hubspot", "token": "x", "steps": steps[1:]},
	} {
		a := s.do(call{method: "PUT", path: "/v1/endpoints/x", key: key, body: body})
		require.Equal(t, 400, a.status, "%s: %s", name, a.body)
	}
	// Where nothing is said of the address, it is HubSpot's own.
	own := s.putEndpoint(key, "own", map[string]any{"kind": "hubspot", "token": "x", "steps": steps})
	require.Equal(t, "https://api.hubapi.com", own.URL)
}
