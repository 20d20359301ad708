package migrations_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/migrations"
	"tidings/query"
	"tidings/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const week = event.Week(2900)

func opened(workspace string, n int) event.Event {
	at := week.Start() + int64(n%1000)
	return event.Event{
		ID: event.NewID(at, workspace, "s", true, fmt.Append(nil, n)), Workspace: workspace, Type: event.Open, Time: at,
		Message: fmt.Sprint("m-", n), Source: "s", Recipient: &event.Person{Email: fmt.Sprintf("r%d@acme.example", n%7)},
	}
}

// machines judges the opens of every third message to be a machine's.
func machines(_ context.Context, events []event.Event) ([]event.Event, error) {
	judged := make([]event.Event, len(events))
	for i, e := range events {
		var n int
		_, _ = fmt.Sscanf(e.Message, "m-%d", &n)
		e.Verdict = event.Verdict{Is: event.Human, By: "rule", Version: 2}
		if n%3 == 0 {
			e.Verdict.Is = event.Machine
		}
		judged[i] = e
	}
	return judged, nil
}

func rebuilder(index *sqlite.Index, between func(string)) *migrations.Rebuilder {
	return &migrations.Rebuilder{
		Index: index, Judge: machines, Logger: slog.New(slog.DiscardHandler), Between: between,
	}
}

func openIndex(t require.TestingT, dir string) *sqlite.Index {
	index, err := sqlite.OpenIndex(dir, sqlite.IndexConfig{})
	require.NoError(t, err)
	return index
}

// all are the events of a workspace in the week, by id.
func all(t require.TestingT, index *sqlite.Index, workspace string) map[event.ID]event.Event {
	hits, err := index.Search(context.Background(), feed.Search{
		Workspace: workspace, Weeks: []event.Week{week}, Limit: 1 << 20, Query: query.Query{Automated: query.AutomatedShow},
	})
	require.NoError(t, err)
	found := make(map[event.ID]event.Event, len(hits))
	for _, hit := range hits {
		_, twice := found[hit.Event.ID] // NotContains looks at every key
		require.False(t, twice, "it is there twice")
		found[hit.Event.ID] = hit.Event
	}
	return found
}

// create writes events until they are in, as the indexer does, and counts how
// often one had to wait.
func create(t *testing.T, index *sqlite.Index, events []event.Event, waited *atomic.Int64) {
	for len(events) > 0 {
		outcomes, err := index.Create(t.Context(), events)
		if err != nil {
			t.Error(err)
			return
		}
		var left []event.Event
		for i, outcome := range outcomes {
			if _, blocked := errors.AsType[*event.WeekBlocked](outcome.Err); blocked {
				waited.Add(1)
				left = append(left, events[i])
			} else if outcome.Err != nil {
				t.Error(outcome.Err)
			}
		}
		events = left
		runtime.Gosched()
	}
}

// TestAWeekIsRebuiltUnderLoad writes, corrects, erases and reads a week while it
// is built anew again and again.
func TestAWeekIsRebuiltUnderLoad(t *testing.T) {
	for name, sealed := range map[string]bool{"open": false, "sealed": true} {
		t.Run(name, func(t *testing.T) {
			ctx, index := t.Context(), openIndex(t, t.TempDir())
			defer func() { require.NoError(t, index.Close()) }()
			var written, waited atomic.Int64
			const before, mostWritten = 1100, 2000
			var first []event.Event
			for n := range before {
				first = append(first, opened("w", n))
			}
			create(t, index, first, &waited)
			written.Store(before)
			if sealed {
				require.NoError(t, index.Seal(ctx, week))
			}
			var load sync.WaitGroup
			stop := make(chan struct{})
			// Each goes on until it has nothing left to do, and does not spin then.
			during := func(do func(*rand.Rand) (more bool)) {
				load.Go(func() {
					random := rand.New(rand.NewPCG(1, 2))
					for more := true; more; {
						select {
						case <-stop:
							return
						default:
							more = do(random)
						}
					}
				})
			}
			if !sealed {
				during(func(*rand.Rand) bool { // one writes, so that every number up to written is in
					from := int(written.Load())
					var batch []event.Event
					for n := range 20 {
						batch = append(batch, opened("w", from+n))
					}
					create(t, index, batch, &waited)
					return written.Add(20) < mostWritten
				})
				during(func(random *rand.Rand) bool {
					correct(t, index, random.IntN(before))
					return true
				})
			}
			during(func(*rand.Rand) bool { // what was written before a page is on it
				least := int(written.Load())
				if got := len(all(t, index, "w")); got < least {
					t.Errorf("%d of %d events are found", got, least)
				}
				return true
			})
			erased := opened("gone", 1)
			during(func(*rand.Rand) bool {
				if !sealed {
					create(t, index, []event.Event{erased}, &waited)
				}
				_, _, err := index.EraseRecipient(ctx, "gone", erased.Recipient.Email)
				if err != nil {
					t.Error(err)
				}
				return true
			})
			for range 2 {
				report, err := rebuilder(index, nil).Rebuild(ctx, week)
				require.NoError(t, err)
				require.GreaterOrEqual(t, report.Events, before)
			}
			close(stop)
			load.Wait()
			checkRebuilt(t, index, int(written.Load()), sealed)
			t.Logf("%d events, %d waited", written.Load(), waited.Load())
		})
	}
}

// correct gives an event a subject, as a send that comes late does.
func correct(t *testing.T, index *sqlite.Index, n int) {
	e := opened("w", n)
	e.Subject = "Corrected"
	err := index.Rewrite(t.Context(), []event.Event{e})
	if _, blocked := errors.AsType[*event.WeekBlocked](err); err != nil && !blocked {
		t.Error(err)
	}
}

func checkRebuilt(t *testing.T, index *sqlite.Index, written int, sealed bool) {
	found := all(t, index, "w")
	require.Len(t, found, written)
	for n := range written {
		_, there := found[opened("w", n).ID]
		require.True(t, there)
	}
	require.Empty(t, all(t, index, "gone"), "who was erased stays away")
	infos, err := index.WeekInfos(t.Context())
	require.NoError(t, err)
	require.Equal(t, sealed, infos[0].Sealed)

	// Once more with nobody about: all are judged by the present rules.
	_, err = rebuilder(index, nil).Rebuild(t.Context(), week)
	require.NoError(t, err)
	hits, err := index.Search(t.Context(), feed.Search{
		Workspace: "w", Weeks: []event.Week{week}, Limit: 1 << 20, Query: query.Query{Automated: query.AutomatedOnly},
	})
	require.NoError(t, err)
	require.Len(t, hits, (written+2)/3)
}

// TestARebuildThatEndsAnywhereLosesNothing kills rebuilds after each step, with
// events that come meanwhile, and rebuilds again.
func TestARebuildThatEndsAnywhereLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "rebuild")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		index := openIndex(t, dir)
		ctx, want := context.Background(), make(map[event.ID]bool)
		add := func(e event.Event) {
			outcomes, err := index.Create(ctx, []event.Event{e})
			require.NoError(t, err)
			if _, blocked := errors.AsType[*event.WeekBlocked](outcomes[0].Err); blocked {
				return
			}
			require.NoError(t, outcomes[0].Err)
			want[e.ID] = true
		}
		for n := range rapid.IntRange(1, 5).Draw(t, "events") {
			add(opened("w", n))
		}
		steps := []string{"begin", "copy", "block", "copy the rest", "swap", ""}
		for try := range rapid.IntRange(1, 2).Draw(t, "tries") {
			at := rapid.SampledFrom(steps).Draw(t, "killed after")
			meanwhile := rapid.SampledFrom(steps).Draw(t, "an event comes after")
			var running sync.WaitGroup
			running.Go(func() {
				_, _ = rebuilder(index, func(step string) {
					if step == meanwhile {
						add(opened("w", 100+try))
					}
					if step == at {
						runtime.Goexit()
					}
				}).Rebuild(ctx, week)
			})
			running.Wait()
			require.NoError(t, index.Close())
			index = openIndex(t, dir)
		}
		got := make(map[event.ID]bool)
		for id := range all(t, index, "w") {
			got[id] = true
		}
		require.Equal(t, want, got)
		add(opened("w", 999))
		require.Len(t, all(t, index, "w"), len(want), "the week takes writes again")
		require.NoError(t, index.Close())
	})
}

func TestARebuildThatFailsLeavesTheWeekAsItWas(t *testing.T) {
	ctx, index := t.Context(), openIndex(t, t.TempDir())
	defer func() { require.NoError(t, index.Close()) }()
	var waited atomic.Int64
	create(t, index, []event.Event{opened("w", 1), opened("w", 2)}, &waited)
	broken := rebuilder(index, nil)
	broken.Judge = func(context.Context, []event.Event) ([]event.Event, error) { return nil, errors.New("no rules") }
	_, err := broken.Rebuild(ctx, week)
	require.ErrorContains(t, err, "no rules")
	_, err = rebuilder(index, nil).Rebuild(ctx, week+1)
	require.ErrorIs(t, err, event.ErrNotFound)
	create(t, index, []event.Event{opened("w", 3)}, &waited)
	require.Len(t, all(t, index, "w"), 3)

	generation, err := index.NextGeneration(ctx, week)
	require.NoError(t, err)
	_, err = rebuilder(index, nil).Rebuild(ctx, week)
	require.ErrorIs(t, err, event.ErrConflict)
	require.NoError(t, generation.Block(ctx))
	outcomes, err := index.Create(ctx, []event.Event{opened("w", 4)})
	require.NoError(t, err)
	require.ErrorIs(t, outcomes[0].Err, event.ErrUnavailable)
	require.NoError(t, generation.Discard(ctx))
	create(t, index, []event.Event{opened("w", 4)}, &waited)
	report, err := rebuilder(index, nil).Rebuild(ctx, week)
	require.NoError(t, err)
	require.Equal(t, 4, report.Events)
	require.Less(t, report.Blocked, time.Minute)
}
