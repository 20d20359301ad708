package stream

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
)

// packs knows the packs of EVENTS that wait, of which the server counts the messages. Only
// our own server has packs, and nobody else publishes to it. It is safe for concurrent use.
type packs struct {
	mu sync.Mutex
	by [len(lanes)][]sized // in the order of their sequences
	// unsure is set where there may be packs that are not known: at the beginning, and
	// when it is not known whether a batch was written.
	unsure bool
}

// sized is a pack's sequence, and how many events it has beyond the first.
type sized struct {
	sequence uint64
	more     int64
}

// wrote takes in that messages are on the stream, the last at a sequence.
func (p *packs) wrote(messages []*nats.Msg, last uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, m := range messages {
		p.add(m.Subject, m.Header, last-uint64(len(messages)-1-i))
	}
}

// add notes a message. The lock is held.
func (p *packs) add(subject string, header nats.Header, sequence uint64) {
	n := eventsOf(header)
	name, _, err := splitEventSubject(subject)
	if n == 1 || err != nil {
		return
	}
	of := &p.by[laneAt(name)]
	if at, known := find(*of, sequence); !known {
		*of = slices.Insert(*of, at, sized{sequence, n - 1})
	}
}

// ended forgets a pack that all is done with: what is behind one that waits is not counted.
func (p *packs) ended(name event.Lane, sequence uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := &p.by[laneAt(name)]
	if at, known := find(*of, sequence); known {
		*of = slices.Delete(*of, at, at+1)
	}
}

func find(of []sized, sequence uint64) (at int, known bool) {
	return slices.BinarySearchFunc(of, sequence, func(s sized, sequence uint64) int { return cmp.Compare(s.sequence, sequence) })
}

// beyond is how many events wait of a lane beyond its messages.
func (p *packs) beyond(lane int, info *jetstream.ConsumerInfo) (more int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done, _ := find(p.by[lane], info.AckFloor.Stream+1)
	p.by[lane] = slices.Delete(p.by[lane], 0, done)
	for _, s := range p.by[lane] {
		more += s.more
	}
	return more
}

// forget lets go of all packs: the stream was made anew.
func (p *packs) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by, p.unsure = [len(lanes)][]sized{}, true
}

func (p *packs) markUnsure() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unsure = true
}

// takeUnsure reports whether there may be packs that are not known, and forgets it: whoever
// asks looks for them.
func (p *packs) takeUnsure() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.unsure
	p.unsure = false
	return was
}

// headersAtOnce is how many headers are read at a time.
const headersAtOnce = 1000

// findPacks looks for packs among the messages that wait, where some may not be known.
func (s *Stream) findPacks(ctx context.Context, events jetstream.Stream, consumers [len(lanes)]*jetstream.ConsumerInfo) (err error) {
	if s.server == nil || !s.packs.takeUnsure() {
		return nil
	}
	defer func() {
		if err != nil {
			s.packs.markUnsure()
		}
	}()
	for i, name := range lanes {
		if consumers[i].NumPending == 0 && consumers[i].NumAckPending == 0 {
			continue
		}
		if err := s.readHeaders(ctx, events, name, consumers[i].AckFloor.Stream+1); err != nil {
			return fmt.Errorf("count what waits in lane %s: %w", name, err)
		}
	}
	return nil
}

// readHeaders reads the headers of a lane's messages from a sequence on.
func (s *Stream) readHeaders(ctx context.Context, events jetstream.Stream, name event.Lane, from uint64) error {
	reader, err := events.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from, FilterSubject: laneSubject(name),
		AckPolicy: jetstream.AckNonePolicy, HeadersOnly: true, InactiveThreshold: replayIdle, MemoryStorage: true, Replicas: 1,
	})
	if err != nil {
		return err
	}
	defer func() { _ = events.DeleteConsumer(context.WithoutCancel(ctx), reader.CachedInfo().Name) }()
	for left := reader.CachedInfo().NumPending; left > 0; {
		batch, err := reader.Fetch(int(min(left, headersAtOnce)), jetstream.FetchMaxWait(refreshTimeout))
		if err != nil {
			return err
		}
		before := left
		for message := range batch.Messages() {
			about, err := message.Metadata()
			if err != nil {
				return err
			}
			s.packs.mu.Lock()
			s.packs.add(message.Subject(), message.Headers(), about.Sequence.Stream)
			s.packs.mu.Unlock()
			left--
		}
		if batch.Error() != nil {
			return batch.Error()
		}
		if left == before {
			return event.ErrUnavailable
		}
	}
	return nil
}
