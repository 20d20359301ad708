package api_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/audit"
	"tidings/notify"
)

// noticeLink is where a person's mail of a kind says that it can be ended.
func (s *site) noticeLink(workspace, user string, kind notify.Kind) string {
	s.t.Helper()
	make := api.UnsubscribeLinks(api.Config{Records: s.records, PublicURL: "https://t.example", Clock: s.clock, Rand: rand.Reader})
	link, err := make(s.t.Context(), workspace, user, kind)
	require.NoError(s.t, err)
	rest, found := strings.CutPrefix(link, "https://t.example/")
	require.True(s.t, found)
	return s.http.URL + "/" + rest
}

// stopped are the kinds whose mails a key's person has ended.
func (s *site) stopped(key string) []notify.Kind {
	s.t.Helper()
	var out struct{ Settings notify.Settings }
	s.get(key, "/v1/notification-settings").is(200).json(&out)
	return out.Settings.Stopped
}

func TestOnePressEndsMailsOfAKind(t *testing.T) {
	s := newSite(t)
	for _, user := range []string{"u_ana", "u_ben"} {
		_, err := account.NewDirectory(s.records, s.clock).PutUser(t.Context(), "acme", user, account.MemberRequest{Name: user, Emails: []string{user + "@acme.example"}})
		require.NoError(t, err)
	}
	ana, ben := s.key("acme", account.RoleRead, "u_ana"), s.key("acme", account.RoleRead, "u_ben")
	link := s.noticeLink("acme", "u_ana", "open")
	require.NotContains(t, link, "u_ana", "nobody reads from a link whose it is")

	// Programs look at every link of a mail.
	for _, method := range []string{"GET", "HEAD", "GET"} {
		page := s.visit(method, link, "", nil).is(200)
		require.Equal(t, "text/html; charset=utf-8", page.header.Get("Content-Type"))
	}
	s.visit("POST", link, "", formHeader).is(400)
	s.visit("POST", link, "List-Unsubscribe=Yes", formHeader).is(400)
	require.Empty(t, s.stopped(ana))

	// Mail programs post it with either form, and more than once.
	s.visit("POST", link, "List-Unsubscribe=One-Click", formHeader).is(200)
	s.visit("POST", link, "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n",
		map[string]string{"Content-Type": "multipart/form-data; boundary=b"}).is(200)
	require.Equal(t, []notify.Kind{"open"}, s.stopped(ana))
	require.Empty(t, s.stopped(ben))
	s.visit("POST", s.noticeLink("acme", "u_ana", notify.KindDigest), "List-Unsubscribe=One-Click", formHeader).is(200)
	require.Equal(t, []notify.Kind{"open", "digest"}, s.stopped(ana))

	// It is taken back by the page behind the link, or in the settings.
	s.visit("POST", link, "Undo=Yes", formHeader).is(200)
	require.Equal(t, []notify.Kind{"digest"}, s.stopped(ana))
	s.do(call{method: "PATCH", path: "/v1/notification-settings", key: ana, body: map[string]any{"resume": "digest"}}).is(200)
	require.Empty(t, s.stopped(ana))

	var objects []string
	for _, row := range s.audited("acme") {
		if row.Route == "POST /t/n/{token}" && row.Kind == audit.KindChange {
			require.Equal(t, []string{"user:u_ana"}, row.About)
			require.Equal(t, "nobody", row.Actor)
			require.Equal(t, http.StatusOK, row.Result)
			objects = append(objects, row.Object)
		}
	}
	require.Equal(t, []string{"kind=open", "kind=open", "kind=digest", "kind=open"}, objects)
}

func TestWhoseMailsNobodyEnds(t *testing.T) {
	s := newSite(t)
	link := s.noticeLink("acme", "u_gone", "open")
	other := s.linked(s.key("acme", account.RoleIngest, "")).Unsubscribe
	for name, address := range map[string]string{
		"changed":         link[:len(link)-1] + string(rune(link[len(link)-1]^1)),
		"of another kind": strings.Replace(other, "/t/u/", "/t/n/", 1),
		"no token":        s.http.URL + "/t/n/x",
	} {
		require.Equal(t, 404, s.visit("POST", address, "List-Unsubscribe=One-Click", formHeader).status, name)
		require.Equal(t, 404, s.visit("GET", address, "", nil).status, name)
	}
	require.Equal(t, 404, s.visit("POST", strings.Replace(link, "/t/n/", "/t/u/", 1), "List-Unsubscribe=One-Click", formHeader).status, "no recipient unsubscribes by it")

	// One click is for https alone.
	make := api.UnsubscribeLinks(api.Config{Records: s.records, PublicURL: "http://t.example", Clock: s.clock, Rand: rand.Reader})
	none, err := make(t.Context(), "acme", "u_ana", "open")
	require.NoError(t, err)
	require.Empty(t, none)
	raw, err := json.Marshal(s.audited("acme"))
	require.NoError(t, err)
	require.NotContains(t, string(raw), "/t/n/")
}
