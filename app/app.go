package app

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
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"tidings/account"
	"tidings/api"
	"tidings/api/hooks"
	"tidings/audit"
	"tidings/crash"
	"tidings/deliver"
	"tidings/deliver/forward"
	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/limit"
	"tidings/live"
	"tidings/notify"
	"tidings/outbound"
	"tidings/rollover"
	"tidings/secret"
	"tidings/store/sqlite"
	"tidings/stream"
	"tidings/verdict"
	"tidings/web"
)

// App is all the parts on one data directory, or on servers elsewhere.
//
// Open puts it together, Run or Serve keeps it going, Close lets go of what it
// holds. The fields are the parts, for those who measure or look into one.
type App struct {
	Index  Index
	State  State
	Stream *stream.Stream
	Hub    *live.Hub
	Reader *feed.Reader
	Server *api.Server
	// Words is the index where it is embedded, or nil.
	Words *sqlite.Index
	// Audit is the audit log.
	Audit *audit.Log
	// Operator is the API for the operator of this machine.
	Operator http.Handler

	// auditFile is the store of the audit log where it is embedded, or nil.
	auditFile *sqlite.Audit
	// auditSink is where the log is sent to, or nil.
	auditSink audit.Sink

	// data is the data directory, "" where there is none.
	data    string
	eraser  *indexer.Eraser
	role    Role
	log     *slog.Logger
	lock    *flock.Flock
	indexer *indexer.Indexer
	// reevaluator re-evaluates verdicts.
	reevaluator *indexer.Reevaluator
	metrics     *metrics
	rollover    *rollover.Rollover
	night       *rollover.TimeOfDay
	draining    atomic.Bool
	// fileDamage is what was found wrong with files beside the weeks, an *event.Degraded
	// by the name of the file.
	fileDamage sync.Map
	// readOnly is set where files of weeks cannot be written.
	readOnly *event.Degraded
	drainFor time.Duration
	// small is Settings.Small.
	small       bool
	backlog     int64
	connections int
	proxies     []netip.Prefix
	// outbound makes every call to an address that is not the operator's own.
	outbound *outbound.Client
	// secretsPath is the file of the master key of secrets, "" where there is none.
	secretsPath string
	// secretsLocked says that there were secrets that cannot be opened.
	secretsLocked atomic.Bool
	// decisions and notifier are nil where decisions are kept nowhere.
	// decisionsFile is nil where decisions are kept in no file.
	decisions     notify.Store
	decisionsFile *sqlite.Notify
	notifier      *notify.Engine
	// tellOfKeys tells people of keys that end soon.
	tellOfKeys func(ctx context.Context) error
	// secrets is nil where there is no key for them.
	secrets *secret.Box
	// What leaves the house; outboxFile is nil where the outbox is no file.
	outbox     deliver.Outbox
	outboxFile *sqlite.Outbox
	endpoints  *deliver.Directory
	deliveries *deliver.Worker
	forwarder  *forward.Forwarder
}

// Open opens the directory, making it where there is none, and puts the
// parts together. Nothing runs yet.
func Open(ctx context.Context, s Settings, log *slog.Logger) (_ *App, err error) {
	if err := errors.Join(CheckPublicURL(s.PublicURL), checkWindows(s.Verdict)); err != nil {
		return nil, &SettingsError{err.Error()}
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	s.useMemory()
	processors := s.useProcessors()
	allow, err := outbound.ParseAllow(s.OutboundAllow)
	if err != nil {
		return nil, &SettingsError{"--outbound-allow: " + err.Error()}
	}
	a := &App{data: s.Data, outbound: outbound.New(allow), role: s.Role, small: s.Small, log: log, drainFor: s.Drain, backlog: s.Backlog, connections: s.connections(), proxies: s.Proxies}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	privateFiles()
	if s.Data != "" {
		if err := os.MkdirAll(s.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make the data directory: %w", err)
		}
		if err := errors.Join(a.hold(s.Data), a.checkWritable(s.Data)); err != nil {
			return nil, err
		}
	}
	id := ""
	if s.Data != "" {
		if id, err = identify(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := a.openStores(ctx, s, id); err != nil {
		return nil, err
	}
	if s.Data != "" {
		if err := a.mark(ctx, s, id); err != nil {
			return nil, err
		}
	}
	if err := a.expectWeeks(ctx, s); err != nil {
		return nil, err
	}
	return a, a.assemble(s, processors)
}

// hold keeps other processes off the directory.
func (a *App) hold(data string) error {
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
func (a *App) assemble(s Settings, processors int) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.metrics = newMetrics(registry, a)

	a.secrets = a.box(s)
	directory := account.NewDirectory(api.Recorded(a.State, a.Audit), time.Now)
	renderer := api.NewLiveRenderer(directory, time.Now)
	a.Hub = live.NewHub(live.Config{Log: a.Stream, Render: renderer.Render, Bytes: limit.Memory(s.Memory).Live(), Logger: a.log})
	vocabulary, _ := a.Index.(feed.Vocabulary)
	aggregator, _ := a.Index.(feed.Aggregator) // statistics read every event without
	statuses, _ := a.State.(feed.Statuses)
	reader := feed.NewReader(feed.Config{
		Index: a.Index, States: a.State, Catalogue: a.State, Directory: directory, Teams: directory, Positions: a.Hub,
		Aggregator: aggregator, Statuses: statuses, Vocabulary: vocabulary, Remember: limit.Memory(s.Memory).Aggregates(),
	})
	a.Reader = reader
	a.Hub.RecheckBy(reader)
	pushed := &api.LiveHandler{
		Hub: a.Hub, Questions: reader, Zone: api.Zones(a.State), Unread: a.unread(), Origins: s.Origins, Logger: a.log, Tracer: s.Tracer,
	}
	a.eraser = &indexer.Eraser{
		Index: a.Index, States: a.State, DeadLetters: deadLetterEraser{a.Stream}, Triggers: a.Stream, Announcer: a.Stream,
	}
	notes := weekNotes{a.State}
	rules, err := verdict.New(s.Verdict)
	if err != nil {
		return err
	}
	internal := account.NewInternal(a.State, directory, time.Now)
	a.reevaluator = &indexer.Reevaluator{
		Rules: rules, Index: a.Index, States: a.State, History: reader, Pending: pendingReevaluations{a.State}, Announcer: a.Stream, Triggers: a.triggers(),
		Blocks: notes, Internal: internal, Observer: a.metrics, Logger: a.log,
		Refresh: a.Index.RefreshInterval(), InFlight: 3 * ackWaitRemote / 2, Clock: time.Now,
	}
	a.indexer = indexer.New(indexer.Config{
		Queue: a.Stream, Index: a.Index, States: a.State, Erasures: refusing{a.State, a.refuses}, Announcer: a.announcer(), Triggers: a.triggers(),
		Rules: rules, Internal: internal, Reevaluations: a.reevaluator,
		Eraser: a.eraser, Blocks: notes, Observer: a.metrics, Tracer: s.Tracer, Logger: a.log,
		BulkTime: bulkTimeOf(s), BatchSize: batchOf(s), Limit: s.ackWait() * 2 / 3,
		Between: func(step indexer.Step) { crash.At("after " + string(step)) },
	})
	a.notifies(directory, reader)
	a.night = s.Night
	a.rollover = rollover.New(rollover.Config{
		Policy: s.Rollover, Weeks: inventoried{a.Index, inventory{records: a.State}}, Blocks: a.Index, States: a.State, Catalogue: a.State,
		Notes: notes, Leases: a.Stream, Leftovers: leftovers{a}, Logger: a.log,
	})
	mail, err := mailServer(s)
	if err != nil {
		return err
	}
	endpoints, err := a.assembleDeliveries(s, directory, reader, mail)
	if err != nil {
		return err
	}
	page, err := web.Handler()
	if err != nil {
		return fmt.Errorf("read the built page: %w", err)
	}
	a.Server, err = api.New(api.Config{
		Intake: a.Stream, Feed: reader, Suggester: reader, Contacts: reader, Reports: reader, Known: reader, Records: a.State, Audit: a.Audit, Directory: directory, DeadLetters: a.Stream, Weeks: countedWeeks{a.Index, a.State},
		Notify: a.notifier, Eraser: personEraser{a, a.eraser}, Samples: samples{a.eraser}, Erasures: a.State, Ready: a.Readiness, ReadySelf: a.readySelf, Metrics: registry, Web: page,
		Verdicts: a.reevaluator, PublicURL: s.PublicURL, Hooks: hooks.New(a.outbound.HTTP(), a.Stream), Outbound: a.outbound, Secrets: a.secrets, Endpoints: endpoints, Understander: reader, Mail: a.mailTo(mail),
		Live: http.HandlerFunc(pushed.Socket), SSE: http.HandlerFunc(pushed.SSE),
		Clock: time.Now, Rand: rand.Reader, Logger: a.log,
		Memory: int64(s.Memory), Processors: processors, Retention: s.Retention, SecureCookies: s.Secure, Lives: s.Lives, TrustedProxies: s.Proxies, Version: Version(), Tracer: s.Tracer,
	})
	if err != nil {
		return fmt.Errorf("put the API together: %w", err)
	}
	a.Operator = a.operatorRoutes()
	return nil
}

// Readiness says for each part that something depends on whether it works.
func (a *App) Readiness(ctx context.Context) map[string]error {
	parts := a.readySelf(ctx)
	parts["stream"] = a.Stream.Ready(ctx)
	parts["index"] = a.Index.Ping(ctx)
	parts["state"] = a.State.Ping(ctx)
	if err := a.Stream.Lost(); err != nil {
		parts["queue file"] = err
	}
	if err := a.secretsReady(ctx); err != nil {
		parts["secrets"] = err
	}
	for name, degraded := range a.damagedFiles() {
		parts[name] = degraded
	}
	if a.readOnly != nil {
		parts["files"] = a.readOnly
	}
	for _, week := range a.damagedWeeks(ctx) {
		parts["week "+week.Week.String()] = week
	}
	if err := a.rollover.Waiting(); err != nil {
		parts["retention"] = err
	}
	if err := a.Stream.Accepting(); err != nil {
		parts["accept"] = err
	}
	return parts
}

// readySelf leaves out what processes share.
func (a *App) readySelf(context.Context) map[string]error {
	parts := make(map[string]error)
	if a.role.pushes() {
		parts["live"] = a.Hub.Ready()
	}
	if a.draining.Load() {
		parts["server"] = fmt.Errorf("is stopping: %w", event.ErrUnavailable)
	}
	return parts
}

// Run keeps the parts going until ctx ends.
func (a *App) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if a.role.pushes() && !a.small {
		group.Go(func() error { return a.Hub.Run(ctx) })
		group.Go(func() error { return a.Server.Watch(ctx) })
	}
	if a.role.indexes() {
		if a.notifier != nil {
			group.Go(func() error { return a.keepNotifying(ctx) })
		}
		group.Go(func() error { return a.indexer.Run(ctx) })
		if !a.small {
			group.Go(func() error {
				return a.Stream.RunUnderLease(ctx, correctionsLease, correctionsTTL, a.reevaluator.Run)
			})
		}
		group.Go(func() error { return a.deliveries.Run(ctx) })
		group.Go(func() error { return a.keepForwarding(ctx) })
		group.Go(func() error { return a.searchSenders(ctx) })
		group.Go(func() error { return a.keepWeeks(ctx) })
		group.Go(func() error { return a.keepInventory(ctx) })
		group.Go(func() error { return a.keepAudit(ctx) })
		group.Go(func() error { return a.feedAudit(ctx) })
		group.Go(func() error { return a.keepWalking(ctx) })
		if a.Words != nil {
			group.Go(func() error { return a.Words.KeepMerged(ctx, a.log) })
		}
	}
	group.Go(func() error { return a.keepLooking(ctx, a.role.indexes()) })
	group.Go(func() error { return a.Audit.Run(ctx) })
	// Whoever sees the queue fill trims it.
	group.Go(func() error { return a.Stream.Run(ctx) })
	group.Go(func() error { return giveMemoryBack(ctx) })
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Close closes what is open, the last opened first.
func (a *App) Close() error {
	errs := []error{a.closeAudit()}
	if a.Stream != nil {
		errs = append(errs, a.Stream.Close())
	}
	if a.outboxFile != nil {
		errs = append(errs, a.outboxFile.Close())
	}
	if a.decisionsFile != nil {
		errs = append(errs, a.decisionsFile.Close())
	}
	if a.State != nil {
		errs = append(errs, a.State.Close())
	}
	if a.Index != nil {
		errs = append(errs, a.Index.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Unlock())
	}
	return errors.Join(errs...)
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
