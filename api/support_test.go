package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/audit"
	"tidings/deliver"
	"tidings/event"
	"tidings/notify"
)

// Support sees what was decided and sent for everybody, and of the mail nothing but id,
// type and time; each look is on record with its reason.
func TestSupportLooksAfterOthersWithoutReadingMail(t *testing.T) {
	to := receive(t)
	s, outbox := leaving(t, to)
	s.furnish("acme")
	admin := s.key("acme", account.RoleAdmin, "")
	e := event.Event{
		ID: event.NewID(noon.Unix(), "acme", "test", true, []byte("open")), Workspace: "acme", Type: event.Open, Time: noon.Unix(), Message: "m-secret", User: "u_ana",
		Subject: "A secret offer", Recipient: &event.Person{Email: "jo@dox.test", Name: "Jo"}, Verdict: event.Verdict{Is: event.Human},
	}
	s.feed.events = []event.Event{e}
	require.NoError(t, s.decisions.Add(t.Context(), []notify.Decision{{
		ID: "a", Workspace: "acme", User: "u_ana", Event: e.ID, Kind: "open", Outcome: notify.Not, Check: notify.CheckMute, Found: "jo@dox.test is muted", Rules: []string{"Jo opens"}, Version: 1,
	}}))
	s.do(call{method: "PATCH", path: "/v1/notification-settings", key: s.key("acme", account.RoleRead, "u_ana"), body: `{"mute":{"what":"person","id":"jo@dox.test"}}`}).is(200)
	s.putEndpoint(admin, "crm", map[string]any{"kind": "webhook", "url": to.URL, "search": "type:open"})
	require.NoError(t, outbox.Add(t.Context(), []deliver.Delivery{{
		ID: "d1", Workspace: "acme", Endpoint: "crm", State: deliver.Failed, Type: "open", Event: e.ID, Message: "m-secret", Reason: "opens of jo@dox.test",
		At: noon.UnixMilli(), Ended: noon.UnixMilli(), Tries: []deliver.Try{{At: noon.UnixMilli(), Status: 422, Error: "no jo@dox.test here", Answer: "jo@dox.test"}},
	}}))

	support := s.person(admin, account.RoleSupport)
	look := func(method, path, reason string) answer {
		header := map[string]string{"Tidings-Reason": reason}
		for name, value := range support {
			header[name] = value
		}
		c := call{method: method, path: path, header: header}
		if method == "POST" {
			c.body = `{}`
		}
		return s.do(c)
	}
	paths := []string{"/v1/decisions?user=u_ana", "/v1/notifications/why?user=u_ana&event=" + e.ID.String(), "/v1/endpoints/crm/deliveries"}
	for _, path := range paths {
		require.Contains(t, look("GET", path, "").problem(422).Detail, "Tidings-Reason", path)
		body := string(look("GET", path, "ticket 4711").is(200).body)
		require.Contains(t, body, e.ID.String(), path)
		for _, secret := range []string{"jo@dox.test", "Jo", "secret", "u_ana"} {
			require.NotContains(t, body, secret, path)
		}
	}
	var page api.DecisionPage
	look("GET", "/v1/decisions?user=u_ana", "ticket 4711").is(200).json(&page)
	require.Equal(t, &api.EventStub{ID: e.ID, Type: event.Open, Time: noon}, page.Items[0].About)
	require.Equal(t, notify.CheckMute, page.Items[0].Check)
	var why api.WhyView
	look("GET", paths[1], "ticket 4711").is(200).json(&why)
	require.Equal(t, notify.CheckMute, why.Now.Check)
	look("GET", "/v1/decisions", "ticket 4711").problem(422)
	look("POST", "/v1/endpoints/crm/replay", "").problem(422)
	look("POST", "/v1/endpoints/crm/replay", "ticket 4711").is(200)
	for _, path := range []string{"/v1/feed", "/v1/events/" + e.ID.String(), "/v1/messages/m-secret", "/v1/notifications", "/v1/endpoints"} {
		look("GET", path, "ticket 4711").is(403)
	}

	rows := 0
	for _, row := range s.audited("acme") {
		if row.Reason != "ticket 4711" || row.Result != 200 {
			continue
		}
		rows++
		if row.Route == "GET /v1/decisions" {
			require.Equal(t, audit.KindRead, row.Kind)
			require.Contains(t, row.About, "user:u_ana", "so that Ana sees who looked")
		}
	}
	require.Equal(t, 3+2+1, rows)
}
