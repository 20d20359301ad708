package stream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
)

// consumer makes or finds the durable consumer of a lane. Attempts are counted
// by us: a consumer's own bound would stop delivering without a word.
func (s *Stream) consumer(ctx context.Context, name event.Lane) (jetstream.Consumer, error) {
	return s.durable(ctx, eventsName, jetstream.ConsumerConfig{
		Durable:       string(name),
		FilterSubject: laneSubject(name),
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       s.cfg.AckWait,
		MaxDeliver:    -1,
		MaxAckPending: maxAckPending,
	})
}

// triggerConsumer makes or finds the durable consumer of triggers.
func (s *Stream) triggerConsumer(ctx context.Context) (jetstream.Consumer, error) {
	return s.durable(ctx, triggersName, jetstream.ConsumerConfig{
		Durable: triggersConsumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: s.cfg.AckWait,
		MaxDeliver: -1, MaxAckPending: maxAckPending,
	})
}

// storeFailed is the server's error where it cannot open what it keeps of a consumer
// (JSConsumerStoreFailedErrF in its errors.json).
const storeFailed jetstream.ErrorCode = 10012

// durable makes or finds a durable consumer. A consumer knows only what was given out and
// acknowledged: one whose file cannot be read begins anew, and what the stream still has
// comes again.
func (s *Stream) durable(ctx context.Context, stream string, config jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	consumer, err := s.js.CreateOrUpdateConsumer(ctx, stream, config)
	var refused *jetstream.APIError
	if s.server == nil || !errors.As(err, &refused) || refused.ErrorCode != storeFailed {
		return consumer, err
	}
	s.cfg.Logger.ErrorContext(ctx, "what was acknowledged of the queue cannot be read: all that it holds is given out again",
		"stream", stream, "consumer", config.Durable, "error", err)
	if err := os.RemoveAll(filepath.Join(s.cfg.Dir, "jetstream", "$G", "streams", stream, "obs", config.Durable)); err != nil {
		return nil, fmt.Errorf("begin the consumer %s anew: %w", config.Durable, err)
	}
	return s.js.CreateOrUpdateConsumer(ctx, stream, config)
}
