package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"tidings/account"
	"tidings/app"
	"tidings/rollover"
)

// apiFlags are what processes take that answer requests.
type apiFlags struct {
	Listen      string         `help:"Where to listen. Beyond this machine only with keys, and behind TLS." default:"127.0.0.1:8080" placeholder:"ADDRESS"`
	Backlog     int64          `help:"How many events may wait to be indexed before new ones are refused for a while. A workspace may have three times what is free of it, so that the flood of one refuses that one alone." default:"1000000"`
	Origins     []string       `help:"Other origins whose pages may open the socket." placeholder:"ORIGIN"`
	SessionLife time.Duration  `help:"How long a browser stays signed in at most." default:"720h" placeholder:"DURATION"`
	SessionIdle time.Duration  `help:"How long a browser stays signed in unused." default:"336h" placeholder:"DURATION"`
	AdminIdle   time.Duration  `help:"The same for admins." default:"12h" placeholder:"DURATION"`
	Secure      bool           `help:"Send cookies over https alone. Set it behind TLS."`
	Proxies     []netip.Prefix `help:"Networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count, such as 10.0.0.0/8." placeholder:"NETWORK"`
	Memory      app.Memory     `help:"How much memory the process should use, such as 512MiB or 2GiB. The bounds of bodies, pages, exports, connections, caches and what sockets are sent follow from it. 0 is three quarters of what its cgroup may, or else half of the machine's." default:"0" placeholder:"SIZE"`
	Connections int            `help:"How many connections are served at once; one address may have half of them. 0 is one for each 256 KiB of --memory, up to 4,096 or two thirds of the descriptors that the process may open." default:"0" placeholder:"N"`
	Drain       time.Duration  `help:"How long /readyz says that this process stops before it does, for load balancers to look elsewhere." default:"0" placeholder:"DURATION"`

	addressFlags
}

func (f *apiFlags) lives() account.Lives {
	return account.Lives{Absolute: f.SessionLife, Idle: f.SessionIdle, AdminIdle: f.AdminIdle}
}

// indexFlags are what processes take that index.
type indexFlags struct {
	Grace       time.Duration `help:"How long first opens are kept once everyone has opened." default:"720h" placeholder:"DURATION"`
	MaxAttempts int           `help:"How often an event may fail of its own before it goes to the dead letters (1 to 100)." default:"5"`

	AuditSink string `help:"Send the audit log on, beside keeping it: https://[USER:PASSWORD@|:TOKEN@]HOST/PATH as NDJSON, or syslog+tls://HOST:PORT or syslog+tcp://HOST:PORT as RFC 5424. Each row at least once, with its id." placeholder:"URL"`

	verdictFlags
	rolloverFlags
	RolloverAt rollover.TimeOfDay `help:"When in the night, in UTC, old weeks are sealed and what is past its time is let go." default:"02:30" placeholder:"HH:MM"`
}

func (f *indexFlags) settings() app.Settings {
	return app.Settings{
		Retention: f.Retention, Grace: f.Grace, MaxAttempts: f.MaxAttempts, AuditSink: f.AuditSink,
		Rollover: f.policy(), Night: &f.RolloverAt, Verdict: f.config(),
	}
}

// outboundFlags are what processes take that call addresses which others name, with
// secrets that others gave.
type outboundFlags struct {
	SecretsKey    string        `help:"File with the key that seals secrets: 32 bytes in base64, made with head -c 32 /dev/urandom | base64. In no backup. By default secrets.key in the data directory, made at the first start; needed where nothing is kept in one." placeholder:"FILE" type:"path"`
	SMTP          string        `help:"Who sends mail: smtp://USER:PASSWORD@HOST:587, or smtps://HOST:465; ?tls=none for a server on this machine." placeholder:"URL" name:"smtp"`
	MailFrom      string        `help:"The address that mail comes from, such as Tidings <tidings@example.com>." placeholder:"ADDRESS"`
	OutboundAllow []string      `help:"Hosts and networks that webhooks, chats, mail and sign-in may reach beyond public addresses on port 443, such as hooks.corp:8443 or 10.2.0.0/16 (80, 443 and 8443). Addresses of cloud metadata are never reached." placeholder:"HOST:PORT|NETWORK"`
	Settle        time.Duration `help:"How long opens and clicks wait before they leave for endpoints, mail and chats: scanners are found out in that time." default:"20s" placeholder:"DURATION"`
}

func (f outboundFlags) into(s *app.Settings) {
	s.OutboundAllow, s.SecretsKey, s.SMTP, s.MailFrom, s.Settle = f.OutboundAllow, f.SecretsKey, f.SMTP, f.MailFrom, f.Settle
}

// serveFlags are what serve and demo share.
type serveFlags struct {
	apiFlags
	indexFlags
	outboundFlags
}

func (f *serveFlags) settings(data string) app.Settings {
	s := f.indexFlags.settings()
	s.Data, s.Backlog, s.Origins, s.Secure = data, f.Backlog, f.Origins, f.Secure
	s.Lives = f.lives()
	s.Drain, s.Proxies = f.Drain, f.Proxies
	s.Memory, s.Connections = f.Memory, f.Connections
	s.PublicURL = f.PublicURL
	f.outboundFlags.into(&s)
	return s
}

// serveCmd runs everything on one directory.
type serveCmd struct {
	serveFlags
	storeFlags
	BeginAnew []string `help:"Go on without what is missing, or belongs to another data directory: weeks, state.db, stream, audit, deliveries.db, notify.db, or a week such as 2026-w40. For one start." placeholder:"PART" sep:","`

	Data string `help:"Where everything is kept that --index, --state and --stream do not keep elsewhere. Needed unless they keep all of it." placeholder:"DIR" type:"path"`
}

// Help says what comes first.
func (serveCmd) Help() string {
	return `It prints "listening on http://…" once it is ready and, while nobody can sign in
yet, a link for the first administrator; the page says what comes next. For programs, or
to name the workspace yourself, make a key first, or while it runs:

  tidings keys create --data DIR --workspace acme --role admin

It stops at SIGTERM or Ctrl-C after what was accepted is safe.`
}

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, env *environment) error {
	s := c.settings(c.Data)
	s.Stores, s.BeginAnew = app.Stores(c.storeFlags), c.BeginAnew
	return run(ctx, env, c.Listen, s, firstLink)
}

// What the first administrator signs in to, and for how long the link may wait for them.
const (
	firstWorkspace = "main"
	firstLinkLife  = 24 * time.Hour
)

const firstLinkText = `
Nobody can sign in yet. As the administrator, open

  %s/#token=%s

It works once, within a day; starting again prints another.
`

// firstLink prints a link while nobody has a key, a session or an invitation. Whoever reads
// what the process prints may read its data directory too.
func firstLink(ctx context.Context, env *environment, a *app.App, s app.Settings, address string) error {
	known, err := a.Server.AnyKey(ctx)
	if known || err != nil {
		return err
	}
	token, err := a.Server.NewSignInToken(ctx, firstWorkspace, "", account.RoleAdmin, firstLinkLife)
	if err != nil {
		return err
	}
	at := cmp.Or(strings.TrimRight(s.PublicURL, "/"), "http://"+address)
	_, err = fmt.Fprintf(env.Out, firstLinkText, at, url.QueryEscape(token))
	return err
}
