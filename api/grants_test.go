package api_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/audit"
	"tidings/event"
)

func TestAccessThatTheOperatorGrantsEnds(t *testing.T) {
	s := newSite(t)
	colleague := s.key("acme", account.RoleRead, "u_ana")
	boss := s.person(s.key("acme", account.RoleAdmin, ""), account.RoleAdmin)
	before := len(s.audited("acme"))
	token, grant, err := s.server.GrantAccess(t.Context(), "acme", account.RoleAdmin, time.Hour, "IdP down")
	require.NoError(t, err)
	rows := s.audited("acme")[before:]
	require.Equal(t, "operator access grant", rows[0].Route)
	require.Equal(t, "IdP down", rows[0].Reason)

	var view api.SessionView
	a := s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": token}}).is(200).json(&view)
	require.Equal(t, account.RoleAdmin, view.Role)
	browser := map[string]string{"Cookie": cookieOf(a).Name + "=" + cookieOf(a).Value}
	s.do(call{method: "GET", path: "/v1/users", header: browser}).is(200)
	require.Equal(t, audit.KindSignIn, s.audited("acme")[before+1].Kind)

	t.Run("admins are notified, of its use too", func(t *testing.T) {
		s.in(t)
		var bell api.DecisionPage
		s.do(call{method: "GET", path: "/v1/notifications", header: boss}).is(200).json(&bell)
		require.Len(t, bell.Items, 2)
		require.Contains(t, bell.Items[0].Found+bell.Items[1].Found, "The operator of the server has given access as admin until 13:00 UTC: IdP down")
		require.Contains(t, bell.Items[0].Found+bell.Items[1].Found, "was opened")
		s.get(colleague, "/v1/notifications").is(200).json(&bell)
		require.Empty(t, bell.Items)
	})

	t.Run("everybody is told", func(t *testing.T) {
		s.in(t)
		s.get(colleague, "/v1/session").is(200).json(&view)
		require.Equal(t, []api.Emergency{{Role: account.RoleAdmin, Until: grant.Until, Reason: "IdP down", Used: true}}, view.Emergencies)
		var elsewhere api.SessionView
		s.get(s.key("globex", account.RoleAdmin, ""), "/v1/session").is(200).json(&elsewhere)
		require.Empty(t, elsewhere.Emergencies)
	})
	t.Run("the link works once", func(t *testing.T) {
		s.in(t)
		s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": token}}).is(401)
	})
	t.Run("using it does not make it longer", func(t *testing.T) {
		s.in(t)
		for range 5 {
			s.pass(11 * time.Minute)
			s.do(call{method: "GET", path: "/v1/session", header: browser}).is(200)
		}
		s.pass(5 * time.Minute)
		s.do(call{method: "GET", path: "/v1/session", header: browser}).is(401)
		var after api.SessionView
		s.get(colleague, "/v1/session").is(200).json(&after)
		require.Empty(t, after.Emergencies)
	})
}

func TestAGrantIsRefusedThatIsNotOnRecord(t *testing.T) {
	s := newSite(t)
	s.auditStore.away.Store(true)
	_, _, err := s.server.GrantAccess(t.Context(), "acme", account.RoleAdmin, time.Hour, "IdP down")
	require.ErrorIs(t, err, event.ErrUnavailable)
	s.auditStore.away.Store(false)
	for _, c := range []struct {
		workspace, role, reason string
		life                    time.Duration
	}{
		{"", "admin", "r", time.Hour},
		{"acme", "ingest", "r", time.Hour},
		{"acme", "admin", " ", time.Hour},
		{"acme", "admin", "r", 9 * time.Hour},
		{"acme", "admin", "r", time.Second},
	} {
		_, _, err := s.server.GrantAccess(t.Context(), c.workspace, account.Role(c.role), c.life, c.reason)
		require.ErrorIs(t, err, event.ErrInvalid, "%+v", c)
	}
	require.Empty(t, s.audited("acme"))
}

func TestALinkThatIsOpenedTooLateIsOver(t *testing.T) {
	s := newSite(t)
	token, _, err := s.server.GrantAccess(t.Context(), "acme", account.RoleAdmin, time.Hour, "IdP down")
	require.NoError(t, err)
	s.pass(time.Hour)
	s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": token}}).is(401)
}

// Whoever looks at the grants while the link of one is opened hides its use from nobody.
func TestTheUseOfAGrantIsToldAtOnce(t *testing.T) {
	s, m := siteMeanwhile(t, "access-grant")
	colleague := s.key("acme", account.RoleRead, "u_ana")
	token, _, err := s.server.GrantAccess(t.Context(), "acme", account.RoleAdmin, time.Hour, "IdP down")
	require.NoError(t, err)
	used := func() bool {
		var view api.SessionView
		s.get(colleague, "/v1/session").is(200).json(&view)
		require.Len(t, view.Emergencies, 1)
		return view.Emergencies[0].Used
	}
	m.before = func() { require.False(t, used()) }
	s.do(call{method: "POST", path: "/v1/session", body: map[string]string{"token": token}}).is(200)
	require.True(t, used())
}
