package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
)

const (
	// replayWait is how long the server may take for the next part of a span.
	replayWait = 10 * time.Second
	// replayPause is how long a replay waits while the backlog is high.
	replayPause = refreshEvery
	// replayMessages is how many messages are read at a time; each may be a pack.
	replayMessages = 128
	// replayIdle is after how long the server forgets a replay that has died.
	replayIdle = 5 * time.Minute
)

// ReplaySpan publishes the events that arrived from since until until again, to
// the bulk lane, and returns how many. It keeps the backlog under half of its
// bound and tells progress how far it is. Repeats are harmless, so a replay
// that failed is simply begun again.
//
// Only what is kept can be replayed: see Trim. An error tells when events of
// the span were removed while it ran; the others have been replayed then.
func (s *Stream) ReplaySpan(ctx context.Context, since, until time.Time, progress func(n int)) (int, error) {
	events, err := s.stream(ctx, eventsName)
	if err != nil {
		return 0, unavailable("replay", err)
	}
	r := replay{stream: s, until: until, progress: progress, last: events.CachedInfo().State.LastSeq}
	r.source, err = events.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartTimePolicy,
		OptStartTime:      &since,
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: replayIdle,
		MemoryStorage:     true,
		Replicas:          1,
	})
	if err != nil {
		return 0, unavailable("replay", err)
	}
	defer r.close(ctx, events)
	if r.source.CachedInfo().NumPending == 0 {
		return 0, nil
	}
	for !r.finished {
		if err := r.part(ctx); err != nil {
			return r.done, fmt.Errorf("replay: %w", err)
		}
	}
	if r.missed > 0 {
		return r.done, fmt.Errorf("replay: %d messages of the span were trimmed meanwhile: %w", r.missed, event.ErrNotFound)
	}
	return r.done, nil
}

// replay is one that is under way.
type replay struct {
	stream   *Stream
	source   jetstream.Consumer
	until    time.Time
	last     uint64 // where the stream ended when it began
	progress func(n int)

	at       uint64 // sequence of the last event that was read
	read     uint64 // how many the server has sent
	done     int
	missed   uint64
	finished bool
}

// part replays the next batch of the span.
func (r *replay) part(ctx context.Context) error {
	batch, err := r.source.Fetch(replayMessages, jetstream.FetchMaxWait(replayWait))
	if err != nil {
		return unavailable("read", err)
	}
	var out []*nats.Msg
	got := false
	for message := range batch.Messages() {
		got = true
		again, err := r.take(message)
		if err != nil {
			return err
		}
		if again != nil {
			out = append(out, again)
		}
		if r.finished {
			break
		}
	}
	if err := batch.Error(); err != nil {
		return unavailable("read", err)
	}
	if !got {
		return fmt.Errorf("read: nothing came: %w", event.ErrUnavailable)
	}
	if err := r.hold(ctx, stored(out)); err != nil {
		return err
	}
	if err := r.stream.submit(ctx, out); err != nil {
		return err
	}
	r.done += int(eventsIn(out))
	if r.progress != nil {
		r.progress(r.done)
	}
	return nil
}

// take reads one event of the span and returns what to publish, nil when the
// span is over.
func (r *replay) take(message jetstream.Msg) (*nats.Msg, error) {
	about, err := message.Metadata()
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	r.read++
	if about.Sequence.Consumer != r.read {
		return nil, fmt.Errorf("read: events were lost on the way: %w", event.ErrUnavailable)
	}
	sequence := about.Sequence.Stream
	if sequence > r.last || about.Timestamp.After(r.until) {
		r.finished = true
		return nil, nil
	}
	if r.at > 0 {
		r.missed += sequence - r.at - 1
	}
	r.at = sequence
	r.finished = sequence == r.last
	_, workspace, err := splitEventSubject(message.Subject())
	if err != nil {
		return nil, err
	}
	again := eventMessage(event.LaneBulk, workspace, message.Headers().Get(idHeader), message.Data())
	if count := message.Headers()[countHeader]; len(count) > 0 {
		again.Header = nats.Header{countHeader: count}
	}
	return again, nil
}

// hold waits until the backlog is under half of its bound, and until there is
// room for a batch on the stream.
func (r *replay) hold(ctx context.Context, room int64) error {
	for r.stream.Backlog() > r.stream.cfg.Backlog/2 || r.stream.figures.room(room) != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.stream.stopped.Done():
			return fmt.Errorf("%w: %w", event.ErrUnavailable, errClosed)
		case <-time.After(replayPause):
		}
	}
	return nil
}

func (r *replay) close(ctx context.Context, events jetstream.Stream) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
	defer cancel()
	// The server forgets it by itself when this fails.
	_ = events.DeleteConsumer(ctx, r.source.CachedInfo().Name)
}
