package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/apiclient"
	"tidings/app"
	"tidings/bench/figures"
)

// Names of figures that a bound is of, and what notifications may add to the processor
// time of what is taken in, in percent.
const (
	figureBell          = "from an event to a bell, p99"
	figureLog           = "a page of the log, p99"
	figureWhy           = "why, p99"
	figureSimulated     = "a simulated week, most"
	figureKept          = "kept decisions beside which the log and why are asked for"
	figureSweep         = "nobody opened, 4,200 due in a minute"
	figureDeliverTime   = "from an event to a webhook, p99"
	figureDeliverRate   = "delivered to webhooks, a tenth of them dead"
	figureDeliverSlower = "p99 of a webhook beside dead ones, times that without"
	figureTold          = "processor time at ingest, more with notifications"
	figureHardest       = "processor time at ingest, more with notifications, hardest"

	// toldMust is what the design asks for where one event in twenty is told of, beside as
	// many triggers as events are indexed. Nothing asks for the hardest case, which is held to
	// the same.
	toldMust = 35
)

// costCase is an office whose events are taken in.
type costCase struct {
	name, figure string
	// workspaces have people each, and each of those rules.
	workspaces, people, rules int
	// quiet is that the workspaces' rows tell of no opens and clicks.
	quiet bool
}

// costCases are what the design asks about, 10,000 people in 200 workspaces of 100 rules
// each, where about one event in twenty is told of, and what costs most: all people of one
// workspace have rules, and most events are told of.
func (c *Notify) costCases() []costCase {
	return []costCase{
		{name: "as designed", figure: figureTold, workspaces: c.Workspaces, people: c.Asked, rules: 2, quiet: true},
		{name: "hardest", figure: figureHardest, workspaces: 1, people: c.Asked, rules: 3},
	}
}

// cost takes the same events in, with rules that ask about them and with nobody told of
// anything, in turns, each in a directory of its own, and compares the processor time until
// everything is indexed and decided. All events are of the live lane and of today.
func (c *Notify) cost(ctx context.Context, env Env) (string, error) {
	if c.Ingested == 0 || c.Rounds == 0 {
		return "", nil
	}
	table := ""
	for _, one := range c.costCases() {
		line, err := c.costOf(ctx, env, one)
		if err != nil {
			return "", err
		}
		table += line
	}
	return table, nil
}

func (c *Notify) costOf(ctx context.Context, env Env, one costCase) (_ string, err error) {
	load := Load{Seed: 1, Workspaces: one.workspaces, Users: max(one.people, 1), Until: time.Now().UTC()}
	posts, err := costPosts(load, c.Ingested)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(env.Err, "%s: writing %d people of %d workspaces with %d rules each straight into the stores …\n", one.name, one.people*one.workspaces, one.workspaces, one.rules)
	made, err := c.prepare(ctx, env, one, load)
	if made != "" {
		defer func() { err = errors.Join(err, os.RemoveAll(made)) }()
	}
	if err != nil {
		return "", err
	}
	var told, untold []time.Duration
	decided := 0.0
	for round := range c.Rounds {
		fmt.Fprintf(env.Err, "round %d: %d events are taken in, with notifications and without …\n", round+1, c.Ingested)
		for turn := range 2 {
			tells := (round+turn)%2 == 0
			took, notified, err := c.ingested(ctx, env, load, posts, made, tells)
			if err != nil {
				return "", err
			}
			decided = max(decided, notified)
			if tells {
				told = append(told, took)
			} else {
				untold = append(untold, took)
			}
		}
	}
	each := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2].Microseconds()) / float64(c.Ingested)
	}
	with, without := each(told), each(untold)
	one.figures(env.Found, with, without)
	return fmt.Sprintf("| processor time at ingest, %s: %d people of %d workspaces with %d rules each, %.0f %% of the events told of, and nobody told | %.0f and %.0f µs an event, %+.1f %% | %d %% |\n",
		one.name, one.people*one.workspaces, one.workspaces, one.rules, 100*decided/float64(c.Ingested), with, without, 100*(with-without)/without, toldMust), nil
}

// notifyReport is how long things took.
type notifyReport struct{ rang, pages, whys, simulated *Timing }

func (r notifyReport) figures(found *figures.Found) {
	found.Add(figureBell, "ms", milliseconds(r.rang.Percentile(99)))
	found.Add(figureLog, "ms", milliseconds(r.pages.Percentile(99)))
	found.Add(figureWhy, "ms", milliseconds(r.whys.Percentile(99)))
	found.Add(figureSimulated, "ms", milliseconds(r.simulated.Max()))
}

func (c costCase) figures(found *figures.Found, with, without float64) {
	found.Add("processor time an event, with notifications, "+c.name, "µs", with)
	found.Add("processor time an event, without, "+c.name, "µs", without)
	found.Add(c.figure, "%", 100*(with-without)/without)
}

// costPost is a request.
type costPost struct {
	workspace string
	body      []byte
}

// costPosts are requests of a workspace's events each, in the order in which they are full.
func costPosts(load Load, events int) ([]costPost, error) {
	var posts []costPost
	bodies, counts := make(map[string]*bytes.Buffer), make(map[string]int)
	for given := range load.Inputs(events) {
		line, err := json.Marshal(given.Input)
		if err != nil {
			return nil, err
		}
		body := bodies[given.Workspace]
		if body == nil {
			body = new(bytes.Buffer)
			bodies[given.Workspace] = body
		}
		body.Write(line)
		body.WriteByte('\n')
		if counts[given.Workspace]++; counts[given.Workspace]%notifyBatch == 0 {
			posts = append(posts, costPost{given.Workspace, bytes.Clone(body.Bytes())})
			body.Reset()
		}
	}
	for _, workspace := range slices.Sorted(maps.Keys(bodies)) {
		if rest := bodies[workspace]; rest.Len() > 0 {
			posts = append(posts, costPost{workspace, rest.Bytes()})
		}
	}
	return posts, nil
}

// served serves an App on an address of this machine while f runs.
func served(a *app.App, f func(address string) error) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: a.Server, ReadHeaderTimeout: 10 * time.Second}
	var serving errgroup.Group
	serving.Go(func() error { return server.Serve(listener) })
	err = f(listener.Addr().String())
	_ = server.Close() // that ends serving, with ErrServerClosed
	_ = serving.Wait()
	return err
}

// ingested takes requests in, beside what was made, and returns the processor time that
// they took and how many notifications came of them.
func (c *Notify) ingested(ctx context.Context, env Env, load Load, posts []costPost, made string, tells bool) (took time.Duration, notified float64, err error) {
	data := filepath.Join(c.Data, "cost")
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	if err := os.CopyFS(data, os.DirFS(made)); err != nil {
		return 0, 0, err
	}
	a, err := app.Open(ctx, app.Settings{Data: data, Backlog: 4 * int64(c.Ingested), Untold: !tells}, env.Log)
	if err != nil {
		return 0, 0, err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	dial, stopServer := a.OperateInMemory()
	clients := make(map[string]*apiclient.Client, load.Workspaces)
	for n := range load.Workspaces {
		clients[load.Workspace(n)] = apiclient.Operator(dial, load.Workspace(n), func() error { return nil })
	}
	defer func() {
		stop()
		for _, client := range clients {
			err = errors.Join(err, client.Close())
		}
		err = errors.Join(err, stopServer(), <-done, a.Close())
	}()
	worked := processorTime()
	var group errgroup.Group
	group.SetLimit(4)
	for _, post := range posts {
		group.Go(func() error {
			return clients[post.workspace].Send(ctx, http.MethodPost, "/v1/events", "application/x-ndjson", bytes.NewReader(post.body), nil)
		})
	}
	if err := errors.Join(group.Wait(), a.Drain(ctx)); err != nil {
		return 0, 0, err
	}
	if err := a.DrainTriggers(ctx); err != nil {
		return 0, 0, err
	}
	took = processorTime() - worked
	err = served(a, func(address string) error {
		notified, err = sumOf(ctx, address, "tidings_notify_decisions_total", `outcome="notified"`)
		return err
	})
	return took, notified, err
}
