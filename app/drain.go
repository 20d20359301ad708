package app

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/event"
)

// drainPatience is how long nothing may leave the queue before Drain gives up: what
// is left then waits for something that is broken, or for a later time.
const drainPatience = 30 * time.Second

// RunReading keeps those parts going that answer questions, until ctx ends: the hub,
// and the audit log, without which nobody reads for longer than a minute. Nothing is
// indexed, and nothing waits for a part that is broken.
func (a *App) RunReading(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.Hub.Run(ctx) })
	group.Go(func() error { return a.Audit.Run(ctx) })
	return group.Wait()
}

// Drain waits until everything that was accepted is indexed. The count of what
// waits is a moment old, so it must be zero twice. It is ErrUnavailable when nothing
// has left the queue for half a minute.
func (a *App) Drain(ctx context.Context) error {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	var stuck standstill
	for empty := 0; ; {
		waiting := a.Stream.Backlog()
		if waiting > 0 {
			empty = 0
		} else if empty++; empty == 2 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d events still wait to be indexed: %w", waiting, ctx.Err())
		case now := <-tick.C:
			left := a.Stream.Stats()
			if waiting > 0 && stuck.at(now, left.Acked+left.Dead+left.Held) {
				return &event.Cause{Words: fmt.Sprintf(
					"%d events still wait to be indexed, and none was for %v: they stay in the queue, tidings doctor says what is wrong",
					waiting, drainPatience)}
			}
		}
	}
}

// DrainTriggers waits until everybody was told of everything that is indexed.
func (a *App) DrainTriggers(ctx context.Context) error {
	if a.decisions == nil {
		return nil
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		waiting, err := a.Stream.TriggersWaiting(ctx)
		if err != nil || waiting == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d events still wait to be told: %w", waiting, ctx.Err())
		case <-tick.C:
		}
	}
}

// standstill notices that a count does not grow.
type standstill struct {
	count uint64
	since time.Time
}

// at reports whether the count has not moved for as long as one is patient.
func (s *standstill) at(now time.Time, count uint64) bool {
	if s.since.IsZero() || count != s.count {
		s.count, s.since = count, now
	}
	return now.Sub(s.since) >= drainPatience
}
