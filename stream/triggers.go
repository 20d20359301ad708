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
	triggerWorkers = 4
	// triggersPulled is how many are pulled at once by a worker.
	triggersPulled = 64
	triggersWait   = 5 * time.Second
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

// Triggers gives each trigger to handle until ctx ends, several at once and in no order.
// One for which handle returns an error comes again: after 5 s where something is away,
// else with growing delays, until it has been tried MaxAttempts times. What was discarded
// before it was given out is told to lost.
func (s *Stream) Triggers(ctx context.Context, handle func(context.Context, event.Trigger) error, lost func(count uint64)) error {
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

func (s *Stream) takeTriggers(ctx context.Context, consumer jetstream.Consumer, handle func(context.Context, event.Trigger) error) {
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
		s.takeTrigger(ctx, message, handle)
	}
}

// takeTrigger ends one message by what became of it. An end may be lost: it comes again.
func (s *Stream) takeTrigger(ctx context.Context, message jetstream.Msg, handle func(context.Context, event.Trigger) error) {
	var t event.Trigger
	err := jsonv2.Unmarshal(message.Data(), &t)
	if err != nil {
		s.cfg.Logger.ErrorContext(ctx, "a trigger cannot be read", "error", err)
		_ = message.Term()
		return
	}
	if parent := message.Headers()[tracing.Header]; len(parent) > 0 {
		t.Trace = parent[0]
	}
	switch err = handle(ctx, t); {
	case err == nil:
		_ = message.Ack()
	case ctx.Err() != nil:
		_ = message.Nak()
	default:
		s.cfg.Logger.WarnContext(ctx, "deciding about an event failed; it is tried again", "event", t.Event.ID, "error", err)
		after, tries := triggersWait, 1
		if about, err := message.Metadata(); err == nil {
			tries = int(min(about.NumDelivered, mostAttempts))
		}
		if !errors.Is(err, event.ErrUnavailable) {
			if tries >= s.cfg.MaxAttempts {
				s.cfg.Logger.ErrorContext(ctx, "nobody is told of an event: deciding about it keeps failing", "event", t.Event.ID)
				_ = message.Term()
				return
			}
			after = s.retryDelays().After(tries)
		}
		_ = message.NakWithDelay(after)
	}
}

// watchTriggers tells what was discarded before anybody had it.
func (s *Stream) watchTriggers(ctx context.Context, consumer jetstream.Consumer, lost func(count uint64)) error {
	ticker := time.NewTicker(30 * time.Second)
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
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
