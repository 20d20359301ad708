package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"tidings/event"
	"tidings/panics"
)

const (
	triggersName     = "TRIGGERS" // triggers.<workspace>, triggers.several
	triggersPrefix   = "triggers."
	triggersConsumer = "notify"
	// triggersAge and triggersBytes bound what waits to be decided. What is beyond is
	// lost: notifying never stops indexing.
	triggersAge   = 72 * time.Hour
	triggersBytes = 1 << 30
	// triggerWorkers decide at once.
	triggerWorkers = 2
	// triggersSeveral ends the subject of what holds several workspaces' triggers.
	triggersSeveral = "several"
	// triggersPacked is how many go as one message at most, and packedBytes
	// after how many bytes it is full: each message costs the server more than what it holds.
	triggersPacked = 64
	packedBytes    = 128 << 10
	// triggersPulled is how many messages are pulled at once by a worker.
	triggersPulled = 32
	triggersWait   = 5 * time.Second
	// triggersGather is how long it is at least from the beginning of one batch to that of
	// the next where the one before had triggersMany: what is decided together costs one
	// write each of claims, decisions and announcements. A lone one waits for nothing.
	triggersGather = 150 * time.Millisecond
	triggersMany   = 8
	// triggersWatched is how often it is looked for what was lost and what is done with.
	triggersWatched = 30 * time.Second
)

// triggersConfig is the stream of triggers.
func triggersConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: triggersName, Subjects: []string{triggersPrefix + ">"}, Discard: jetstream.DiscardOld,
		MaxAge: triggersAge, MaxBytes: triggersBytes, AllowAtomicPublish: true,
	}
}

// Trigger returns once the triggers are on disk.
func (s *Stream) Trigger(ctx context.Context, triggers []event.Trigger) error {
	if len(triggers) == 0 {
		return nil
	}
	messages, err := packTriggers(triggers)
	if err == nil {
		err = s.triggered.publish(ctx, messages)
	}
	if err != nil {
		return fmt.Errorf("trigger: %w", err)
	}
	return nil
}

// traced is a trigger as it is written, one a line.
type traced struct {
	event.Trigger
	Parent string `json:"trace,omitempty"`
}

// packTriggers makes messages of triggers, many in one, in their order.
func packTriggers(triggers []event.Trigger) ([]*nats.Msg, error) {
	var messages []*nats.Msg
	var filling *nats.Msg
	count := 0
	for i := range triggers {
		line, err := json.Marshal(traced{triggers[i], triggers[i].Trace})
		if err != nil {
			return nil, err
		}
		subject := triggersPrefix + token(triggers[i].Event.Workspace)
		if filling == nil || count == triggersPacked || len(filling.Data)+len(line) > packedBytes {
			filling, count = &nats.Msg{Subject: subject, Header: nats.Header{}}, 0
			messages = append(messages, filling)
		}
		if filling.Subject != subject {
			filling.Subject = triggersPrefix + triggersSeveral
		}
		filling.Data = append(append(filling.Data, line...), '\n')
		count++
	}
	return messages, nil
}

// unpackTriggers reads what a message holds.
func unpackTriggers(data []byte) ([]event.Trigger, error) {
	var triggers []event.Trigger
	for line := range bytes.Lines(data) {
		var t traced
		if err := jsonv2.Unmarshal(line, &t); err != nil {
			return nil, err
		}
		t.Trace = t.Parent
		triggers = append(triggers, t.Trigger)
	}
	return triggers, nil
}

// Triggers gives triggers to handle until ctx ends, what comes within a moment together,
// several times at once and in no order. Where handle returns an error for several they
// are given one by one; one for which it does comes again: after 5 s where something is
// away, else with growing delays, until it has been tried MaxAttempts times; a
// panic is an error. What was discarded before it was given out is told to lost.
func (s *Stream) Triggers(ctx context.Context, handle func(context.Context, []event.Trigger) error, lost func(count uint64)) error {
	consumer, err := s.triggerConsumer(ctx)
	if err != nil {
		return unavailable("follow triggers", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	guarded := func(ctx context.Context, triggers []event.Trigger) error {
		return panics.AsError(func() error { return handle(ctx, triggers) })()
	}
	for range triggerWorkers {
		group.Go(func() error {
			var before gathered
			for ctx.Err() == nil {
				s.takeTriggers(ctx, consumer, guarded, &before)
			}
			return nil
		})
	}
	group.Go(func() error { return s.watchTriggers(ctx, consumer, lost) })
	return group.Wait()
}

// packed are triggers with the message that they came in.
type packed struct {
	message  jetstream.Msg
	triggers []event.Trigger
}

// gathered is the batch that a worker had before.
type gathered struct {
	began time.Time
	count int
}

// until is when the next may begin.
func (g gathered) until() time.Time {
	if g.count < triggersMany {
		return time.Time{}
	}
	return g.began.Add(triggersGather)
}

func (s *Stream) takeTriggers(
	ctx context.Context, consumer jetstream.Consumer, handle func(context.Context, []event.Trigger) error, before *gathered,
) {
	fetching, cancel := context.WithTimeout(ctx, triggersWait)
	defer cancel()
	batch, err := consumer.Fetch(triggersPulled, jetstream.FetchContext(fetching))
	if err != nil {
		select {
		case <-ctx.Done():
		case <-time.After(laneRetry):
		}
		return
	}
	for message := range batch.Messages() {
		taken := s.readTriggers(ctx, nil, message)
		over := time.After(time.Until(before.until()))
		for more, waits := true, time.Now().Before(before.until()); more; {
			select {
			case message, is := <-batch.Messages():
				if more = is; is {
					taken = s.readTriggers(ctx, taken, message)
				}
				continue
			default: // what is there goes first
			}
			if more = waits; !waits {
				continue
			}
			select {
			case message, is := <-batch.Messages():
				if more = is; is {
					taken = s.readTriggers(ctx, taken, message)
				}
			case <-over:
				waits = false
			}
		}
		*before = gathered{time.Now(), 0}
		for _, p := range taken {
			before.count += len(p.triggers)
		}
		s.handleTriggers(ctx, taken, handle)
	}
}

// readTriggers adds what a message holds; what cannot be read is ended.
func (s *Stream) readTriggers(ctx context.Context, taken []packed, message jetstream.Msg) []packed {
	triggers, err := unpackTriggers(message.Data())
	if err != nil {
		s.cfg.Logger.ErrorContext(ctx, "triggers cannot be read", "error", err)
		_ = message.Term()
		return taken
	}
	return append(taken, packed{message, triggers})
}

// handleTriggers ends messages by what became of what they hold. An end may be lost: it
// comes again.
func (s *Stream) handleTriggers(ctx context.Context, taken []packed, handle func(context.Context, []event.Trigger) error) {
	if len(taken) == 0 {
		return
	}
	var all []event.Trigger
	for _, p := range taken {
		all = append(all, p.triggers...)
	}
	err := handle(ctx, all)
	if err == nil || ctx.Err() != nil || errors.Is(err, event.ErrUnavailable) {
		for _, p := range taken {
			s.endTriggers(ctx, p, err)
		}
		return
	}
	for _, p := range taken { // one of them spoils it for all
		err := error(nil)
		for i := range p.triggers {
			if one := handle(ctx, p.triggers[i:i+1]); one != nil {
				s.cfg.Logger.WarnContext(ctx, "deciding about an event failed; it is tried again", "event", p.triggers[i].Event.ID, "error", one)
				if err == nil || errors.Is(one, event.ErrUnavailable) {
					err = one
				}
			}
		}
		s.endTriggers(ctx, p, err)
	}
}

func (s *Stream) endTriggers(ctx context.Context, p packed, err error) {
	switch {
	case err == nil:
		_ = p.message.Ack()
		return
	case ctx.Err() != nil:
		_ = p.message.Nak()
		return
	}
	after, tries := triggersWait, 1
	if about, err := p.message.Metadata(); err == nil {
		tries = int(min(about.NumDelivered, mostAttempts))
	}
	if !errors.Is(err, event.ErrUnavailable) {
		if tries >= s.cfg.MaxAttempts {
			s.cfg.Logger.ErrorContext(ctx, "nobody is told of an event: deciding about it keeps failing", "error", err)
			_ = p.message.Term()
			return
		}
		after = s.retryDelays().After(tries)
	}
	_ = p.message.NakWithDelay(after)
}

// watchTriggers tells what was discarded before anybody had it, and removes what was
// decided.
func (s *Stream) watchTriggers(ctx context.Context, consumer jetstream.Consumer, lost func(count uint64)) error {
	ticker := time.NewTicker(triggersWatched)
	defer ticker.Stop()
	var told uint64
	for {
		kept, err := s.stream(ctx, triggersName)
		if err == nil {
			var about *jetstream.ConsumerInfo
			if about, err = consumer.Info(ctx); err == nil {
				first, next := kept.CachedInfo().State.FirstSeq, max(about.AckFloor.Stream, told)+1
				if first > next {
					lost(first - next)
					told = first - 1
				}
				if err = s.trimTriggers(ctx, kept, about); err == nil {
					err = s.measureTriggers(ctx, about)
				}
			}
		}
		if err != nil && ctx.Err() == nil {
			s.cfg.Logger.WarnContext(ctx, "triggers were not looked after; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// TriggersBehind is how far deciding is behind.
type TriggersBehind struct {
	// Waiting are messages that are not decided yet, and Oldest when the oldest of them
	// was published; zero where none waits.
	Waiting int
	Oldest  time.Time
}

// Age is for how long the oldest has waited.
func (b TriggersBehind) Age(now time.Time) time.Duration {
	if b.Oldest.IsZero() {
		return 0
	}
	return max(0, now.Sub(b.Oldest))
}

// TriggersBehind says how far deciding was behind when this process last looked; nothing
// waits as far as a process knows that takes none.
func (s *Stream) TriggersBehind() TriggersBehind {
	if behind := s.triggersBehind.Load(); behind != nil {
		return *behind
	}
	return TriggersBehind{}
}

// measureTriggers notes what waits, after what is decided was removed.
func (s *Stream) measureTriggers(ctx context.Context, about *jetstream.ConsumerInfo) error {
	behind := TriggersBehind{Waiting: int(about.NumPending) + about.NumAckPending}
	if behind.Waiting > 0 {
		oldest, err := s.js.Stream(ctx, triggersName)
		if err != nil {
			return unavailable("measure triggers", err)
		}
		if state := oldest.CachedInfo().State; state.Msgs > 0 {
			behind.Oldest = state.FirstTime
		}
	}
	s.triggersBehind.Store(&behind)
	return nil
}

// trimTriggers removes what every worker is done with.
func (s *Stream) trimTriggers(ctx context.Context, kept jetstream.Stream, about *jetstream.ConsumerInfo) error {
	if about.AckFloor.Stream < kept.CachedInfo().State.FirstSeq {
		return nil
	}
	if err := kept.Purge(ctx, jetstream.WithPurgeSequence(about.AckFloor.Stream+1)); err != nil {
		return unavailable("trim triggers", err)
	}
	return nil
}

// TriggersWaiting is how many triggers are not decided yet.
func (s *Stream) TriggersWaiting(ctx context.Context) (int64, error) {
	if !s.cfg.Triggers {
		return 0, nil
	}
	consumer, err := s.js.Consumer(ctx, triggersName, triggersConsumer)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		kept, err := s.stream(ctx, triggersName)
		if err != nil {
			return 0, unavailable("count triggers", err)
		}
		return int64(kept.CachedInfo().State.Msgs), nil
	}
	if err != nil {
		return 0, unavailable("count triggers", err)
	}
	about := consumer.CachedInfo()
	return int64(about.NumPending) + int64(about.NumAckPending), nil
}

// EraseTriggers removes triggers of a workspace that match: what waits, and all of what
// was decided.
func (s *Stream) EraseTriggers(ctx context.Context, workspace string, match func(event.Event) bool) error {
	if !s.cfg.Triggers {
		return nil
	}
	kept, err := s.stream(ctx, triggersName)
	if err != nil {
		return unavailable("erase triggers", err)
	}
	consumer, err := kept.Consumer(ctx, triggersConsumer)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
	case err != nil:
		return unavailable("erase triggers", err)
	default:
		if err := s.trimTriggers(ctx, kept, consumer.CachedInfo()); err != nil {
			return err
		}
	}
	theirs := func(e event.Event) bool { return e.Workspace == workspace && match(e) }
	for _, subject := range []string{token(workspace), triggersSeveral} {
		if err := s.eraseUnder(ctx, kept, triggersPrefix+subject, theirs); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stream) eraseUnder(ctx context.Context, kept jetstream.Stream, subject string, match func(event.Event) bool) error {
	for next := uint64(1); ; {
		message, err := kept.GetMsg(ctx, next, jetstream.WithGetMsgSubject(subject))
		if missing(err) {
			return nil
		}
		if err != nil {
			return unavailable("erase triggers", err)
		}
		next = message.Sequence + 1
		if err := s.eraseFrom(ctx, kept, message, match); err != nil {
			return err
		}
	}
}

// eraseFrom takes what matches out of a message: the rest goes as another, and then the
// message is deleted. What is given out twice by it is decided once.
func (s *Stream) eraseFrom(ctx context.Context, kept jetstream.Stream, message *jetstream.RawStreamMsg, match func(event.Event) bool) error {
	triggers, err := unpackTriggers(message.Data)
	if err != nil {
		triggers = nil // it cannot be read: nobody knows whom it is about
	} else {
		all := len(triggers)
		triggers = slices.DeleteFunc(triggers, func(t event.Trigger) bool { return match(t.Event) })
		if len(triggers) == all {
			return nil
		}
	}
	if err := s.Trigger(ctx, triggers); err != nil {
		return err
	}
	if err := kept.SecureDeleteMsg(ctx, message.Sequence); err != nil && !missing(err) {
		return unavailable("erase triggers", err)
	}
	return nil
}
