package api_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/notify"
	"tidings/query"
)

func TestABellIsOnesOwn(t *testing.T) {
	s := newSite(t)
	s.furnish("acme")
	ana, bob := s.key("acme", account.RoleRead, "u_ana"), s.key("acme", account.RoleRead, "u_bob")
	require.NoError(t, s.decisions.Add(t.Context(), []notify.Decision{
		{ID: "a", Workspace: "acme", User: "u_ana", Event: event.NewID(1, "acme", "test", true, []byte("1")), Kind: "open", Outcome: notify.Notified, Version: 1},
		{ID: "b", Workspace: "acme", User: "u_ana", Event: event.NewID(2, "acme", "test", true, []byte("2")), Kind: "open", Outcome: notify.Not, Check: notify.CheckMute, Version: 1},
	}))
	page := func(key, path string) (page api.DecisionPage) {
		s.get(key, path).is(200).json(&page)
		return page
	}
	bell := page(ana, "/v1/notifications?unread=true")
	require.Len(t, bell.Items, 1)
	require.Equal(t, 1, bell.Unread)
	require.Nil(t, bell.Items[0].Event, "it is gone")
	require.Empty(t, page(bob, "/v1/notifications").Items)
	require.Len(t, page(ana, "/v1/decisions").Items, 2)
	require.Len(t, page(ana, "/v1/decisions?outcome=not").Items, 1)

	s.do(call{method: "POST", path: "/v1/notifications/read", key: bob, body: `{}`}).is(204)
	s.do(call{method: "POST", path: "/v1/notifications/read", key: ana, body: `{"ids":[]}`}).is(204)
	require.Equal(t, 1, page(ana, "/v1/notifications").Unread)
	s.do(call{method: "POST", path: "/v1/notifications/read", key: ana, body: `{"ids":["a"]}`}).is(204)
	require.Zero(t, page(ana, "/v1/notifications").Unread)
}

func TestSettingsOfNotificationsAreNotOverwrittenUnseen(t *testing.T) {
	s := newSite(t)
	ana := s.key("acme", account.RoleRead, "u_ana")
	put := func(body string) answer {
		return s.do(call{method: "PUT", path: "/v1/notification-settings", key: ana, body: body})
	}
	put(`{"rev":0,"preset":"quiet"}`).is(200)
	put(`{"rev":0,"preset":"all"}`).is(409)
	put(`{"rev":1,"mutes":[{"what":"planet","id":"x"}]}`).is(400)
	var got api.SettingsInForce
	s.get(ana, "/v1/notification-settings").is(200).json(&got)
	require.Equal(t, api.NotificationSettings{Rev: 1, Preset: "quiet"}, got.Settings)
	require.Equal(t, notify.Off, got.Rows[notify.Mine]["open"].Often)
}

// Ana mutes Jo: what Jo does next is not told, the reason has the way back, and going
// back tells again.
func TestAMuteIsNamedWithTheWayBack(t *testing.T) {
	s := newSite(t)
	ana, ben, admin := s.key("acme", account.RoleRead, "u_ana"), s.key("acme", account.RoleRead, "u_ben"), s.key("acme", account.RoleAdmin, "")
	patch := func(body any) (got api.SettingsInForce) {
		s.do(call{method: "PATCH", path: "/v1/notification-settings", key: ana, body: body}).is(200).json(&got)
		return got
	}
	e := event.Event{
		ID: event.NewID(noon.Unix(), "acme", "test", true, []byte("open")), Workspace: "acme", Type: event.Open, Time: noon.Unix(), Message: "m", User: "u_ana",
		Recipient: &event.Person{Email: "jo@dox.test"}, Verdict: event.Verdict{Is: event.Human},
	}
	s.feed.events = []event.Event{e}
	why := func(key, of string) (why api.WhyView) {
		s.get(key, "/v1/notifications/why?event="+e.ID.String()+of).is(200).json(&why)
		return why
	}
	require.Equal(t, notify.Notified, why(ana, "").Now.Outcome)
	patch(`{"mute":{"what":"person","id":"Jo@Dox.test","until":4102444800}}`)
	s.pass(time.Minute)
	got := why(ana, "")
	require.Equal(t, notify.CheckMute, got.Now.Check)
	require.Len(t, got.Fixes, 1)
	require.Equal(t, notify.CheckMute, why(admin, "&user=u_ana").Now.Check)
	s.get(ben, "/v1/notifications/why?event="+e.ID.String()).is(404)
	s.get(ben, "/v1/notifications/why?event="+e.ID.String()+"&user=u_ana").is(403)

	require.Empty(t, patch(got.Fixes[0].Change).Settings.Mutes)
	s.pass(time.Minute)
	require.Equal(t, notify.Notified, why(ana, "").Now.Outcome)
	s.do(call{method: "PATCH", path: "/v1/notification-settings", key: admin, body: `{"preset":"all"}`}).is(422)
}

// plainRules reads the texts of rules without a directory of people.
type plainRules struct{}

func (plainRules) Search(_ context.Context, _, user, text string) (query.Query, string, error) {
	return query.Parse(text, query.Options{Now: noon, Me: user}).Query, "", nil
}

func TestRulesAreMadeTriedAndDeleted(t *testing.T) {
	s := newSite(t)
	s.furnish("acme")
	ana, bob, nobody := s.key("acme", account.RoleRead, "u_ana"), s.key("acme", account.RoleRead, "u_bob"), s.key("acme", account.RoleRead, "")
	s.feed.events = []event.Event{{
		ID: event.NewID(noon.Unix(), "acme", "test", true, []byte("open")), Workspace: "acme", Type: event.Open, Time: noon.Unix(), Message: "m", User: "u_ana",
		Recipient: &event.Person{Email: "jo@dox.test"}, Verdict: event.Verdict{Is: event.Human},
	}}
	const body = `{"q":"opens from dox.test","enabled":true,"do":{"often":"every","channels":["inpage"]}}`
	path := "/v1/notification-rules"
	var preview api.RulePreview
	s.do(call{method: "POST", path: path + "/preview", key: ana, body: body}).is(200).json(&preview)
	require.Equal(t, 1, preview.Count)
	require.Len(t, preview.Examples, 1)

	s.do(call{method: "PUT", path: path + "/dox%2Fopens", key: ana, body: body}).is(200)
	s.do(call{method: "PUT", path: path + "/x", key: nobody, body: body}).is(422)
	s.do(call{method: "PUT", path: path + "/x", key: ana, body: `{"q":"is:unopened","do":{"often":"every","channels":["inpage"]}}`}).is(400)
	list := func(key string) (list api.NotificationRuleList) {
		s.get(key, path).is(200).json(&list)
		return list
	}
	require.Equal(t, "dox/opens", list(ana).Items[0].Name)
	require.Empty(t, list(bob).Items)
	s.do(call{method: "DELETE", path: path + "/dox%2Fopens", key: bob}).is(404)
	s.do(call{method: "DELETE", path: path + "/dox%2Fopens", key: ana}).is(204)
	require.Empty(t, list(ana).Items)
}

// What a workspace tells where nobody chose is its admins' to say: rows, what is locked, and
// whether anybody is told at all.
func TestAWorkspaceSaysWhatItsPeopleAreTold(t *testing.T) {
	s := newSite(t)
	s.furnish("acme")
	ana, admin := s.key("acme", account.RoleRead, "u_ana"), s.key("acme", account.RoleAdmin, "u_bob")
	s.do(call{method: "PUT", path: "/v1/users/u_bob", body: `{"name":"Bob"}`, key: admin}).is(200)
	const path = "/v1/notification-defaults"
	var got api.NotificationDefaults
	s.get(ana, path).is(403)
	s.get(admin, path).is(200).json(&got)
	require.Equal(t, notify.FirstPerRecipient, got.Rows[notify.Mine]["open"].Often)
	got.Rows = nil
	require.Equal(t, api.NotificationDefaults{Mode: notify.ModeOn, Cells: notify.Cells{}, Locked: []notify.Kind{}}, got)
	change := func(body string) answer {
		return s.do(call{method: "PATCH", path: path, key: admin, body: body})
	}
	change(`{"cells":{"mine":{"open":{"often":"off"},"bounce":{"often":"every","channels":["mail"]}}},"locked":["bounce"]}`).is(200)
	change(`{"mode":"shadow"}`).is(200).json(&got)
	require.Equal(t, int64(1), got.Rev)
	require.Equal(t, notify.ModeShadow, got.Mode)
	require.Equal(t, []notify.Kind{"bounce"}, got.Locked, "what is absent stays")
	for _, wrong := range []string{`{"mode":"loud"}`, `{"locked":["moon"]}`, `{"cells":{"mine":{"moon":{"often":"off"}}}}`, `{"cells":{"mine":{"open":{"often":"daily"}}}}`} {
		change(wrong).is(400)
	}
	s.do(call{method: "PATCH", path: "/v1/notification-settings", key: ana, body: `{"cells":{"mine":{"bounce":{"often":"off"}}}}`}).is(200)
	var theirs api.SettingsInForce
	s.get(ana, "/v1/notification-settings").is(200).json(&theirs)
	require.Equal(t, notify.Off, theirs.Rows[notify.Mine]["open"].Often)
	require.Equal(t, notify.Every, theirs.Rows[notify.Mine]["bounce"].Often, "it is locked")
	require.Equal(t, map[notify.Kind]string{"bounce": "Bob"}, theirs.Locks)
	require.Equal(t, notify.ModeShadow, theirs.Mode)
	change(`{"cells":{"mine":{"open":{"often":""}}},"locked":[],"mode":"on"}`).is(200)
	s.get(ana, "/v1/notification-settings").is(200).json(&theirs)
	require.Equal(t, notify.FirstPerRecipient, theirs.Rows[notify.Mine]["open"].Often)
	require.Equal(t, notify.Off, theirs.Rows[notify.Mine]["bounce"].Often)
}
