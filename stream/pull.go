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
	// liveAhead and bulkAhead how many more the server may send behind them. Bulk
	// may be slow: what waits for longer than AckWait is sent again.
	laneBuffer = 1000
	liveAhead  = 2000
	bulkAhead  = 500
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
	buffer chan arrival
}

// arrival is a message with when it came, since the server gives it to someone
// else once AckWait is over.
type arrival struct {
	message jetstream.Msg
	at      time.Time
}

func newLane(s *Stream, name event.Lane) *lane {
	return &lane{stream: s, name: name, buffer: make(chan arrival, laneBuffer)}
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
	reading, err := consumer.Consume(func(m jetstream.Msg) {
		select {
		case l.buffer <- arrival{m, time.Now()}:
		case <-ctx.Done():
			_ = m.Nak()
		}
	}, jetstream.PullMaxMessages(l.ahead()), jetstream.PullExpiry(laneExpiry), jetstream.PullHeartbeat(laneHeartbeat))
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

// giveBack returns what was read ahead and not pulled, so that it is given out
// again at once and not after AckWait.
func (l *lane) giveBack() {
	for {
		select {
		case a := <-l.buffer:
			_ = a.message.Nak()
		default:
			return
		}
	}
}

// ahead is how many events the server may send behind the buffer.
func (l *lane) ahead() int {
	if l.name == event.LaneBulk {
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
		case a := <-l.buffer:
			out = s.take(out, l, a)
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
		case a := <-l.buffer:
			out = s.take(out, l, a)
		default:
			return out
		}
	}
	return out
}

// take adds an event, unless it has waited here for so long that the server is
// giving it out again.
func (s *Stream) take(out []indexer.Delivery, l *lane, a arrival) []indexer.Delivery {
	if time.Since(a.at) >= s.cfg.AckWait {
		return out
	}
	d := &delivery{stream: s, message: a.message, lane: l.name, repeated: true}
	if about, err := a.message.Metadata(); err == nil {
		d.repeated = about.NumDelivered > 1 || about.Sequence.Stream <= s.figures.givenBefore.Load()
		d.sequence = about.Sequence.Stream
	}
	s.counts.given.Add(1)
	return append(out, d)
}
