package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tidings/app"
	"tidings/bench"
	"tidings/event"
	"tidings/store/elastic"
)

// benchElasticCmd measures what Tidings adds to an Elasticsearch: each figure is a
// ratio to what Elasticsearch itself takes for the same, asked in turns.
type benchElasticCmd struct {
	Parts      []string `arg:"" optional:"" help:"What to measure: ingest, page, weeks, mutable; all of them when none is named."`
	Index      string   `help:"The Elasticsearch to measure on, as for serve. Indices are made below a prefix of the measurement's own and removed at the end." required:"" placeholder:"URL"`
	Data       string   `help:"A directory for the queue and the state, on the disk to be measured; it must be empty, and is emptied at the end." default:"tidings-bench-elastic" placeholder:"DIR" type:"path"`
	Seed       uint64   `help:"Where the randomness begins." default:"1"`
	Events     int      `help:"How many events; those of ten times the weeks, for page and weeks." default:"40000"`
	Weeks      int      `help:"Over how many weeks the events of ingest and mutable are spread; page and weeks take as many and ten times as many." default:"4"`
	Workspaces int      `help:"How many workspaces share the events of page, weeks and mutable." default:"20"`
	Rounds     int      `help:"How many rounds; figures are medians of them." default:"5"`
	Queries    int      `help:"How many questions a round." default:"300"`
	Writers    int      `help:"How many write raw bulk requests at once." default:"2"`
	Bulk       int      `help:"How many documents a raw bulk request holds." default:"1000"`

	profiled
}

// elasticParts are the parts in their order. Page and weeks share their events.
var elasticParts = []string{"ingest", "page", "weeks", "mutable"}

// elasticBench is one run.
type elasticBench struct {
	*benchElasticCmd
	*environment
	tap    *tap
	raw    rawElastic
	prefix string
	// made are the prefixes that have indices.
	made []string
}

// Run measures the parts and prints a table of each.
func (c *benchElasticCmd) Run(ctx context.Context, env *environment) error {
	for _, part := range c.Parts {
		if !slices.Contains(elasticParts, part) {
			return &usageError{fmt.Sprintf("%q is not a part: they are %s", part, strings.Join(elasticParts, ", "))}
		}
	}
	config, err := elastic.ParseURL(c.Index)
	if err != nil {
		return &usageError{"--index: " + err.Error()}
	}
	if entries, err := os.ReadDir(c.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", c.Data)
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("make the directory of the measurement: %w", err)
	}
	machine, err := bench.Describe(ctx, c.Data)
	if err != nil {
		return err
	}
	tap := newTap()
	b := &elasticBench{
		benchElasticCmd: c, environment: env, tap: tap,
		prefix: "bench-" + strings.ToLower(rand.Text()[:8]),
		raw:    rawElastic{node: config.Nodes[0], username: config.Username, password: config.Password, over: tap.pool},
	}
	version, err := b.raw.version(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%s| Elasticsearch | %s |\n", machine.Markdown(), version)
	endProfile, err := c.profile()
	if err != nil {
		return err
	}
	err = errors.Join(b.measure(ctx), endProfile())
	cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err = errors.Join(err, b.clean(cleaning), os.RemoveAll(c.Data))
	tap.pool.CloseIdleConnections()
	return err
}

func (b *elasticBench) measure(ctx context.Context) error {
	wanted := func(part string) bool { return len(b.Parts) == 0 || slices.Contains(b.Parts, part) }
	if wanted("ingest") {
		if err := b.ingest(ctx); err != nil {
			return fmt.Errorf("ingest: %w", err)
		}
	}
	if wanted("page") || wanted("weeks") {
		if err := b.pages(ctx, wanted("page"), wanted("weeks")); err != nil {
			return fmt.Errorf("pages: %w", err)
		}
	}
	if wanted("mutable") {
		if err := b.mutable(ctx); err != nil {
			return fmt.Errorf("mutable: %w", err)
		}
	}
	return nil
}

// site is a Tidings on this Elasticsearch, with a queue and a state of its own,
// and how it is asked.
type site struct {
	*app.App
	prefix string
	dial   app.Dialer
	close  func() error
	// clients are by workspace.
	clients map[string]*client
}

// open starts a Tidings with nothing in it. Its name tells it from others of the
// run; running says whether it indexes what is posted.
func (b *elasticBench) open(ctx context.Context, name string, running bool) (*site, error) {
	s := &site{prefix: b.prefix + "-" + name, clients: make(map[string]*client)}
	b.made = append(b.made, s.prefix)
	dir := filepath.Join(b.Data, name)
	a, err := app.Open(ctx, app.Settings{
		Data: dir, Backlog: 2*int64(b.Events) + 10_000, IndexTransport: b.tap, Stores: app.Stores{Index: b.address(s.prefix)},
	}, b.log)
	if err != nil {
		return nil, err
	}
	s.App = a
	dial, stopServer := a.OperateInMemory()
	done := make(chan error, 1)
	under, stop := context.WithCancel(ctx)
	if running {
		go func() { done <- a.Run(under) }()
	} else {
		done <- nil
	}
	s.dial = dial
	s.close = func() error {
		stop()
		var errs []error
		for _, client := range s.clients {
			errs = append(errs, client.close())
		}
		errs = append(errs, stopServer(), <-done)
		return errors.Join(append(errs, a.Close(), os.RemoveAll(dir))...)
	}
	return s, nil
}

// client asks as the operator of a workspace.
func (s *site) client(workspace string) *client {
	if s.clients[workspace] == nil {
		s.clients[workspace] = operatorClient(s.dial, workspace, func() error { return nil })
	}
	return s.clients[workspace]
}

// prepare makes the weeks of a load, as the nights before would have.
func (s *site) prepare(ctx context.Context, load bench.Load) error {
	newest := event.WeekOf(load.Until.Unix())
	for week := newest - event.Week(load.Weeks); week <= newest; week++ {
		if err := s.Index.Prepare(ctx, week); err != nil {
			return err
		}
	}
	return nil
}

// address is --index with another prefix.
func (b *elasticBench) address(prefix string) string {
	rest, parameters, some := strings.Cut(b.Index, "?")
	scheme, hosts, _ := strings.Cut(rest, "://")
	hosts, _, _ = strings.Cut(hosts, "/")
	address := scheme + "://" + hosts + "/" + prefix
	if some {
		address += "?" + parameters
	}
	return address
}

// load is of as many weeks, ending with the last one that is over.
func (b *elasticBench) load(weeks int) bench.Load {
	return bench.Load{
		Seed: b.Seed, Workspaces: b.Workspaces, Weeks: weeks,
		Until: time.Now().UTC().Truncate(7 * 24 * time.Hour),
	}
}

// clean removes all indices and templates of this run.
func (b *elasticBench) clean(ctx context.Context) error {
	var errs []error
	for _, prefix := range b.made {
		errs = append(errs, b.raw.removeIndices(ctx, prefix), b.raw.removeTemplate(ctx, prefix))
	}
	b.made = nil
	return errors.Join(errs...)
}
