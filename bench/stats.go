package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/apiclient"
	"tidings/app"
	"tidings/bench/figures"
	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
)

// Stats times statistics over a year of one busy workspace.
type Stats struct {
	// Data is a directory, which is filled when it is empty.
	Data   string
	Seed   uint64
	Weeks  int
	Events int
	// Queries is how many questions of each kind there are; only the kinds with Kind
	// in their names are asked.
	Queries int
	Kind    string
}

// mostStats is what 99 of 100 must not take longer than.
const mostStats = 100 * time.Millisecond

// strip are the fields that a strip beside a feed asks for.
var strip = []string{"totals", "unique", "rates"}

// statsKind is a kind of question that is timed.
type statsKind struct {
	name string
	// ask makes the question of a number, a new one for each where that is what
	// is measured.
	ask func(r *rand.Rand, load Load, number int) url.Values
	// writing puts an event into the newest week before each question.
	writing bool
}

var statsKinds = []statsKind{
	{name: "strip", ask: func(*rand.Rand, Load, int) url.Values { return url.Values{"fields": strip} }},
	{name: "everything", ask: func(*rand.Rand, Load, int) url.Values { return url.Values{} }},
	{name: "strip, an event written before each", writing: true, ask: func(*rand.Rand, Load, int) url.Values {
		return url.Values{"fields": strip}
	}},
	{name: "everything, an event written before each", writing: true, ask: func(*rand.Rand, Load, int) url.Values {
		return url.Values{}
	}},
	{name: "strip, a question never asked before", ask: func(_ *rand.Rand, load Load, number int) url.Values {
		return url.Values{"fields": strip, "user": {load.User(number % 20), "u_nobody_" + strconv.Itoa(number)}}
	}},
	{name: "everything, a question never asked before", ask: func(_ *rand.Rand, load Load, number int) url.Values {
		return url.Values{"user": {load.User(number % 20), "u_nobody_again_" + strconv.Itoa(number)}}
	}},
	{name: "strip of one word, never asked before", ask: func(_ *rand.Rand, load Load, number int) url.Values {
		return url.Values{"fields": strip, "q": {load.Word(10 + number)}}
	}},
	{name: "strip of is:unopened", ask: func(*rand.Rand, Load, int) url.Values {
		return url.Values{"fields": strip, "q": {"is:unopened"}}
	}},
	{name: "strip of is:unopened, one person", ask: func(r *rand.Rand, _ Load, _ int) url.Values {
		return url.Values{"fields": strip, "q": {"to:" + firstNames[r.IntN(len(firstNames))] + " is:unopened"}}
	}},
	{name: "strip of is:opened and not replied, one person", ask: func(r *rand.Rand, _ Load, _ int) url.Values {
		return url.Values{"fields": strip, "q": {"to:" + firstNames[r.IntN(len(firstNames))] + " is:opened -is:replied"}}
	}},
}

// Run fills the directory, if it has to be, and prints a table.
func (c *Stats) Run(ctx context.Context, env Env) error {
	entries, err := os.ReadDir(c.Data)
	empty := err != nil || len(entries) == 0
	a, err := app.Open(ctx, app.Settings{Data: c.Data}, env.Log)
	if err != nil {
		return err
	}
	machine, err := Describe(ctx, c.Data)
	if err == nil && empty {
		err = c.fill(ctx, env, a)
	}
	if err != nil {
		return errors.Join(err, a.Close())
	}
	stopReading := keepReading(ctx, a)
	dial, stopServer := a.OperateInMemory()
	asked := apiclient.Operator(dial, c.load().Workspace(0), func() error { return nil })
	fmt.Fprintf(env.Out, "%s\n| P9, %d events in %d weeks | first | p50 | p99 | most | p99 must be below |\n| --- | --- | --- | --- | --- | --- |\n",
		machine.Markdown(), c.Events, c.Weeks)
	for _, kind := range statsKinds {
		if err == nil && strings.Contains(kind.name, c.Kind) {
			err = c.time(ctx, env, a, asked, kind)
		}
	}
	err = errors.Join(err, asked.Close(), stopServer(), stopReading())
	return errors.Join(err, a.Close())
}

func (c *Stats) load() Load {
	return Load{
		Seed: c.Seed, Workspaces: 1, Weeks: c.Weeks, Until: time.Now().UTC().Truncate(7 * 24 * time.Hour),
	}
}

// fill writes the events straight into the stores.
func (c *Stats) fill(ctx context.Context, env Env, a *app.App) error {
	size, err := fillStores(ctx, env, a, c.load(), c.Events)
	if err != nil {
		return err
	}
	return filling{c.Events, size}.write(c.Data)
}

// writeBoth writes events to the state and to the index.
func writeBoth(ctx context.Context, a *app.App, events []event.Event) error {
	changes := make(map[event.MessageKey]event.Change)
	weeks := make(map[indexer.WorkspaceWeek]bool)
	for _, e := range events {
		change := event.ChangeOf(e)
		if known, ok := changes[change.MessageKey]; ok {
			known.Merge(change)
			change = known
		}
		changes[change.MessageKey] = change
		weeks[indexer.WorkspaceWeek{Workspace: e.Workspace, Week: e.Week()}] = true
	}
	var outcomes []event.Outcome
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		_, err := a.State.Apply(ctx, slices.Collect(maps.Values(changes)), slices.Collect(maps.Keys(weeks)))
		return err
	})
	both.Go(func() (err error) {
		outcomes, err = a.Index.Create(ctx, events)
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	for _, outcome := range outcomes {
		if outcome.Err != nil {
			return outcome.Err
		}
	}
	return nil
}

// time asks one kind of question. What is asked first, of a cold cache, is shown
// apart.
func (c *Stats) time(ctx context.Context, env Env, a *app.App, asked *apiclient.Client, kind statsKind) error {
	load, random, timing := c.load(), rand.New(rand.NewPCG(c.Seed, 9)), NewTiming()
	since := strconv.FormatInt(load.Until.Add(-feed.Horizon).Unix(), 10)
	var first time.Duration
	partial := 0
	for i := range 1 + c.Queries {
		if kind.writing {
			if err := writeBoth(ctx, a, []event.Event{lateEvent(load, i)}); err != nil {
				return err
			}
		}
		values := kind.ask(random, load, i)
		values.Set("since", since)
		var answer struct{ Partial bool }
		began := time.Now()
		if err := asked.Call(ctx, http.MethodGet, "/v1/stats?"+values.Encode(), nil, &answer); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		if answer.Partial {
			partial++
		}
		took := time.Since(began)
		if i == 0 {
			first = took
		} else {
			timing.Record(took)
		}
		if partial == 3 { // each of which takes its whole time
			break
		}
	}
	name := kind.name
	if partial > 0 {
		name += " (partial)"
	}
	round := func(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
	kind.figures(env.Found, first, timing)
	_, err := fmt.Fprintf(env.Out, "| %s | %v | %v | %v | %v | %v |\n", name, round(first),
		round(timing.Percentile(50)), round(timing.Percentile(99)), round(timing.Max()), mostStats)
	return err
}

// p99 is the name of the figure that a bound is of.
func (k statsKind) p99() string { return k.name + ", p99" }

func (k statsKind) figures(found *figures.Found, first time.Duration, timing *Timing) {
	found.Add(k.name+", the first", "ms", milliseconds(first))
	found.Add(k.name+", p50", "ms", milliseconds(timing.Percentile(50)))
	found.Add(k.p99(), "ms", milliseconds(timing.Percentile(99)))
}

// lateEvent is an open within the newest week.
func lateEvent(load Load, number int) event.Event {
	e := event.Event{
		Workspace: load.Workspace(0), Type: event.Open, Time: load.Until.Unix() - 1 - int64(number)*60, Message: "late-" + strconv.Itoa(number),
		User: load.User(0), Recipient: &event.Person{Email: "late@company.example"}, Source: "bench",
		Verdict: event.Verdict{Is: event.Human},
	}
	e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, []byte(e.Message+strconv.FormatInt(time.Now().UnixNano(), 10)))
	return e
}
