package stream

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
)

const (
	// refreshEvery is how old the figures may be that Publish decides by; what
	// was published since is added to them.
	refreshEvery = 250 * time.Millisecond
	// refreshTimeout is how long the server may take to answer one question.
	refreshTimeout = 5 * time.Second
	// slowly is how many refreshes go by between looks at what costs more.
	slowly = 8
)

// figures hold what is known of the streams without asking.
type figures struct {
	looking                sync.Mutex
	waiting                [len(lanes)]atomic.Int64
	events, bytes          gauge // that wait; on the stream
	maxBytes               atomic.Int64
	lastSequence           atomic.Uint64
	liveBytes, deadLetters atomic.Int64
	oldest                 atomic.Int64 // Unix nanoseconds of arrival, 0 for none
	drained                atomic.Int64 // events a second that leave while some wait, smoothed
	waitsSince             atomic.Int64 // Unix nanoseconds of when some were first seen to wait, 0 for none
	diskLow, away          atomic.Bool

	// incarnation is the one of LIVE, a string.
	incarnation atomic.Value

	// givenBefore is the last sequence that may have been given out by someone
	// whose deliveries the server has forgotten.
	givenBefore atomic.Uint64

	// full asks the trimmer to look now.
	full chan struct{}
	// lastNoted is what noteLast wrote last. It is the observer's, and Close's after it.
	lastNoted map[string]noted
}

// gauge is a figure of the server's, and what we have added since it was asked.
// It may be too high for a moment and is never too low.
type gauge struct {
	base     atomic.Int64 // what the server said
	begun    atomic.Int64 // all that we began to add
	ended    atomic.Int64 // all of it that was added or refused
	included atomic.Int64 // of ended, what base is sure to include
}

func (g *gauge) value() int64 { return g.base.Load() + g.begun.Load() - g.included.Load() }

// set takes in what the server said after ended was what it was.
func (g *gauge) set(base, ended int64) {
	g.base.Store(base)
	g.included.Store(ended)
}

// drainTime is how long it takes until n events have left. How fast they leave is not
// known where they only begin to wait, so nobody is told to wait for longer than they have.
func (w *figures) drainTime(n int64, now time.Time) time.Duration {
	rate, most := max(w.drained.Load(), 1), time.Duration(0)
	if since := w.waitsSince.Load(); since != 0 {
		most = min(now.Sub(time.Unix(0, since)), longestWait)
	}
	seconds := min(float64(n)/float64(rate), most.Seconds())
	return max(shortestWait, time.Duration(math.Ceil(seconds))*time.Second)
}

// saw takes in that so many events wait, of as many as there were and came since the look
// before.
func (w *figures) saw(waiting, before int64, now time.Time) {
	if before > 0 {
		gone := max(before-waiting, 0) * int64(time.Second/refreshEvery)
		w.drained.Store((w.drained.Load()*3 + gone) / 4)
	}
	if waiting == 0 {
		w.waitsSince.Store(0)
	} else {
		w.waitsSince.CompareAndSwap(0, now.UnixNano())
	}
}

// pressure asks the trimmer to look now.
func (w *figures) pressure() {
	select {
	case w.full <- struct{}{}:
	default:
	}
}

// observe refreshes the figures until the stream closes.
func (s *Stream) observe() {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	sick := false
	for n := 0; ; n++ {
		select {
		case <-s.stopped.Done():
			return
		case <-ticker.C:
		}
		if s.server != nil && n%slowly == 0 {
			sick = s.heal(sick)
		}
		err := s.refresh(s.stopped)
		if err == nil && n%slowly == 0 {
			err = s.refreshSlowly(s.stopped)
		}
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			s.restore()
		}
		if err != nil && s.stopped.Err() == nil && !s.figures.away.Swap(true) {
			s.cfg.Logger.Warn("the queue does not answer", "error", err)
		}
	}
}

// heal starts our own server again when it could not write at the last look and
// cannot now, and there is room. It reports whether the server is sick.
func (s *Stream) heal(before bool) bool {
	why := s.server.sick()
	if why == "" || !before || diskLow(s.cfg.Dir) || s.stopped.Err() != nil {
		return why != ""
	}
	s.cfg.Logger.Error("the in-process server is started again", "reason", why)
	ctx, cancel := context.WithTimeout(s.stopped, refreshTimeout)
	defer cancel()
	if err := s.server.restart(ctx); err != nil && s.stopped.Err() == nil {
		s.cfg.Logger.Error("the in-process server did not start", "error", err)
		return true
	}
	return false
}

// restore makes streams again that the server has lost.
func (s *Stream) restore() {
	ctx, cancel := context.WithTimeout(s.stopped, refreshTimeout)
	defer cancel()
	if err := s.prepare(ctx); err != nil && s.stopped.Err() == nil {
		s.cfg.Logger.Warn("lost streams were not made again", "error", err)
		return
	}
	s.packs.forget()
	s.cfg.Logger.Error("the server had lost streams; they were made again")
}

// refresh asks for what Publish decides by.
func (s *Stream) refresh(whole context.Context) error {
	// One look after the other: what an older one saw would hide what a newer one has.
	s.figures.looking.Lock()
	defer s.figures.looking.Unlock()
	ctx, cancel := context.WithTimeout(whole, refreshTimeout)
	defer cancel()
	w, losses := &s.figures, s.link.losses()
	eventsEnded, bytesEnded := w.events.ended.Load(), w.bytes.ended.Load()
	before := w.events.value()
	published := s.shares.begin()
	looked := false
	defer func() {
		if !looked {
			s.shares.published(published)
		}
	}()

	events, err := s.stream(ctx, eventsName)
	if err != nil {
		return unavailable("refresh", err)
	}
	info := events.CachedInfo()
	w.bytes.set(int64(info.State.Bytes), bytesEnded)
	w.maxBytes.Store(info.Config.MaxBytes)
	w.lastSequence.Store(info.State.LastSeq)
	waiting := int64(0)
	var consumers [len(lanes)]*jetstream.ConsumerInfo
	for i, name := range lanes {
		consumer, err := s.js.Consumer(ctx, eventsName, string(name))
		if err != nil {
			return unavailable("refresh", err)
		}
		consumers[i] = consumer.CachedInfo()
	}
	if err := s.findPacks(whole, events, consumers); err != nil {
		return unavailable("refresh", err)
	}
	for i, info := range consumers {
		w.waiting[i].Store(int64(info.NumPending) + int64(info.NumAckPending) + s.packs.beyond(i, info))
		waiting += w.waiting[i].Load()
	}
	w.events.set(waiting, eventsEnded)
	s.shares.end(published, info.State.LastSeq, consumers)
	looked = true
	w.saw(w.events.value(), before, time.Now())
	if s.server != nil {
		w.diskLow.Store(diskLow(s.cfg.Dir))
	}
	w.away.Store(false)
	if w.givenBefore.Load() == math.MaxUint64 && s.link.losses() == losses {
		w.givenBefore.Store(info.State.LastSeq)
	}
	if overThreeQuarters(info.State.Bytes, info.Config.MaxBytes) {
		w.pressure()
	}
	return nil
}

// refreshSlowly asks for what only people look at.
func (s *Stream) refreshSlowly(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	dead, err := s.DeadCount(ctx)
	if err != nil {
		return err
	}
	s.figures.deadLetters.Store(dead)
	if err := s.noteLast(ctx, false); err != nil {
		// A full disk, most likely, which is said elsewhere.
		s.cfg.Logger.DebugContext(ctx, "what the queue has is not noted", "error", err)
	}
	announced, err := s.stream(ctx, liveName)
	if err != nil {
		return unavailable("refresh", err)
	}
	s.figures.liveBytes.Store(int64(announced.CachedInfo().State.Bytes))
	s.figures.incarnation.Store(boundsOf(announced).Incarnation)
	oldest := int64(0)
	if s.figures.events.value() > 0 {
		if oldest, err = s.oldestWaiting(ctx); err != nil {
			return err
		}
	}
	s.figures.oldest.Store(oldest)
	return nil
}

// oldestWaiting is when the oldest event arrived that is not acknowledged.
func (s *Stream) oldestWaiting(ctx context.Context) (int64, error) {
	events, err := s.stream(ctx, eventsName)
	if err != nil {
		return 0, unavailable("refresh", err)
	}
	oldest := int64(0)
	for _, name := range lanes {
		first, err := firstWaiting(ctx, events, name)
		if err != nil {
			return 0, err
		}
		if first != nil && (oldest == 0 || first.Time.UnixNano() < oldest) {
			oldest = first.Time.UnixNano()
		}
	}
	return oldest, nil
}

// firstWaiting returns the first event of a lane that may still be needed, or
// nil when all that are there have been acknowledged.
func firstWaiting(ctx context.Context, events jetstream.Stream, name event.Lane) (*jetstream.RawStreamMsg, error) {
	consumer, err := events.Consumer(ctx, string(name))
	if err != nil {
		return nil, unavailable("lane "+string(name), err)
	}
	floor := consumer.CachedInfo().AckFloor.Stream
	message, err := events.GetMsg(ctx, floor+1, jetstream.WithGetMsgSubject(laneSubject(name)))
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable("lane "+string(name), err)
	}
	return message, nil
}

// Backlog is how many events wait to be indexed or are being indexed, at most
// a quarter of a second old.
func (s *Stream) Backlog() int64 { return s.figures.events.value() }

// Stats are figures for metrics; counts are since Open.
type Stats struct {
	// WaitingLive and WaitingBulk are the lanes' parts of the backlog, without
	// what was published since the last look.
	WaitingLive, WaitingBulk int64
	// OldestAge is how long ago the oldest event arrived that still waits.
	OldestAge time.Duration
	// EventsBytes of EventsMaxBytes are in use, LiveBytes on LIVE.
	EventsBytes, EventsMaxBytes, LiveBytes int64
	// DeadLetters is how many events failed for good, of all workspaces.
	DeadLetters int64
	// Reachable is false while the server does not answer.
	Reachable bool

	// Published events came in in Batches groups; Diverted ones were over
	// their workspace's live allowance.
	Published, Batches, Diverted uint64
	// Given out; Acked, Retried without and Failed with an attempt counted;
	// Dead are those that failed for good.
	// Held wait elsewhere until their week is repaired.
	Given, Acked, Retried, Failed, Dead, Held uint64
	// Trimmed messages were removed after all of their events had been acknowledged.
	Trimmed, Announced uint64
}

// Stats returns what is known without asking the server.
func (s *Stream) Stats() Stats {
	w, c := &s.figures, &s.counts
	stats := Stats{
		WaitingLive: w.waiting[0].Load(), WaitingBulk: w.waiting[1].Load(),
		EventsBytes: w.bytes.value(), EventsMaxBytes: w.maxBytes.Load(),
		LiveBytes: w.liveBytes.Load(), DeadLetters: w.deadLetters.Load(),
		Reachable: s.reachable() == nil,
		Published: c.published.Load(), Batches: s.events[event.LaneLive].batches.Load() + s.events[event.LaneBulk].batches.Load(), Diverted: c.diverted.Load(),
		Given: c.given.Load(), Acked: c.acked.Load(), Retried: c.retried.Load(),
		Failed: c.failed.Load(), Dead: c.dead.Load(), Held: c.held.Load(),
		Trimmed: c.trimmed.Load(), Announced: c.announced.Load(),
	}
	if oldest := w.oldest.Load(); oldest > 0 {
		stats.OldestAge = max(0, s.cfg.Clock().Sub(time.Unix(0, oldest)))
	}
	return stats
}

// Ready returns ErrUnavailable while the server does not answer.
func (s *Stream) Ready(context.Context) error { return s.reachable() }

func (s *Stream) reachable() error {
	switch {
	case s.stopped.Err() != nil:
		return fmt.Errorf("%w: %w", event.ErrUnavailable, errClosed)
	case !s.conn.IsConnected() || s.figures.away.Load():
		return &event.Cause{Words: "the queue does not answer"}
	}
	return nil
}
