package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"tidings/app"
	"tidings/bench"
	"tidings/bench/figures"
	"tidings/store/elastic"
)

// benchCmd measures this machine.
type benchCmd struct {
	Figures string `help:"Write the figures into this file too, as JSON." placeholder:"FILE" type:"path"`

	All    benchAllCmd    `cmd:"" help:"Everything, some rounds of each, into one file of figures. It can be stopped and gone on with."`
	Report benchReportCmd `cmd:"" help:"Write the tables and charts of a file of figures into documents."`

	Ingest benchIngestCmd `cmd:"" help:"How many events a second are accepted for good and searchable."`
	Storm  benchStormCmd  `cmd:"" help:"How fast events are taken that a provider delivers many times, against once."`
	Page   benchPageCmd   `cmd:"" help:"How long pages take, on a directory that bench ingest filled."`
	Size   benchSizeCmd   `cmd:"" help:"How large events are on the disk, all weeks sealed, of a directory that bench ingest filled."`
	Start  benchStartCmd  `cmd:"" help:"How long a server takes to start, and what it holds when nothing happens, on a directory that a measurement filled."`
	Stats  benchStatsCmd  `cmd:"" help:"How long statistics over a year of a busy workspace take."`

	Faults    benchFaultsCmd    `cmd:"" help:"Whether a server loses or doubles what it has acknowledged when it is killed, or what it needs fails."`
	Attack    benchAttackCmd    `cmd:"" help:"What a server holds, and how long another workspace waits, while one does all at once that it should not."`
	Live      benchLiveCmd      `cmd:"" help:"How long a live event takes to a socket while archives are imported."`
	Sockets   benchSocketsCmd   `cmd:"" help:"How long what is published takes to many sockets, what each costs, and how soon all are back."`
	Notify    benchNotifyCmd    `cmd:"" help:"How fast it is decided who is told, and how long an event takes to a bell."`
	Processes benchProcessesCmd `cmd:"" help:"How much 1, 2 and 4 APIs and indexers on common servers take in, and whether anything is lost when each is restarted and killed."`
	Soak      benchSoakCmd      `cmd:"" help:"Whether what a server holds stays as it is under a steady load with slow sockets."`

	Postgres benchPostgresCmd `cmd:"" help:"The same events and pages on a PostgreSQL of the measurement's own and on Tidings, in turns."`

	Elastic benchElasticCmd `cmd:"" help:"What Tidings adds to an Elasticsearch, and what weeks that never change are worth there."`
}

// profiled is for what may be looked into.
type profiled struct {
	CPUProfile string `help:"Write a CPU profile to this file, for go tool pprof." name:"cpu-profile" placeholder:"FILE" type:"path"`
}

// profile runs f, with the CPU profile where one is wanted.
func (p profiled) profile(f func() error) error {
	if p.CPUProfile == "" {
		return f()
	}
	file, err := os.Create(p.CPUProfile)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return errors.Join(err, file.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, file.Close())
}

// measure runs a measurement and writes its figures where they are wanted, also where they
// do not show what they must.
func (e *environment) measure(ctx context.Context, run func(context.Context, bench.Env) error) error {
	found := new(figures.Found)
	err := run(ctx, bench.Env{Out: e.Out, Err: e.Err, Log: e.log, Found: found})
	var not *bench.NotShownError
	if errors.As(err, &not) {
		found.NotShown = not.What()
	}
	if e.figures == "" || err != nil && not == nil {
		return err
	}
	return errors.Join(err, found.Write(e.figures))
}

// ingestFlags have the fields of bench.Ingest, and so on below.
type ingestFlags struct {
	Data    string `help:"A directory for the measurement, on the disk to be measured." default:"tidings-bench" placeholder:"DIR" type:"path"`
	Seed    uint64 `help:"Where the randomness begins." default:"1"`
	Weeks   int    `help:"Over how many weeks the events are spread; 0 is the day before now, of which people are notified." default:"4"`
	Events  int    `help:"How many events." default:"1000000"`
	Senders int    `help:"How many senders post at once." default:"4"`
	Mails   string `help:"A directory of mails that are sent and answered, in a form that import takes; without one texts and links are made up." placeholder:"DIR" type:"path"`
	Batch   int    `help:"How many events a request holds at most." default:"500"`
	Every   int    `help:"After how many events each sender's waiting ones are posted, as a sender does every few seconds." default:"20000"`
	Untold  bool   `help:"Tell nobody of anything, to see what telling costs."`
}

type benchIngestCmd struct {
	ingestFlags
	profiled
}

// Run fills an empty directory and prints the speed.
func (c *benchIngestCmd) Run(ctx context.Context, env *environment) error {
	ingest := bench.Ingest(c.ingestFlags)
	return c.profile(func() error { return env.measure(ctx, ingest.Run) })
}

type benchStormCmd struct {
	Data    string `help:"A directory for the measurement, on the disk to be measured." default:"tidings-storm" placeholder:"DIR" type:"path"`
	Seed    uint64 `help:"Where the randomness begins." default:"1"`
	Events  int    `help:"How many events there are." default:"100000"`
	Times   int    `help:"How often each is delivered." default:"46"`
	Senders int    `help:"How many senders post at once." default:"4"`
	Batch   int    `help:"How many events a request holds." default:"200"`
}

// Run measures both and checks what is left of the storm against the model.
func (c *benchStormCmd) Run(ctx context.Context, env *environment) error {
	storm := bench.Storm(*c)
	return env.measure(ctx, storm.Run)
}

type benchFaultsCmd struct {
	Data    string        `help:"A directory for the measurement; it must be empty." default:"tidings-bench-faults" placeholder:"DIR" type:"path"`
	Seed    uint64        `help:"Where the randomness begins." default:"1"`
	Only    []string      `help:"Make only these: ${faults}. Without it all that can be made on this machine; the others are named." placeholder:"NAMES"`
	Kills   int           `help:"How often the server is killed." default:"20"`
	Pauses  int           `help:"How often it stands still for a second." default:"5"`
	Away    time.Duration `help:"How long something is away, full or failing." default:"10s" placeholder:"DURATION"`
	Senders int           `help:"How many senders post at once." default:"4"`
	Index   string        `help:"An Elasticsearch for the fault elastic, as for serve: one host, without TLS." placeholder:"URL"`
}

// Run makes each fault and prints the ledger.
func (c *benchFaultsCmd) Run(ctx context.Context, env *environment) error {
	faults := bench.Faults(*c)
	if name := faults.Unknown(); name != "" {
		return &usageError{name + " is not a fault: they are " + strings.Join(bench.FaultNames(), ", ")}
	}
	return env.measure(ctx, faults.Run)
}

type benchProcessesCmd struct {
	Data     string `help:"A directory for the measurement; it must be empty." default:"tidings-bench-processes" placeholder:"DIR" type:"path"`
	Counts   []int  `help:"How many APIs, and as many indexers, in turn." default:"1,2,4"`
	Events   int    `help:"How many events are sent to each." default:"4000"`
	Senders  int    `help:"How many senders post at once." default:"4"`
	Index    string `help:"An Elasticsearch, as for serve: one host, without TLS (go run ./store/elastic/elastictest/run starts one)." placeholder:"URL"`
	IndexPID int    `help:"The process of that Elasticsearch, to say what it uses." name:"index-pid"`
	Member   string `help:"Be one NATS server of the measurement." hidden:""`
}

// Run measures and prints what it found.
func (c *benchProcessesCmd) Run(ctx context.Context, env *environment) error {
	processes := bench.Processes(*c)
	return env.measure(ctx, processes.Run)
}

type benchSoakCmd struct {
	Data    string        `help:"A directory for the measurement; it must be empty." default:"tidings-bench-soak" placeholder:"DIR" type:"path"`
	For     time.Duration `help:"How long." default:"20m" placeholder:"DURATION"`
	Rate    int           `help:"How many events a second." default:"300"`
	Sockets int           `help:"How many sockets listen." default:"200"`
	Slow    int           `help:"How many of them read one frame a second." default:"20"`
}

// Run loads a server and prints what it held.
func (c *benchSoakCmd) Run(ctx context.Context, env *environment) error {
	soak := bench.Soak(*c)
	return env.measure(ctx, soak.Run)
}

type benchLiveCmd struct {
	Data    string        `help:"A directory for the measurement; it must be empty." default:"tidings-bench-live" placeholder:"DIR" type:"path"`
	Seed    uint64        `help:"Where the randomness begins." default:"1"`
	For     time.Duration `help:"How long each archive is imported." default:"1m" placeholder:"DURATION"`
	Rate    int           `help:"How many live events a second." default:"20"`
	Senders int           `help:"How many senders import at once." default:"4"`
}

// Run times live events beside imports.
func (c *benchLiveCmd) Run(ctx context.Context, env *environment) error {
	live := bench.Live(*c)
	return env.measure(ctx, live.Run)
}

type benchSocketsCmd struct {
	Sockets int           `help:"How many sockets are open, five in each workspace." default:"1000"`
	Rate    int           `help:"How many events a second are published." default:"1000"`
	For     time.Duration `help:"How long." default:"20s" placeholder:"DURATION"`
	Peer    string        `help:"A program that serves the same by a library, to compare with (make bench-peer)." placeholder:"PROGRAM" type:"path"`
	Profile string        `help:"Write a CPU profile of the process that serves to this file, for go tool pprof." name:"cpu-profile" placeholder:"FILE" type:"path"`
	Serve   bool          `help:"Be the server that is measured, as the measurement says on standard input." hidden:""`
}

// Run opens the sockets and prints what they cost.
func (c *benchSocketsCmd) Run(ctx context.Context, env *environment) error {
	sockets := bench.Sockets(*c)
	if c.Serve {
		return profiled{c.Profile}.profile(func() error { return env.measure(ctx, sockets.Run) })
	}
	return env.measure(ctx, sockets.Run)
}

type notifyFlags struct {
	Data       string        `help:"A directory for the measurement; it must be empty." default:"tidings-bench-notify" placeholder:"DIR" type:"path"`
	Users      int           `help:"How many people there are." default:"100"`
	Rules      int           `help:"How many rules each of them has." default:"10"`
	Events     int           `help:"How many events are decided about, of all of which somebody is told." default:"15000"`
	Rate       int           `help:"How many opens a second ring a bell." default:"20"`
	For        time.Duration `help:"How long the bell rings." default:"10s" placeholder:"DURATION"`
	Week       int           `help:"How many events a simulated week has." default:"20000"`
	Questions  int           `help:"How often each question is asked." default:"200"`
	Ingested   int           `help:"How many events of a mixture are taken in with notifications and without, to see what they cost." default:"20000"`
	Asked      int           `help:"How many people of a workspace have rules while they are." default:"50"`
	Workspaces int           `help:"How many workspaces there are where it is measured what the design asks about." default:"200"`
	Rounds     int           `help:"How often that is, in turns." default:"3"`

	Kept       int `help:"How many decisions the log has before, written straight into the store." default:"500000"`
	Waiting    int `help:"How many sends nobody opened, beside 4,200 that are due in a minute; 0 leaves that out." default:"60000"`
	Deliveries int `help:"How many events are sent on at once; 0 leaves delivering out." default:"5000"`
}

type benchNotifyCmd struct {
	notifyFlags
	profiled
}

// Run prints how long each takes.
func (c *benchNotifyCmd) Run(ctx context.Context, env *environment) error {
	notify := bench.Notify(c.notifyFlags)
	return c.profile(func() error { return env.measure(ctx, notify.Run) })
}

type benchAttackCmd struct {
	Data     string        `help:"A directory for the measurement; it must be empty." default:"tidings-bench-attack" placeholder:"DIR" type:"path"`
	Memory   app.Memory    `help:"The server's --memory." default:"512MiB" placeholder:"SIZE"`
	For      time.Duration `help:"How long all attack at once." default:"2m" placeholder:"DURATION"`
	Each     time.Duration `help:"How long each kind attacks alone before; 0 leaves that out." default:"15s" placeholder:"DURATION"`
	Quiet    time.Duration `help:"How long the page is timed before." default:"20s" placeholder:"DURATION"`
	Mailings int           `help:"How many sends of a thousand recipients the attacker has." default:"200"`
	Orders   bool          `help:"Attack as the measurement says on standard input." hidden:""`
}

// Run attacks and prints what it found.
func (c *benchAttackCmd) Run(ctx context.Context, env *environment) error {
	attack := bench.Attack(*c)
	return env.measure(ctx, attack.Run)
}

type benchSizeCmd struct {
	Data string `help:"The directory that bench ingest filled; its weeks are sealed." default:"tidings-bench" placeholder:"DIR" type:"path"`
}

// Run seals and prints what is left.
func (c *benchSizeCmd) Run(ctx context.Context, env *environment) error {
	size := bench.Size(*c)
	return env.measure(ctx, size.Run)
}

type benchStartCmd struct {
	Data string        `help:"The directory that a measurement filled." default:"tidings-bench-stats" placeholder:"DIR" type:"path"`
	For  time.Duration `help:"How long it is looked at." default:"2m" placeholder:"DURATION"`
}

// Run starts a server and prints what it took.
func (c *benchStartCmd) Run(ctx context.Context, env *environment) error {
	start := bench.Start(*c)
	return env.measure(ctx, start.Run)
}

type pageFlags struct {
	Data    string `help:"The directory that bench ingest filled." default:"tidings-bench" placeholder:"DIR" type:"path"`
	Seed    uint64 `help:"Where the randomness began." default:"1"`
	Weeks   int    `help:"Over how many weeks the events are spread." default:"4"`
	Events  int    `help:"With how many events an empty directory is filled first, straight into the stores, all weeks sealed but two." placeholder:"N"`
	Queries int    `help:"How many pages of each kind." default:"500"`
	Kind    string `help:"Ask only the kinds with this in their names." placeholder:"TEXT"`
	Mails   string `help:"The directory of mails that bench ingest was given." placeholder:"DIR" type:"path"`
}

type benchPageCmd struct {
	pageFlags
	profiled
}

// Run times each kind and prints a table.
func (c *benchPageCmd) Run(ctx context.Context, env *environment) error {
	pages := bench.Pages(c.pageFlags)
	return c.profile(func() error { return env.measure(ctx, pages.Run) })
}

type statsFlags struct {
	Data    string `help:"A directory for the measurement; it is filled when it is empty." default:"tidings-bench-stats" placeholder:"DIR" type:"path"`
	Seed    uint64 `help:"Where the randomness begins." default:"1"`
	Weeks   int    `help:"Over how many weeks the events are spread." default:"52"`
	Events  int    `help:"How many events." default:"1000000"`
	Queries int    `help:"How many questions of each kind." default:"200"`
	Kind    string `help:"Ask only the kinds with this in their names." placeholder:"TEXT"`
}

type benchStatsCmd struct {
	statsFlags
	profiled
}

// Run fills the directory, if it has to be, and prints a table.
func (c *benchStatsCmd) Run(ctx context.Context, env *environment) error {
	stats := bench.Stats(c.statsFlags)
	return c.profile(func() error { return env.measure(ctx, stats.Run) })
}

type benchPostgresCmd struct {
	Data    string `help:"A directory for the measurement, on the disk to be measured; it must be empty, and is removed at the end. Root's PostgreSQL runs as another user, who must be able to get there." default:"tidings-bench-postgres" placeholder:"DIR" type:"path"`
	Seed    uint64 `help:"Where the randomness begins." default:"1"`
	Weeks   int    `help:"Over how many weeks the events are spread." default:"4"`
	Events  int    `help:"How many events." default:"200000"`
	Senders int    `help:"How many write at once, to either." default:"4"`
	Rounds  int    `help:"How many rounds; figures are medians of them." default:"5"`
	Queries int    `help:"How many pages of each kind a round." default:"500"`
	First   int    `help:"The number of the first round: PostgreSQL is filled first in even ones." default:"0"`
	Mails   string `help:"A directory of mails that are sent and answered, in a form that import takes; without one texts and links are made up." placeholder:"DIR" type:"path"`
}

// Run measures both and prints a table.
func (c *benchPostgresCmd) Run(ctx context.Context, env *environment) error {
	compared := bench.Postgres(*c)
	return env.measure(ctx, compared.Run)
}

type elasticFlags struct {
	Parts      []string `arg:"" optional:"" help:"What to measure: ingest, page, weeks, mutable, size; all of them when none is named."`
	Index      string   `help:"The Elasticsearch to measure on, as for serve. Indices are made below a prefix of the measurement's own and removed at the end." required:"" placeholder:"URL"`
	Data       string   `help:"A directory for the queue and the state, on the disk to be measured; it must be empty, and is emptied at the end." default:"tidings-bench-elastic" placeholder:"DIR" type:"path"`
	Seed       uint64   `help:"Where the randomness begins." default:"1"`
	Events     int      `help:"How many events; those of ten times the weeks, for page and weeks." default:"40000"`
	Weeks      int      `help:"Over how many weeks the events of ingest, mutable and size are spread; page and weeks take as many and ten times as many." default:"4"`
	Workspaces int      `help:"How many workspaces share the events of page, weeks and mutable." default:"20"`
	Rounds     int      `help:"How many rounds; figures are medians of them." default:"5"`
	Queries    int      `help:"How many questions a round." default:"300"`
	Writers    int      `help:"How many write raw bulk requests at once." default:"2"`
	Bulk       int      `help:"How many documents a raw bulk request holds." default:"1000"`
	Mails      string   `help:"A directory of mails whose events size measures, in a form that import takes; without one texts and links are made up." placeholder:"DIR" type:"path"`
}

type benchElasticCmd struct {
	elasticFlags
	profiled
}

// Run measures the parts and prints a table of each.
func (c *benchElasticCmd) Run(ctx context.Context, env *environment) error {
	for _, part := range c.Parts {
		if !slices.Contains(bench.ElasticParts, part) {
			return &usageError{fmt.Sprintf("%q is not a part: they are %s", part, strings.Join(bench.ElasticParts, ", "))}
		}
	}
	if _, err := elastic.ParseURL(c.Index); err != nil {
		return &usageError{"--index: " + err.Error()}
	}
	measured := bench.Elastic(c.elasticFlags)
	return c.profile(func() error { return env.measure(ctx, measured.Run) })
}
