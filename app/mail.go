package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"tidings/deliver"
)

// mailPorts are the usual ones.
var mailPorts = map[string]int{"smtp": 587, "smtps": 465}

// mailServer is who sends mail, nil where nobody does. What it says of an address holds
// nothing of it: there may be a password in it.
func mailServer(s Settings) (*deliver.SMTP, error) {
	if s.SMTP == "" {
		return nil, nil
	}
	wrong := &SettingsError{"--smtp is not an address such as smtp://USER:PASSWORD@HOST:587, or smtps://…:465 (a password in it must be percent-encoded; ?tls=none for a server on this machine)"}
	parsed, err := url.Parse(s.SMTP)
	if err != nil || mailPorts[parsed.Scheme] == 0 || parsed.Hostname() == "" {
		return nil, wrong
	}
	server := &deliver.SMTP{Host: parsed.Hostname(), Port: mailPorts[parsed.Scheme], User: parsed.User.Username(), TLS: deliver.StartTLS, From: s.MailFrom, Operator: true}
	server.Password, _ = parsed.User.Password()
	if parsed.Scheme == "smtps" {
		server.TLS = deliver.ImplicitTLS
	}
	if parsed.Query().Get("tls") == deliver.NoTLS {
		server.TLS = deliver.NoTLS
	}
	if port := parsed.Port(); port != "" {
		if server.Port, err = strconv.Atoi(port); err != nil {
			return nil, wrong
		}
	}
	if err := server.Check(); err != nil {
		return nil, &SettingsError{fmt.Sprintf("--smtp and --mail-from: %v", err)}
	}
	return server, nil
}

// mailTo sends a text to one person by the operator's server; nil where there is none.
func (a *App) mailTo(server *deliver.SMTP) func(ctx context.Context, to, subject, text string) error {
	if server == nil {
		return nil
	}
	mailer := deliver.NewMailer(a.outbound)
	return func(ctx context.Context, to, subject, text string) error {
		return mailer.Send(ctx, *server, deliver.Letter{ID: rand.Text(), To: to, Subject: subject, Text: text, Reason: "sign-in", Date: time.Now()})
	}
}
