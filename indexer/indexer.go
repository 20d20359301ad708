package indexer

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/backoff"
	"tidings/event"
	"tidings/tracing"
	"tidings/verdict"
)

// Config is what an Indexer works with.
type Config struct {
	Queue     Queue
	Index     Index
	States    States
	Erasures  Erasures
	Announcer Announcer
	// Triggers may be nil: then nobody is told of anything.
	Triggers Triggers
	Rules    *verdict.Rules
	// Internal knows the workspaces' own people and scanners; nil where nobody does.
	Internal Internal
	// Reevaluations takes the messages of which something must be judged again.
	Reevaluations Reevaluations
	// Eraser removes again what came in while a person was being erased.
	Eraser *Eraser
	// Blocks may be nil where nothing is ever sealed.
	Blocks Blocks
	// Observer may be nil, and so may Tracer.
	Observer Observer
	Tracer   *tracing.Tracer
	Logger   *slog.Logger
	// Workers is how many batches of each lane are under way at once; 0 means two,
	// so that one writes the state while the other writes the index.
	Workers int
	// BatchSize is how many events a batch holds at most; 0 means 1,000.
	BatchSize int
	// BulkTime is how long a batch of the bulk lane should take where live ones wait
	// for it, as they do for an embedded store; 0 sets no bound.
	BulkTime time.Duration
	// Limit is how long a batch may take before it is tried again in halves, 0 for
	// as long as it takes. It is less than the time after which the queue gives events
	// out again. A single event is not limited.
	Limit time.Duration
	// Clock is the time, time.Now where it is nil, and Sleep lets a time go by.
	Clock func() time.Time
	Sleep func(ctx context.Context, d time.Duration)
	// Between is called after each step of a batch, for tests that crash there.
	Between func(Step)
}

// Step names a part of a batch's way.
type Step string

// The steps, in their order.
const (
	StepEnrich   Step = "enrich"
	StepJudge    Step = "judge"
	StepApply    Step = "apply"
	StepCreate   Step = "create"
	StepComplete Step = "complete"
	StepAnnounce Step = "announce"
	StepAck      Step = "ack"
)

// Outcome names what became of an event, for counting.
type Outcome string

// The outcomes.
const (
	OutcomeCreated Outcome = "created"
	OutcomeExisted Outcome = "existed"
	OutcomeErased  Outcome = "erased"
	OutcomeRetried Outcome = "retried"
	OutcomeFailed  Outcome = "failed"
	// OutcomeHeld is an event that waits until its week is repaired.
	OutcomeHeld Outcome = "held"
)

// Indexer moves events from the queue into state and index.
type Indexer struct {
	Config
	// live and bulk are how large the batches of the lanes are.
	live, bulk *pace
	retries    *budget
	yielding   yielding
}

// New makes an Indexer.
func New(c Config) *Indexer {
	if c.Workers == 0 {
		c.Workers = 2
	}
	if c.BatchSize == 0 {
		c.BatchSize = 1000
	}
	if c.Observer == nil {
		c.Observer = silent{}
	}
	if c.Between == nil {
		c.Between = func(Step) {}
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	x := &Indexer{Config: c, live: newPace(c.BatchSize), bulk: newPace(c.BatchSize), retries: newBudget(2 * c.BatchSize)}
	if c.BulkTime > 0 {
		x.bulk.size, x.bulk.target = min(bulkBegin, c.BatchSize), c.BulkTime
	}
	return x
}

// silent is the Observer of those who do not care.
type silent struct{}

func (silent) Took(Step, time.Duration) {}
func (silent) Count(Outcome, int)       {}
func (silent) Reevaluates(int)          {}
func (silent) KeptApart(Apart)          {}
func (silent) Corrected(int)            {}
func (silent) Untold(int)               {}

// pullWait is how long a pull waits for a first event.
const pullWait = time.Second

// Run works until ctx ends. What is under way then is given back. Each lane has
// workers of its own.
func (x *Indexer) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for range x.Workers {
		group.Go(func() error { return x.work(ctx, event.LaneLive) })
		group.Go(func() error { return x.work(ctx, event.LaneBulk) })
	}
	return group.Wait()
}

// work handles batches of a lane one after the other. A store that is away pauses
// the pulling, longer each time, and counts against no event.
func (x *Indexer) work(ctx context.Context, lane event.Lane) error {
	var failures backoff.Failures
	for ctx.Err() == nil {
		deliveries, err := x.Queue.Pull(ctx, lane, x.pulls(lane), pullWait)
		if err == nil && len(deliveries) > 0 {
			err = x.handleLane(ctx, lane, deliveries)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			wait := failures.Failed(pauses)
			x.Logger.WarnContext(ctx, "indexing is paused", "lane", lane, "error", err, "wait", wait)
			x.Sleep(ctx, wait)
		default:
			failures.Reset()
		}
	}
	return nil
}

// Handle takes one batch through the steps and ends each of its deliveries. A
// returned error says that something the batch needs is away: its deliveries
// were given back, uncounted.
func (x *Indexer) Handle(ctx context.Context, deliveries []Delivery) error {
	return x.handle(ctx, x.live, x.decode(ctx, deliveries))
}

// handle takes entries through the steps. Those that took too long are tried again
// in halves, at once as long as there is a budget for that: what is done by then is
// kept.
func (x *Indexer) handle(ctx context.Context, p *pace, entries []*entry) error {
	var failures backoff.Failures
	for size := len(entries); len(entries) > 0; {
		part := entries[:min(size, len(entries))]
		began := x.Clock()
		left, err := x.once(ctx, part)
		switch {
		case err == nil:
			p.ended(len(part), x.Clock().Sub(began))
			x.retries.earn(len(part))
			entries = entries[len(part):]
		case timedOut(err) && ctx.Err() == nil && len(left) > 1:
			p.late(len(left))
			size = min(len(left)/2, p.now())
			entries = entries[len(part)-len(left):]
			x.Logger.WarnContext(ctx, "a batch took too long; smaller ones are tried", "events", len(left), "next", size, "error", err)
			for _, entry := range left {
				entry.again = true
			}
			x.Observer.Count(OutcomeRetried, len(left))
			if !x.retries.spend(len(left)) {
				x.extend(entries)
				x.Sleep(ctx, failures.Failed(pauses))
			}
			x.extend(entries)
		default:
			if timedOut(err) {
				p.late(len(left))
			}
			x.giveBack(entries[len(part)-len(left):]...)
			return err
		}
	}
	return nil
}

// once takes entries through the steps and ends each of them. With an error it
// returns those that were not ended, which something they need is away for.
func (x *Indexer) once(ctx context.Context, entries []*entry) ([]*entry, error) {
	err := x.within(ctx, entries)
	if err == nil {
		return nil, nil
	}
	if away(ctx, err) {
		return entries, err
	}
	// One of them breaks the batch: each goes alone, so that it breaks only
	// itself and its failure is counted.
	for i, entry := range entries {
		entry.again = true
		err := x.within(ctx, entries[i:i+1])
		switch {
		case err == nil:
		case away(ctx, err):
			return entries[i:], err
		default:
			x.fail(ctx, entry.delivery, err)
		}
	}
	return nil, nil
}

// away reports whether an error counts against no event.
func away(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, event.ErrUnavailable) || timedOut(err)
}

// within is try in the time that a batch may take.
func (x *Indexer) within(ctx context.Context, entries []*entry) error {
	if x.Limit > 0 && len(entries) > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, x.Limit)
		defer cancel()
	}
	return x.try(ctx, entries)
}

// giveBack returns events to the queue for later, spread a little.
func (x *Indexer) giveBack(entries ...*entry) { x.giveBackFor(time.Second, entries...) }

func (x *Indexer) giveBackFor(wait time.Duration, entries ...*entry) {
	for _, entry := range entries {
		after := wait + rand.N(wait)
		if err := entry.delivery.Retry(after); err != nil {
			x.Logger.Debug("giving an event back failed; it comes back by itself", "error", err)
		}
	}
	x.Observer.Count(OutcomeRetried, len(entries))
}

// fail counts a failure that is the event's own.
func (x *Indexer) fail(ctx context.Context, delivery Delivery, reason error) {
	if err := delivery.Fail(ctx, reason); err != nil {
		x.Logger.WarnContext(ctx, "a failed try could not be noted; the event comes back by itself", "error", err)
	}
	x.Observer.Count(OutcomeFailed, 1)
}

// pauses are how long indexing waits for something that is away.
var pauses = backoff.Delays{Base: 100 * time.Millisecond, Max: 5 * time.Second}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
