package indexer_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
)

// running is an indexer at work on a queue that says when nothing is left.
type running struct {
	*queue
	done context.CancelFunc
}

// Pull ends the run when all is done, and gives other goroutines a turn when there
// is nothing to give out.
func (r *running) Pull(ctx context.Context, lane event.Lane, most int, _ time.Duration) ([]indexer.Delivery, error) {
	if r.waiting() == 0 {
		r.done()
		return nil, ctx.Err()
	}
	batch := r.takeOf(lane, most)
	if len(batch) == 0 {
		select {
		case <-ctx.Done():
		case <-time.After(time.Millisecond):
		}
	}
	return batch, nil
}

// runAll runs an indexer until its queue is empty.
func runAll(t *testing.T, c indexer.Config, q *queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c.Queue = &running{q, cancel}
	require.NoError(t, indexer.New(c).Run(ctx))
	require.Zero(t, q.waiting(), "everything is indexed")
}

// opens are opens of messages of their own, one every apart seconds.
func opens(workspace string, n int, apart int64) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		e := event.Event{
			Workspace: workspace, Message: fmt.Sprint("m-", i), Type: event.Open, Time: start - int64(i)*apart, Source: "api",
			Recipient: &people[0],
		}
		e.ID = event.NewID(e.Time, workspace, e.Source, true, fmt.Append(nil, i))
		events[i] = e
	}
	return events
}

// lanesOf is a queue with events of both lanes.
func lanesOf(live, bulk []event.Event) *queue {
	q := newQueue(slices.Concat(bulk, live)...)
	for _, it := range q.items[:len(bulk)] {
		it.lane = event.LaneBulk
	}
	return q
}

// batches hears of each batch that is created.
type batches struct {
	indexer.Index
	heard func(ctx context.Context, events []event.Event)
}

func (b batches) Create(ctx context.Context, events []event.Event) ([]event.Outcome, error) {
	b.heard(ctx, events)
	return b.Index.Create(ctx, events)
}

const week = 7 * 24 * 3600

func TestABatchHasOneLaneAndBulkIsBoundedInWeeks(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	bulk := opens("bulk", 120, week/4)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(bulk), func(i, j int) { bulk[i], bulk[j] = bulk[j], bulk[i] })
	q := lanesOf(opens("live", 40, 1), bulk)
	c := s.config(q, &listener{})
	var mu sync.Mutex
	met := map[event.Week]int{}
	c.Index = batches{s.index, func(_ context.Context, events []event.Event) {
		mu.Lock()
		defer mu.Unlock()
		weeks := map[event.Week]bool{}
		for _, e := range events {
			require.Equal(t, events[0].Workspace, e.Workspace, "live and bulk in one batch")
			weeks[e.Week()] = true
		}
		require.LessOrEqual(t, len(weeks), 8, "weeks in a batch")
		if events[0].Workspace == "bulk" {
			for week := range weeks {
				met[week]++
			}
		}
	}}
	runAll(t, c, q)
	for week, n := range met {
		require.LessOrEqual(t, n, 2, "%v is written again and again although the batch is sorted", week)
	}
}

func TestALiveEventIsIndexedWhileEveryBulkBatchIsStuck(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	q := lanesOf(opens("live", 1, 1), opens("bulk", 100, 60))
	c := s.config(q, &listener{})
	c.BatchSize = 10
	live := make(chan struct{})
	c.Index = batches{s.index, func(ctx context.Context, events []event.Event) {
		if events[0].Workspace == "live" {
			close(live)
			return
		}
		select {
		case <-live:
		case <-ctx.Done():
			t.Error("a live event waited for bulk ones")
		}
	}}
	runAll(t, c, q)
}

// slow is a state store behind a line that takes a time for each change, by a clock
// of its own. What takes longer than limit is cut off half way.
type slow struct {
	indexer.States
	limit time.Duration

	mu     sync.Mutex
	now    time.Time
	change time.Duration
	sizes  []int
}

func (s *slow) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *slow) sleep(_ context.Context, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *slow) Apply(ctx context.Context, changes []event.Change, weeks []indexer.WorkspaceWeek) ([]event.State, error) {
	s.mu.Lock()
	took := s.change * time.Duration(len(changes))
	s.now = s.now.Add(min(took, s.limit))
	s.sizes = append(s.sizes, len(changes))
	s.mu.Unlock()
	if took > s.limit {
		if _, err := s.States.Apply(ctx, changes[:len(changes)/2], weeks); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("changing states: %w: %w", event.ErrUnavailable, context.DeadlineExceeded)
	}
	return s.States.Apply(ctx, changes, weeks)
}

// counted counts what becomes of events.
type counted struct {
	mu sync.Mutex
	of map[indexer.Outcome]int
	// apart are the names that stayed apart, by why.
	apart map[indexer.Apart]int
}

func (c *counted) Took(indexer.Step, time.Duration) {}
func (c *counted) Reevaluates(int)                  {}
func (c *counted) Corrected(int)                    {}
func (c *counted) Untold(int)                       {}

func (c *counted) KeptApart(why indexer.Apart) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.apart == nil {
		c.apart = make(map[indexer.Apart]int)
	}
	c.apart[why]++
}

func (c *counted) Count(outcome indexer.Outcome, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[outcome] += n
}

func TestASlowStateStoreGetsSmallBatchesAndFewRetries(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	const n = 800
	q := lanesOf(opens("live", n/2, 60), opens("bulk", n/2, 60))
	c := s.config(q, &listener{})
	c.BatchSize, c.Limit, c.Workers = 200, time.Hour, 1
	// 20 changes get through in time.
	store := &slow{States: s.state, limit: 10 * time.Second, change: time.Second / 2}
	count := &counted{of: map[indexer.Outcome]int{}}
	c.States, c.Clock, c.Sleep, c.Observer = store, store.clock, store.sleep, count
	runAll(t, c, q)
	require.Equal(t, n, count.of[indexer.OutcomeCreated])
	// Each of two workers has one batch of 200 that is too large, and its halves.
	require.Less(t, count.of[indexer.OutcomeRetried], n+n/2, "retries of %d events: %v", n, store.sizes)

	store.change, store.sizes = time.Millisecond, nil
	x := indexer.New(c)
	more := newQueue(opens("later", 3000, 60)...)
	for more.waiting() > 0 {
		require.NoError(t, x.Handle(t.Context(), more.take(200)))
	}
	require.Equal(t, 200, slices.Max(store.sizes), "and large ones again once it is fast")
}

func TestABulkBatchIsBoundedInTime(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	q := lanesOf(nil, opens("bulk", 1500, 60))
	c := s.config(q, &listener{})
	store := &slow{States: s.state, limit: time.Hour, change: time.Millisecond}
	c.States, c.Clock, c.BulkTime, c.Workers = store, store.clock, 100*time.Millisecond, 1
	runAll(t, c, q)
	for _, size := range store.sizes[1:] {
		require.LessOrEqual(t, time.Duration(size)*store.change, 3*c.BulkTime/2, "%v", store.sizes)
	}
}
