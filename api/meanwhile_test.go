package api_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
)

// meanwhile are records with which something happens once, before or after one of a kind
// is written.
type meanwhile struct {
	account.Records
	kind string

	mu            sync.Mutex
	before, after func()
}

func (m *meanwhile) happens(of string, what *func()) {
	if of != m.kind {
		return
	}
	m.mu.Lock()
	do := *what
	*what = nil
	m.mu.Unlock()
	if do != nil {
		do()
	}
}

func (m *meanwhile) Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error {
	m.happens(kind, &m.before)
	defer m.happens(kind, &m.after)
	return m.Records.Put(ctx, workspace, kind, id, doc)
}

func (m *meanwhile) Swap(ctx context.Context, workspace, kind, id string, old, doc json.RawMessage) error {
	m.happens(kind, &m.before)
	defer m.happens(kind, &m.after)
	return m.Records.Swap(ctx, workspace, kind, id, old, doc)
}

func (m *meanwhile) Delete(ctx context.Context, workspace, kind, id string) error {
	m.happens(kind, &m.before)
	defer m.happens(kind, &m.after)
	return m.Records.Delete(ctx, workspace, kind, id)
}

func siteMeanwhile(t *testing.T, kind string) (*site, *meanwhile) {
	m := &meanwhile{kind: kind}
	return newSite(t, func(c *api.Config) { m.Records, c.Records = c.Records, m }), m
}

func TestALeadDoesNotPutThemselvesBack(t *testing.T) {
	s, m := siteMeanwhile(t, "team")
	admin := s.key("acme", account.RoleAdmin, "")
	b, ana := s.accepted(admin, map[string]any{"name": "Ana", "role": "member"})
	team := `{"name":"Sales","members":["` + ana.User + `"]`
	s.do(call{method: "PUT", path: "/v1/teams/sales", key: admin, body: team + `,"leads":["` + ana.User + `"]}`}).is(200)
	m.before = func() { s.do(call{method: "PUT", path: "/v1/teams/sales", key: admin, body: team + `}`}).is(200) }
	s.do(call{method: "PUT", path: "/v1/teams/sales", body: team + `}`, header: b.headers()}).problem(403)
	var teams struct{ Items []account.Team }
	s.get(admin, "/v1/teams").is(200).json(&teams)
	require.Empty(t, teams.Items[0].Leads)
}

// Whatever of an admin is changed at the moment they are suspended, they are.
func TestNobodyIsAdminAgainByAChangeMeanwhile(t *testing.T) {
	s, m := siteMeanwhile(t, "user")
	admin := s.key("acme", account.RoleAdmin, "")
	_, _ = s.accepted(admin, map[string]any{"name": "Other", "role": "admin"})
	for _, role := range []string{"admin", "member"} {
		_, ana := s.accepted(admin, map[string]any{"name": "Ana", "role": role})
		m.after = func() { s.change(admin, ana.User, `{"state":"suspended"}`).is(200) }
		s.change(admin, ana.User, map[string]string{"admin": `{"name":"Anna"}`, "member": `{"role":"admin"}`}[role]).is(200)
		var users struct{ Items []account.Member }
		s.get(admin, "/v1/users").is(200).json(&users)
		for _, user := range users.Items {
			require.Equal(t, user.ID == ana.User, user.State == account.StateSuspended && user.Rev > 1, "%s: %+v", role, users.Items)
		}
		s.do(call{method: "DELETE", path: "/v1/users/" + ana.User, key: admin}).is(204)
	}
}

// Where a process died before it had said to the end that somebody is admin no more, no
// later change says the contrary.
func TestWhoIsAdminNoMoreIsNotRenamedIntoOne(t *testing.T) {
	s := newSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	_, other := s.accepted(admin, map[string]any{"name": "Other", "role": "admin"})
	_, ana := s.accepted(admin, map[string]any{"name": "Ana", "role": "admin"})
	require.NoError(t, s.records.Put(t.Context(), "acme", "admins", "workspace", []byte(`["`+other.User+`"]`)))
	var user account.Member
	s.change(admin, ana.User, `{"name":"Anna"}`).is(200).json(&user)
	require.Equal(t, account.RoleMember, user.Role)
	s.change(admin, other.User, `{"role":"member"}`).problem(409)
}

func TestAKeyThatIsRevokedIsNotRotatedMeanwhile(t *testing.T) {
	s, m := siteMeanwhile(t, "key")
	admin := s.key("acme", account.RoleAdmin, "")
	for _, at := range []*func(){&m.before, &m.after} {
		made := s.newKey(admin, `{"role":"read"}`)
		var rotated api.NewKey
		*at = func() {
			a := s.do(call{method: "POST", path: "/v1/keys/" + made.ID + "/rotate", key: admin, body: `{}`})
			if a.status == 201 {
				a.json(&rotated)
			}
		}
		s.do(call{method: "DELETE", path: "/v1/keys/" + made.ID, key: admin}).is(204)
		for _, text := range []string{made.Text, rotated.Text} {
			s.do(call{method: "GET", path: "/v1/feed", key: text}).problem(401)
		}
	}
}
