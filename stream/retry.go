package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tidings/backoff"
	"tidings/event"
)

const (
	// longestReason bounds what is kept of an error.
	longestReason = 1000
	// recordTries is how often a record of attempts is written that someone
	// else is writing too.
	recordTries = 5
)

// Retry gives the event back for later without counting an attempt.
func (d *delivery) Retry(after time.Duration) error {
	d.pack.stream.counts.retried.Add(1)
	return d.end("retry", d.pack.again(d, after))
}

// Fail counts an attempt. Below MaxAttempts the event comes again after a delay
// that doubles from RetryBase to RetryMax, less up to a half at random. At
// MaxAttempts it is made durable on DEAD with its history and then leaves the
// queue. When that cannot be recorded the event comes again and the attempt is
// not counted.
func (d *delivery) Fail(ctx context.Context, reason error) error {
	s := d.pack.stream
	s.counts.failed.Add(1)
	history, err := s.attempt(ctx, d.name, reason)
	if err == nil && len(history) < s.cfg.MaxAttempts {
		return d.end("fail", d.pack.again(d, s.retryDelays().After(len(history))))
	}
	if err == nil {
		err = d.bury(ctx, history)
	}
	if err != nil {
		return errors.Join(unavailable("fail", err), d.end("fail", d.pack.again(d, s.cfg.RetryMax)))
	}
	return s.forget(ctx, d.name)
}

// Reject makes the event a dead letter at once.
func (d *delivery) Reject(ctx context.Context, reason error) error {
	s := d.pack.stream
	s.counts.failed.Add(1)
	if err := d.bury(ctx, []event.Attempt{{At: s.cfg.Clock().UTC(), Error: cut(reason)}}); err != nil {
		return errors.Join(unavailable("reject", err), d.end("reject", d.pack.again(d, s.cfg.RetryMax)))
	}
	return nil
}

// bury makes the event durable on DEAD and takes it off the queue.
func (d *delivery) bury(ctx context.Context, history []event.Attempt) error {
	if err := d.pack.stream.bury(ctx, d, history, ""); err != nil {
		return err
	}
	if err := d.end("bury", d.pack.done("dead letter")); err != nil {
		return err
	}
	d.pack.stream.counts.dead.Add(1)
	return nil
}

// retryDelays are how long an event that failed waits for its next attempt.
func (s *Stream) retryDelays() backoff.Delays {
	return backoff.Delays{Base: s.cfg.RetryBase, Max: s.cfg.RetryMax, Random: s.cfg.Rand}
}

// attempt adds a failure to the history of an event and returns all of it. The
// last attempt is not written down: if we crash before the event has left the
// queue, it is the last attempt again.
func (s *Stream) attempt(ctx context.Context, id string, reason error) ([]event.Attempt, error) {
	now := event.Attempt{At: s.cfg.Clock().UTC(), Error: cut(reason)}
	for range recordTries {
		history, revision, err := s.history(ctx, id)
		if err != nil {
			return nil, err
		}
		history = append(history, now)
		if len(history) >= s.cfg.MaxAttempts {
			return history, nil
		}
		record, err := json.Marshal(history)
		if err != nil {
			return nil, fmt.Errorf("attempts: %w", err)
		}
		if revision == 0 {
			_, err = s.attempts.Create(ctx, token(id), record)
		} else {
			_, err = s.attempts.Update(ctx, token(id), record, revision)
		}
		if err == nil {
			return history, nil
		}
		if !errors.Is(err, jetstream.ErrKeyExists) && !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
			return nil, fmt.Errorf("attempts: %w", err)
		}
	}
	return nil, fmt.Errorf("attempts of %s: %w", id, event.ErrConflict)
}

// history returns the failures of an event so far and their revision, 0 when
// there are none.
func (s *Stream) history(ctx context.Context, id string) ([]event.Attempt, uint64, error) {
	entry, err := s.attempts.Get(ctx, token(id))
	if missing(err) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("attempts: %w", err)
	}
	var history []event.Attempt
	if err := json.Unmarshal(entry.Value(), &history); err != nil {
		// A record that we cannot read must not make the event immortal.
		return nil, entry.Revision(), nil
	}
	return history, entry.Revision(), nil
}

// forget drops the attempts of an event.
func (s *Stream) forget(ctx context.Context, id string) error {
	if err := s.attempts.Purge(ctx, token(id)); err != nil {
		return unavailable("forget attempts", err)
	}
	return nil
}

// cut is what is kept of an error.
func cut(reason error) string {
	if reason == nil {
		return "no reason given"
	}
	text := reason.Error()
	if len(text) > longestReason {
		text = text[:longestReason]
	}
	return text
}
