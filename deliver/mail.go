package deliver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"tidings/event"
	"tidings/outbound"
)

// How a connection to a mail server is encrypted.
const (
	// StartTLS asks for it after the greeting, and sends nothing without it.
	StartTLS = "starttls"
	// ImplicitTLS speaks TLS from the first byte, as on port 465.
	ImplicitTLS = "tls"
	// NoTLS is for a server on this machine.
	NoTLS = "none"
)

// Bounds of a mail.
const (
	mailTimeout  = 15 * time.Second
	maxSubject   = 200
	maxMailReply = 1 << 10
)

// SMTP is a mail server and the sender's address.
type SMTP struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"`
	// TLS is StartTLS, ImplicitTLS or NoTLS.
	TLS string `json:"tls"`
	// From is an address, with a name where one is wanted.
	From string `json:"from"`
	// Operator says that the operator named the server: it may be in their own network.
	Operator bool `json:"-"`
}

// Check says what is wrong with a server as it is written.
func (s SMTP) Check() error {
	switch {
	case s.Host == "" || strings.ContainsAny(s.Host, " \t\r\n/@"):
		return event.Invalid("host", "is not the name of a mail server")
	case s.Port < 1 || s.Port > 65535:
		return event.Invalid("port", "is not a port such as 587")
	case s.TLS != StartTLS && s.TLS != ImplicitTLS && s.TLS != NoTLS:
		return event.Invalid("tls", "is not one of starttls, tls, none")
	case s.Password != "" && s.TLS == NoTLS && !s.Operator:
		return event.Invalid("tls", "must not be none where there is a password")
	}
	if _, err := mail.ParseAddress(s.From); err != nil {
		return event.Invalid("from", "is not an address such as Tidings <tidings@example.com>")
	}
	return nil
}

// Letter is one mail to one person.
type Letter struct {
	// ID is the left side of its Message-ID: the same for the same letter.
	ID, To        string
	Subject, Text string
	// HTML may be empty.
	HTML string
	// Reason says in a word why it is sent.
	Reason string
	// Unsubscribe is an https address that ends such mail with one POST (RFC 8058), or "".
	Unsubscribe string
	Date        time.Time
}

// MailError is what a mail server said.
type MailError struct {
	// Code is the server's, 0 where it said nothing.
	Code int
	// Text has no address of a recipient in it.
	Text string
	// Final says that trying again is of no use.
	Final bool
}

func (e *MailError) Error() string {
	if e.Code == 0 {
		return "the mail server could not be used: " + e.Text
	}
	return fmt.Sprintf("the mail server said %d %s", e.Code, e.Text)
}

// Mailer sends letters.
type Mailer struct{ out *outbound.Client }

// NewMailer makes a Mailer that connects through out.
func NewMailer(out *outbound.Client) *Mailer { return &Mailer{out: out} }

// Send returns nil once the server has taken the letter. A *MailError says whether
// another try is of use.
func (m *Mailer) Send(ctx context.Context, server SMTP, letter Letter) error {
	message, err := compose(server, letter)
	if err != nil {
		return &MailError{Text: err.Error(), Final: true}
	}
	client, err := gomail.NewClient(server.Host, m.options(server)...)
	if err != nil {
		return &MailError{Text: err.Error(), Final: true}
	}
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	err = client.DialAndSendWithContext(ctx, message)
	if err == nil || message.IsDelivered() {
		return nil // A farewell that fails takes nothing back.
	}
	return mailError(err)
}

func (m *Mailer) options(server SMTP) []gomail.Option {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: server.Host}
	options := []gomail.Option{
		gomail.WithPort(server.Port), gomail.WithTimeout(mailTimeout), gomail.WithTLSConfig(config), gomail.WithoutNoop(),
		gomail.WithHELO(domainOf(server.From)),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			return m.dial(ctx, server, config, network, address)
		}),
	}
	switch server.TLS {
	case ImplicitTLS:
		options = append(options, gomail.WithSSL())
	case NoTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if server.User != "" {
		auth := gomail.SMTPAuthAutoDiscover
		if server.TLS != StartTLS {
			auth = gomail.SMTPAuthPlainNoEnc // The library does not see the TLS that dial speaks.
		}
		options = append(options, gomail.WithSMTPAuth(auth), gomail.WithUsername(server.User), gomail.WithPassword(server.Password))
	}
	return options
}

func (m *Mailer) dial(ctx context.Context, server SMTP, config *tls.Config, network, address string) (net.Conn, error) {
	dial := m.out.Mail
	if server.Operator {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, network, net.JoinHostPort(server.Host, strconv.Itoa(server.Port)))
	if err != nil || server.TLS != ImplicitTLS {
		return conn, err
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return secure, nil
}

// compose writes the mail. No text of an event can add a header.
func compose(server SMTP, letter Letter) (*gomail.Msg, error) {
	from, err := mail.ParseAddress(server.From)
	if err != nil {
		return nil, errors.New("the sender's address cannot be read")
	}
	to, err := mail.ParseAddress(letter.To)
	if err != nil {
		return nil, errors.New("the recipient's address cannot be read")
	}
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	message.FromMailAddress(from)
	message.ToMailAddress(to)
	message.Subject(OneLine(letter.Subject, maxSubject))
	message.SetMessageIDWithValue(OneLine(letter.ID, 100) + "@" + domainOf(server.From))
	message.SetDateWithValue(letter.Date)
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetGenHeader("X-Auto-Response-Suppress", "All")
	if letter.Reason != "" {
		message.SetGenHeader("X-Tidings-Reason", OneLine(letter.Reason, 100))
	}
	if letter.Unsubscribe != "" {
		if err := message.SetListUnsubscribeOneClick(letter.Unsubscribe); err != nil {
			return nil, errors.New("the address to unsubscribe is not one of https")
		}
	}
	message.SetBodyString(gomail.TypeTextPlain, letter.Text)
	if letter.HTML != "" {
		message.AddAlternativeString(gomail.TypeTextHTML, letter.HTML)
	}
	return message, nil
}

// OneLine is a text without line ends and controls, cut to most characters.
func OneLine(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text)
	runes := []rune(strings.TrimSpace(text))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

func domainOf(from string) string {
	address, err := mail.ParseAddress(from)
	if err != nil {
		return "localhost"
	}
	return address.Address[strings.LastIndexByte(address.Address, '@')+1:]
}

// mailError keeps what the server said and leaves addresses out. What it said before the
// letter was offered, of a wrong password for one, is no judgement of the letter.
func mailError(err error) *MailError {
	var said *textproto.Error
	var sent *gomail.SendError
	switch {
	case errors.As(err, &sent):
		return &MailError{Code: sent.ErrorCode(), Text: sent.Reason.String(), Final: sent.ErrorCode() >= 500 && !sent.IsTemp()}
	case errors.As(err, &said):
		return &MailError{Code: said.Code, Text: OneLine(said.Msg, maxMailReply)}
	case errors.Is(err, outbound.ErrAddress):
		return &MailError{Text: outbound.ErrAddress.Error(), Final: true}
	}
	return &MailError{Text: OneLine(err.Error(), maxMailReply)}
}
