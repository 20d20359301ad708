package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/event"
	"tidings/store/sqlite"
)

// countedRecords counts what is asked of records.
type countedRecords struct {
	account.Records
	asked []string
}

func (c *countedRecords) Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error) {
	c.asked = append(c.asked, "get "+kind)
	return c.Records.Get(ctx, workspace, kind, id)
}

func (c *countedRecords) List(ctx context.Context, workspace, kind string) ([]event.Record, error) {
	c.asked = append(c.asked, "list "+kind)
	return c.Records.List(ctx, workspace, kind)
}

// crowd is a server whose workspace acme has many teams of 20, with a key of
// somebody, and with a clock that tests move.
type crowd struct {
	*Server
	records *countedRecords
	now     time.Time
	key     string
}

func newCrowd(t testing.TB, teams int) *crowd {
	t.Helper()
	states, err := sqlite.OpenState(filepath.Join(t.TempDir(), "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, states.Close()) })
	c := &crowd{records: &countedRecords{Records: states}, now: time.Date(2026, time.November, 16, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return c.now }
	keys := account.NewKeys(c.records, clock, rand.Reader)
	directory := account.NewDirectory(c.records, clock)
	c.Server = &Server{
		Config: Config{Records: c.records, Clock: clock}, keys: keys, directory: directory,
		sessions: account.NewSessions(c.records, keys, directory, account.Lives{}, clock, rand.Reader), addresses: account.NewSessionAddresses(c.records, clock),
		grants: account.NewGrants(c.records, clock, rand.Reader),
	}
	c.key, _, err = keys.Create(t.Context(), "acme", account.KeyRequest{Role: account.RoleRead, User: "u_7_7"})
	require.NoError(t, err)
	for i := range teams {
		members := make([]string, 20)
		for j := range members {
			members[j] = fmt.Sprintf("u_%d_%d", i, j)
		}
		id := fmt.Sprintf("t_%d", i)
		require.NoError(t, account.Put(t.Context(), states, "acme", "team", id, account.Team{ID: id, Name: "Team", Members: members}))
	}
	return c
}

// request is one with the key, or with a session's cookie.
func (c *crowd) request(session string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/feed", nil)
	if session != "" {
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: session})
		return r
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	return r
}

func TestToKnowWhoAsksCostsNothingForAMoment(t *testing.T) {
	c := newCrowd(t, 9)
	session, err := c.sessions.Begin(t.Context(), account.Caller{Workspace: "acme", Role: account.RoleRead, User: "u_7_7"}, account.Browser{})
	require.NoError(t, err)
	for _, session := range []string{"", session} {
		caller, err := c.identify(c.request(session))
		require.NoError(t, err)
		require.Len(t, caller.Users, 20)
		c.records.asked = nil
		caller, err = c.identify(c.request(session))
		require.NoError(t, err)
		require.Len(t, caller.Users, 20)
		require.Empty(t, c.records.asked)
	}
	c.now = c.now.Add(2 * time.Second)
	_, err = c.identify(c.request(""))
	require.NoError(t, err)
	require.NotContains(t, c.records.asked, "list team", "nothing has changed")

	_, err = c.directory.PutTeam(t.Context(), "acme", "t_7", account.TeamRequest{Name: "Team", Members: []string{}})
	require.NoError(t, err)
	caller, err := c.identify(c.request(""))
	require.NoError(t, err)
	require.Equal(t, []string{"u_7_7"}, caller.Users, "what changes here counts at once")

	elsewhere := account.NewDirectory(c.records.Records, func() time.Time { return c.now })
	_, err = elsewhere.PutTeam(t.Context(), "acme", "t_7", account.TeamRequest{Name: "Team", Members: []string{"u_7_7", "u_x"}})
	require.NoError(t, err)
	c.now = c.now.Add(time.Second)
	caller, err = c.identify(c.request(""))
	require.NoError(t, err)
	require.Equal(t, []string{"u_7_7", "u_x"}, caller.Users, "what changes in another process counts a second later")
}

func TestASignInReadsOnlyTheSessionsThatEnd(t *testing.T) {
	c := newCrowd(t, 0)
	ana := account.Caller{Workspace: "acme", Role: account.RoleRead, User: "u_ana"}
	begin := func() string {
		token, err := c.sessions.Begin(t.Context(), ana, account.Browser{})
		require.NoError(t, err)
		return token
	}
	old := make([]string, 5)
	for i := range old {
		old[i] = begin()
	}
	c.now = c.now.Add(7 * 24 * time.Hour)
	_, err := c.sessions.Caller(t.Context(), old[0]) // which makes it longer
	require.NoError(t, err)
	c.records.asked = nil
	begin()
	begin()
	require.LessOrEqual(t, len(c.records.asked), 10, "%v", c.records.asked)
	require.NotContains(t, c.records.asked, "list session")

	c.now = c.now.Add(8 * 24 * time.Hour)
	begin()
	hashes, err := c.sessions.OfUser(t.Context(), "acme", "u_ana")
	require.NoError(t, err)
	require.Len(t, hashes, 4, "those that ended are forgotten")
	require.True(t, slices.Contains(hashes, account.HashOf(old[0])))
	require.False(t, slices.ContainsFunc(c.records.asked, func(asked string) bool { return strings.HasSuffix(asked, "/"+c.now.Format(time.DateOnly)) }))
}

// BenchmarkWhoAsks is what it takes to know who asks, with 1,000 teams of 20.
func BenchmarkWhoAsks(b *testing.B) {
	c := newCrowd(b, 1000)
	session, err := c.sessions.Begin(b.Context(), account.Caller{Workspace: "acme", Role: account.RoleRead, User: "u_7_7"}, account.Browser{})
	require.NoError(b, err)
	for name, step := range map[string]time.Duration{"at once": 0, "asked again": 2 * time.Second} {
		for with, session := range map[string]string{"key": "", "session": session} {
			b.Run(with+" "+name, func(b *testing.B) {
				r := c.request(session)
				for b.Loop() {
					c.now = c.now.Add(step / 1e3)
					c.records.asked = c.records.asked[:0]
					if caller, err := c.identify(r); err != nil || len(caller.Users) != 20 {
						b.Fatal(err, caller.Users)
					}
				}
			})
		}
	}
}

// BenchmarkSignIn is a sign-in beside 100,000 sessions of one workspace.
func BenchmarkSignIn(b *testing.B) {
	c := newCrowd(b, 0)
	ctx := b.Context()
	for i := range 100_000 {
		hash, user := account.HashOf(fmt.Sprint(i)), fmt.Sprintf("u_%d", i%5000)
		for _, kept := range []struct {
			workspace, kind string
			doc             any
		}{
			{"", "session", map[string]any{"w": "acme", "role": "read", "user": user, "signed_in": c.now}},
			{"", "session-seen", map[string]any{"seen": c.now}},
			{"acme", "session", map[string]any{"user": user}},
			{"acme", "session-of/" + user, true},
			{"acme", "session-ending/" + c.now.AddDate(0, 0, 14).Format(time.DateOnly), true},
		} {
			require.NoError(b, account.Put(ctx, c.records.Records, kept.workspace, kept.kind, hash, kept.doc))
		}
	}
	for _, kind := range []string{"swept", "indexed"} {
		var done any = true
		id := kind
		if kind == "swept" {
			id, done = "workspace", c.now.Format(time.DateOnly)
		}
		require.NoError(b, account.Put(ctx, c.records.Records, "acme", "session-swept", id, done))
	}
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		_, err := c.sessions.Begin(ctx, account.Caller{Workspace: "acme", Role: account.RoleRead, User: "u_7_7"}, account.Browser{})
		took = append(took, time.Since(began))
		require.NoError(b, err)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100])/1e6, "p99-ms")
}
