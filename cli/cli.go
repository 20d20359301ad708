// Package cli is the command line: it reads flags, environment and file into
// settings, has app put the parts together, and runs them until they are told
// to stop.
//
// Results go to stdout, everything else to stderr. The exit code is 0 for
// success, 1 for failure and 2 for wrong usage.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"tidings/app"
	"tidings/bench"
	"tidings/crash"

	"github.com/alecthomas/kong"
)

// Streams are a process's standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

// commands is the grammar of the command line.
type commands struct {
	Config   string      `help:"Read settings from this TOML file. Flags and the environment win over it." placeholder:"FILE" type:"existingfile"`
	LogLevel string      `help:"How much to log: debug, info, warn or error. By default info for serve, api and indexer, warn for others." enum:"debug,info,warn,error," default:""`
	Version  versionFlag `help:"Print the version and stop."`

	Serve         serveCmd         `cmd:"" help:"Run the feed: API, indexer and page, on one data directory."`
	API           apiCmd           `cmd:"" name:"api" help:"Run one of several processes that take events in, answer and push."`
	Indexer       indexerCmd       `cmd:"" help:"Run one of several processes that index."`
	Demo          demoCmd          `cmd:"" help:"Try it: a made-up company with months of history and events that keep coming."`
	Import        importCmd        `cmd:"" help:"Bring in mail files (mbox, Maildir, eml) or events (NDJSON)."`
	Search        searchCmd        `cmd:"" help:"Ask the feed, in plain English or operators."`
	Keys          keysCmd          `cmd:"" help:"Make, list and revoke keys."`
	Users         usersCmd         `cmd:"" help:"Invite people, and say what they may do."`
	Notifications notificationsCmd `cmd:"" help:"Say who was told of what, and why."`
	SendLinks     sendLinksCmd     `cmd:"" help:"Make the tracking addresses of a mail: opens, clicks, unsubscribing."`
	Access        accessCmd        `cmd:"" help:"Let somebody in when nobody comes in any more."`
	Audit         auditCmd         `cmd:"" help:"Read, export and verify the audit log."`
	DeadLetters   deadLettersCmd   `cmd:"" name:"dead-letters" help:"Look after events that failed for good."`
	Replay        replayCmd        `cmd:"" help:"Feed the events of a past span through the indexer again."`
	Rollover      rolloverCmd      `cmd:"" help:"Make the nightly run now, or say what it would do."`
	Migrate       migrateCmd       `cmd:"" help:"Bring stores to what this program writes."`
	Stream        streamCmd        `cmd:"" help:"Repair a damaged queue."`
	Backup        backupCmd        `cmd:"" help:"Copy everything on a data directory, also while serve runs on it."`
	Restore       restoreCmd       `cmd:"" help:"Make a data directory of a backup."`
	Secrets       secretsCmd       `cmd:"" help:"Look after the key that seals secrets."`
	Doctor        doctorCmd        `cmd:"" help:"Check configuration and connections, and say what is wrong."`
	Bench         benchCmd         `cmd:"" help:"Measure this machine."`
}

const description = `Tidings is an activity feed for e-mail: who opened, clicked, replied, newest first.

To look around:

    tidings demo

To run it:

    tidings keys create --data DIR --workspace NAME --role admin
    tidings serve --data DIR

Every flag has a twin in the environment: --data is TIDINGS_DATA.`

// environment is what a command runs in.
type environment struct {
	Streams
	log *slog.Logger
	// figures is the file into which a measurement writes what it found; "" for none.
	figures string
}

// Main runs one command and returns the exit code.
func Main(args []string, std Streams) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Who asks twice means it: the second signal ends the process at once.
	context.AfterFunc(ctx, stop)

	defer func() {
		if left, ok := recover().(exit); ok {
			code = int(left)
		}
	}()
	if err := crash.FromEnvironment(); err != nil {
		fmt.Fprintln(std.Err, err)
		return exitUsage
	}
	var grammar commands
	parser, err := kong.New(
		&grammar,
		kong.Name("tidings"),
		kong.Description(description),
		kong.Writers(std.Out, std.Err),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.DefaultEnvars("TIDINGS"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": app.Version(), "benchmarks": strings.Join(bench.Benchmarks(), ", "), "faults": strings.Join(bench.FaultNames(), ", ")},
		kong.Resolvers(&fileSettings{}),
	)
	if err != nil {
		panic(err) // The grammar itself is wrong; every test would see it.
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(std.Err, "tidings: %v\n", err)
		var wrong *kong.ParseError
		if errors.As(err, &wrong) && wrong.Context != nil && wrong.Context.Command() != "" {
			fmt.Fprintf(std.Err, "Try: tidings %s --help\n", wrong.Context.Command())
		}
		return exitUsage
	}
	env := &environment{std, newLogger(std.Err, grammar.LogLevel, command.Command()), grammar.Bench.Figures}
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(env); err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			fmt.Fprintln(std.Err, "tidings: stopped")
			return exitFailure
		}
		fmt.Fprintf(std.Err, "tidings: %v\n", err)
		var usage *usageError
		var settings *app.SettingsError
		if errors.As(err, &usage) || errors.As(err, &settings) {
			return exitUsage
		}
		return exitFailure
	}
	return 0
}

// exit carries an exit code out of the parser, which would end the process.
type exit int

// usageError is a combination of flags that makes no sense.
type usageError struct{ problem string }

func (e *usageError) Error() string { return e.problem }

// newLogger logs as JSON for services, whose log programs read, and as text for
// commands that a person runs.
func newLogger(w io.Writer, level, command string) *slog.Logger {
	at := slog.LevelWarn
	service := command == "serve" || command == "api" || command == "indexer"
	if service {
		at = slog.LevelInfo
	}
	if level != "" {
		_ = at.UnmarshalText([]byte(level)) // The grammar takes no other word.
	}
	options := &slog.HandlerOptions{Level: at}
	if service {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
