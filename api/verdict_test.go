package api_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/feed"
)

func TestAPersonOverridesAndTheMessageFollows(t *testing.T) {
	s := newThrough(t)
	s.run(t)
	admin := s.key("acme", account.RoleAdmin, "")
	reader := s.key("acme", account.RoleRead, "u_ana")
	other := s.key("acme", account.RoleRead, "u_ben")
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	machine := open(map[string]any{
		"id": "o", "message": "m/1", "user": "u_ana", "time": ago(30 * time.Second),
		"client": map[string]any{"ip": "192.0.2.1", "user_agent": "curl/8.5.0", "method": "GET", "headers": map[string]any{"accept": "*/*"}},
	})
	var receipt api.Receipt
	s.do(call{method: "POST", path: "/v1/events?ids=1", body: []any{sent("a", "m/1"), machine}, key: admin}).is(202).json(&receipt)
	path := "/v1/events/" + receipt.IDs[1].String()
	var view feed.EventView
	require.Eventually(t, func() bool { return s.get(reader, path).status == 200 }, 20*time.Second, 20*time.Millisecond)
	s.get(reader, path).is(200).json(&view)
	require.Equal(t, &feed.Verdict{Is: event.Machine, Rule: "scanner-agent", By: "rule"}, view.Verdict)
	require.Equal(t, "GET", view.Evidence.Method)
	require.Equal(t, map[string]string{"accept": "*/*"}, view.Evidence.Headers)

	unopened := func() int {
		var message feed.MessageView
		s.get(admin, "/v1/messages/m%2F1").is(200).json(&message)
		return message.Unopened
	}
	require.Equal(t, 3, unopened())
	say := func(key string, body any) answer {
		return s.do(call{method: "PUT", path: path + "/verdict", body: body, key: key})
	}
	say(other, map[string]any{"is": "human", "reason": "I wish."}).problem(404)
	say(reader, map[string]any{"is": "human", "reason": "They called us about it."}).is(200).json(&view)
	expected := &feed.Verdict{Is: event.Human, Rule: "override", By: "person", Reason: "They called us about it.", User: "u_ana"}
	require.Equal(t, expected, view.Verdict)
	require.Equal(t, 2, unopened(), "the count follows")
	var page feed.Page
	s.get(reader, "/v1/feed?type=open").is(200).json(&page)
	require.Len(t, page.Items, 1, "a person's open is not hidden")

	var again feed.EventView
	say(reader, map[string]any{"is": nil}).is(200).json(&again)
	require.Equal(t, &feed.Verdict{Is: event.Machine, Rule: "scanner-agent", By: "rule"}, again.Verdict)
	require.Equal(t, 3, unopened())
}

func TestOverridesAreChecked(t *testing.T) {
	s := newSite(t)
	e := event.Event{Workspace: "acme", Type: event.Open, Time: noon.Unix(), Message: "m-1", Recipient: &event.Person{Email: "jo@acme.example"}}
	e.ID = event.NewID(e.Time, "acme", "api", true, nil)
	s.feed.events = []event.Event{e}
	key := s.key("acme", account.RoleRead, "u_ana")
	say := func(key string, body any) answer {
		return s.do(call{method: "PUT", path: "/v1/events/" + e.ID.String() + "/verdict", body: body, key: key})
	}
	for name, c := range map[string]struct {
		body  any
		field string
	}{
		"no reason":           {map[string]any{"is": "human"}, "reason"},
		"a long reason":       {map[string]any{"is": "human", "reason": strings.Repeat("x", 501)}, "reason"},
		"another word":        {map[string]any{"is": "unknown", "reason": "x"}, "is"},
		"a reason to go back": {map[string]any{"is": nil, "reason": "x"}, "reason"},
		"an unknown field":    {map[string]any{"is": "human", "reason": "x", "by": "me"}, "by"},
	} {
		p := say(key, c.body).problem(400)
		require.Contains(t, p.Errors[0].Location, c.field, name)
	}
	say("", map[string]any{"is": nil}).problem(401)
	say(s.key("acme", account.RoleIngest, ""), map[string]any{"is": nil}).problem(403)
	say(s.key("globex", account.RoleAdmin, ""), map[string]any{"is": nil}).problem(404)
	require.Empty(t, s.verdicts.events)

	say(key, map[string]any{"is": "machine", "reason": "Our own test."}).is(200)
	require.Equal(t, &event.Override{Is: event.Machine, Reason: "Our own test.", User: "u_ana"}, s.verdicts.overrides[0])
	require.Equal(t, e.ID, s.verdicts.events[0].ID)
	require.Equal(t, "acme", s.verdicts.events[0].Workspace)
	s.verdicts.later = true
	say(key, map[string]any{"is": nil}).is(202)
	require.Nil(t, s.verdicts.overrides[1])
	s.verdicts.err = errors.Join(errors.New("the disk"), event.ErrUnavailable)
	say(key, map[string]any{"is": nil}).problem(503)
}
