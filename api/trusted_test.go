package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
)

// absent are records that are away when they are told to be.
type absent struct {
	account.Records
	away atomic.Bool
	asks atomic.Int64
}

func (r *absent) Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error) {
	r.asks.Add(1)
	if r.away.Load() {
		return nil, event.ErrUnavailable
	}
	return r.Records.Get(ctx, workspace, kind, id)
}

func TestTakingEventsInGoesOnWhileTheRecordsAreAway(t *testing.T) {
	records := &absent{}
	s := newSite(t, func(c *api.Config) {
		records.Records, c.Erasures = c.Records, c.Records.(api.Erasures)
		c.Records = records
	})
	known, unknown := s.key("acme", account.RoleIngest, ""), s.key("acme", account.RoleIngest, "")
	post := func(key string) answer {
		return s.do(call{
			method: "POST", path: "/v1/events", key: key,
			body: `{"type":"open","time":1790000000,"message":"m","recipient":{"email":"jo@acme.example"}}`,
		})
	}
	post(known).is(http.StatusAccepted)

	records.away.Store(true)
	post(known).is(http.StatusAccepted)
	asked := records.asks.Load()
	post(known).is(http.StatusAccepted)
	require.Equal(t, asked, records.asks.Load(), "they are not asked again at once")
	post(unknown).problem(http.StatusServiceUnavailable)
	s.pass(3 * time.Second)
	post(known).is(http.StatusAccepted)
	require.Greater(t, records.asks.Load(), asked)
	s.pass(6 * time.Second)
	post(known).is(http.StatusAccepted)
	s.pass(10 * time.Minute)
	post(known).problem(http.StatusServiceUnavailable)

	records.away.Store(false)
	post(known).is(http.StatusAccepted)
	post(unknown).is(http.StatusAccepted)
}

// slow are records that hand over one of a kind when something else has happened.
type slow struct {
	absent
	workspace, kind string
	meanwhile       func()
}

func (r *slow) Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error) {
	doc, err := r.absent.Get(ctx, workspace, kind, id)
	if do := r.meanwhile; do != nil && workspace == r.workspace && kind == r.kind {
		r.meanwhile = nil
		do()
	}
	return doc, err
}

func TestAKeyThatIsRevokedWhileItIsLookedUpIsNotTrusted(t *testing.T) {
	records := &slow{workspace: account.NoWorkspace, kind: "key"}
	s := newSite(t, func(c *api.Config) {
		records.Records, c.Erasures = c.Records, c.Records.(api.Erasures)
		c.Records = records
	})
	admin := s.key("acme", account.RoleAdmin, "")
	var made api.NewKey
	s.do(call{method: "POST", path: "/v1/keys", body: `{"role":"ingest"}`, key: admin}).is(201).json(&made)
	post := func() answer {
		return s.do(call{
			method: "POST", path: "/v1/events", key: made.Text,
			body: `{"type":"open","time":1790000000,"message":"m","recipient":{"email":"jo@acme.example"}}`,
		})
	}
	s.get(admin, "/v1/keys").is(200) // it is looked up no more
	records.meanwhile = func() { s.do(call{method: "DELETE", path: "/v1/keys/" + made.ID, key: admin}).is(204) }
	post()
	require.Nil(t, records.meanwhile)
	records.away.Store(true)
	s.pass(2 * time.Second)
	post().problem(http.StatusServiceUnavailable)
}

// Two servers stand on the same records, as two processes do.
func TestWhatOneProcessRevokesAnotherRefuses(t *testing.T) {
	one := newSite(t, withLive)
	two := newSite(t, func(c *api.Config) { c.Records = one.records })
	admin := one.key("acme", account.RoleAdmin, "")
	var made api.NewKey
	one.do(call{method: "POST", path: "/v1/keys", body: `{"role":"read"}`, key: admin}).is(201).json(&made)
	ctx, cancel := context.WithCancel(t.Context())
	watched := make(chan error, 1)
	go func() { watched <- one.server.Watch(ctx) }()
	socket := func(key string) *http.Response {
		request, err := http.NewRequestWithContext(ctx, "GET", one.http.URL+"/v1/live/sse", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+key)
		response, err := one.http.Client().Do(request)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode)
		return response
	}
	closes, stays := socket(made.Text), socket(admin)
	two.do(call{method: "DELETE", path: "/v1/keys/" + made.ID, key: admin}).is(204)
	one.pass(time.Second) // which is how long it may have been looked up before
	one.get(made.Text, "/v1/feed").problem(http.StatusUnauthorized)
	got, err := io.ReadAll(closes.Body)
	require.NoError(t, err)
	require.Equal(t, "gone", string(got))
	require.NoError(t, closes.Body.Close())
	cancel()
	require.NoError(t, <-watched)
	require.NoError(t, stays.Body.Close())
}

// A one-time link is used once, whichever process it is brought to.
func TestALinkWorksOnceAmongProcesses(t *testing.T) {
	one := newSite(t)
	two := newSite(t, func(c *api.Config) { c.Records = one.records })
	link, err := one.server.NewSignInToken(t.Context(), "acme", "u_ana", account.RoleRead, 0)
	require.NoError(t, err)
	statuses := make(chan int, 8)
	for i := range cap(statuses) {
		s := []*site{one, two}[i%2]
		go func() {
			statuses <- s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": link}}).status
		}()
	}
	signedIn := 0
	for range cap(statuses) {
		if <-statuses == http.StatusOK {
			signedIn++
		}
	}
	require.Equal(t, 1, signedIn)
}
