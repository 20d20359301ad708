package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	"tidings/query"
)

// Names of figures that a bound is of, and what notifications may add to the processor
// time of what is taken in, in percent.
const (
	figureBell      = "from an event to a bell, p99"
	figureLog       = "a page of the log, p99"
	figureWhy       = "why, p99"
	figureSimulated = "a simulated week, most"
	figureTold      = "processor time at ingest, more with notifications"

	toldMust = 5
)

// costRules is how many rules each person has while events are taken in.
const costRules = 3

// cost takes the same events in, with rules that ask about them and with nobody told of
// anything, in turns, each in a new directory, and compares the processor time until
// everything is indexed and decided. Its events are of the live lane and of today, in one
// workspace, where all people have rules: what costs most.
func (c *Notify) cost(ctx context.Context, env Env) (string, error) {
	if c.Ingested == 0 || c.Rounds == 0 {
		return "", nil
	}
	load := Load{Seed: 1, Workspaces: 1, Users: max(c.Asked, 1), Until: time.Now().UTC()}
	posts, err := costPosts(load, c.Ingested)
	if err != nil {
		return "", err
	}
	var told, untold []time.Duration
	for round := range c.Rounds {
		fmt.Fprintf(env.Err, "round %d: %d events are taken in, with notifications and without …\n", round+1, c.Ingested)
		for turn := range 2 {
			tells := (round+turn)%2 == 0
			took, err := c.ingested(ctx, env, load, posts, tells)
			if err != nil {
				return "", err
			}
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
	costFigures(env.Found, with, without)
	return fmt.Sprintf("| processor time at ingest: %d people with %d rules each, and nobody told | %.0f and %.0f µs an event, %+.1f %% | %d %% |\n",
		c.Asked, costRules, with, without, 100*(with-without)/without, toldMust), nil
}

// notifyReport is how long things took.
type notifyReport struct{ rang, pages, whys, simulated *Timing }

func (r notifyReport) figures(found *figures.Found) {
	found.Add(figureBell, "ms", milliseconds(r.rang.Percentile(99)))
	found.Add(figureLog, "ms", milliseconds(r.pages.Percentile(99)))
	found.Add(figureWhy, "ms", milliseconds(r.whys.Percentile(99)))
	found.Add(figureSimulated, "ms", milliseconds(r.simulated.Max()))
}

func costFigures(found *figures.Found, with, without float64) {
	found.Add("processor time an event, with notifications", "µs", with)
	found.Add("processor time an event, without", "µs", without)
	found.Add(figureTold, "%", 100*(with-without)/without)
}

// costPosts are requests.
func costPosts(load Load, events int) ([][]byte, error) {
	var posts [][]byte
	var body bytes.Buffer
	made := 0
	for given := range load.Inputs(events) {
		line, err := json.Marshal(given.Input)
		if err != nil {
			return nil, err
		}
		body.Write(line)
		body.WriteByte('\n')
		if made++; made%notifyBatch == 0 || made == events {
			posts = append(posts, bytes.Clone(body.Bytes()))
			body.Reset()
		}
	}
	return posts, nil
}

// ingested takes requests in and returns the processor time that they took.
func (c *Notify) ingested(ctx context.Context, env Env, load Load, posts [][]byte, tells bool) (took time.Duration, err error) {
	data := filepath.Join(c.Data, "cost")
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	a, err := app.Open(ctx, app.Settings{Data: data, Backlog: 4 * int64(c.Ingested), Untold: !tells}, env.Log)
	if err != nil {
		return 0, err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(running) }()
	dial, stopServer := a.OperateInMemory()
	client := apiclient.Operator(dial, load.Workspace(0), func() error { return nil })
	defer func() {
		stop()
		err = errors.Join(err, client.Close(), stopServer(), <-done, a.Close())
	}()
	if err := c.asking(ctx, a, client, load, tells); err != nil {
		return 0, err
	}
	worked := processorTime()
	var group errgroup.Group
	group.SetLimit(4)
	for _, body := range posts {
		group.Go(func() error {
			return client.Send(ctx, http.MethodPost, "/v1/events", "application/x-ndjson", bytes.NewReader(body), nil)
		})
	}
	if err := errors.Join(group.Wait(), a.Drain(ctx)); err != nil {
		return 0, err
	}
	if err := a.DrainTriggers(ctx); err != nil {
		return 0, err
	}
	return processorTime() - worked, nil
}

// asking makes the people, and their rules where anybody is told.
func (c *Notify) asking(ctx context.Context, a *app.App, client *apiclient.Client, load Load, tells bool) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: a.Server, ReadHeaderTimeout: 10 * time.Second}
	var serving errgroup.Group
	serving.Go(func() error { return server.Serve(listener) })
	defer func() {
		_ = server.Close() // that ends serving, with ErrServerClosed
		_ = serving.Wait()
	}()
	m := newMaker(load.withDefaults())
	for n := range c.Asked {
		key, err := person(ctx, client, load.User(n))
		if err != nil {
			return err
		}
		if !tells {
			continue
		}
		own := apiclient.New("http://"+listener.Addr().String(), key)
		for r, text := range []string{"replies from " + query.Domain(m.person(int32(n)).Email), `type:click "` + m.words.list[n] + `"`, `type:open "` + m.words.list[n+100] + `"`} {
			err := own.Call(ctx, http.MethodPut, fmt.Sprintf("/v1/notification-rules/r%d", r), map[string]any{
				"q": text, "enabled": true, "do": map[string]any{"often": "every", "channels": []string{"inpage"}},
			}, nil)
			if err != nil {
				return errors.Join(fmt.Errorf("a rule for %q: %w", text, err), own.Close())
			}
		}
		if err := own.Close(); err != nil {
			return err
		}
	}
	return nil
}
