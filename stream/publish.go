package stream

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tidings/event"
	"tidings/tracing"
)

const (
	// idHeader carries an event's id, so that a payload which cannot be decoded
	// still has a name. It is not Nats-Msg-Id, since one repeated id would have
	// the server refuse the whole batch; repeats are harmless here.
	idHeader = "Tidings-Id"

	// envelope is what a dead letter may need beside its event.
	envelope = 256 << 10
	// jsonRoom is what an event takes in most cases, without its body.
	jsonRoom = 1 << 10
	// overhead is more than the server stores of an event beside its payload
	// and subject.
	overhead = 256
	// fullMargin is how far below its bound EVENTS is full for us, or a
	// sixteenth of it: a server that meets the bound in the middle of a batch
	// gives no answer.
	fullMargin = 64 << 20
	// liveRoom is the part of the backlog that imports leave to live events: an eighth.
	liveRoom = 8
)

// Publish returns nil once every event is on disk. Callers share batches, and
// one who gives up does not hurt the others. It returns TooMuch, with nothing
// published, when the backlog is over its bound or its workspace over its share, and ErrUnavailable when the
// server is away, the disk is nearly full or EVENTS is full.
//
// A workspace has LiveRate and LiveBurst of the live lane. What it publishes as
// live beyond them goes to the bulk lane: it is indexed after everyone's live
// events, its own included, and nothing of it is refused.
func (s *Stream) Publish(ctx context.Context, lane event.Lane, events []event.Event) error {
	if len(events) == 0 {
		return nil
	}
	ctx, span := s.cfg.Tracer.Start(ctx, "publish "+eventsName, trace.SpanKindProducer, attribute.Int("events", len(events)))
	defer span.End()
	messages, err := s.encode(ctx, lane, events)
	if err != nil {
		return err
	}
	waiting := loadOf(messages)
	if err := s.admit(lane, waiting, int64(len(events))); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := s.submit(ctx, messages); err != nil {
		s.shares.failed(waiting)
		return fmt.Errorf("publish: %w", err)
	}
	s.shares.published(waiting)
	s.counts.published.Add(uint64(len(events)))
	return nil
}

func (s *Stream) encode(ctx context.Context, lane event.Lane, events []event.Event) ([]*nats.Msg, error) {
	if lane != event.LaneLive && lane != event.LaneBulk {
		return nil, event.Invalid("lane", "must be live or bulk")
	}
	largest := int(s.conn.MaxPayload()) - envelope
	made := packer{
		together: s.server != nil && len(events) >= packFrom, parent: tracing.Parent(ctx),
		messages: make([]*nats.Msg, 0, len(events)), filling: make(map[event.Lane]*filling, len(lanes)),
	}
	for i := range events {
		data := events[i].AppendJSON(make([]byte, 0, jsonRoom+len(events[i].Body)))
		if len(data) > largest {
			return nil, event.Invalid(fmt.Sprintf("events[%d]", i), "is larger than the queue takes")
		}
		made.add(s.laneFor(lane, events[i].Workspace), &events[i], data)
	}
	return made.messages, nil
}

// laneFor is the lane that an event gets who asks for one.
func (s *Stream) laneFor(lane event.Lane, workspace string) event.Lane {
	if lane == event.LaneLive && !s.allowance.take(workspace) {
		s.counts.diverted.Add(1)
		return event.LaneBulk
	}
	return lane
}

func eventMessage(lane event.Lane, workspace, id string, data []byte) *nats.Msg {
	return &nats.Msg{
		Subject: eventSubject(lane, workspace),
		Header:  nats.Header{idHeader: {id}},
		Data:    data,
	}
}

// admit says whether the backlog has room for more events, and their workspace a share of
// it. It asks nobody. What it admits counts as waiting. An import that fills its part
// leaves room for live events.
func (s *Stream) admit(lane event.Lane, waiting load, n int64) error {
	w, most := &s.figures, s.cfg.Backlog
	if lane == event.LaneBulk {
		most -= most / liveRoom
	}
	backlog := w.events.value()
	if backlog > 0 && backlog+n > most {
		return &event.TooMuch{
			What:  "too many events are waiting to be indexed",
			After: w.drainTime(backlog+n-most, time.Now()),
		}
	}
	// Where nothing waits, more than the backlog's bound are taken at once, or they never were.
	if over := s.shares.take(waiting, max(most, n)-backlog); over > 0 {
		return &event.TooMuch{What: "too many events of this workspace are waiting to be indexed", After: w.drainTime(over, time.Now())}
	}
	return nil
}

// room says whether there is room for so many bytes. It asks nobody.
func (w *figures) room(bytes int64) error {
	if w.diskLow.Load() {
		return &event.Cause{Words: "the disk is nearly full"}
	}
	bound := w.maxBytes.Load()
	if w.bytes.value()+bytes > bound-min(bound/16, fullMargin) {
		w.pressure()
		return &event.Cause{Words: "the queue is full"}
	}
	return nil
}

// submit makes messages of EVENTS durable and keeps the figures right.
func (s *Stream) submit(ctx context.Context, messages []*nats.Msg) error {
	w, n, bytes := &s.figures, eventsIn(messages), stored(messages)
	if err := w.room(bytes); err != nil {
		return err
	}
	w.events.begun.Add(n)
	w.bytes.begun.Add(bytes)
	live, bulk := byLane(messages)
	err := s.events[event.LaneLive].publish(ctx, live)
	if err == nil {
		err = s.events[event.LaneBulk].publish(ctx, bulk)
	}
	w.events.ended.Add(n)
	w.bytes.ended.Add(bytes)
	return err
}

// byLane are messages of events of either lane, each in their order.
func byLane(messages []*nats.Msg) (live, bulk []*nats.Msg) {
	begins := strings.TrimSuffix(laneSubject(event.LaneBulk), ">")
	for _, m := range messages {
		if strings.HasPrefix(m.Subject, begins) {
			bulk = append(bulk, m)
		} else {
			live = append(live, m)
		}
	}
	return live, bulk
}

// stored is about how many bytes messages take up on the stream, at most.
func stored(messages []*nats.Msg) int64 {
	sum := int64(0)
	for _, m := range messages {
		sum += int64(len(m.Data) + len(m.Subject) + overhead)
	}
	return sum
}

// Bounds of the time that a caller is told to wait.
const (
	shortestWait = time.Second
	longestWait  = time.Minute
)
