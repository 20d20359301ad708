package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"tidings/account"
	"tidings/app"
	"tidings/bench/figures"
	"tidings/event"
	"tidings/notify"
	"tidings/store/sqlite"
)

const (
	// waitingWorkspaces share what waits, so that nobody is told of more than a person is in an hour.
	waitingWorkspaces = 10
	// waitingDue is how many become due in the minute that is looked at.
	waitingDue = 4200
	// waitingFor is after how long a rule says that nobody opened, and waitingSpread over how
	// long the other sends are spread.
	waitingFor    = 72 * time.Hour
	waitingSpread = 56 * 24 * time.Hour
	sweepMust     = 2 * time.Second
)

// waiting times a look at rules of absence in a minute in which thousands of sends become due,
// beside others that nobody opened either. The clock is the measurement's own.
func (c *Notify) waiting(ctx context.Context, env Env) (_ string, err error) {
	if c.Waiting == 0 {
		return "", nil
	}
	fmt.Fprintf(env.Err, "%d sends that nobody opens are written …\n", c.Waiting+waitingDue)
	data := filepath.Join(c.Data, "waiting")
	a, err := app.Open(ctx, app.Settings{Data: data}, env.Log)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	until := time.Now().UTC().Truncate(time.Minute)
	if err := writeWaiting(ctx, a, c.Waiting, until); err != nil {
		return "", err
	}
	store, err := sqlite.OpenNotify(filepath.Join(data, "waiting.db"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	now := until.Add(-24 * time.Hour)
	clock := func() time.Time { return now }
	directory, books := account.NewDirectory(a.State, clock), notify.NewBooks(a.State, clock)
	told := new(tellCount)
	engine := notify.NewEngine(notify.Config{
		Store: store, Books: books, People: directory, History: a.Reader, Events: a.Index, Feed: a.Reader, Announcer: a.Stream, Observer: told, Clock: clock,
	})
	for n := range waitingWorkspaces {
		workspace := waitingWorkspace(n)
		if err := member(ctx, directory, workspace, "u_0"); err != nil {
			return "", err
		}
		ask := notify.Ask{On: notify.OnAbsence, No: notify.NoOpen, After: "3d", Enabled: true, Cell: notify.Cell{Often: notify.Every, Channels: []notify.Channel{notify.InPage}}}
		if _, err := books.PutRule(ctx, workspace, notify.Rule{Name: "silent", Owner: "u_0", Ask: ask}); err != nil {
			return "", err
		}
	}
	now = until.Add(-time.Minute - time.Second) // a look takes the second that it is in
	if err := engine.Tick(ctx); err != nil {
		return "", err
	}
	told.count = 0
	now = until
	began := time.Now()
	if err := engine.Tick(ctx); err != nil {
		return "", err
	}
	took := time.Since(began)
	if told.count != waitingDue {
		return "", fmt.Errorf("%d of %d sends that were due were told of", told.count, waitingDue)
	}
	swept(took).figures(env.Found)
	return fmt.Sprintf("| nobody opened: %d due in a minute, of %d that wait, written straight into the stores | %s | %s |\n", waitingDue, c.Waiting+waitingDue, round(took), sweepMust), nil
}

func waitingWorkspace(n int) string { return fmt.Sprintf("waiting-%d", n) }

// writeWaiting writes sends: so many over weeks, and those that are due in the minute before
// a time.
func writeWaiting(ctx context.Context, a *app.App, others int, until time.Time) error {
	due := until.Add(-waitingFor)
	all := others + waitingDue
	batch := make([]event.Event, 0, 1000)
	for n := range all {
		at := due.Add(-time.Duration(n-others+1) * time.Minute / waitingDue)
		if n < others {
			at = due.Add(-waitingSpread + time.Duration(n)*(waitingSpread-24*time.Hour)/time.Duration(others))
		}
		message := fmt.Sprintf("m-%d", n)
		batch = append(batch, event.Event{
			ID: event.NewID(at.Unix(), waitingWorkspace(n%waitingWorkspaces), "bench", true, []byte(message)), Workspace: waitingWorkspace(n % waitingWorkspaces),
			Type: event.Send, Time: at.Unix(), Message: message, User: "u_0", Source: "bench", Subject: "Pricing",
			Recipients: []event.Person{{Email: fmt.Sprintf("p%d@company%d.example", n, n%1000)}},
		})
		if len(batch) == cap(batch) || n == all-1 {
			if err := writeBoth(ctx, a, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}

// swept is how long it took to decide about what was due.
type swept time.Duration

func (s swept) figures(into *figures.Found) {
	into.Add(figureSweep, "ms", milliseconds(time.Duration(s)))
}

// tellCount counts what people are told.
type tellCount struct{ count int }

// Decided counts a decision.
func (t *tellCount) Decided(d notify.Decision) {
	if d.Outcome == notify.Notified {
		t.count++
	}
}

// Beyond is not counted.
func (t *tellCount) Beyond(string) {}
