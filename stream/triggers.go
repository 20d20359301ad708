package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"tidings/event"
	"tidings/tracing"
)

const (
	triggersName     = "TRIGGERS" // triggers.<workspace>
	triggersPrefix   = "triggers."
	triggersConsumer = "notify"
	// triggersAge and triggersBytes bound what waits to be decided. What is beyond is
	// lost: notifying never stops indexing.
	triggersAge   = 72 * time.Hour
	triggersBytes = 1 << 30
	// triggerWorkers decide at once.
	triggerWorkers = 2
	// triggersPulled is how many are pulled at once by a worker.
	triggersPulled = 256
	triggersWait   = 5 * time.Second
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
	messages := make([]*nats.Msg, len(triggers))
	for i := range triggers {
		data, err := json.Marshal(&triggers[i])
		if err != nil {
			return fmt.Errorf("trigger: %w", err)
		}
		messages[i] = &nats.Msg{Subject: triggersPrefix + token(triggers[i].Event.Workspace), Header: nats.Header{}, Data: data}
		if parent := triggers[i].Trace; parent != "" {
			messages[i].Header[tracing.Header] = []string{parent}
		}
	}
	if err := s.triggered.publish(ctx, messages); err != nil {
		return fmt.Errorf("trigger: %w", err)
	}
	return nil
}

// Triggers gives triggers to handle until ctx ends, what is there at once together,
// several times at once and in no order. Where handle returns an error for several they
// are given one by one; one for which it does comes again: after 5 s where something is
// away, else with growing delays, until it has been tried MaxAttempts times. What was
// discarded before it was given out is told to lost.
func (s *Stream) Triggers(ctx context.Context, handle func(context.Context, []event.Trigger) error, lost func(count uint64)) error {
	consumer, err := s.js.CreateOrUpdateConsumer(ctx, triggersName, jetstream.ConsumerConfig{
		Durable: triggersConsumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: s.cfg.AckWait,
		MaxDeliver: -1, MaxAckPending: maxAckPending,
	})
	if err != nil {
		return unavailable("follow triggers", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	for range triggerWorkers {
		group.Go(func() error {
			for ctx.Err() == nil {
				s.takeTriggers(ctx, consumer, handle)
			}
			return nil
		})
	}
	group.Go(func() error { return s.watchTriggers(ctx, consumer, lost) })
	return group.Wait()
}

// trigger is a trigger with the message that it came in.
type trigger struct {
	message jetstream.Msg
	event.Trigger
}

func (s *Stream) takeTriggers(ctx context.Context, consumer jetstream.Consumer, handle func(context.Context, []event.Trigger) error) {
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
		taken := s.readTrigger(ctx, nil, message)
		for more := true; more; { // what is there without waiting
			select {
			case message, is := <-batch.Messages():
				if more = is; is {
					taken = s.readTrigger(ctx, taken, message)
				}
			default:
				more = false
			}
		}
		s.handleTriggers(ctx, taken, handle)
	}
}

// readTrigger adds what a message holds; what cannot be read is ended.
func (s *Stream) readTrigger(ctx context.Context, taken []trigger, message jetstream.Msg) []trigger {
	t := trigger{message: message}
	if err := jsonv2.Unmarshal(message.Data(), &t.Trigger); err != nil {
		s.cfg.Logger.ErrorContext(ctx, "a trigger cannot be read", "error", err)
		_ = message.Term()
		return taken
	}
	if parent := message.Headers()[tracing.Header]; len(parent) > 0 {
		t.Trace = parent[0]
	}
	return append(taken, t)
}

// handleTriggers ends messages by what became of them. An end may be lost: it comes again.
func (s *Stream) handleTriggers(ctx context.Context, taken []trigger, handle func(context.Context, []event.Trigger) error) {
	triggers := make([]event.Trigger, len(taken))
	for i, t := range taken {
		triggers[i] = t.Trigger
	}
	if len(triggers) == 0 {
		return
	}
	err := handle(ctx, triggers)
	if err != nil && len(taken) > 1 && ctx.Err() == nil && !errors.Is(err, event.ErrUnavailable) {
		for i := range taken { // one of them spoils it for all
			s.handleTriggers(ctx, taken[i:i+1], handle)
		}
		return
	}
	for _, t := range taken {
		s.endTrigger(ctx, t, err)
	}
}

func (s *Stream) endTrigger(ctx context.Context, t trigger, err error) {
	switch {
	case err == nil:
		_ = t.message.Ack()
		return
	case ctx.Err() != nil:
		_ = t.message.Nak()
		return
	}
	s.cfg.Logger.WarnContext(ctx, "deciding about an event failed; it is tried again", "event", t.Event.ID, "error", err)
	after, tries := triggersWait, 1
	if about, err := t.message.Metadata(); err == nil {
		tries = int(min(about.NumDelivered, mostAttempts))
	}
	if !errors.Is(err, event.ErrUnavailable) {
		if tries >= s.cfg.MaxAttempts {
			s.cfg.Logger.ErrorContext(ctx, "nobody is told of an event: deciding about it keeps failing", "event", t.Event.ID)
			_ = t.message.Term()
			return
		}
		after = s.retryDelays().After(tries)
	}
	_ = t.message.NakWithDelay(after)
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
				err = s.trimTriggers(ctx, kept, about)
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
	subject := triggersPrefix + token(workspace)
	for next := uint64(1); ; {
		message, err := kept.GetMsg(ctx, next, jetstream.WithGetMsgSubject(subject))
		if missing(err) {
			return nil
		}
		if err != nil {
			return unavailable("erase triggers", err)
		}
		next = message.Sequence + 1
		var t event.Trigger
		if jsonv2.Unmarshal(message.Data, &t) == nil && !match(t.Event) {
			continue
		}
		if err := kept.SecureDeleteMsg(ctx, message.Sequence); err != nil && !missing(err) {
			return unavailable("erase triggers", err)
		}
	}
}
