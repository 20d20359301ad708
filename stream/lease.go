package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
)

// ErrLeaseLost is the cause of a context that ended with its lease.
var ErrLeaseLost = errors.New("the lease was lost")

// lease is a lease that we hold, or held.
type lease struct {
	stream   *Stream
	name     string
	ttl      time.Duration
	revision uint64
	renewed  time.Time // before the server heard of it
}

// RunUnderLease waits until it holds the lease called name, runs f, gives the
// lease back and returns what f returned. Nobody else holds the lease while f
// runs with a context that has not ended: when the lease cannot be renewed for
// three quarters of ttl, or someone has taken it, that context ends, and when f
// returns an error after that, everything begins again. A holder that dies is
// followed by another after ttl at the earliest and 1.5 ttl at the latest.
//
// No clocks are compared: whoever waits takes a lease that has not been renewed
// for ttl while they watched.
func (s *Stream) RunUnderLease(ctx context.Context, name string, ttl time.Duration, f func(context.Context) error) error {
	for {
		held, err := s.acquire(ctx, name, ttl)
		if err != nil {
			return err
		}
		lost, err := held.run(ctx, f)
		if err == nil || !lost || ctx.Err() != nil {
			return err
		}
		s.cfg.Logger.WarnContext(ctx, "a lease was lost", "lease", name)
	}
}

// acquire waits for a lease until ctx ends.
func (s *Stream) acquire(ctx context.Context, name string, ttl time.Duration) (*lease, error) {
	var seen uint64 // the revision that someone holds
	var since time.Time
	for {
		held := &lease{stream: s, name: name, ttl: ttl, renewed: time.Now()}
		entry, err := s.leases.Get(ctx, token(name))
		switch {
		case missing(err):
			if held.revision, err = s.leases.Create(ctx, token(name), []byte(s.holder)); err == nil {
				return held, nil
			}
		case err != nil: // asked again below
		case entry.Revision() != seen:
			seen, since = entry.Revision(), time.Now()
		case time.Since(since) >= ttl:
			if held.revision, err = s.leases.Update(ctx, token(name), []byte(s.holder), seen); err == nil {
				return held, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.stopped.Done():
			return nil, fmt.Errorf("lease %s: %w: %w", name, event.ErrUnavailable, errClosed)
		case <-time.After(ttl / 4):
		}
	}
}

// run runs f as long as the lease is ours, and reports whether it was lost.
func (l *lease) run(ctx context.Context, f func(context.Context) error) (lost bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	renewing := make(chan struct{})
	go func() {
		defer close(renewing)
		l.renew(ctx, cancel)
	}()
	err = f(ctx)
	lost = errors.Is(context.Cause(ctx), ErrLeaseLost)
	cancel(nil)
	<-renewing
	if !lost {
		l.release(ctx)
	}
	return lost, err
}

// renew keeps the lease until ctx ends, and ends it when the lease is lost.
func (l *lease) renew(ctx context.Context, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(l.ttl / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		deadline := l.renewed.Add(l.ttl * 3 / 4)
		asking, done := context.WithDeadline(ctx, deadline)
		now := time.Now()
		revision, err := l.stream.leases.Update(asking, token(l.name), []byte(l.stream.holder), l.revision)
		done()
		switch {
		case err == nil:
			l.revision, l.renewed = revision, now
		case ctx.Err() != nil:
			return
		case errors.Is(err, jetstream.ErrKeyRevisionMismatch) || !time.Now().Before(deadline):
			cancel(ErrLeaseLost)
			return
		}
	}
}

// release lets the next one have the lease at once. When that fails it runs out.
func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
	defer cancel()
	_ = l.stream.leases.Delete(ctx, token(l.name), jetstream.LastRevision(l.revision))
}
