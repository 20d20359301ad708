package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/signin"
)

// mails are those that were sent.
type mails chan [2]string

func (m mails) send(_ context.Context, to, _, text string) error {
	m <- [2]string{to, text}
	return nil
}

var mailParts = regexp.MustCompile(`(?s)https://t\.example\.com/#mail=(\S+).* too: (\d{6})`)

// mailSite is a site that sends links to Ana.
func mailSite(t *testing.T) (*site, mails) {
	sent := make(mails, 8)
	s := newSite(t, func(c *api.Config) { c.Mail, c.PublicURL = sent.send, "https://t.example.com/" })
	admin := s.key("acme", account.RoleAdmin, "")
	s.do(call{method: "PUT", path: "/v1/users/u_ana", key: admin, body: `{"name":"Ana","emails":["ana@acme.example"],"role":"member"}`}).is(200)
	require.NoError(t, s.audit.Save(t.Context()))
	return s, sent
}

// asked asks for a link, and returns the browser's cookie, the token and the digits.
func (s *site) asked(sent mails) (cookie map[string]string, token, code string) {
	s.t.Helper()
	a := s.do(call{method: "POST", path: "/v1/sign-in/mail", body: map[string]string{"email": "Ana@Acme.example"}}).is(202)
	mail := <-sent
	require.Equal(s.t, "ana@acme.example", mail[0])
	parts := mailParts.FindStringSubmatch(mail[1])
	require.NotNil(s.t, parts, mail[1])
	header, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	require.NoError(s.t, err)
	return map[string]string{"Cookie": header.Name + "=" + header.Value}, parts[1], parts[2]
}

func (s *site) shows(token, code string, cookie map[string]string) answer {
	s.t.Helper()
	return s.do(call{method: "POST", path: "/v1/sign-in/mail/link", body: map[string]string{"token": token, "code": code}, header: cookie})
}

func TestALinkByMailSignsInTheBrowserThatAsked(t *testing.T) {
	s, sent := mailSite(t)
	cookie, token, _ := s.asked(sent)
	var view api.SessionView
	s.shows(token, "", cookie).is(200).json(&view)
	require.Equal(t, "u_ana", view.User.ID)
	require.Equal(t, account.RoleMember, view.Role)
	s.shows(token, "", cookie).is(401)
}

func TestAnotherBrowserTypesTheDigits(t *testing.T) {
	s, sent := mailSite(t)
	_, token, code := s.asked(sent)
	s.shows(token, "", nil).is(409)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	for range 4 {
		s.shows(token, wrong, nil).is(409)
	}
	s.shows(token, code, nil).is(200)
	_, token, code = s.asked(sent)
	for range 5 {
		s.pass(10 * time.Second)
		s.shows(token, wrong+"1", nil).is(409)
	}
	s.shows(token, code, nil).is(401)
}

func TestNothingButAPostOfTheButtonSignsIn(t *testing.T) {
	s, sent := mailSite(t)
	cookie, token, _ := s.asked(sent)
	for _, method := range []string{"GET", "HEAD"} {
		for _, path := range []string{"/?mail=" + token, "/v1/sign-in/mail/link?token=" + token, "/v1/sign-in/mail?token=" + token} {
			a := s.do(call{method: method, path: path, header: cookie})
			require.Empty(t, a.header.Get("Set-Cookie"), "%s %s", method, path)
		}
	}
	s.shows(token, "", cookie).is(200)
}

func TestWhoeverAsksForALinkLearnsNothing(t *testing.T) {
	s, sent := mailSite(t)
	known := s.do(call{method: "POST", path: "/v1/sign-in/mail", body: map[string]string{"email": "ana@acme.example"}}).is(202)
	<-sent
	unknown := s.do(call{method: "POST", path: "/v1/sign-in/mail", body: map[string]string{"email": "nobody@acme.example"}}).is(202)
	require.Equal(t, string(known.body), string(unknown.body))
	require.NotEmpty(t, unknown.header.Get("Set-Cookie"))
	require.NotContains(t, s.log.String(), "acme.example")

	t.Run("an address gets three an hour", func(t *testing.T) {
		for range 4 {
			s.do(call{method: "POST", path: "/v1/sign-in/mail", body: map[string]string{"email": "ana@acme.example"}}).is(202)
		}
		s.server.Finish()
		require.Len(t, sent, 2)
	})
	t.Run("and a network asks twenty times", func(t *testing.T) {
		for range 14 {
			s.do(call{method: "POST", path: "/v1/sign-in/mail", body: map[string]string{"email": "nobody@acme.example"}}).is(202)
		}
		s.do(call{method: "POST", path: "/v1/sign-in/mail", body: map[string]string{"email": "nobody@acme.example"}}).problem(429)
		s.server.Finish()
	})
}

func TestALinkByMailEnds(t *testing.T) {
	s, sent := mailSite(t)
	cookie, token, _ := s.asked(sent)
	s.pass(account.MailLinkLife)
	s.shows(token, "", cookie).is(401)
	_, err := account.NewMailLinks(s.records, s.clock, nil).Redeem(t.Context(), token, "", "")
	require.ErrorIs(t, err, event.ErrNotFound)

	none := newSite(t)
	none.do(call{method: "POST", path: "/v1/sign-in/mail", body: map[string]string{"email": "ana@acme.example"}}).problem(409)
}

func TestManyTriesAtOnceAreNoMoreThanFive(t *testing.T) {
	s, sent := mailSite(t)
	_, token, code := s.asked(sent)
	wrong := make([]string, 0, 60)
	for i := 0; len(wrong) < 60; i++ {
		if digits := fmt.Sprintf("%06d", i); digits != code {
			wrong = append(wrong, digits)
		}
	}
	links := account.NewMailLinks(s.records, s.clock, nil)
	var tried atomic.Int32
	var group sync.WaitGroup
	for _, digits := range wrong {
		group.Go(func() {
			if _, err := links.Redeem(t.Context(), token, "", digits); errors.Is(err, account.ErrNeedsCode) {
				tried.Add(1)
			}
		})
	}
	group.Wait()
	require.LessOrEqual(t, tried.Load(), int32(5))
}

func TestALinkByMailIsForWhoIsStillThere(t *testing.T) {
	s, sent := mailSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	cookie, token, _ := s.asked(sent)
	s.do(call{method: "DELETE", path: "/v1/users/u_ana", key: admin}).is(204)
	s.shows(token, "", cookie).is(401)
}

func TestALinkByMailIsNoWayInBesideAProviderAlone(t *testing.T) {
	s, sent := mailSite(t)
	cookie, token, code := s.asked(sent)
	require.NoError(t, account.Put(t.Context(), s.records, "", "sign-in-workspace", "acme", true))
	require.NoError(t, account.Put(t.Context(), s.records, "acme", "sign-in-provider", "corp", signin.Provider{Name: "corp", Only: true}))
	s.pass(2 * time.Second)
	s.shows(token, code, cookie).problem(403)
}

func TestAnInvitationGoesByMail(t *testing.T) {
	s, sent := mailSite(t)
	admin := s.key("acme", account.RoleAdmin, "")
	var made api.NewInvitation
	s.do(call{method: "POST", path: "/v1/invitations", key: admin, body: `{"name":"Bo","email":"bo@acme.example","role":"member","mail":true}`}).is(201).json(&made)
	mail := <-sent
	require.Equal(t, "bo@acme.example", mail[0])
	require.Contains(t, mail[1], "https://t.example.com/#invitation="+made.Token)
	require.Equal(t, "sent", made.Mailed)
	s.do(call{method: "POST", path: "/v1/invitations", key: admin, body: `{"name":"Bo","role":"member","mail":true}`}).problem(400)
	none := newSite(t)
	none.do(call{method: "POST", path: "/v1/invitations", key: none.key("acme", account.RoleAdmin, ""), body: `{"name":"Bo","email":"bo@acme.example","role":"member","mail":true}`}).problem(409)
}
