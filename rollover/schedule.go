package rollover

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// TimeOfDay is a time of each day in UTC, such as 02:30.
type TimeOfDay struct{ Hour, Minute int }

// UnmarshalText reads "02:30".
func (t *TimeOfDay) UnmarshalText(text []byte) error {
	at, err := time.Parse("15:04", string(text))
	if err != nil {
		return fmt.Errorf("%q is not a time of day such as 02:30", text)
	}
	t.Hour, t.Minute = at.Hour(), at.Minute()
	return nil
}

// Next is the first such time after now.
func (t TimeOfDay) Next(now time.Time) time.Time {
	now = now.UTC()
	at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour, t.Minute, 0, 0, time.UTC)
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

const (
	// unblockEvery is how often it is asked which weeks events wait for.
	unblockEvery = time.Second
	// retryAfter is how long after a run that failed the next is tried.
	retryAfter = 5 * time.Minute
)

// KeepUnblocking takes blocks off that events wait for until ctx ends.
func (r *Rollover) KeepUnblocking(ctx context.Context) error {
	tick := time.NewTicker(unblockEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := r.Unblock(ctx); err != nil && ctx.Err() == nil {
			r.Logger.WarnContext(ctx, "a blocked week was not opened; it is tried again", "error", err)
		}
	}
}

// Keep takes blocks off, makes a run now, and one each night, until ctx ends.
func (r *Rollover) Keep(ctx context.Context, night TimeOfDay) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.KeepUnblocking(ctx) })
	group.Go(func() error { return r.keepRunning(ctx, night) })
	return group.Wait()
}

func (r *Rollover) keepRunning(ctx context.Context, night TimeOfDay) error {
	for due := r.Clock(); ; {
		if r.wait(ctx, due) != nil {
			return nil
		}
		err := r.runDue(ctx, due)
		switch now := r.Clock(); {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			r.Logger.ErrorContext(ctx, "a nightly run failed; it is tried again", "error", err, "wait", retryAfter)
			due = now.Add(retryAfter)
		default:
			due = night.Next(now)
		}
	}
}

// runDue makes the run that is due, unless another process has made it.
func (r *Rollover) runDue(ctx context.Context, due time.Time) error {
	return r.Leases.RunUnderLease(ctx, Lease, LeaseTime, func(ctx context.Context) error {
		last, found, err := r.Notes.LastRun(ctx)
		if err == nil && found && last.Failed() == 0 && !last.At.Before(due) {
			return nil
		}
		_, err = r.run(ctx, false)
		return err
	})
}

// longestSleep is after how long at most the clock is looked at again: a timer does
// not follow a clock that is set.
const longestSleep = time.Minute

// wait waits until the clock says at.
func (r *Rollover) wait(ctx context.Context, at time.Time) error {
	for {
		timer := time.NewTimer(min(at.Sub(r.Clock()), longestSleep))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		if !r.Clock().Before(at) {
			return nil
		}
	}
}
