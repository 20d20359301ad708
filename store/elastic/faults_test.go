package elastic_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/query"
	"tidings/store/elastic"
	"tidings/store/elastic/elastictest"
	"tidings/store/sqlite"
	"tidings/stream"
	"tidings/verdict"
)

// faultWeek is where the events of these tests are.
const faultWeek = event.Week(2900)

// someOpens are n opens of as many sends, within a few hours.
func someOpens(n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		at := faultWeek.Start() + int64(i)
		events[i] = event.Event{
			ID: event.NewID(at, "w", "api", true, fmt.Append(nil, i)), Workspace: "w", Type: event.Open, Time: at,
			Message: fmt.Sprint("m-", i), Source: "api", Subject: "Pricing", Recipient: &event.Person{Email: "jo@acme.example"},
		}
	}
	return events
}

// behind opens an index through a proxy.
func behind(t *testing.T) (*elastic.Index, *elastictest.Bulk) {
	proxy := elastictest.NewProxy(t, server.URL(t))
	config, err := elastic.ParseURL(proxy.URL())
	require.NoError(t, err)
	config.Prefix = fmt.Sprint("fault-", time.Now().UnixNano())
	index, err := elastic.Open(config)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, index.Close())
		direct, err := elastic.ParseURL(server.URL(t))
		require.NoError(t, err)
		direct.Prefix = config.Prefix
		clear(t, direct)
	})
	return index, proxy
}

// TestPartialFailures creates events while a tenth of the writes is too much for
// the server, a hundredth of the documents never fits and every tenth answer is
// lost. What can be written is there once, each for one caller.
func TestPartialFailures(t *testing.T) {
	ctx := context.Background()
	index, proxy := behind(t)
	faults := elastictest.Faults{Busy: 0.1, Refused: 0.01, Lost: 0.1}
	proxy.Set(faults)
	events := someOpens(3000)
	created, refused := make(map[event.ID]int), make(map[event.ID]bool)
	tries := 0
	for waiting := events; len(waiting) > 0; tries++ {
		require.Less(t, tries, 1000)
		batch := waiting[:min(250, len(waiting))]
		outcomes, err := index.Create(ctx, batch)
		if err != nil {
			require.ErrorIs(t, err, event.ErrUnavailable)
			continue // the whole batch again
		}
		waiting = waiting[len(batch):]
		for i, outcome := range outcomes {
			switch {
			case outcome.Created:
				created[batch[i].ID]++
			case errors.Is(outcome.Err, event.ErrUnavailable):
				waiting = append(waiting, batch[i]) // that one alone again
			case outcome.Err != nil:
				require.ErrorIs(t, outcome.Err, event.ErrInvalid)
				refused[batch[i].ID] = true
			}
		}
	}
	require.NoError(t, index.Refresh(ctx))
	hits, err := index.Search(ctx, feed.Search{Workspace: "w", Weeks: []event.Week{faultWeek}, Limit: 5000})
	require.NoError(t, err)
	for _, e := range events {
		require.Equal(t, faults.Refuses(e.ID.String()), refused[e.ID])
		require.LessOrEqual(t, created[e.ID], 1)
	}
	require.Len(t, hits, len(events)-len(refused))
	counts := proxy.Counts()
	require.Positive(t, counts.Busy)
	require.Positive(t, counts.Lost)
	require.NotEmpty(t, refused)
	require.Less(t, len(created), len(hits), "those of lost answers are there, and nobody's")
}

// TestIndexingThroughFaults takes events through the queue and the indexer while
// bulk requests fail in part and the server is cut off in between. Only the
// documents that never fit become dead letters.
func TestIndexingThroughFaults(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	index, proxy := behind(t)
	state, err := sqlite.OpenState(filepath.Join(t.TempDir(), "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, state.Close()) }()
	const attempts = 2
	queue, err := stream.Open(ctx, stream.Config{Dir: t.TempDir(), MaxAttempts: attempts, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, queue.Close()) }()
	rules, err := verdict.New(verdict.Config{})
	require.NoError(t, err)
	working := indexer.New(indexer.Config{
		Rules: rules, Reevaluations: noReevaluations{}, Queue: queue, Index: index, States: state, Erasures: state, Announcer: queue,
		Eraser: &indexer.Eraser{Index: index, States: state, Announcer: queue}, Logger: slog.New(slog.DiscardHandler), BatchSize: 200,
	})
	var running errgroup.Group
	running.Go(func() error { return working.Run(ctx) })
	running.Go(func() error { return queue.Run(ctx) })
	defer func() {
		cancel()
		if err := running.Wait(); !errors.Is(err, context.Canceled) {
			require.NoError(t, err)
		}
	}()

	faults := elastictest.Faults{Busy: 0.1, Refused: 0.01, Lost: 0.1}
	proxy.Set(faults)
	events, refused := someOpens(1200), make(map[event.ID]bool)
	for i, batch := range slices.Collect(slices.Chunk(events, 300)) {
		require.NoError(t, queue.Publish(ctx, event.LaneLive, batch))
		if i == 1 {
			proxy.Cut()
		}
	}
	require.Error(t, index.Ping(ctx))
	require.ErrorIs(t, index.Ping(ctx), event.ErrUnavailable)
	proxy.Restore()
	for _, e := range events {
		if faults.Refuses(e.ID.String()) {
			refused[e.ID] = true
		}
	}
	require.NotEmpty(t, refused)
	require.Eventually(t, func() bool { return queue.Stats().DeadLetters == int64(len(refused)) && queue.Backlog() == 0 },
		2*time.Minute, 100*time.Millisecond, "what waits is indexed, what never fits is a dead letter")
	require.NoError(t, index.Refresh(ctx))
	hits, err := index.Search(ctx, feed.Search{
		Workspace: "w", Weeks: []event.Week{faultWeek}, Limit: 5000, Query: query.Query{Automated: query.AutomatedShow},
	})
	require.NoError(t, err)
	there := make(map[event.ID]int)
	for _, hit := range hits {
		there[hit.Event.ID]++
	}
	for _, e := range events {
		if refused[e.ID] {
			require.Zero(t, there[e.ID])
		} else {
			require.Equal(t, 1, there[e.ID])
		}
	}
	letters, err := queue.DeadLetters(ctx, "w", "", 1000)
	require.NoError(t, err)
	dead := make(map[event.ID]bool)
	for _, letter := range letters {
		var e event.Event
		require.NoError(t, json.Unmarshal(letter.Event, &e))
		dead[e.ID] = true
		require.Len(t, letter.Attempts, attempts)
	}
	require.Equal(t, refused, dead)
}

// noReevaluations is for events that need not be judged again.
type noReevaluations struct{}

func (noReevaluations) Reevaluate(context.Context, []event.MessageKey) error { return nil }
