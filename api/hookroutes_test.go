package api_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
)

// source makes a source and returns its address.
func (s *site) source(key, name string, body map[string]any) string {
	s.t.Helper()
	var made api.NewSource
	s.do(call{method: "PUT", path: "/v1/sources/" + name, key: key, body: body}).is(200).json(&made)
	require.NotEmpty(s.t, made.Token)
	require.Equal(s.t, "/v1/hooks/"+made.Token, made.Path)
	return made.Path
}

func (s *site) seen(key, name string) api.SourceView {
	s.t.Helper()
	var all struct{ Items []api.SourceView }
	s.get(key, "/v1/sources").is(200).json(&all)
	for _, one := range all.Items {
		if one.Name == name {
			return one
		}
	}
	s.t.Fatalf("there is no source %s", name)
	return api.SourceView{}
}

const calendlyKey = "the-signing-key"

// booked is a meeting as Calendly reports it, signed.
func (s *site) booked(path, key, body string) answer {
	s.t.Helper()
	at := strconv.FormatInt(s.clock().Unix(), 10)
	sum := hmac.New(sha256.New, []byte(key))
	sum.Write([]byte(at + "." + body))
	return s.do(call{method: "POST", path: path, body: body, header: map[string]string{
		"Calendly-Webhook-Signature": "t=" + at + ",v1=" + hex.EncodeToString(sum.Sum(nil)),
	}})
}

const meeting = `{"event":"invitee.created","created_at":"2026-11-16T09:30:00.25Z","payload":{"uri":"https://api.calendly.com/scheduled_events/e1/invitees/i1",` +
	`"email":"Jo@acme.example","name":"Jo Reyes","tracking":{"utm_source":"u_li"},"scheduled_event":{"uri":"https://api.calendly.com/scheduled_events/e1",` +
	`"name":"Intro","start_time":"2026-11-20T15:00:00Z","event_memberships":[{"user_email":"ana@globex.example"}]}}}`

func calendlySource() map[string]any {
	return map[string]any{"provider": "calendly", "keys": []string{calendlyKey}}
}

func TestAWebhookBecomesEventsOfItsSource(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/users/u_ana", key: key, body: map[string]any{"name": "Ana", "emails": []string{"ana@globex.example"}}}).is(200)
	path := s.source(key, "meetings", calendlySource())
	s.booked(path, calendlyKey, meeting).is(204)
	s.booked(path, calendlyKey, meeting).is(204)

	got := s.intake.all()
	require.Len(t, got, 2)
	require.Equal(t, got[0], got[1], "the same request again is the same event")
	e := got[0]
	require.Equal(t, "acme", e.Workspace)
	require.Equal(t, "meetings", e.Source)
	require.Equal(t, "u_ana", e.User, "found by their address")
	require.Equal(t, event.Meeting, e.Type)
	require.Equal(t, "jo@acme.example", e.Recipient.Email)
	require.Equal(t, time.Date(2026, 11, 16, 9, 30, 0, 0, time.UTC).Unix(), e.Time)

	traffic := s.seen(key, "meetings").Traffic
	require.EqualValues(t, 2, traffic.Total.Requests)
	require.EqualValues(t, 2, traffic.LastHour.Events)
	require.NotNil(t, traffic.Last)
	s.pass(2 * time.Hour)
	require.Zero(t, s.seen(key, "meetings").Traffic.LastHour.Events)
	require.Contains(t, string(s.get("", "/metrics").body), `tidings_hook_requests_total{provider="calendly",result="accepted"} 2`)
}

func TestAUserIsFoundAsTheSourceSays(t *testing.T) {
	for name, c := range map[string]struct {
		user any
		want string
	}{
		"by address, unknown": {nil, ""},
		"fixed":               {map[string]string{"by": "fixed", "value": "u_all"}, "u_all"},
		"in the payload":      {map[string]string{"by": "field", "value": "payload.tracking.utm_source"}, "u_li"},
		"not in the payload":  {map[string]string{"by": "field", "value": "payload.nothing"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			source := calendlySource()
			if c.user != nil {
				source["user"] = c.user
			}
			source["message_field"] = "payload.uri"
			s.booked(s.source(s.key("acme", account.RoleAdmin, ""), "meetings", source), calendlyKey, meeting).is(204)
			e := s.intake.all()[0]
			require.Equal(t, c.want, e.User)
			require.Equal(t, "https://api.calendly.com/scheduled_events/e1/invitees/i1", e.Message)
		})
	}
}

func TestOfWhatIsNotSignedRightNothingIsKeptButACount(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "meetings", calendlySource())
	unsigned := s.do(call{method: "POST", path: path, body: meeting})
	p := unsigned.problem(401)
	require.NotContains(t, p.Detail, "calendly")
	s.booked(path, "another key", meeting).problem(401)
	old := s.clock()
	s.pass(-time.Hour)
	late := s.clock()
	s.pass(old.Sub(late))
	sum := hmac.New(sha256.New, []byte(calendlyKey))
	fmt.Fprintf(sum, "%d.%s", late.Unix(), meeting)
	s.do(call{method: "POST", path: path, body: meeting, header: map[string]string{
		"Calendly-Webhook-Signature": fmt.Sprintf("t=%d,v1=%x", late.Unix(), sum.Sum(nil)),
	}}).problem(401)
	s.do(call{method: "POST", path: path, body: bytes.Repeat([]byte("x"), 40<<20+1), header: map[string]string{"Calendly-Webhook-Signature": s.forgery()}}).problem(413)
	s.do(call{method: "POST", path: path, body: meeting, header: map[string]string{"Content-Encoding": "gzip", "Calendly-Webhook-Signature": s.forgery()}}).problem(415)

	require.Empty(t, s.intake.all())
	view := s.seen(key, "meetings").Traffic
	require.EqualValues(t, 5, view.Total.Refused)
	require.Zero(t, view.Total.Requests)
	var kept struct{ Items []json.RawMessage }
	s.get(key, "/v1/sources/meetings/payloads").is(200).json(&kept)
	require.Empty(t, kept.Items)
	s.get(key, "/v1/sources/meetings/rejected").is(200).json(&kept)
	require.Empty(t, kept.Items)
	shown := string(s.get("", "/metrics").body)
	for _, result := range []string{"unsigned", "wrong_signature", "stale"} {
		require.Contains(t, shown, `tidings_hook_requests_total{provider="calendly",result="`+result+`"} 1`)
	}
	require.NotContains(t, s.log.String(), "jo@acme")
	require.NotContains(t, s.log.String(), strings.TrimPrefix(path, "/v1/hooks/"))
}

func TestATokenThatIsNoneIsNotFound(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "meetings", calendlySource())
	for _, token := range []string{"hook_none", "x", strings.TrimPrefix(path, "/v1/hooks/") + "x", "hook_" + strings.Repeat("a", 43)} {
		s.do(call{method: "POST", path: "/v1/hooks/" + token, body: meeting}).problem(404)
	}
	source := calendlySource()
	source["new_token"] = true
	renewed := s.source(key, "meetings", source)
	require.NotEqual(t, path, renewed)
	s.booked(path, calendlyKey, meeting).problem(404)
	s.booked(renewed, calendlyKey, meeting).is(204)
	s.do(call{method: "DELETE", path: "/v1/sources/meetings", key: key}).is(204)
	s.booked(renewed, calendlyKey, meeting).problem(404)
	s.do(call{method: "DELETE", path: "/v1/sources/meetings", key: key}).problem(404)
}

func TestASourceKeepsItsTokenAndNeverShowsItsSecrets(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "my%20mail", map[string]any{"provider": "postmark", "basic": []string{"tidings:geheimnisvoll"}, "addresses": []string{"127.0.0.1"}})
	again := s.do(call{method: "PUT", path: "/v1/sources/my%20mail", key: key, body: map[string]any{
		"provider": "postmark", "user": map[string]string{"by": "fixed", "value": "u_ana"},
	}}).is(200)
	var view api.NewSource
	again.json(&view)
	require.Empty(t, view.Token)
	require.Equal(t, 1, view.Basic)
	require.Equal(t, []string{"127.0.0.1/32"}, view.Addresses, "what is absent stays")
	require.NotContains(t, string(again.body), "geheim")
	require.NotContains(t, string(s.get(key, "/v1/sources").body), "geheim")

	body := `{"RecordType":"Open","MessageID":"m-1","Recipient":"jo@acme.example","ReceivedAt":"2026-11-16T09:30:00Z"}`
	basic := map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("tidings:geheimnisvoll"))}
	s.do(call{method: "POST", path: path, body: body, header: basic}).is(204)
	require.Equal(t, "u_ana", s.intake.all()[0].User)
	require.Equal(t, "my mail", s.intake.all()[0].Source)
}

func TestASourceThatCannotWorkIsRefusedByItsField(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	s.source(key, "taken", calendlySource())
	for name, c := range map[string]struct {
		source string
		body   string
		field  string
	}{
		"no provider":       {"x", `{"keys":["a key that is long enough"]}`, "body.provider"},
		"another provider":  {"x", `{"provider":"fax"}`, "body.provider"},
		"no key":            {"x", `{"provider":"calendly"}`, "body.keys"},
		"a key of no kind":  {"x", `{"provider":"sendgrid","keys":["nonsense, but long"]}`, "body.keys"},
		"too many keys":     {"x", `{"provider":"calendly","keys":["1","2","3","4","5","6","7","8","9","10","11"]}`, "body.keys"},
		"a short key":       {"x", `{"provider":"calendly","keys":["a key that is long enough","short"]}`, "body.keys[1]"},
		"a short password":  {"x", `{"provider":"postmark","basic":["a-long-user-name:pw"]}`, "body.basic[0]"},
		"no network":        {"x", `{"provider":"postmark","addresses":["300.1.1.1"]}`, "body.addresses[0]"},
		"no way to a user":  {"x", `{"provider":"calendly","keys":["a key that is long enough"],"user":{"by":"magic"}}`, "body.user.by"},
		"no user":           {"x", `{"provider":"calendly","keys":["a key that is long enough"],"user":{"by":"fixed"}}`, "body.user.value"},
		"unknown field":     {"x", `{"provider":"calendly","keys":["a key that is long enough"],"colour":1}`, "body.colour"},
		"it had another":    {"taken", `{"provider":"mailgun","keys":["a key that is long enough"]}`, "body.provider"},
		"all keys are gone": {"taken", `{"provider":"calendly","keys":[]}`, "body.keys"},
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t)
			p := s.do(call{method: "PUT", path: "/v1/sources/" + c.source, key: key, body: c.body}).problem(400)
			require.Equal(t, c.field, p.Errors[0].Location)
		})
	}
	s.do(call{method: "PUT", path: "/v1/sources/" + strings.Repeat("x", 201), key: key, body: calendlySource()}).problem(422)
	require.Len(t, s.listed(key), 1)
}

func (s *site) listed(key string) []api.SourceView {
	var all struct{ Items []api.SourceView }
	s.get(key, "/v1/sources").is(200).json(&all)
	return all.Items
}

func TestSourcesBelongToTheirWorkspace(t *testing.T) {
	s := newSite(t)
	acme, globex := s.key("acme", account.RoleAdmin, ""), s.key("globex", account.RoleAdmin, "")
	path := s.source(acme, "meetings", calendlySource())
	s.booked(path, calendlyKey, `{"event":7}`).is(204)
	var rejected struct{ Items []api.RejectedView }
	s.get(acme, "/v1/sources/meetings/rejected").is(200).json(&rejected)
	require.Len(t, rejected.Items, 1)
	require.Empty(t, s.listed(globex))
	for _, c := range []call{
		{method: "GET", path: "/v1/sources/meetings/payloads"},
		{method: "GET", path: "/v1/sources/meetings/rejected"},
		{method: "DELETE", path: "/v1/sources/meetings"},
		{method: "POST", path: "/v1/sources/meetings/test"},
		{method: "POST", path: "/v1/sources/meetings/rejected/replay"},
		{method: "POST", path: "/v1/sources/meetings/rejected/" + rejected.Items[0].ID + "/replay"},
		{method: "DELETE", path: "/v1/sources/meetings/rejected/" + rejected.Items[0].ID},
	} {
		c.key = globex
		s.do(c).problem(404)
		c.key = s.key("acme", account.RoleRead, "")
		s.do(c).problem(403)
		c.key = ""
		s.do(c).problem(401)
	}
	s.source(globex, "meetings", calendlySource())
	s.booked(path, calendlyKey, meeting).is(204)
	require.Equal(t, "acme", s.intake.all()[0].Workspace)
}

func TestUnknownEventsAreCountedAndNotFailed(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "meetings", calendlySource())
	for i := range 30 {
		s.booked(path, calendlyKey, fmt.Sprintf(`{"event":"new_thing_%d"}`, i%25)).is(204)
	}
	traffic := s.seen(key, "meetings").Traffic
	require.EqualValues(t, 30, traffic.Total.Unknown)
	require.Len(t, traffic.Unknown, 20, "names are bounded")
	require.EqualValues(t, 2, traffic.Unknown["new_thing_0"])
	require.NotContains(t, string(s.get("", "/metrics").body), "new_thing")
	var kept struct{ Items []api.PayloadView }
	s.get(key, "/v1/sources/meetings/payloads").is(200).json(&kept)
	require.Len(t, kept.Items, 10)
	require.Contains(t, kept.Items[0].Payload, "new_thing_4")
}

func TestEventsThatCannotBeMadeDurableAreSentAgain(t *testing.T) {
	s := newSite(t)
	path := s.source(s.key("acme", account.RoleAdmin, ""), "meetings", calendlySource())
	s.intake.err = fmt.Errorf("away: %w", event.ErrUnavailable)
	s.booked(path, calendlyKey, meeting).problem(503)
	s.intake.err = &event.TooMuch{What: "too many events are waiting", After: 3 * time.Second}
	require.Equal(t, "3", s.booked(path, calendlyKey, meeting).is(429).header.Get("Retry-After"))
	s.intake.err = errors.New("nobody has foreseen this")
	s.booked(path, calendlyKey, meeting).problem(500)
}

func TestASourceCanBeTriedWithoutTakingAnythingIn(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	s.source(key, "meetings", calendlySource())
	var tried api.SourceTest
	s.do(call{method: "POST", path: "/v1/sources/meetings/test", key: key}).is(200).json(&tried)
	require.Len(t, tried.Events, 1, "a sample")
	require.Equal(t, "meetings", tried.Events[0].Source)
	s.do(call{method: "POST", path: "/v1/sources/meetings/test", key: key, body: meeting}).is(200).json(&tried)
	require.Equal(t, "Jo@acme.example", tried.Events[0].Recipient.Email)
	s.do(call{method: "POST", path: "/v1/sources/meetings/test", key: key, body: `{"event":"new_thing"}`}).is(200).json(&tried)
	require.Equal(t, []string{"new_thing"}, tried.Unknown)
	require.Empty(t, tried.Events)
	s.do(call{method: "POST", path: "/v1/sources/meetings/test", key: key, body: `{`}).is(200).json(&tried)
	require.Len(t, tried.Rejected, 1)
	require.Empty(t, s.intake.all())
	require.Zero(t, s.seen(key, "meetings").Traffic.Total)
	s.do(call{method: "POST", path: "/v1/sources/none/test", key: key}).problem(404)
}

func TestEveryProviderCanBeTried(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	var all struct{ Providers []string }
	s.get(key, "/v1/sources").is(200).json(&all)
	require.Equal(t, []string{
		"ashby", "brevo", "calcom", "calendly", "cloudevents", "greenhouse", "hubspot", "json", "lever", "mailersend", "mailgun", "mailjet",
		"mandrill", "pipedrive", "postal", "postmark", "resend", "sendgrid", "ses", "sparkpost", "standard", "typeform",
	}, all.Providers)
	for _, provider := range all.Providers {
		source := map[string]any{"provider": provider, "keys": []string{"whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of some length"))}}
		switch provider {
		case "sendgrid":
			source["keys"] = []string{"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="}
		case "ses":
			source["keys"] = []string{"arn:aws:sns:eu-west-1:123456789012:mail"}
		case "postmark", "pipedrive":
			source = map[string]any{"provider": provider, "basic": []string{"a:b and so on and on"}}
		case "postal":
			source["keys"] = []string{rsaPublic}
		case "json":
			continue // see TestASourceSaysItselfHowItIsRead
		}
		s.source(key, provider, source)
		var tried api.SourceTest
		s.do(call{method: "POST", path: "/v1/sources/" + provider + "/test", key: key}).is(http.StatusOK).json(&tried)
		require.Len(t, tried.Events, 1, provider)
		require.Empty(t, tried.Rejected, provider)
	}
}

// A provider shows its secret for an address: the address comes first, and what is sent
// there meanwhile comes again.
func TestAnAddressIsThereBeforeItsSecret(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/sources/meetings", key: key, body: map[string]any{"provider": "calendly"}}).is(400)
	path := s.source(key, "meetings", map[string]any{"provider": "calendly", "draft": true})
	require.True(t, s.seen(key, "meetings").Draft)
	s.booked(path, calendlyKey, meeting).is(503)
	s.booked(path, "", meeting).is(503)
	require.Empty(t, s.intake.all(), "nobody could be believed yet")
	require.EqualValues(t, 2, s.seen(key, "meetings").Traffic.Total.Refused)

	s.do(call{method: "PUT", path: "/v1/sources/meetings", key: key, body: map[string]any{"provider": "calendly"}}).is(400)
	require.True(t, s.seen(key, "meetings").Draft, "a secret is still missing")
	s.do(call{method: "PUT", path: "/v1/sources/meetings", key: key, body: calendlySource()}).is(200)
	require.False(t, s.seen(key, "meetings").Draft)
	s.booked(path, "another-signing-key", meeting).is(401)
	s.booked(path, calendlyKey, meeting).is(204)
	require.Len(t, s.intake.all(), 1, "under the address that it has had from the start")

	// What has secrets is no draft again.
	s.do(call{method: "PUT", path: "/v1/sources/meetings", key: key, body: map[string]any{"provider": "calendly", "draft": true}}).is(200)
	require.False(t, s.seen(key, "meetings").Draft)
	s.booked(path, "another-signing-key", meeting).is(401)
}

// What no body makes believed is refused before its body comes, and what was read in vain of
// an address is bounded.
func TestAWebhookThatNobodySignedIsHardlyRead(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	source := calendlySource()
	source["max_bytes"] = 40 << 20
	path := s.source(key, "meetings", source)
	for _, head := range []string{"", "Calendly-Webhook-Signature: t=1,v1=00\n", "Calendly-Webhook-Signature: t=" + strconv.FormatInt(s.clock().Unix(), 10) + "\n"} {
		response, _ := s.raw("POST " + path + " HTTP/1.1\nHost: x\n" + head + "Content-Length: 40000000\n\n")
		require.Equal(t, 401, response.StatusCode, "%q is refused although nothing of its body has come", head)
	}

	forged := strings.Repeat("x", 20<<20)
	for range 4 { // 64 MiB, and the one that was under way then
		s.booked(path, "another key", forged).problem(401)
	}
	refused := s.booked(path, calendlyKey, meeting)
	refused.problem(429)
	require.NotEmpty(t, refused.header.Get("Retry-After"))
	require.Contains(t, string(s.get("", "/metrics").body), `tidings_hook_requests_total{provider="calendly",result="too_many"} 1`)
	other := s.source(key, "others", calendlySource())
	s.booked(other, calendlyKey, meeting).is(204)
	s.pass(time.Minute)
	for range 3 {
		s.booked(path, calendlyKey, meeting).is(204)
	}
}
