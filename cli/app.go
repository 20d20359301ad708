package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"tidings/api"
	"tidings/api/hooks"
	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/live"
	"tidings/rollover"
	"tidings/store/sqlite"
	"tidings/stream"
	"tidings/tracing"
	"tidings/verdict"
	"tidings/web"
)

// settings are what an app is put together from.
type settings struct {
	role role
	// Data is the data directory, "" where nothing is kept in one.
	Data string
	storeFlags
	// indexTransport carries what is asked of Elasticsearch, nil for a pool of
	// the index's own.
	indexTransport http.RoundTripper
	// Retention is how old events may be, 0 for no bound.
	Retention time.Duration
	// Rollover is what nightly runs do, and Night when they are made; nil
	// makes none.
	Rollover rollover.Policy
	Night    *rollover.TimeOfDay
	// PublicURL is how tracking addresses reach this server.
	PublicURL string
	// Verdict is what the rules of verdicts are made from.
	Verdict verdict.Config
	// Grace is how long the opens of a message that everyone has opened are
	// kept, 0 for the default.
	Grace time.Duration
	// Backlog is how many events may wait, 0 for the default.
	Backlog int64
	// MaxAttempts is how often an event may fail of its own, 0 for the default.
	MaxAttempts int
	// Origins are other origins whose pages may open the socket.
	Origins []string
	// Secure marks cookies for https alone.
	Secure bool
	// Proxies may say whom they speak for.
	Proxies []netip.Prefix
	// tracer is nil where nothing is traced.
	tracer *tracing.Tracer
	// Drain is how long the process says that it stops before it does.
	Drain time.Duration
}

// check refuses what cannot be run.
func (s settings) check() error {
	switch {
	case s.external():
		return nil
	case s.role != roleAll:
		return &usageError{"this shares its work with other processes, so nothing may be kept in it: give --index, --state and --stream"}
	case s.Data == "":
		return &usageError{"give --data DIR, or keep everything elsewhere: --index, --state and --stream"}
	}
	return nil
}

// app is all the parts on one data directory.
type app struct {
	role   role
	log    *slog.Logger
	lock   *flock.Flock
	stream *stream.Stream
	index  indexStore
	// words is the index where it is embedded.
	words   *sqlite.Index
	state   stateStore
	hub     *live.Hub
	indexer *indexer.Indexer
	// reevaluator re-evaluates verdicts.
	reevaluator *indexer.Reevaluator
	reader      *feed.Reader
	server      *api.Server
	metrics     *metrics

	rollover *rollover.Rollover
	night    *rollover.TimeOfDay

	// operator is the API for the operator of this machine.
	operator http.Handler
	draining atomic.Bool
	drainFor time.Duration
	backlog  int64
}

// gcPercent lets the heap grow to three times what is live before collecting.
const gcPercent = 200

// openApp opens the directory, making it where there is none, and puts the
// parts together. Nothing runs yet.
func openApp(ctx context.Context, s settings, log *slog.Logger) (_ *app, err error) {
	if err := errors.Join(checkPublicURL(s.PublicURL), checkWindows(s.Verdict)); err != nil {
		return nil, &usageError{err.Error()}
	}
	if os.Getenv("GOGC") == "" {
		// Batches make much short-lived garbage on a small heap.
		debug.SetGCPercent(gcPercent)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	a := &app{role: s.role, log: log, drainFor: s.Drain, backlog: s.Backlog}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if s.Data != "" {
		if err := os.MkdirAll(s.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make the data directory: %w", err)
		}
		if err := a.hold(s.Data); err != nil {
			return nil, err
		}
	}
	if err := a.openStores(ctx, s); err != nil {
		return nil, err
	}
	return a, a.assemble(s)
}

// hold keeps other processes off the directory.
func (a *app) hold(data string) error {
	lock := flock.New(filepath.Join(data, "lock"))
	held, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock the data directory: %w", err)
	}
	if !held {
		return fmt.Errorf("%s is in use by another process: stop it, or choose another --data directory", data)
	}
	a.lock = lock
	return nil
}

// assemble puts the parts together.
//
//nolint:contextcheck // each request brings a context of its own
func (a *app) assemble(s settings) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.metrics = newMetrics(registry, a)

	directory := api.NewDirectory(a.state)
	renderer := api.NewLiveRenderer(directory, time.Now)
	a.hub = live.NewHub(live.Config{Log: a.stream, Render: renderer.Render, Logger: a.log})
	vocabulary, _ := a.index.(feed.Vocabulary)
	aggregator, _ := a.index.(feed.Aggregator) // statistics read every event without
	statuses, _ := a.state.(feed.Statuses)
	reader := feed.NewReader(feed.Config{
		Index: a.index, States: a.state, Catalogue: a.state, Directory: directory, Teams: directory, Positions: a.hub,
		Aggregator: aggregator, Statuses: statuses, Vocabulary: vocabulary,
	})
	a.reader = reader
	pushed := &api.LiveHandler{
		Hub: a.hub, Questions: reader, Zone: api.Zones(a.state), Origins: s.Origins, Logger: a.log, Tracer: s.tracer,
	}
	eraser := &indexer.Eraser{
		Index: a.index, States: a.state, DeadLetters: deadLetterEraser{a.stream}, Announcer: a.stream,
	}
	notes := weekNotes{a.state}
	rules, err := verdict.New(s.Verdict)
	if err != nil {
		return err
	}
	own := api.NewOwn(a.state, directory, time.Now)
	a.reevaluator = &indexer.Reevaluator{
		Rules: rules, Index: a.index, States: a.state, History: reader, Pending: pendingReevaluations{a.state}, Announcer: a.stream,
		Blocks: notes, Internal: own, Observer: a.metrics, Logger: a.log,
		Refresh: a.index.RefreshInterval(), InFlight: 3 * ackWaitRemote / 2, Clock: time.Now,
	}
	a.indexer = indexer.New(indexer.Config{
		Queue: a.stream, Index: a.index, States: a.state, Erasures: a.state, Announcer: a.stream,
		Rules: rules, Internal: own, Reevaluations: a.reevaluator,
		Eraser: eraser, Blocks: notes, Observer: a.metrics, Tracer: s.tracer, Logger: a.log,
	})
	a.night = s.Night
	a.rollover = rollover.New(rollover.Config{
		Policy: s.Rollover, Weeks: a.index, Blocks: a.index, States: a.state, Catalogue: a.state,
		Notes: notes, Leases: a.stream, Logger: a.log,
	})
	page, err := web.Handler()
	if err != nil {
		return fmt.Errorf("read the built page: %w", err)
	}
	a.server, err = api.New(api.Config{
		Intake: a.stream, Feed: reader, Suggester: reader, Reports: reader, Records: a.state, DeadLetters: a.stream, Weeks: a.index,
		Eraser: apiEraser{eraser}, Ready: a.ready, ReadySelf: a.readySelf, Metrics: registry, Web: page,
		Verdicts: a.reevaluator, PublicURL: s.PublicURL, Hooks: hooks.New(hooks.AmazonClient(), a.stream),
		Live: http.HandlerFunc(pushed.Socket), SSE: http.HandlerFunc(pushed.SSE),
		Clock: time.Now, Rand: rand.Reader, Logger: a.log,
		Retention: s.Retention, SecureCookies: s.Secure, TrustedProxies: s.Proxies, Version: version(), Tracer: s.tracer,
	})
	if err != nil {
		return fmt.Errorf("put the API together: %w", err)
	}
	a.operator = a.operatorRoutes()
	return nil
}

// ready says for each part that something depends on whether it works.
func (a *app) ready(ctx context.Context) map[string]error {
	parts := a.readySelf(ctx)
	parts["stream"] = a.stream.Ready(ctx)
	parts["index"] = a.index.Ping(ctx)
	parts["state"] = a.state.Ping(ctx)
	return parts
}

// readySelf leaves out what processes share.
func (a *app) readySelf(context.Context) map[string]error {
	parts := make(map[string]error)
	if a.role.pushes() {
		parts["live"] = a.hub.Ready()
	}
	if a.draining.Load() {
		parts["server"] = fmt.Errorf("is stopping: %w", event.ErrUnavailable)
	}
	return parts
}

// Run keeps the parts going until ctx ends.
func (a *app) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if a.role.pushes() {
		group.Go(func() error { return a.hub.Run(ctx) })
		group.Go(func() error { return a.server.Watch(ctx) })
	}
	if a.role.indexes() {
		group.Go(func() error { return a.indexer.Run(ctx) })
		group.Go(func() error {
			return a.stream.RunUnderLease(ctx, correctionsLease, correctionsTTL, a.reevaluator.Run)
		})
		group.Go(func() error { return a.keepWeeks(ctx) })
		if a.words != nil {
			group.Go(func() error { return a.words.KeepMerged(ctx, a.log) })
		}
	}
	// Whoever sees the queue fill trims it.
	group.Go(func() error { return a.stream.Run(ctx) })
	group.Go(func() error { return giveMemoryBack(ctx) })
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// drain waits until everything that was accepted is indexed. The count of what
// waits is a moment old, so it must be zero twice.
func (a *app) drain(ctx context.Context) error {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for empty := 0; ; {
		waiting := a.stream.Backlog()
		if waiting > 0 {
			empty = 0
		} else if empty++; empty == 2 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d events still wait to be indexed: %w", waiting, ctx.Err())
		case <-tick.C:
		}
	}
}

// Close closes what is open, the last opened first.
func (a *app) Close() error {
	var errs []error
	if a.stream != nil {
		errs = append(errs, a.stream.Close())
	}
	if a.state != nil {
		errs = append(errs, a.state.Close())
	}
	if a.index != nil {
		errs = append(errs, a.index.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Unlock())
	}
	return errors.Join(errs...)
}

// apiEraser gives the API's receipt what an erasure did.
type apiEraser struct{ *indexer.Eraser }

func (e apiEraser) Erase(ctx context.Context, workspace, email string) (api.Erased, error) {
	erased, err := e.Eraser.Erase(ctx, workspace, email)
	return api.Erased(erased), err
}

// deadLetterEraser drops dead letters by what their event says.
type deadLetterEraser struct{ letters api.DeadLetters }

// DropWhere walks a workspace's dead letters. One whose payload cannot be read
// is dropped too: nobody could tell whom it is about.
func (d deadLetterEraser) DropWhere(ctx context.Context, workspace string, match func(event.Event) bool) (int, error) {
	dropped, after := 0, ""
	for {
		letters, err := d.letters.DeadLetters(ctx, workspace, after, 100)
		if err != nil || len(letters) == 0 {
			return dropped, err
		}
		for _, letter := range letters {
			after = letter.ID
			if readable, concerned := matches(letter, match); readable && !concerned {
				continue
			}
			err := d.letters.Drop(ctx, workspace, letter.ID)
			if err != nil && !errors.Is(err, event.ErrNotFound) {
				return dropped, err
			}
			dropped++
		}
	}
}

// matches reports whether a dead letter's event can be read, and whether it is
// one of those that are looked for.
func matches(letter event.DeadLetter, match func(event.Event) bool) (readable, concerned bool) {
	var e event.Event
	if json.Unmarshal(letter.Event, &e) != nil {
		return false, false
	}
	return true, match(e)
}
