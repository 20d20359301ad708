package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tidings/apiclient"
	"tidings/app"
	"tidings/bench/figures"
	"tidings/event"
)

// Pages times pages of 50 through the API.
type Pages struct {
	// Data is a directory that Ingest has filled, with the same Seed and Weeks, or one that
	// is empty where Events says with how many it is to be filled, straight into the stores.
	Data   string
	Seed   uint64
	Weeks  int
	Events int
	// Queries is how many pages of each kind there are; only the kinds with Kind in
	// their names are asked for.
	Queries int
	Kind    string
	// Mails is the directory of the mails that Ingest was given.
	Mails string
}

// pageKind is a kind of question that is timed.
type pageKind struct {
	name string
	// most is what 99 of 100 must not take longer than.
	most time.Duration
	ask  func(r *rand.Rand, load Load) url.Values
	// suggest asks how to go on with a text instead of for its page.
	suggest bool
}

const (
	mostPlain   = 10 * time.Millisecond
	mostSuggest = 50 * time.Millisecond
	mostText    = 100 * time.Millisecond
	// mostCounted is for what the other events of each person decide.
	mostCounted = 500 * time.Millisecond
)

// mostFrequent is how many words are frequent.
const mostFrequent = 310

// leastWords is how many words frequent and seldom draw from.
const leastWords = 13_000

// frequent is a word that many subjects and bodies have, seldom one that few do.
func frequent(r *rand.Rand, load Load) string { return load.Word(10 + r.IntN(mostFrequent-10)) }
func seldom(r *rand.Rand, load Load) string   { return load.Word(3000 + r.IntN(10000)) }

func question(q string) url.Values { return url.Values{"q": {q}} }

var pageKinds = []pageKind{
	{name: "workspace", most: mostPlain, ask: func(*rand.Rand, Load) url.Values { return url.Values{} }},
	{name: "user", most: mostPlain, ask: func(r *rand.Rand, load Load) url.Values {
		return url.Values{"user": {load.User(r.IntN(20))}}
	}},
	{name: "type", most: mostPlain, ask: func(r *rand.Rand, _ Load) url.Values {
		return url.Values{"type": {string(event.Types[r.IntN(len(event.Types))])}}
	}},
	{name: "one word", most: mostPlain, ask: func(r *rand.Rand, load Load) url.Values { return question(frequent(r, load)) }},
	{name: "one rare word", most: mostPlain, ask: func(r *rand.Rand, load Load) url.Values { return question(seldom(r, load)) }},
	{name: "two words", most: mostText, ask: func(r *rand.Rand, load Load) url.Values {
		return question(frequent(r, load) + " " + frequent(r, load))
	}},
	{name: "three words", most: mostText, ask: func(r *rand.Rand, load Load) url.Values {
		return question(frequent(r, load) + " " + seldom(r, load) + " " + frequent(r, load))
	}},
	{name: "phrase", most: mostText, ask: func(r *rand.Rand, load Load) url.Values {
		return question(`"` + frequent(r, load) + " " + frequent(r, load) + `"`)
	}},
	{name: "prefix", most: mostText, ask: func(r *rand.Rand, load Load) url.Values {
		word := frequent(r, load)
		return question(word[:min(4, len(word))] + "*")
	}},
	{name: "word, not word", most: mostText, ask: func(r *rand.Rand, load Load) url.Values {
		return question(frequent(r, load) + " -" + frequent(r, load))
	}},
	{name: "is:unopened", most: mostText, ask: func(*rand.Rand, Load) url.Values { return question("is:unopened") }},
	{name: "is:unopened, one word", most: mostText, ask: func(r *rand.Rand, load Load) url.Values {
		return question("is:unopened " + frequent(r, load))
	}},
	{name: "is:unopened, one person", most: mostText, ask: func(r *rand.Rand, _ Load) url.Values {
		return question("to:" + firstNames[r.IntN(len(firstNames))] + " is:unopened")
	}},
	{name: "is:opened and not replied, one person", most: mostText, ask: func(r *rand.Rand, _ Load) url.Values {
		return question("to:" + firstNames[r.IntN(len(firstNames))] + " is:opened -is:replied")
	}},
	{name: "opened twice and not replied, one person", most: mostCounted, ask: func(r *rand.Rand, _ Load) url.Values {
		return question("to:" + firstNames[r.IntN(len(firstNames))] + " opened twice but didn't reply")
	}},
	{name: "oldest first, one word", most: mostText, ask: func(r *rand.Rand, load Load) url.Values {
		return question("order:oldest " + frequent(r, load))
	}},
	{name: "suggestions for a frequent word", suggest: true, most: mostSuggest, ask: func(r *rand.Rand, load Load) url.Values {
		return question(beginning(r, frequent(r, load)))
	}},
	{name: "suggestions for a rare word", suggest: true, most: mostSuggest, ask: func(r *rand.Rand, load Load) url.Values {
		return question(beginning(r, seldom(r, load)))
	}},
}

// beginning is two letters of a word or more.
func beginning(r *rand.Rand, word string) string { return word[:min(2+r.IntN(4), len(word))] }

// Run times each kind and prints a table.
func (c *Pages) Run(ctx context.Context, env Env) error {
	_, err := os.Stat(filepath.Join(c.Data, "state.db"))
	if filled := err == nil; !filled && c.Events == 0 {
		return fmt.Errorf("%s has not been filled: run tidings bench ingest first, or say with how many --events", c.Data)
	} else if !filled {
		if err := c.fill(ctx, env); err != nil {
			return err
		}
	}
	events, err := loadOf(c.Seed, c.Weeks, c.Mails)
	if err != nil {
		return err
	}
	machine, err := Describe(ctx, c.Data)
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, app.Settings{Data: c.Data}, env.Log)
	if err != nil {
		return err
	}
	stopReading := keepReading(ctx, a)
	dial, stopServer := a.OperateInMemory()
	fmt.Fprintf(env.Out, "%s\n| P4, page of 50, and suggestions | p50 | p99 | most | p99 must be below |\n| --- | --- | --- | --- | --- |\n", machine.Markdown())
	for _, kind := range pageKinds {
		if err == nil && strings.Contains(kind.name, c.Kind) {
			err = c.time(ctx, env, dial, events, kind)
		}
	}
	err = errors.Join(err, stopServer(), stopReading())
	return errors.Join(err, a.Close())
}

// fill writes the events straight into the stores.
func (c *Pages) fill(ctx context.Context, env Env) error {
	events, err := loadOf(c.Seed, c.Weeks, c.Mails)
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, app.Settings{Data: c.Data}, env.Log)
	if err != nil {
		return err
	}
	size, err := fillStores(ctx, env, a, events, c.Events)
	if err := errors.Join(err, a.Close()); err != nil {
		return err
	}
	return filling{c.Events, size}.write(c.Data)
}

// keepReading runs what answers questions until stop: what is read is on record, as
// in a server.
func keepReading(ctx context.Context, a *app.App) (stop func() error) {
	running, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.RunReading(running) }()
	return func() error {
		end()
		return <-done
	}
}

// time asks one kind of question again and again, of busy and quiet workspaces,
// and throws the first tenth away.
func (c *Pages) time(ctx context.Context, env Env, dial app.Dialer, events Load, kind pageKind) error {
	random := rand.New(rand.NewPCG(c.Seed, 4))
	timing := NewTiming()
	clients := make(map[string]*apiclient.Client)
	warm := c.Queries / 10
	for i := range warm + c.Queries {
		workspace := events.Workspace(int(random.ExpFloat64()*10) % 200)
		asked := clients[workspace]
		if asked == nil {
			asked = apiclient.Operator(dial, workspace, func() error { return nil })
			defer asked.Close()
			clients[workspace] = asked
		}
		path := "/v1/feed?"
		if kind.suggest {
			path = "/v1/suggest?"
		}
		path += kind.ask(random, events).Encode()
		began := time.Now()
		var page struct{ Items []struct{} }
		if err := asked.Call(ctx, http.MethodGet, path, nil, &page); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		if i >= warm {
			timing.Record(time.Since(began))
		}
	}
	kind.figures(env.Found, timing)
	_, err := fmt.Fprintf(env.Out, "| %s | %v | %v | %v | %v |\n", kind.name,
		timing.Percentile(50).Round(10*time.Microsecond), timing.Percentile(99).Round(10*time.Microsecond),
		timing.Max().Round(10*time.Microsecond), kind.most)
	return err
}

// p99 is the name of the figure that a bound is of.
func (k pageKind) p99() string { return k.name + ", p99" }

func (k pageKind) figures(found *figures.Found, timing *Timing) {
	found.Add(k.name+", p50", "ms", milliseconds(timing.Percentile(50)))
	found.Add(k.p99(), "ms", milliseconds(timing.Percentile(99)))
}

// filesIn counts the databases in a part of a directory.
func filesIn(dir, part string) (int, error) {
	found, err := filepath.Glob(filepath.Join(dir, part, "*.db"))
	return len(found), err
}

// directorySize adds up the files of parts of a directory.
func directorySize(dir string, parts ...string) (int64, error) {
	total := int64(0)
	for _, part := range parts {
		err := filepath.WalkDir(filepath.Join(dir, part), func(_ string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			if err == nil {
				total += info.Size()
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return total, nil
}
