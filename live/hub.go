package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tidings/backoff"
	"tidings/event"
	"tidings/query"
)

// Defaults of a Config.
const (
	DefaultKeep    = 15 * time.Minute
	DefaultBytes   = 64 << 20
	DefaultBehind  = 10_000
	DefaultReaders = 2_000
)

const (
	// watchEvery is how often the hub looks whether its stream is still the
	// same one, and lets go of what is too old while nothing comes in.
	watchEvery = time.Minute
	// idleDelay is how long nothing comes in before the hub takes what it has for
	// all that is kept: the last entry of the stream may have been removed.
	idleDelay = 2 * time.Second
)

// away is how long a stream that is away is left alone.
var away = backoff.Delays{Base: 100 * time.Millisecond, Max: 5 * time.Second}

// ErrRestarting says that the hub is closing. Readers resume elsewhere.
var ErrRestarting = errors.New("live: restarting")

// errRemade says that the stream was made anew.
var errRemade = errors.New("live stream was made anew")

// Config is what a Hub is made of.
type Config struct {
	Log Log
	// Render makes what readers are sent for an announcement. It is needed. It
	// is called about once an announcement, however many readers there are,
	// and its result is shared. One that cannot be rendered is logged and not
	// sent.
	Render func(event.Announcement) ([]byte, error)
	// Keep and Bytes bound what is kept in memory for readers who were away.
	Keep  time.Duration
	Bytes int
	// Behind is how many entries of its workspace a reader that has once
	// caught up may have before it before it counts as too slow.
	Behind int
	// Readers is how many a workspace may have at a time.
	Readers int
	Clock   func() time.Time
	Logger  *slog.Logger
}

// Hub keeps the recent announcements of all workspaces in memory and lets each
// Reader walk over those of its own at its own pace. Nothing is copied and
// nothing queued for a reader, so a slow one costs no memory.
type Hub struct {
	config Config
	// finder may be nil: then nothing is checked again.
	finder Finder
	ready  chan struct{}

	mu          sync.Mutex
	ring        *ring
	incarnation string
	// upTo is the sequence at which what was kept at the start has been read.
	upTo    uint64
	isReady bool
	// remade counts how often positions became meaningless: readers who have
	// seen another number are reset.
	remade  int
	readers map[*Reader]struct{}
	closed  bool
	drained chan struct{}
}

// NewHub makes a Hub. It knows nothing until Run.
func NewHub(c Config) *Hub {
	if c.Keep == 0 {
		c.Keep = DefaultKeep
	}
	if c.Bytes == 0 {
		c.Bytes = DefaultBytes
	}
	if c.Behind == 0 {
		c.Behind = DefaultBehind
	}
	if c.Readers == 0 {
		c.Readers = DefaultReaders
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &Hub{
		config: c, ready: make(chan struct{}), ring: newRing(c, 0),
		readers: make(map[*Reader]struct{}), drained: make(chan struct{}),
	}
}

// Run follows the stream until ctx ends, which is no error. A stream that is
// away is waited for; readers keep what they have meanwhile.
func (h *Hub) Run(ctx context.Context) error {
	for {
		bounds, err := h.bounds(ctx)
		if err == nil {
			h.adopt(bounds)
			err = h.follow(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case !errors.Is(err, errRemade):
			return fmt.Errorf("follow the live stream: %w", err)
		}
	}
}

// bounds asks until the stream answers.
func (h *Hub) bounds(ctx context.Context) (Bounds, error) {
	var failures backoff.Failures
	for {
		bounds, err := h.config.Log.Bounds(ctx)
		if err == nil || !errors.Is(err, event.ErrUnavailable) {
			return bounds, err
		}
		select {
		case <-ctx.Done():
			return Bounds{}, ctx.Err()
		case <-time.After(failures.Failed(away)):
		}
	}
}

// adopt begins anew with an incarnation of the stream.
func (h *Hub) adopt(b Bounds) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.incarnation != b.Incarnation {
		h.incarnation = b.Incarnation
		h.restart(max(b.First, 1) - 1)
	}
	h.upTo = b.Last
	h.checkReady()
}

// restart forgets everything; the next entry follows sequence.
func (h *Hub) restart(sequence uint64) {
	h.ring = newRing(h.config, sequence)
	h.remade++
	for r := range h.readers {
		r.signal()
	}
}

func (h *Hub) checkReady() {
	if !h.isReady && h.ring.last >= h.upTo {
		h.isReady = true
		close(h.ready)
	}
}

// follow reads the stream until it ends, ctx does, or it was made anew.
func (h *Hub) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { h.watch(ctx, cancel) })
	err := h.config.Log.Follow(ctx, func(e Entry) { h.add(e, cancel) })
	if err == nil {
		err = errors.New("ended")
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	cancel(nil)
	watching.Wait()
	return err
}

// watch cancels once the stream is another one, and trims while it is quiet.
func (h *Hub) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	h.awaitIdle(ctx)
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		h.mu.Lock()
		h.ring.trim(h.config.Clock())
		incarnation := h.incarnation
		for r := range h.readers {
			if r.timed.Load() {
				r.signal()
			}
		}
		h.mu.Unlock()
		bounds, err := h.config.Log.Bounds(ctx)
		if err == nil && bounds.Incarnation != incarnation {
			cancel(errRemade)
			return
		}
	}
}

// awaitIdle returns once the hub is ready, which it is at the latest when
// nothing has come in for a while.
func (h *Hub) awaitIdle(ctx context.Context) {
	ticker := time.NewTicker(idleDelay)
	defer ticker.Stop()
	var before uint64
	for first := true; ; first = false {
		select {
		case <-ctx.Done():
			return
		case <-h.ready:
			return
		case <-ticker.C:
		}
		h.mu.Lock()
		if last := h.ring.last; first || last != before {
			before = last
		} else {
			h.upTo = last
			h.checkReady()
		}
		h.mu.Unlock()
	}
}

// add takes an entry of the stream in. Readers wake after it can be read.
func (h *Hub) add(e Entry, cancel context.CancelCauseFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case e.Sequence <= h.ring.last:
		// The order never goes back within one incarnation.
		cancel(errRemade)
		return
	case e.Sequence > h.ring.last+1:
		// What lay between is gone for everyone: they read a page again.
		h.restart(e.Sequence - 1)
	}
	now := h.config.Clock()
	item := &entry{Entry: e, seen: now, weight: entryCost + textCost*e.Size}
	if !h.isReady {
		item.seen = e.At
	}
	item.views.Store(h.viewsOf(item))
	history := h.ring.add(item)
	h.ring.trim(now)
	h.checkReady()
	for r := range history.readers {
		r.signal()
	}
}

// viewsOf makes the views of an entry; nothing is computed until asked for.
func (h *Hub) viewsOf(e *entry) *views {
	v := h.viewsOfOne(e, sync.OnceValue(func() *event.Announcement {
		a, err := e.Read()
		if err != nil {
			h.config.Logger.Error("announcement cannot be read",
				"workspace", e.Workspace, "sequence", e.Sequence, "error", err)
			return nil
		}
		return &a
	}))
	v.parts = sync.OnceValue(func() []*views {
		a := v.announcement()
		switch {
		case a == nil:
			return nil
		case a.Kind != event.AnnounceSeveral:
			return []*views{v}
		}
		parts := make([]*views, len(a.Each))
		for i := range a.Each {
			parts[i] = h.viewsOfOne(e, func() *event.Announcement { return &a.Each[i] })
		}
		return parts
	})
	return v
}

func (h *Hub) viewsOfOne(e *entry, announcement func() *event.Announcement) *views {
	return &views{
		announcement: announcement,
		document:     sync.OnceValue(func() query.Document { return query.NewDocument(*announcement().Event) }),
		body:         sync.OnceValue(func() []byte { return h.render(e, *announcement()) }),
		sends:        sync.OnceValues(func() (found, error) { return h.sendsOf(keyOf(announcement()), announcement().State) }),
	}
}

func (h *Hub) render(e *entry, a event.Announcement) []byte {
	body, err := h.config.Render(a)
	if err != nil {
		h.config.Logger.Error("announcement cannot be rendered",
			"workspace", e.Workspace, "sequence", e.Sequence, "error", err)
	}
	return body
}

// PositionBefore is the position to give with a page whose search begins after
// this call: behind everything announced at least lag ago. Replaying from there
// may repeat what the page holds, but misses nothing that it does not.
func (h *Hub) PositionBefore(lag time.Duration) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := Position{Incarnation: h.incarnation, Sequence: h.ring.floor}
	if h.isReady {
		p.Sequence = h.ring.before(h.config.Clock().Add(-lag))
	}
	return p.String()
}

// Open begins a connection that reads a workspace. users are those whose
// messages it may see, nil for all. It waits until the hub knows what the
// stream keeps. The error is ErrUnavailable when ctx ends before that, a
// TooMuch when the workspace has too many readers, or ErrRestarting.
func (h *Hub) Open(ctx context.Context, workspace string, users []string) (*Reader, error) {
	select {
	case <-h.ready:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the live stream: %w", event.ErrUnavailable)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrRestarting
	}
	history := h.ring.history(workspace)
	if len(history.readers) >= h.config.Readers {
		return nil, &event.TooMuch{What: "too many live connections in this workspace"}
	}
	r := newReader(h, workspace, users)
	r.attach(history)
	h.readers[r] = struct{}{}
	return r, nil
}

// Ready returns ErrUnavailable until the hub knows what the stream keeps.
func (h *Hub) Ready() error {
	select {
	case <-h.ready:
		return nil
	default:
		return fmt.Errorf("the live stream is being read: %w", event.ErrUnavailable)
	}
}

// Stats are figures for metrics.
type Stats struct {
	// Readers are the connections that are open.
	Readers int
	// Entries of Bytes, by estimate, are in memory.
	Entries, Bytes int
}

// Stats returns how much there is of what a hub holds.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{len(h.readers), len(h.ring.entries), h.ring.bytes}
}

// Close tells every reader to go away and waits until they have, or ctx ends.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		for r := range h.readers {
			r.signal()
		}
		if len(h.readers) == 0 {
			close(h.drained)
		}
	}
	h.mu.Unlock()
	select {
	case <-h.drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close live connections: %w", ctx.Err())
	}
}

// leave forgets a reader.
func (h *Hub) leave(r *Reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, open := h.readers[r]; !open {
		return
	}
	delete(h.readers, r)
	r.detach()
	h.ring.tidy(r.workspace)
	if h.closed && len(h.readers) == 0 {
		close(h.drained)
	}
}
