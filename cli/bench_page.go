package cli

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

	"tidings/app"
	"tidings/bench"
	"tidings/event"
)

// benchPageCmd times pages of 50 through the API.
type benchPageCmd struct {
	benchFlags
	Queries int    `help:"How many pages of each kind." default:"500"`
	Kind    string `help:"Ask only the kinds with this in their names." placeholder:"TEXT"`
}

// pageKind is a kind of question that is timed.
type pageKind struct {
	name string
	// most is what 99 of 100 must not take longer than.
	most time.Duration
	ask  func(r *rand.Rand, load bench.Load) url.Values
	// suggest asks how to go on with a text instead of for its page.
	suggest bool
}

const (
	mostPlain   = 10 * time.Millisecond
	mostSuggest = 50 * time.Millisecond
	mostText    = 100 * time.Millisecond
)

// frequent is a word that many subjects and bodies have, seldom one that few do.
func frequent(r *rand.Rand, load bench.Load) string { return load.Word(10 + r.IntN(300)) }
func seldom(r *rand.Rand, load bench.Load) string   { return load.Word(3000 + r.IntN(10000)) }

func question(q string) url.Values { return url.Values{"q": {q}} }

var pageKinds = []pageKind{
	{name: "workspace", most: mostPlain, ask: func(*rand.Rand, bench.Load) url.Values { return url.Values{} }},
	{name: "user", most: mostPlain, ask: func(r *rand.Rand, load bench.Load) url.Values {
		return url.Values{"user": {load.User(r.IntN(20))}}
	}},
	{name: "type", most: mostPlain, ask: func(r *rand.Rand, _ bench.Load) url.Values {
		return url.Values{"type": {string(event.Types[r.IntN(len(event.Types))])}}
	}},
	{name: "one word", most: mostPlain, ask: func(r *rand.Rand, load bench.Load) url.Values { return question(frequent(r, load)) }},
	{name: "one rare word", most: mostPlain, ask: func(r *rand.Rand, load bench.Load) url.Values { return question(seldom(r, load)) }},
	{name: "two words", most: mostText, ask: func(r *rand.Rand, load bench.Load) url.Values {
		return question(frequent(r, load) + " " + frequent(r, load))
	}},
	{name: "three words", most: mostText, ask: func(r *rand.Rand, load bench.Load) url.Values {
		return question(frequent(r, load) + " " + seldom(r, load) + " " + frequent(r, load))
	}},
	{name: "phrase", most: mostText, ask: func(r *rand.Rand, load bench.Load) url.Values {
		return question(`"` + frequent(r, load) + " " + frequent(r, load) + `"`)
	}},
	{name: "prefix", most: mostText, ask: func(r *rand.Rand, load bench.Load) url.Values {
		word := frequent(r, load)
		return question(word[:min(4, len(word))] + "*")
	}},
	{name: "word, not word", most: mostText, ask: func(r *rand.Rand, load bench.Load) url.Values {
		return question(frequent(r, load) + " -" + frequent(r, load))
	}},
	{name: "is:unopened", most: mostText, ask: func(*rand.Rand, bench.Load) url.Values { return question("is:unopened") }},
	{name: "is:unopened, one word", most: mostText, ask: func(r *rand.Rand, load bench.Load) url.Values {
		return question("is:unopened " + frequent(r, load))
	}},
	{name: "suggestions for a frequent word", suggest: true, most: mostSuggest, ask: func(r *rand.Rand, load bench.Load) url.Values {
		return question(beginning(r, frequent(r, load)))
	}},
	{name: "suggestions for a rare word", suggest: true, most: mostSuggest, ask: func(r *rand.Rand, load bench.Load) url.Values {
		return question(beginning(r, seldom(r, load)))
	}},
}

// beginning is two letters of a word or more.
func beginning(r *rand.Rand, word string) string { return word[:min(2+r.IntN(4), len(word))] }

// Run times each kind and prints a table.
func (c *benchPageCmd) Run(ctx context.Context, env *environment) error {
	if _, err := os.Stat(filepath.Join(c.Data, "state.db")); err != nil {
		return fmt.Errorf("%s has not been filled: run tidings bench ingest first", c.Data)
	}
	machine, err := bench.Describe(ctx, c.Data)
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, app.Settings{Data: c.Data}, env.log)
	if err != nil {
		return err
	}
	dial, stopServer := a.OperateInMemory()
	fmt.Fprintf(env.Out, "%s\n| P4, page of 50, and suggestions | p50 | p99 | most | p99 must be below |\n| --- | --- | --- | --- | --- |\n", machine.Markdown())
	endProfile, err := c.profile()
	if err != nil {
		endProfile = func() error { return nil }
	}
	for _, kind := range pageKinds {
		if err == nil && strings.Contains(kind.name, c.Kind) {
			err = c.time(ctx, env, dial, kind)
		}
	}
	err = errors.Join(err, endProfile(), stopServer())
	return errors.Join(err, a.Close())
}

// time asks one kind of question again and again, of busy and quiet workspaces,
// and throws the first tenth away.
func (c *benchPageCmd) time(ctx context.Context, env *environment, dial app.Dialer, kind pageKind) error {
	load := c.load()
	random := rand.New(rand.NewPCG(c.Seed, 4))
	timing := bench.NewTiming()
	clients := make(map[string]*client)
	warm := c.Queries / 10
	for i := range warm + c.Queries {
		workspace := load.Workspace(int(random.ExpFloat64()*10) % 200)
		asked := clients[workspace]
		if asked == nil {
			asked = operatorClient(dial, workspace, func() error { return nil })
			defer asked.close()
			clients[workspace] = asked
		}
		path := "/v1/feed?"
		if kind.suggest {
			path = "/v1/suggest?"
		}
		path += kind.ask(random, load).Encode()
		began := time.Now()
		var page struct{ Items []struct{} }
		if err := asked.call(ctx, http.MethodGet, path, nil, &page); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		if i >= warm {
			timing.Record(time.Since(began))
		}
	}
	_, err := fmt.Fprintf(env.Out, "| %s | %v | %v | %v | %v |\n", kind.name,
		timing.Percentile(50).Round(10*time.Microsecond), timing.Percentile(99).Round(10*time.Microsecond),
		timing.Max().Round(10*time.Microsecond), kind.most)
	return err
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
