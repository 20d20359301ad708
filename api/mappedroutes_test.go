package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
)

// rsaPublic is a public key of 1024 bits, as Postal shows it.
const rsaPublic = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC7vbqajDw4o6gJy8UtmIbkcpnkO3Kwc4qsEnSZp/TR+fQi62F79RHWmwKOtFmwteURgLbj7D/WGuNLGOfa/2vse3G2eHnHl5CB8ruRX9fBl/KgwCVr2JaEuUm66bBQeP5XeBotdR4cvX38uPYivCDdPjJ1QWPdspTBKcxeFbccDwIDAQAB"

// phone is a source of an administrator's own.
func phone() map[string]any {
	return map[string]any{
		"provider": "json", "keys": []string{"s3cret-s3cret"},
		"verify": map[string]any{"by": "hmac", "header": "X-Phone-Signature", "hash": "sha256", "encoding": "hex"},
		"mapping": map[string]any{
			"each": "body.calls", "name": "e.kind", "time": "e.at", "message": `"call/" + text(e.id)`, "recipient": "e.callee", "id": "e.id",
			"title": `"talked for " + text(e.minutes) + " minutes"`, "events": map[string]string{"call": "custom call", "missed": "custom missed-call"},
		},
		"fields": map[string]any{"user": "e.agent"},
	}
}

func (s *site) rings(path, secret, body string) answer {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return s.do(call{
		method: "POST", path: path, body: body, header: map[string]string{"X-Phone-Signature": hex.EncodeToString(mac.Sum(nil))},
	})
}

func TestASourceSaysItselfHowItIsRead(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/users/u_ana", key: key, body: map[string]any{"name": "Ana", "emails": []string{"ana@globex.example"}}}).is(200)
	path := s.source(key, "phone", phone())
	const calls = `{"calls":[{"kind":"call","id":7,"at":1763285400250,"callee":"Jo <Jo@acme.example>","minutes":12,"agent":"Ana@globex.example"},` +
		`{"kind":"fax","id":8,"at":1763285400250},{"kind":"missed","id":9,"at":"2025-11-16 09:30:00","callee":"nobody"}]}`
	s.rings(path, "wrong", calls).problem(http.StatusUnauthorized)
	s.rings(path, "s3cret-s3cret", calls).is(http.StatusNoContent)
	got := s.intake.all()
	require.Len(t, got, 2)
	require.Equal(t, event.Custom, got[0].Type)
	require.Equal(t, "talked for 12 minutes", got[0].Title)
	require.Equal(t, "jo@acme.example", got[0].Recipient.Email)
	require.Equal(t, "u_ana", got[0].User, "by an expression, and then by the address")
	require.EqualValues(t, 1763285400, got[0].Time)
	require.Nil(t, got[1].Recipient, "an address that is none leaves nobody")

	var rejected struct{ Items []api.RejectedView }
	s.get(key, "/v1/sources/phone/rejected").is(200).json(&rejected)
	require.Len(t, rejected.Items, 1)
	require.True(t, rejected.Items[0].Unknown)

	// What was unknown is known to another mapping, and replayed.
	changed := phone()
	changed["mapping"].(map[string]any)["events"].(map[string]string)["fax"] = "custom fax"
	s.do(call{method: "PUT", path: "/v1/sources/phone", key: key, body: changed}).is(200)
	var receipt api.ReplayReceipt
	s.do(call{method: "POST", path: "/v1/sources/phone/rejected/replay", key: key}).is(200).json(&receipt)
	require.Equal(t, api.ReplayReceipt{Replayed: 1}, receipt)
	require.Len(t, s.intake.all(), 5)
}

func TestAMappingIsTriedOnTheLastPayloads(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "phone", phone())
	s.rings(path, "s3cret-s3cret", `{"calls":[{"kind":"call","id":7,"at":1763285400250}]}`).is(http.StatusNoContent)
	before := len(s.intake.all())
	draft := phone()["mapping"].(map[string]any)
	draft["subject"], draft["link"] = "e.minutes.x.y", `"https://phone.example/" + text(e.id)`
	var tried api.Tries
	s.do(call{method: "POST", path: "/v1/sources/phone/try", key: key, body: map[string]any{"mapping": draft}}).is(200).json(&tried)
	require.Len(t, tried.Items, 1)
	require.Len(t, tried.Items[0].Events, 1)
	e := tried.Items[0].Events[0]
	require.Equal(t, "https://phone.example/7", e.Event.Link)
	require.Contains(t, e.Found, "link")
	require.Contains(t, e.Missing, "recipient")
	require.Contains(t, e.Notes, "subject")
	require.Len(t, s.intake.all(), before, "nothing is taken in")

	draft["name"] = "count(1..90000, all(1..90000, # > 0)) > 0"
	s.do(call{method: "POST", path: "/v1/sources/phone/try", key: key, body: map[string]any{"mapping": draft}}).is(200).json(&tried)
	require.Contains(t, tried.Items[0].Error, "stopped")
	draft["name"] = "e.kind +"
	s.do(call{method: "POST", path: "/v1/sources/phone/try", key: key, body: map[string]any{"mapping": draft}}).problem(http.StatusBadRequest)
}

func TestSourcesWithoutSchemesAreRefusedByName(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	for name, body := range map[string]map[string]any{
		"no mapping":         {"provider": "json", "verify": map[string]any{"by": "path"}},
		"no verify":          {"provider": "json", "mapping": phone()["mapping"]},
		"no secret":          {"provider": "brevo"},
		"a mapping for code": {"provider": "sendgrid", "mapping": phone()["mapping"], "keys": []string{"xxxxxxxxxxxxxxxx"}},
		"a wrong expression": {"provider": "calendly", "keys": []string{"a key that is long enough"}, "fields": map[string]any{"user": "((("}},
	} {
		s.do(call{method: "PUT", path: "/v1/sources/x-" + strings.ReplaceAll(name, " ", "-"), key: key, body: body}).problem(http.StatusBadRequest)
	}
	s.do(call{method: "PUT", path: "/v1/sources/x", key: key, body: map[string]any{"provider": "brevo", "verify": map[string]any{"by": "path"}}}).is(200)
}
