package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"tidings/deliver/crm"
	"tidings/event"
	"tidings/panics"
)

// Bounds of the worker.
const (
	// perEndpoint is how many are under way to one endpoint at once, so that one that is
	// slow holds up nobody else; inAll is how many in all. A workspace may have three
	// times what is free of them.
	perEndpoint, inAll = 4, 64
	// leaseTime is longer than a try takes with everything around it.
	leaseTime = time.Minute
	// lookEvery is how often it looks for what is due; Wake looks at once.
	lookEvery = time.Second
	// endDisabled is how many of a disabled endpoint's are ended at once.
	endDisabled  = 100
	expireEvery  = time.Hour
	expireAtOnce = 1000
)

// Config is what a Worker stands on.
type Config struct {
	Outbox    Outbox
	Endpoints Endpoints
	Source    Source
	Sender    *Sender
	Clock     func() time.Time
	// Random gives numbers in [0, 1) for delays; math/rand's when nil.
	Random func() float64
	// Observer may be nil.
	Observer Observer
	Logger   *slog.Logger
}

// Worker delivers what is due. Any number may run on one Outbox.
type Worker struct {
	Config
	wake chan struct{}

	mu     sync.Mutex
	flying map[EndpointKey]int
	total  int
	turn   int
	tries  sync.WaitGroup
}

// NewWorker makes a Worker.
func NewWorker(config Config) *Worker {
	if config.Random == nil {
		config.Random = rand.Float64
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	return &Worker{Config: config, wake: make(chan struct{}, 1), flying: make(map[EndpointKey]int)}
}

// Wake has the worker look at once.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // It will look anyway.
	}
}

// Run delivers until ctx ends, and waits for the tries that are under way.
func (w *Worker) Run(ctx context.Context) error {
	defer w.tries.Wait()
	look, expire := time.NewTicker(lookEvery), time.NewTicker(expireEvery)
	defer look.Stop()
	defer expire.Stop()
	for {
		if err := w.Look(ctx); err != nil && ctx.Err() == nil {
			w.Logger.WarnContext(ctx, "what is due could not be looked for; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		case <-w.wake:
		case <-expire.C:
			if err := w.Expire(ctx); err != nil && ctx.Err() == nil {
				w.Logger.WarnContext(ctx, "old deliveries could not be deleted; it is tried again", "error", err)
			}
		}
	}
}

// Look claims what is due, endpoint by endpoint in turn, and begins to deliver it.
func (w *Worker) Look(ctx context.Context) error {
	now := w.Clock()
	endpoints, err := w.Outbox.Due(ctx, now)
	if err != nil {
		return err
	}
	w.turn++ // The first in the order of names is not always the first.
	free, busy := w.free()
	var wants []Want
	together := make(map[EndpointKey]bool)
	for i := range endpoints {
		key := endpoints[(i+w.turn)%len(endpoints)]
		room := min(perEndpoint, (3*free-busy[key.Workspace])/4)
		most, many, err := w.plan(ctx, key, room, now)
		if err != nil {
			return err
		}
		if most == 0 {
			continue
		}
		wants, together[key] = append(wants, Want{key, most}), many
		if many {
			most = 1
		}
		free, busy[key.Workspace] = free-most, busy[key.Workspace]+most
	}
	return w.begin(ctx, wants, together, now)
}

// Expire deletes all that ended long ago, some at once so that others can write between.
func (w *Worker) Expire(ctx context.Context) error {
	for before := w.Clock().Add(-KeepFor); ; {
		if n, err := w.Outbox.Expire(ctx, before, expireAtOnce); err != nil || n < expireAtOnce {
			return err
		}
	}
}

// Idle waits until no try is under way.
func (w *Worker) Idle() { w.tries.Wait() }

// plan says how many of an endpoint's may be delivered now, of room that there is, and whether
// they go there together. It ends what waits for an endpoint that is disabled.
func (w *Worker) plan(ctx context.Context, key EndpointKey, room int, now time.Time) (most int, together bool, err error) {
	flying := w.flyingTo(key)
	if room = min(room, perEndpoint-flying); room <= 0 {
		return 0, false, nil
	}
	health, err := w.Endpoints.Health(ctx, key, nil)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return 0, false, err
	}
	may, probe := health.Sendable(now)
	switch together = w.together(ctx, key); {
	case together && flying > 0:
		return 0, true, nil // One call after the other: each locks rows there.
	case health.Mode == Disabled:
		return 0, together, w.endAll(ctx, key, now)
	case !may || probe && flying > 0:
		return 0, together, nil
	case probe:
		return 1, together, nil
	case together:
		return crm.Most, true, nil
	}
	return room, false, nil
}

// begin claims what is wanted, all endpoints at once so that the disk is waited for once, and
// delivers each beside the others, or all of an endpoint together.
func (w *Worker) begin(ctx context.Context, wants []Want, together map[EndpointKey]bool, now time.Time) error {
	if len(wants) == 0 {
		return nil
	}
	claimed, err := w.Outbox.Claim(ctx, wants, now, now.Add(leaseTime))
	if err != nil {
		return err
	}
	many := make(map[EndpointKey][]Delivery)
	for _, d := range claimed {
		key := EndpointKey{d.Workspace, d.Endpoint}
		if together[key] {
			many[key] = append(many[key], d)
			continue
		}
		w.try(ctx, key, d.ID, func(ctx context.Context) error { return w.deliver(ctx, d) })
	}
	for key, all := range many {
		w.try(ctx, key, all[0].ID, func(ctx context.Context) error { return w.deliverTogether(ctx, all) })
	}
	return nil
}

// try makes a try beside the others.
func (w *Worker) try(ctx context.Context, key EndpointKey, id string, deliver func(context.Context) error) {
	w.count(key, 1)
	w.tries.Go(func() {
		defer w.Wake() // Others of the endpoint may be due.
		defer w.count(key, -1)
		// A try that began is brought to its end: it has a bound of its own.
		err := panics.AsError(func() error { return deliver(context.WithoutCancel(ctx)) })()
		if err != nil {
			w.Logger.WarnContext(ctx, "a delivery could not be resolved; it comes back after its lease", "delivery", id, "error", err)
		}
	})
}

// free is how many tries more there may be, and how many each workspace has under way.
func (w *Worker) free() (free int, busy map[string]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	busy = make(map[string]int)
	for key, n := range w.flying {
		busy[key.Workspace] += n
	}
	return max(0, inAll-w.total), busy
}

func (w *Worker) flyingTo(key EndpointKey) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flying[key]
}

func (w *Worker) count(key EndpointKey, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.total += n
	if w.flying[key] += n; w.flying[key] == 0 {
		delete(w.flying, key)
	}
}

// endAll ends what waits for an endpoint that is disabled: it can be sent again later.
func (w *Worker) endAll(ctx context.Context, key EndpointKey, now time.Time) error {
	claimed, err := w.Outbox.Claim(ctx, []Want{{key, endDisabled}}, now, now.Add(leaseTime))
	for _, d := range claimed {
		lease := d.Lease
		d.end(Failed, "the endpoint is disabled", now)
		if err := w.Outbox.Resolve(ctx, d, lease); err != nil && !errors.Is(err, event.ErrConflict) {
			return err
		}
	}
	return err
}

// deliver makes one try and writes down what came of it.
func (w *Worker) deliver(ctx context.Context, d Delivery) error {
	lease, late := d.Lease, w.late(d)
	endpoint, why, err := w.prepare(ctx, d)
	if err != nil {
		return err
	}
	if endpoint.Kind.CRM() {
		return w.deliverTogether(ctx, []Delivery{d})
	}
	var content Content
	if why == "" {
		if content, why, err = w.Source.Content(ctx, d); err != nil {
			return fmt.Errorf("render a delivery: %w", err)
		}
	}
	if why != "" {
		d.end(Cancelled, why, w.Clock())
		return w.resolve(ctx, d, lease)
	}
	if !content.Later.IsZero() {
		d.Due, d.Lease = millis(content.Later), 0
		return w.resolve(ctx, d, lease)
	}
	out := w.Sender.Send(ctx, endpoint, d, content)
	w.judge(&d, endpoint, out)
	w.tried(endpoint, d, out, late)
	// What was sent is written down first: a process that dies here sends it again.
	if err := w.resolve(ctx, d, lease); err != nil || d.Replay && endpoint.Kind != Push {
		return err
	}
	if out.Gone && endpoint.Kind == Push {
		return w.Endpoints.Gone(ctx, endpoint.EndpointKey)
	}
	return w.learn(ctx, endpoint, out)
}

// late is how long a delivery has been due.
func (w *Worker) late(d Delivery) time.Duration {
	return max(0, w.Clock().Sub(time.UnixMilli(d.Due)))
}

// tried tells of a try.
func (w *Worker) tried(e Endpoint, d Delivery, out Outcome, late time.Duration) {
	if w.Observer != nil {
		w.Observer.Tried(e.Kind, string(d.State), time.Duration(out.Took)*time.Millisecond, late)
	}
}

// learn writes down what a try says about its endpoint.
func (w *Worker) learn(ctx context.Context, e Endpoint, out Outcome) error {
	now := w.Clock()
	var before Mode
	after, err := w.Endpoints.Health(ctx, e.EndpointKey, func(h *Health) {
		before = h.Mode
		h.learn(now, out)
	})
	if err == nil && after.Mode != cmp.Or(before, OK) && w.Observer != nil {
		w.Observer.Turned(e.Kind, after.Mode)
	}
	return err
}

// prepare finds the endpoint; why is not empty where nothing may go there any more.
func (w *Worker) prepare(ctx context.Context, d Delivery) (e Endpoint, why string, err error) {
	e, err = w.Endpoints.Endpoint(ctx, EndpointKey{d.Workspace, d.Endpoint})
	switch {
	case errors.Is(err, event.ErrNotFound):
		if _, _, device := deviceOf(d.Endpoint); device {
			return e, "the device is not registered any more", nil
		}
		return e, "the endpoint was deleted", nil
	case err != nil:
		return e, "", fmt.Errorf("find the endpoint: %w", err)
	case !e.Enabled:
		return e, "the endpoint is switched off", nil
	}
	return e, "", nil
}

// judge says what becomes of a delivery after a try.
func (w *Worker) judge(d *Delivery, e Endpoint, out Outcome) {
	now := w.Clock()
	if d.Tried == 0 {
		d.Begun = out.At
	}
	d.Tried++
	d.record(out.Try)
	if out.OK {
		d.end(Sent, "", now)
		return
	}
	delay, again := e.Kind.schedule().next(d.Tried, out.After, w.Random())
	switch {
	case out.Gone && e.Kind == Push: // nothing went wrong: the reader has it no more
		d.end(Cancelled, "the device is not registered any more", now)
	case out.Final || out.Gone:
		d.end(Failed, "the answer cannot be changed by another try", now)
	case !again:
		d.end(Failed, "the last try failed", now)
	default:
		d.Due, d.Lease = millis(now.Add(delay)), 0
	}
}

func (w *Worker) resolve(ctx context.Context, d Delivery, lease int64) error {
	err := w.Outbox.Resolve(ctx, d, lease)
	if errors.Is(err, event.ErrConflict) {
		return nil // It was cancelled or erased meanwhile, or is another's after the lease.
	}
	return err
}

// learn counts what a try says about the endpoint. That a chat finds one message
// malformed says nothing of it.
func (h *Health) learn(now time.Time, out Outcome) {
	switch {
	case out.OK:
		h.succeeded(now)
	case out.Final && !out.Gone && out.Status == 400:
	default:
		why := out.Error
		if out.Status != 0 && why == "" {
			why = fmt.Sprintf("it answered %d", out.Status)
		}
		h.failed(now, why, out.Gone, out.After)
	}
}
