package app

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"time"

	"tidings/account"
	"tidings/rollover"
	"tidings/tracing"
	"tidings/verdict"
)

// Settings are what an app is put together from.
type Settings struct {
	Role Role
	// Data is the data directory, "" where nothing is kept in one.
	Data string
	Stores
	// BeginAnew names parts of the directory (weeks, state.db, stream, audit, deliveries.db, notify.db), or weeks such as
	// 2026-w40, that are missing or of another directory and are begun anew.
	BeginAnew []string
	// IndexTransport carries what is asked of Elasticsearch, nil for a pool of
	// the index's own.
	IndexTransport http.RoundTripper
	// Retention is how old events may be, 0 for no bound.
	Retention time.Duration
	// Rollover is what nightly runs do, and Night when they are made; nil
	// makes none.
	Rollover rollover.Policy
	Night    *rollover.TimeOfDay
	// PublicURL is how tracking addresses reach this server.
	PublicURL string
	// Verdict is what the rules of verdicts are made from.
	Verdict verdict.Config
	// Grace is how long the opens of a message that everyone has opened are
	// kept, 0 for the default.
	Grace time.Duration
	// Backlog is how many events may wait, 0 for the default.
	Backlog int64
	// MaxAttempts is how often an event may fail of its own, 0 for the default.
	MaxAttempts int
	// Origins are other origins whose pages may open the socket.
	Origins []string
	// Lives say how long browsers stay signed in.
	Lives account.Lives
	// Secure marks cookies for https alone.
	Secure bool
	// Proxies may say whom they speak for.
	Proxies []netip.Prefix
	// AuditSink is where the audit log is sent to beside being kept, "" for nowhere.
	AuditSink string
	// OutboundAllow are hosts and networks that calls may reach beyond public addresses
	// on port 443, as outbound.ParseAllow reads them.
	OutboundAllow []string
	// Settle is how long opens and clicks wait before they leave for endpoints, mail and chats.
	Settle time.Duration
	// SMTP is who sends mail, as smtp://USER:PASSWORD@HOST:PORT, "" for nobody, and
	// MailFrom the sender's address.
	SMTP, MailFrom string
	// SecretsKey is the file with the key of secrets; "" is secrets.key in the data
	// directory, which is made when it is first needed.
	SecretsKey string
	// Tracer is nil where nothing is traced.
	Tracer *tracing.Tracer
	// Memory is what the process should use at most, 0 for what memoryOf says.
	Memory Memory
	// Untold has nobody told of anything, and decides nothing.
	Untold bool
	// Small is for one command beside other programs: few weeks are open, and little
	// is cached.
	Small bool
	// Connections is how many are served at once, 0 for the default.
	Connections int
	// Drain is how long the process says that it stops before it does.
	Drain time.Duration
}

// check refuses what cannot be run.
func (s Settings) check() error {
	switch {
	case s.External():
		return nil
	case s.Role != RoleAll:
		return &SettingsError{"this shares its work with other processes, so nothing may be kept in it: give --index, --state and --stream"}
	case s.Data == "":
		return &SettingsError{"give --data DIR, or keep everything elsewhere: --index, --state and --stream"}
	}
	return nil
}

// Stores say where things are kept that are not in the data directory.
type Stores struct {
	// State, Index and Stream are addresses of servers, or "".
	State, Index, Stream string
	// StreamReplicas is how many servers of a cluster keep each stream, 0 for as
	// they are.
	StreamReplicas int
	// StreamBytes is how many bytes of events the queue holds, 0 for the default.
	StreamBytes int64
	// StreamCredentials is a file, or "".
	StreamCredentials string
}

// External reports whether nothing is kept in a data directory.
func (s Stores) External() bool { return s.Index != "" && s.State != "" && s.Stream != "" }

// SettingsError is settings that make no sense together.
type SettingsError struct{ problem string }

func (e *SettingsError) Error() string { return e.problem }

// CheckPublicURL refuses an address that mail cannot hold.
func CheckPublicURL(address string) error {
	if address == "" {
		return nil
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.RawQuery != "" {
		return fmt.Errorf("--public-url %q is not an address such as https://t.example.com", address)
	}
	return nil
}

// release is the version of a released binary, set by the linker.
var release string

// Version is the module's version, or the commit it was built from.
func Version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return "development build of " + setting.Value[:min(12, len(setting.Value))]
		}
	}
	return "development build"
}
