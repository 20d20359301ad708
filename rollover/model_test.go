package rollover_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/query"
	"tidings/rollover"
	"tidings/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	day   = 24 * time.Hour
	grace = 2 * day
)

// noon is a Saturday in the middle of 2026.
var noon = time.Date(2026, time.June, 20, 12, 0, 0, 0, time.UTC)

// world is real stores in a directory, a queue of what did not get in yet, and
// a clock.
type world struct {
	dir     string
	policy  rollover.Policy
	index   *sqlite.Index
	state   *sqlite.State
	notes   notes
	now     time.Time
	waiting []event.Event
}

func newWorld(t require.TestingT, policy rollover.Policy) *world {
	dir, err := os.MkdirTemp("", "rollover")
	require.NoError(t, err)
	w := &world{dir: dir, policy: policy, now: noon, notes: notes{wanted: map[event.Week]bool{}}}
	w.open(t)
	return w
}

func (w *world) open(t require.TestingT) {
	var err error
	w.index, err = sqlite.OpenIndex(filepath.Join(w.dir, "weeks"), sqlite.IndexConfig{})
	require.NoError(t, err)
	w.state, err = sqlite.OpenState(filepath.Join(w.dir, "state.db"), sqlite.StateConfig{
		Grace: grace, Now: func() time.Time { return w.now },
	})
	require.NoError(t, err)
}

func (w *world) close(t require.TestingT) {
	require.NoError(t, errors.Join(w.index.Close(), w.state.Close()))
}

func (w *world) remove(t require.TestingT) {
	w.close(t)
	require.NoError(t, os.RemoveAll(w.dir))
}

// rollover is a new one, as of a new process.
func (w *world) rollover(between func(rollover.Action)) *rollover.Rollover {
	return rollover.New(rollover.Config{
		Policy: w.policy, Weeks: w.index, Blocks: w.index, States: w.state, Catalogue: w.state,
		Notes: &w.notes, Leases: nobodyElse{}, Clock: func() time.Time { return w.now },
		Logger: slog.New(slog.DiscardHandler), Between: between,
	})
}

// deliver gives an event to the stores as the indexer does: what is blocked
// asks for its week and comes again.
func (w *world) deliver(t require.TestingT) {
	ctx := context.Background()
	for _, e := range w.waiting {
		_, err := w.state.Apply(ctx, []event.Change{event.ChangeOf(e)}, []indexer.WorkspaceWeek{{Workspace: e.Workspace, Week: e.Week()}})
		require.NoError(t, err)
	}
	outcomes, err := w.index.Create(ctx, w.waiting)
	require.NoError(t, err)
	var left []event.Event
	for i, e := range w.waiting {
		if blocked, ok := errors.AsType[*event.WeekBlocked](outcomes[i].Err); ok {
			w.notes.want(blocked.Week)
			left = append(left, e)
			continue
		}
		require.NoError(t, outcomes[i].Err)
	}
	w.waiting = left
}

// crash makes a run that ends after some of its actions as a killed process
// does, and opens the stores anew.
func (w *world) crash(t require.TestingT, after int) {
	var running sync.WaitGroup
	running.Go(func() {
		_, _ = w.rollover(func(rollover.Action) {
			if after--; after < 0 {
				runtime.Goexit()
			}
		}).RunConfirmed(context.Background())
	})
	running.Wait()
	w.close(t)
	w.open(t)
}

// atOnce makes two runs that no lease keeps apart, while what waits is
// delivered.
func (w *world) atOnce(t require.TestingT) {
	var problems [2]error
	var running sync.WaitGroup
	for i := range problems {
		running.Go(func() { _, problems[i] = w.rollover(nil).RunConfirmed(context.Background()) })
	}
	w.deliver(t)
	running.Wait()
	require.NoError(t, errors.Join(problems[:]...))
}

func (w *world) run(t require.TestingT) {
	_, err := w.rollover(nil).RunConfirmed(context.Background())
	require.NoError(t, err)
}

// nobodyElse is a lease that everybody gets.
type nobodyElse struct{}

func (nobodyElse) RunUnderLease(ctx context.Context, _ string, _ time.Duration, f func(context.Context) error) error {
	return f(ctx)
}

// notes are in memory; they outlive what a test calls a process.
type notes struct {
	mu     sync.Mutex
	wanted map[event.Week]bool
	last   *rollover.Report
}

func (n *notes) want(week event.Week) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wanted[week] = true
}

func (n *notes) WantedWeeks(context.Context) ([]event.Week, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Sorted(maps.Keys(n.wanted)), nil
}

func (n *notes) Unblocked(_ context.Context, week event.Week) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.wanted, week)
	return nil
}

func (n *notes) LastRun(context.Context) (rollover.Report, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last == nil {
		return rollover.Report{}, false, nil
	}
	return *n.last, true, nil
}

func (n *notes) NoteRun(_ context.Context, report rollover.Report) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = &report
	return nil
}

var people = []event.Person{{Email: "jo@acme.example"}, {Email: "li@acme.example"}}

// anyMail draws a send or an open of one of a few messages. A message is sent
// at one time, by its number, and may be opened weeks later.
func anyMail(t *rapid.T) event.Event {
	number := rapid.IntRange(0, 7).Draw(t, "message")
	sent := noon.Add(-time.Duration(number) * 9 * day).Unix()
	e := event.Event{
		Workspace: []string{"w", "v"}[number%2], Message: fmt.Sprint("m-", number), Type: event.Send,
		Time: sent, Source: "api", Recipients: people[:1+number%2],
	}
	if rapid.IntRange(0, 3).Draw(t, "kind") > 0 {
		e.Type, e.Recipients = event.Open, nil
		e.Recipient = &people[rapid.IntRange(0, 1).Draw(t, "who")]
		e.Time += int64(rapid.IntRange(0, 2).Draw(t, "weeks later")) * 7 * 86_400
	}
	e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, fmt.Append(nil, e.Type, e.Message, e.Recipient))
	return e
}

// TestRunsEndInOneState delivers events late and again, days apart, with nights
// that are killed after any action, that are run twice at once, or left out, and
// holds what is there at last to what the events alone say.
func TestRunsEndInOneState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := rollover.Policy{
			Retention:       rapid.SampledFrom([]time.Duration{0, 40 * day}).Draw(t, "retention"),
			RemoveCompleted: rapid.Bool().Draw(t, "remove completed"),
		}
		w := newWorld(t, policy)
		defer w.remove(t)
		came := make(map[event.ID]event.Event)
		for range rapid.IntRange(1, 4).Draw(t, "days") {
			for _, e := range rapid.SliceOfN(rapid.Custom(anyMail), 0, 6).Draw(t, "events") {
				came[e.ID] = e
				w.waiting = append(w.waiting, e)
			}
			w.deliver(t)
			switch rapid.SampledFrom([]string{"run", "crash", "at once", "none"}).Draw(t, "night") {
			case "run":
				w.run(t)
			case "crash":
				w.crash(t, rapid.IntRange(0, 12).Draw(t, "actions"))
			case "at once":
				w.atOnce(t)
			}
			w.deliver(t)
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 8).Draw(t, "sleep")) * day / 2)
		}
		for range 4 { // unblock, seal, expire, purge: each may wait for the one before
			w.run(t)
			w.deliver(t)
			w.now = w.now.Add(grace)
		}
		w.run(t)
		require.Empty(t, w.waiting, "an event still waits")
		w.check(t, slices.Collect(maps.Values(came)))
	})
}

// check holds the stores to what they should hold of the events.
func (w *world) check(t require.TestingT, events []event.Event) {
	ctx := context.Background()
	states := make(map[event.MessageKey]event.State)
	for _, e := range events {
		key := event.MessageKey{Workspace: e.Workspace, Message: e.Message}
		state := states[key]
		state.Apply(event.ChangeOf(e))
		states[key] = state
	}
	horizon := event.Week(-1 << 30)
	if w.policy.Retention > 0 {
		horizon = event.WeekOf(w.now.Add(-w.policy.Retention).Unix())
	}
	want := make(map[event.ID]bool)
	weeks := make(map[string]map[event.Week]bool)
	for _, e := range events {
		state := states[event.MessageKey{Workspace: e.Workspace, Message: e.Message}]
		if e.Week() < horizon {
			continue
		}
		if weeks[e.Workspace] == nil {
			weeks[e.Workspace] = make(map[event.Week]bool)
		}
		weeks[e.Workspace][e.Week()] = true
		if e.Type != event.Send || !w.policy.RemoveCompleted || !state.Complete() {
			want[e.ID] = true
		}
	}

	infos, err := w.index.WeekInfos(ctx)
	require.NoError(t, err)
	var all []event.Week
	for _, info := range infos {
		all = append(all, info.Week)
		require.GreaterOrEqual(t, info.Week, horizon)
		require.Equal(t, info.Week.End() <= w.now.Add(-14*day).Unix(), info.Sealed, "week %s", info.Week)
	}
	running := event.WeekOf(w.now.Unix())
	require.Subset(t, all, []event.Week{running, running + 1, running + 2})

	got := make(map[event.ID]bool)
	for _, workspace := range []string{"w", "v"} {
		hits, err := w.index.Search(ctx, feed.Search{
			Workspace: workspace, Query: query.Query{Automated: query.AutomatedShow}, Weeks: all, Limit: 1000,
		})
		require.NoError(t, err)
		for _, hit := range hits {
			require.False(t, got[hit.Event.ID], "%s is there twice", hit.Event.ID)
			got[hit.Event.ID] = true
		}
		listed, err := w.state.Weeks(ctx, workspace)
		require.NoError(t, err)
		require.ElementsMatch(t, slices.Collect(maps.Keys(weeks[workspace])), listed, "catalogue of %s", workspace)
	}
	require.Equal(t, want, got)
	w.checkStates(t, states, horizon)
}

func (w *world) checkStates(t require.TestingT, states map[event.MessageKey]event.State, horizon event.Week) {
	for key, state := range states {
		stored, err := w.state.Of(context.Background(), key.Workspace, []string{key.Message})
		require.NoError(t, err)
		found, exists := stored[key.Message]
		switch {
		case !state.Sent:
			continue
		case event.WeekOf(state.At) < horizon:
			require.False(t, found.Sent, "%s is forgotten", key.Message)
			continue
		}
		require.True(t, exists, "%s is kept", key.Message)
		require.Equal(t, state.Complete(), found.Done, "%s", key.Message)
		require.Equal(t, len(state.Unopened()), len(found.Unopened()), "%s", key.Message)
	}
}
