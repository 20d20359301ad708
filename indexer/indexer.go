package indexer

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

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
	Rules     *verdict.Rules
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
	// Workers is how many batches are under way at once; 0 means two, so that
	// one writes the state while the other writes the index.
	Workers int
	// BatchSize is how many events a batch holds at most; 0 means 1,000.
	BatchSize int
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
	return &Indexer{c}
}

// silent is the Observer of those who do not care.
type silent struct{}

func (silent) Took(Step, time.Duration) {}
func (silent) Count(Outcome, int)       {}
func (silent) Reevaluates(int)          {}
func (silent) Corrected(int)            {}

// pullWait is how long a pull waits for a first event.
const pullWait = time.Second

// Run works until ctx ends. What is under way then is given back.
func (x *Indexer) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for range x.Workers {
		group.Go(func() error { return x.work(ctx) })
	}
	return group.Wait()
}

// work handles batches one after the other. A store that is away pauses the
// pulling, longer each time, and counts against no event.
func (x *Indexer) work(ctx context.Context) error {
	var pause backoff
	for ctx.Err() == nil {
		deliveries, err := x.Queue.Pull(ctx, x.BatchSize, pullWait)
		if err == nil && len(deliveries) > 0 {
			err = x.Handle(ctx, deliveries)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			wait := pause.next()
			x.Logger.WarnContext(ctx, "indexing is paused", "error", err, "wait", wait)
			sleep(ctx, wait)
		default:
			pause.reset()
		}
	}
	return nil
}

// Handle takes one batch through the steps and ends each of its deliveries. A
// returned error says that something the batch needs is away: its deliveries
// were given back, uncounted.
func (x *Indexer) Handle(ctx context.Context, deliveries []Delivery) error {
	entries := x.decode(ctx, deliveries)
	err := x.try(ctx, entries)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil || errors.Is(err, event.ErrUnavailable) {
		x.giveBack(entries...)
		return err
	}
	// One of them breaks the batch: each goes alone, so that it breaks only
	// itself and its failure is counted.
	for i, entry := range entries {
		entry.again = true
		err := x.try(ctx, entries[i:i+1])
		switch {
		case err == nil:
		case ctx.Err() != nil || errors.Is(err, event.ErrUnavailable):
			x.giveBack(entries[i:]...)
			return err
		default:
			x.fail(ctx, entry.delivery, err)
		}
	}
	return nil
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
		x.Logger.WarnContext(ctx, "a failed event could not be set aside; it comes back by itself", "error", err)
	}
	x.Observer.Count(OutcomeFailed, 1)
}

// backoff grows from a tenth of a second to five seconds, with jitter.
type backoff struct{ last time.Duration }

func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, 100*time.Millisecond), 5*time.Second)
	return b.last/2 + rand.N(b.last/2)
}

func (b *backoff) reset() { b.last = 0 }

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
