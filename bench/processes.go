package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tidings/faulty"
)

// Processes measures several APIs and indexers on three NATS servers, an Elasticsearch and a
// server of MongoDB's protocol, all on this machine: what 1, 2 and 4 of each take in, and what
// that uses. Then, of the most, each process is restarted in order and killed in turn under
// load, and what is left is held to a ledger of what was acknowledged.
type Processes struct {
	// Data is an empty directory.
	Data string
	// Counts are how many APIs, and as many indexers, in turn.
	Counts []int
	// Events are sent to each, by so many Senders at once.
	Events, Senders int
	// Index is the address of an Elasticsearch, and IndexPID its process, 0 where that is
	// not known.
	Index    string
	IndexPID int
	// Member makes this one of the NATS servers, as a faulty.Member in JSON says.
	Member string
}

const (
	// processesNATS are how many NATS servers keep each stream.
	processesNATS = 3
	// processesPace is how long a sender rests after a request while processes are killed,
	// and processesApart how long the load goes on after each.
	processesPace  = 200 * time.Millisecond
	processesApart = time.Second
	// processesPages is how often a page is read while events come in.
	processesPages = 100 * time.Millisecond
)

// kinds are what processes are, as the table lists them.
var kinds = []string{"API", "indexer", "NATS", "Elasticsearch", "MongoDB's protocol"}

// Run measures, prints two tables, and fails where anything was lost or doubled.
func (p *Processes) Run(ctx context.Context, env Env) error {
	if p.Member != "" {
		var member faulty.Member
		if err := json.Unmarshal([]byte(p.Member), &member); err != nil {
			return fmt.Errorf("read what a NATS server is: %w", err)
		}
		return member.Serve(ctx, func() error {
			_, err := fmt.Fprintf(env.Err, "listening on nats://127.0.0.1:%d\n", member.Port)
			return err
		})
	}
	if entries, err := os.ReadDir(p.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", p.Data)
	}
	if why := lacksElastic(&Faults{Index: p.Index}); why != "" {
		return errors.New(why)
	}
	if why := lacksMongo(nil); why != "" {
		return errors.New(why)
	}
	if len(p.Counts) == 0 || slices.Min(p.Counts) < 1 {
		return errors.New("--counts takes numbers from 1 on")
	}
	fmt.Fprintf(env.Out, "| APIs, indexers | events | taken a second | searchable a second | page p50, p99 | processor seconds of 1,000 events | of these %s |\n|%s\n",
		strings.Join(kinds, ", "), strings.Repeat(" --- |", 7))
	var not []string
	for i, n := range p.Counts {
		failed, err := p.one(ctx, env, n, i == len(p.Counts)-1)
		if err != nil {
			return fmt.Errorf("%d APIs and %d indexers: %w", n, n, err)
		}
		not = append(not, failed...)
	}
	return notShown(not)
}

// one measures so many of each, and makes faults of them too.
func (p *Processes) one(ctx context.Context, env Env, n int, faults bool) (not []string, err error) {
	dir := filepath.Join(p.Data, fmt.Sprint(n))
	c, err := p.start(ctx, dir, n)
	defer func() { err = errors.Join(err, c.end(ctx), os.RemoveAll(dir)) }()
	if err != nil {
		return nil, err
	}
	if err := c.measure(ctx, env); err != nil {
		return nil, err
	}
	if !faults {
		return c.holds(ctx, "after the load", env)
	}
	fmt.Fprint(env.Out, "\n| what happens under load | acknowledged | lost | twice | made up, or other states | answers meanwhile |\n| --- | --- | --- | --- | --- | --- |\n")
	not, err = c.holds(ctx, "nothing", env)
	for _, one := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"each API and indexer is restarted in order, one after another", c.restartAll},
		{"each API is killed in turn", c.killEach("api")},
		{"each indexer is killed in turn", c.killEach("indexer")},
		{"each NATS server is killed in turn", c.killEach("nats")},
		{"MongoDB's protocol is killed", c.killMongo},
		{"the line to Elasticsearch is cut for a second", c.cutElastic},
	} {
		if err != nil {
			return not, err
		}
		fmt.Fprintln(env.Err, one.what, "…")
		c.book.takeAnswers()
		c.work(ctx, processesPace)
		err = one.do(ctx)
		if err == nil {
			err = c.grow(ctx, 4*faultBatch)
		}
		if err := errors.Join(err, c.rest()); err != nil {
			return not, fmt.Errorf("%s: %w", one.what, err)
		}
		var failed []string
		failed, err = c.holds(ctx, one.what, env)
		not = append(not, failed...)
	}
	return not, err
}

// measure sends the events and prints what that took and used.
func (c *cluster) measure(ctx context.Context, env Env) error {
	before := c.used()
	began := time.Now()
	pages := NewTiming()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	read := make(chan error, 1)
	go func() { read <- c.read(reading, pages) }()
	c.limit = c.Events
	c.work(ctx, 0)
	if err := c.load.Wait(); err != nil {
		return err
	}
	c.stop()
	c.stop = nil
	c.limit = 0
	taken := time.Since(began)
	if err := c.awaitIndexed(ctx); err != nil {
		return err
	}
	searchable := time.Since(began)
	stop()
	if err := <-read; err != nil {
		return err
	}
	events := float64(c.book.size())
	var parts []string
	total := 0.0
	for i, used := range c.used() {
		if kinds[i] == "Elasticsearch" && c.IndexPID == 0 {
			parts = append(parts, "not known")
			continue
		}
		seconds := (used - before[i]).Seconds() * 1000 / events
		total += seconds
		parts = append(parts, fmt.Sprintf("%.2f", seconds))
	}
	fmt.Fprintf(env.Out, "| %d | %.0f | %.0f | %.0f | %v, %v (%d) | %.2f | %s |\n", c.n, events, events/taken.Seconds(), events/searchable.Seconds(),
		round(pages.Percentile(50)), round(pages.Percentile(99)), pages.Count(), total, strings.Join(parts, ", "))
	for name, value := range map[string]float64{"taken": events / taken.Seconds(), "searchable": events / searchable.Seconds()} {
		env.Found.Add(fmt.Sprintf("%s a second with %d of each", name, c.n), "events", value)
	}
	env.Found.Add(fmt.Sprintf("processor seconds of 1,000 events with %d of each", c.n), "s", total)
	return nil
}

// read reads pages of any API until ctx ends.
func (c *cluster) read(ctx context.Context, pages *Timing) error {
	for wait(ctx, processesPages) == nil {
		began := time.Now()
		err := c.client(rand.IntN(c.n)).Call(ctx, "GET", "/v1/feed?automated=show", nil, nil)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		pages.Record(time.Since(began))
	}
	return nil
}

// holds waits until all that was acknowledged is there, prints the ledger, and names what does
// not hold.
func (c *cluster) holds(ctx context.Context, what string, env Env) (not []string, err error) {
	_, answers := c.book.takeAnswers()
	var row faultRow
	patient, cancel := context.WithTimeout(ctx, faultPatience)
	defer cancel()
	for {
		found, err := exportedBy(patient, c.client(0))
		if err == nil {
			if c.book.compare(found, &row); row.lost+row.wrong == 0 {
				break
			}
		}
		if wait(patient, 300*time.Millisecond) != nil {
			if row.acknowledged == 0 {
				return nil, fmt.Errorf("nothing can be read: %w", err)
			}
			break
		}
	}
	if c.last {
		fmt.Fprintf(env.Out, "| %s | %d | %d | %d | %d | %s |\n", what, row.acknowledged, row.lost, row.twice, row.wrong, answers)
	}
	if row.lost+row.twice+row.wrong > 0 {
		not = append(not, fmt.Sprintf("when %s, nothing is lost, doubled, made up or of another state (%d, %d, %d)", what, row.lost, row.twice, row.wrong))
	}
	return not, ctx.Err()
}
