package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"tidings/apiclient"
	"tidings/app"
	"tidings/event"
	"tidings/store/elastic"
)

// Elastic measures what Tidings adds to an Elasticsearch: each figure is a ratio to
// what Elasticsearch itself takes for the same, asked in turns.
type Elastic struct {
	// Parts are some of ElasticParts; all of them when there are none.
	Parts []string
	// Index is the address of the Elasticsearch. Indices are made below a prefix of
	// the measurement's own and removed at the end.
	Index string
	// Data is an empty directory for the queue and the state, emptied at the end.
	Data string
	Seed uint64
	// Events are spread over Weeks for ingest and mutable; page and weeks take as
	// many and ten times as many, and Workspaces share them.
	Events, Weeks, Workspaces int
	// Rounds is how many rounds there are, of Queries questions each.
	Rounds, Queries int
	// Writers write raw bulk requests of Bulk documents at once.
	Writers, Bulk int
	// Mails is a directory of mails whose events size measures; "" for texts that are made up.
	Mails string
}

// ElasticParts are the parts in their order. Page and weeks share their events.
var ElasticParts = []string{"ingest", "page", "weeks", "mutable", "size"}

// elasticBench is one run.
type elasticBench struct {
	*Elastic
	Env
	tap    *tap
	raw    rawElastic
	prefix string
	// made are the prefixes that have indices.
	made []string
}

// Run measures the parts and prints a table of each.
func (c *Elastic) Run(ctx context.Context, env Env) error {
	config, err := elastic.ParseURL(c.Index)
	if err != nil {
		return err
	}
	if entries, err := os.ReadDir(c.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", c.Data)
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("make the directory of the measurement: %w", err)
	}
	machine, err := Describe(ctx, c.Data)
	if err != nil {
		return err
	}
	tap := newTap()
	b := &elasticBench{
		Elastic: c, Env: env, tap: tap,
		prefix: "bench-" + strings.ToLower(rand.Text()[:8]),
		raw:    rawElastic{node: config.Nodes[0], username: config.Username, password: config.Password, over: tap.pool},
	}
	version, err := b.raw.version(ctx)
	if err != nil {
		return err
	}
	env.Found.Version("Elasticsearch", version)
	fmt.Fprintf(env.Out, "%s| Elasticsearch | %s |\n", machine.Markdown(), version)
	err = b.measure(ctx)
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
	if wanted("size") {
		if err := b.size(ctx); err != nil {
			return fmt.Errorf("size: %w", err)
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
	// stop ends what runs and closes the stores, close removes its directory too.
	stop, close func() error
	// clients are by workspace.
	clients map[string]*apiclient.Client
}

// open starts a Tidings with nothing in it. Its name tells it from others of the
// run; running says whether it indexes what is posted.
func (b *elasticBench) open(ctx context.Context, name string, running bool) (*site, error) {
	s := &site{prefix: b.prefix + "-" + name, clients: make(map[string]*apiclient.Client)}
	b.made = append(b.made, s.prefix)
	dir := filepath.Join(b.Data, name)
	a, err := app.Open(ctx, app.Settings{
		Data: dir, Backlog: 2*int64(b.Events) + 10_000, IndexTransport: b.tap, Stores: app.Stores{Index: b.address(s.prefix)},
	}, b.Log)
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
	s.stop = sync.OnceValue(func() error {
		stop()
		var errs []error
		for _, client := range s.clients {
			errs = append(errs, client.Close())
		}
		errs = append(errs, stopServer(), <-done)
		return errors.Join(append(errs, a.Close())...)
	})
	s.close = func() error { return errors.Join(s.stop(), os.RemoveAll(dir)) }
	return s, nil
}

// client asks as the operator of a workspace.
func (s *site) client(workspace string) *apiclient.Client {
	if s.clients[workspace] == nil {
		s.clients[workspace] = apiclient.Operator(s.dial, workspace, func() error { return nil })
	}
	return s.clients[workspace]
}

// prepare makes the weeks of a load, as the nights before would have.
func (s *site) prepare(ctx context.Context, load Load) error {
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
func (b *elasticBench) load(weeks int) Load {
	return Load{
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
