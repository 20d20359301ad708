package stream

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
	"tidings/indexer"
)

const (
	// laneBuffer is how many events of a lane wait in memory to be pulled, and
	// liveAhead and bulkAhead how many messages more the server may send behind them. Bulk
	// may be slow: what waits for longer than AckWait is sent again. Of our own server,
	// which has packs, it is fewer.
	laneBuffer                = 1000
	liveAhead, livePacksAhead = 2000, 128
	bulkAhead, bulkPacksAhead = 500, 16
	// laneRetry is how long a lane that could not be opened waits.
	laneRetry = time.Second
	// laneExpiry is how long a request for events stands, and laneHeartbeat how
	// often the server says that it does: after two that are missing it is
	// asked again.
	laneExpiry    = 30 * time.Second
	laneHeartbeat = 2 * time.Second
)

// lane is one of the two durable consumers, read ahead into a buffer.
type lane struct {
	stream *Stream
	name   event.Lane
	buffer chan *delivery
}

func newLane(s *Stream, name event.Lane) *lane {
	return &lane{stream: s, name: name, buffer: make(chan *delivery, laneBuffer)}
}

// run reads ahead until the stream closes. It opens the consumer again when the
// server has lost it.
func (l *lane) run() {
	ctx := l.stream.stopped
	for ctx.Err() == nil {
		if err := l.read(ctx); err != nil && ctx.Err() == nil {
			l.stream.cfg.Logger.Warn("a lane of the queue was interrupted", "lane", l.name, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(laneRetry):
		}
	}
}

func (l *lane) read(ctx context.Context) error {
	opening, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	consumer, err := l.stream.consumer(opening, l.name)
	if err != nil {
		return unavailable("open lane", err)
	}
	reading, err := consumer.Consume(func(m jetstream.Msg) { l.arrived(ctx, m) }, jetstream.PullMaxMessages(l.ahead()), jetstream.PullExpiry(laneExpiry), jetstream.PullHeartbeat(laneHeartbeat))
	if err != nil {
		return unavailable("read lane", err)
	}
	select {
	case <-ctx.Done():
		reading.Drain() // what is on its way is given back by the handler
		<-reading.Closed()
		return nil
	case <-reading.Closed():
		return fmt.Errorf("the consumer ended: %w", event.ErrUnavailable)
	}
}

// arrived lets the events of a message wait to be pulled.
func (l *lane) arrived(ctx context.Context, m jetstream.Msg) {
	if wait := l.stream.early(m); wait > 0 {
		_ = m.NakWithDelay(wait)
		return
	}
	for _, d := range l.stream.unpack(m, l.name, time.Now()) {
		select {
		case l.buffer <- d:
		case <-ctx.Done():
			_ = d.pack.again(d, 0)
		}
	}
}

// giveBack returns what was read ahead and not pulled, so that it is given out
// again at once and not after AckWait.
func (l *lane) giveBack() {
	for {
		select {
		case d := <-l.buffer:
			_ = d.pack.again(d, 0)
		default:
			return
		}
	}
}

// ahead is how many messages the server may send behind the buffer.
func (l *lane) ahead() int {
	switch {
	case l.stream.server != nil && l.name == event.LaneBulk:
		return bulkPacksAhead
	case l.stream.server != nil:
		return livePacksAhead
	case l.name == event.LaneBulk:
		return bulkAhead
	}
	return liveAhead
}

// Pull returns what is there of a lane as soon as anything is, at most most events.
// It returns none after wait, and ErrUnavailable when there are none and the server
// is away.
func (s *Stream) Pull(ctx context.Context, name event.Lane, most int, wait time.Duration) ([]indexer.Delivery, error) {
	if most < 1 {
		return nil, event.Invalid("most", "must be at least 1")
	}
	s.pulling.Do(s.startLanes)
	l := s.lanes[slices.Index(lanes[:], name)]
	out := s.drain(nil, l, most)
	if len(out) > 0 {
		return out, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for len(out) == 0 {
		select {
		case d := <-l.buffer:
			out = s.take(out, d)
		case <-timer.C:
			return nil, s.reachable()
		case <-s.stopped.Done():
			return nil, s.reachable()
		case <-s.link.context().Done():
			return nil, s.reachable()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s.drain(out, l, most-len(out)), nil
}

func (s *Stream) startLanes() {
	if s.stopped.Err() != nil {
		return
	}
	for _, l := range s.lanes {
		s.running.Go(l.run)
	}
}

// drain adds up to n events that are waiting in a lane.
func (s *Stream) drain(out []indexer.Delivery, l *lane, n int) []indexer.Delivery {
	for end := len(out) + n; len(out) < end; {
		select {
		case d := <-l.buffer:
			out = s.take(out, d)
		default:
			return out
		}
	}
	return out
}

// take adds an event, unless it has waited here for so long that the server is
// giving it out again.
func (s *Stream) take(out []indexer.Delivery, d *delivery) []indexer.Delivery {
	if d.pack.stale(time.Now()) {
		return out
	}
	d.repeated = d.pack.repeated || d.pack.sequence <= s.figures.givenBefore.Load()
	s.counts.given.Add(1)
	return append(out, d)
}
