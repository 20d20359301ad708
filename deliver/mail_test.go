package deliver

import (
	"errors"
	"io"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"tidings/outbound"
)

// postOffice is a mail server on loopback that keeps what it takes.
type postOffice struct {
	SMTP
	mu     sync.Mutex
	taken  []string
	refuse *smtp.SMTPError
}

func (p *postOffice) mails() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.taken...)
}

type postSession struct{ office *postOffice }

func (postSession) Reset()                               {}
func (postSession) Logout() error                        { return nil }
func (postSession) Mail(string, *smtp.MailOptions) error { return nil }

func (s postSession) Rcpt(string, *smtp.RcptOptions) error {
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	if s.office.refuse != nil {
		return s.office.refuse
	}
	return nil
}

func (s postSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.taken = append(s.office.taken, string(raw))
	return err
}

func (postSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (postSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "tidings" || password != "geheim" {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func openPostOffice(t *testing.T) *postOffice {
	t.Helper()
	office := &postOffice{}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return postSession{office}, nil }))
	server.Domain, server.AllowInsecureAuth = "localhost", true
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	office.SMTP = SMTP{
		Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: NoTLS, Operator: true,
		From: "Tidings <tidings@globex.example>", User: "tidings", Password: "geheim",
	}
	return office
}

func letter() Letter {
	return Letter{
		ID: "msg_d1.mail", To: "ana@globex.example", Subject: "Jo opened “Pricing”", Text: "Jo Reyes opened your mail.\n", Reason: "yours",
		Unsubscribe: "https://tidings.globex.example/u/abc", Date: time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC),
	}
}

func TestALetterIsSent(t *testing.T) {
	office := openPostOffice(t)
	require.NoError(t, NewMailer(outbound.New(outbound.Allow{})).Send(t.Context(), office.SMTP, letter()))
	require.Len(t, office.mails(), 1)
	got, err := mail.ReadMessage(strings.NewReader(office.mails()[0]))
	require.NoError(t, err)
	for name, want := range map[string]string{
		"Message-Id": "<msg_d1.mail@globex.example>", "Auto-Submitted": "auto-generated", "X-Tidings-Reason": "yours",
		"List-Unsubscribe": "<https://tidings.globex.example/u/abc>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"Date": "Mon, 16 Nov 2026 12:00:00 +0000", "To": "<ana@globex.example>", "From": `"Tidings" <tidings@globex.example>`,
	} {
		require.Equal(t, want, got.Header.Get(name), name)
	}
}

func TestNoTextOfAnEventAddsAHeader(t *testing.T) {
	office := openPostOffice(t)
	l := letter()
	l.Subject = "Hi\r\nBcc: eve@evil.example\r\n\r\nbody\u2028x\x00\u202e"
	l.Reason = "yours\nX-Evil: 1"
	require.NoError(t, NewMailer(outbound.New(outbound.Allow{})).Send(t.Context(), office.SMTP, l))
	got, err := mail.ReadMessage(strings.NewReader(office.mails()[0]))
	require.NoError(t, err)
	require.Empty(t, got.Header.Get("Bcc"))
	require.Empty(t, got.Header.Get("X-Evil"))
	for _, to := range []string{"ana@globex.example\r\nBcc: eve@evil.example", "ana@globex.example, eve@evil.example", "nobody", ""} {
		l := letter()
		l.To = to
		var failed *MailError
		require.ErrorAs(t, NewMailer(outbound.New(outbound.Allow{})).Send(t.Context(), office.SMTP, l), &failed)
		require.True(t, failed.Final)
	}
	require.Len(t, office.mails(), 1)
}

func TestWhatAServerSaysDecidesAboutAnotherTry(t *testing.T) {
	office := openPostOffice(t)
	mailer := NewMailer(outbound.New(outbound.Allow{}))
	for code, final := range map[int]bool{421: false, 450: false, 452: false, 550: true, 554: true} {
		office.refuse = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no"}
		var failed *MailError
		require.ErrorAs(t, mailer.Send(t.Context(), office.SMTP, letter()), &failed)
		require.Equal(t, code, failed.Code)
		require.Equal(t, final, failed.Final, code)
		require.NotContains(t, failed.Error(), "ana@")
	}
	office.refuse = nil
	wrong := office.SMTP
	wrong.Password = "wrong"
	var failed *MailError
	require.ErrorAs(t, mailer.Send(t.Context(), wrong, letter()), &failed)
	require.False(t, failed.Final, "the letter is not at fault")
	require.NotContains(t, failed.Error(), "wrong")
	require.Empty(t, office.mails())
}

func TestAWorkspacesServerIsPublic(t *testing.T) {
	office := openPostOffice(t)
	theirs := office.SMTP
	theirs.Operator = false
	err := NewMailer(outbound.New(outbound.Allow{})).Send(t.Context(), theirs, letter())
	var failed *MailError
	require.True(t, errors.As(err, &failed) && failed.Final, "%v", err)
	theirs.TLS = StartTLS
	allow, err := outbound.ParseAllow([]string{net.JoinHostPort("127.0.0.1", "1")})
	require.NoError(t, err)
	require.Error(t, NewMailer(outbound.New(allow)).Send(t.Context(), theirs, letter()))
	theirs.Operator = true
	require.Error(t, NewMailer(outbound.New(allow)).Send(t.Context(), theirs, letter()), "nothing goes without TLS where it is asked for")
	require.Empty(t, office.mails())
}

func TestAServerIsCheckedAsItIsWritten(t *testing.T) {
	good := SMTP{Host: "mail.globex.example", Port: 587, TLS: StartTLS, From: "a@globex.example", Password: "x"}
	require.NoError(t, good.Check())
	for _, change := range []func(*SMTP){
		func(s *SMTP) { s.Host = "" }, func(s *SMTP) { s.Host = "a b" }, func(s *SMTP) { s.Port = 0 }, func(s *SMTP) { s.TLS = "" },
		func(s *SMTP) { s.TLS = NoTLS }, func(s *SMTP) { s.From = "nobody" }, func(s *SMTP) { s.From = "a@b.example\r\nBcc: x@y.example" },
	} {
		bad := good
		change(&bad)
		require.Error(t, bad.Check())
	}
}
