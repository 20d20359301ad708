package stream

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
	"tidings/tracing"
)

// A message of EVENTS holds one event, or a pack of them: several that one request brought
// for one lane and workspace, as JSON, one a line. A message costs the server more than
// what it holds. A pack is acknowledged when all of its events are done with; see ended.

const (
	// countHeader says how many events a pack has. A message without it has one.
	countHeader = "Tidings-Events"
	// notBeforeHeader is from when on an event that left its pack may be given out, Unix
	// milliseconds: a message's own delay is its first delivery's matter.
	notBeforeHeader = "Tidings-Not-Before"

	// packFrom is how many events a request brings at least that are packed. Fewer go one
	// by one, so that what is sent live is acknowledged one by one.
	packFrom = 32
	// packMost is how many events a pack holds at most, and packBytes bounds it: what it
	// costs beside what it holds is nothing by then.
	packMost  = 128
	packBytes = 128 << 10
)

// packer makes messages of the events of one request, in their order in each lane.
type packer struct {
	together bool
	parent   string
	messages []*nats.Msg
	// filling is the last message of each lane, with how many events it has.
	filling map[event.Lane]*filling
}

type filling struct {
	message *nats.Msg
	count   int
}

func (p *packer) add(lane event.Lane, e *event.Event, data []byte) {
	last := p.filling[lane]
	if p.together && last != nil && last.takes(lane, e.Workspace, len(data)) {
		last.message.Data = append(append(last.message.Data, '\n'), data...)
		last.count++
		delete(last.message.Header, idHeader)
		last.message.Header[countHeader] = []string{strconv.Itoa(last.count)}
		return
	}
	message := eventMessage(lane, e.Workspace, e.ID.String(), data)
	if p.parent != "" {
		message.Header[tracing.Header] = []string{p.parent}
	}
	p.messages = append(p.messages, message)
	p.filling[lane] = &filling{message, 1}
}

func (f *filling) takes(lane event.Lane, workspace string, size int) bool {
	return f.count < packMost && len(f.message.Data)+size < packBytes && f.message.Subject == eventSubject(lane, workspace)
}

// eventsOf is how many events a message has that says so in its header.
func eventsOf(header nats.Header) int64 {
	if given := header[countHeader]; len(given) > 0 {
		if n, err := strconv.ParseInt(given[0], 10, 64); err == nil && n > 1 {
			return n
		}
	}
	return 1
}

// eventsIn counts the events of messages.
func eventsIn(messages []*nats.Msg) (n int64) {
	for _, m := range messages {
		n += eventsOf(m.Header)
	}
	return n
}

// pack is a message of EVENTS that was given out, with what becomes of its events.
type pack struct {
	stream   *Stream
	message  jetstream.Msg
	lane     event.Lane
	sequence uint64
	// repeated says that the message was given out before.
	repeated bool
	count    int

	mu sync.Mutex
	// fresh is when the server began to wait for an answer.
	fresh time.Time
	// open is how many events are not ended, and back are those that have to come again.
	open int
	back []comesBack
}

// comesBack is an event that has to come again, and when.
type comesBack struct {
	delivery *delivery
	after    time.Duration
}

// unpack makes deliveries of a message that came at a time.
func (s *Stream) unpack(message jetstream.Msg, lane event.Lane, at time.Time) []*delivery {
	p := &pack{stream: s, message: message, lane: lane, repeated: true, fresh: at}
	if about, err := message.Metadata(); err == nil {
		p.repeated = about.NumDelivered > 1 || message.Headers().Get(notBeforeHeader) != ""
		p.sequence = about.Sequence.Stream
	}
	if eventsOf(message.Headers()) == 1 {
		p.count, p.open = 1, 1
		name := message.Headers().Get(idHeader)
		if name == "" {
			name = fmt.Sprintf("sequence-%d", p.sequence)
		}
		return []*delivery{{pack: p, data: message.Data(), name: name}}
	}
	lines := bytes.Split(message.Data(), []byte("\n"))
	p.count, p.open = len(lines), len(lines)
	out := make([]*delivery, len(lines))
	for i, line := range lines {
		out[i] = &delivery{pack: p, data: line, name: nameOf(line)}
		if out[i].name == "" {
			out[i].name = fmt.Sprintf("sequence-%d-%d", p.sequence, i+1)
		}
	}
	return out
}

// nameOf is the id that an event's JSON begins with, "" where it does not.
func nameOf(line []byte) string {
	rest, begins := bytes.CutPrefix(line, []byte(`{"id":"`))
	text, _, ends := bytes.Cut(rest, []byte(`"`))
	if _, err := event.ParseID(string(text)); !begins || !ends || err != nil {
		return ""
	}
	return string(text)
}

// early is how long a message has to wait that is not to be given out yet. A clock that
// was set back makes it wait no longer than any retry does.
func (s *Stream) early(message jetstream.Msg) time.Duration {
	given := message.Headers().Get(notBeforeHeader)
	if given == "" {
		return 0
	}
	from, err := strconv.ParseInt(given, 10, 64)
	if err != nil {
		return 0
	}
	return min(time.UnixMilli(from).Sub(s.cfg.Clock()), s.cfg.RetryMax)
}

// stale reports whether the server is giving the message out again.
func (p *pack) stale(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Sub(p.fresh) >= p.stream.cfg.AckWait
}

// extend asks for more time for all of its events, unless that was done just now.
func (p *pack) extend() error {
	p.mu.Lock()
	now := time.Now()
	if p.count > 1 && now.Sub(p.fresh) < p.stream.cfg.AckWait/64 {
		p.mu.Unlock()
		return nil
	}
	p.fresh = now
	p.mu.Unlock()
	return p.message.InProgress()
}

// done ends an event that need not come again, term with a reason where it did not get
// through.
func (p *pack) done(term string) error {
	if p.count > 1 {
		return p.ended(nil)
	}
	if term != "" {
		return p.message.TermWithReason(term)
	}
	return p.message.Ack()
}

// again ends an event that has to come again.
func (p *pack) again(d *delivery, after time.Duration) error {
	after = max(after, 0)
	if p.count > 1 {
		return p.ended(&comesBack{d, after})
	}
	return p.nak(after)
}

func (p *pack) nak(after time.Duration) error {
	if after == 0 {
		return p.message.Nak()
	}
	return p.message.NakWithDelay(after)
}

// ended takes in that one of several events ended. Behind the last, the message is
// acknowledged where all are done with, and comes again where none is. Where some are, the
// others become durable as messages of their own first: what is done with is not done once
// more, and a dead letter that somebody drops does not come back with its neighbours. Where
// that fails all come again, as after a crash.
func (p *pack) ended(back *comesBack) error {
	p.mu.Lock()
	if back != nil {
		p.back = append(p.back, *back)
	}
	p.open--
	last := p.open == 0
	p.mu.Unlock()
	switch {
	case !last:
		return nil
	case len(p.back) == 0:
		return p.ack()
	case len(p.back) < p.count:
		if err := p.part(); err == nil {
			return p.ack()
		}
	}
	soonest := p.back[0].after
	for _, b := range p.back {
		soonest = min(soonest, b.after)
	}
	return p.nak(soonest)
}

func (p *pack) ack() error {
	err := p.message.Ack()
	if err == nil {
		p.stream.packs.ended(p.lane, p.sequence)
	}
	return err
}

// part publishes the events that have to come again, one by one.
//
//nolint:contextcheck // an end of a delivery is no part of its caller's time
func (p *pack) part() error {
	s := p.stream
	_, workspace, err := splitEventSubject(p.message.Subject())
	if err != nil {
		return err
	}
	messages := make([]*nats.Msg, len(p.back))
	for i, b := range p.back {
		messages[i] = eventMessage(p.lane, workspace, b.delivery.name, b.delivery.data)
		messages[i].Header.Set(notBeforeHeader, strconv.FormatInt(s.cfg.Clock().Add(b.after).UnixMilli(), 10))
		if parent := p.message.Headers()[tracing.Header]; len(parent) > 0 {
			messages[i].Header[tracing.Header] = parent
		}
	}
	ctx, cancel := context.WithTimeout(s.stopped, commitTimeout)
	defer cancel()
	return s.submit(ctx, messages)
}
