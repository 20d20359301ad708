package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"tidings/audit"
	"tidings/outbound"
)

const (
	auditSinkLease = "audit-sink"
	sinkTime       = 20 * time.Second
)

// auditSink is where --audit-sink sends the log to: https://HOST/PATH, or
// syslog+tcp://HOST:PORT or syslog+tls://HOST:PORT.
func auditSink(address string, out *outbound.Client) (audit.Sink, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return nil, &SettingsError{"--audit-sink is not an address such as https://siem.example.com/tidings or syslog+tls://HOST:6514"}
	}
	switch parsed.Scheme {
	case "https", "http":
		if err := out.Check(withoutUser(parsed)); err != nil {
			return nil, &SettingsError{"--audit-sink: " + err.Error()}
		}
		return webhookSink{parsed, out}, nil
	case "syslog+tcp", "syslog+tls":
		if parsed.Port() == "" {
			return nil, &SettingsError{"--audit-sink: syslog needs a port"}
		}
		name, err := os.Hostname()
		if err != nil || name == "" {
			name = "-"
		}
		return syslogSink{address: parsed.Host, secure: parsed.Scheme == "syslog+tls", host: name}, nil
	}
	return nil, &SettingsError{"--audit-sink takes https, syslog+tcp and syslog+tls"}
}

func withoutUser(u *url.URL) string {
	bare := *u
	bare.User = nil
	return bare.String()
}

// webhookSink posts rows as NDJSON. A name and a password in the address are sent as
// such; a password alone (https://:TOKEN@HOST) as a bearer token.
type webhookSink struct {
	to  *url.URL
	out *outbound.Client
}

func (w webhookSink) Send(ctx context.Context, entries []audit.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, sinkTime)
	defer cancel()
	var body bytes.Buffer
	for _, e := range entries {
		body.Write(e.Doc)
		body.WriteByte('\n')
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, withoutUser(w.to), &body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	if password, ok := w.to.User.Password(); ok && w.to.User.Username() == "" {
		request.Header.Set("Authorization", "Bearer "+password)
	} else if ok {
		request.SetBasicAuth(w.to.User.Username(), password)
	}
	answer, err := w.out.Do(request, 0)
	if err != nil {
		return err
	}
	if answer.Status < 200 || answer.Status > 299 {
		return fmt.Errorf("the sink answered with status %d", answer.Status)
	}
	return nil
}

// syslogSink writes rows as RFC 5424, framed by their length as RFC 6587 has it. Syslog
// has no answer: what was written counts as taken.
type syslogSink struct {
	address string
	secure  bool
	host    string
}

// priority is facility 13, log audit, and severity 6, informational.
const priority = 13*8 + 6

func (s syslogSink) Send(ctx context.Context, entries []audit.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, sinkTime)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	deadline, _ := ctx.Deadline()
	err = conn.SetDeadline(deadline)
	var frames bytes.Buffer
	for _, e := range entries {
		message := s.message(e)
		fmt.Fprintf(&frames, "%d %s", len(message), message)
	}
	if err == nil {
		_, err = conn.Write(frames.Bytes())
	}
	return errors.Join(err, conn.Close())
}

func (s syslogSink) dial(ctx context.Context) (net.Conn, error) {
	if s.secure {
		return (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", s.address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
}

// message is one row. Its ID is in it, by which whoever gets it twice can tell.
func (s syslogSink) message(e audit.Entry) string {
	kind := strings.ToUpper(string(e.Kind))
	return fmt.Sprintf("<%d>1 %s %s tidings - %s - \ufeff%s", priority, e.At.UTC().Format("2006-01-02T15:04:05.000Z"), s.host, kind, e.Doc)
}

// feedAudit sends the log on where the operator wants it, from one process at a time.
func (a *App) feedAudit(ctx context.Context) error {
	if a.auditSink == nil {
		return nil
	}
	return a.Stream.RunUnderLease(ctx, auditSinkLease, auditTTL, func(ctx context.Context) error { return a.Audit.Feed(ctx, a.auditSink) })
}
