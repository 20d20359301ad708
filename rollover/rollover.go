package rollover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"tidings/event"
)

// Policy is what the operator decides.
type Policy struct {
	// SealAfter is how long after its end a week is sealed; 0 means 14 days.
	SealAfter time.Duration
	// Retention is how old events may become; 0 keeps them for good.
	Retention time.Duration
	// RemoveCompleted takes sends out of the index once everyone has opened
	// them and what is known of their opens was let go.
	RemoveCompleted bool
}

// Config is what a Rollover works with.
type Config struct {
	Policy
	Weeks     Weeks
	Blocks    Blocks
	States    States
	Catalogue Catalogue
	Notes     Notes
	Leases    Leases
	// Leftovers may be nil.
	Leftovers Leftovers
	// Clock is the system's when nil.
	Clock  func() time.Time
	Logger *slog.Logger
	// Between is called after each action, for tests that crash there.
	Between func(Action)
}

// Rollover makes the nightly runs and takes blocks off between them. It is safe for
// concurrent use.
type Rollover struct {
	Config
	// made is when the last run without a failure was made here, Unix seconds.
	made atomic.Int64
	// waiting says what waits for a person.
	waiting atomic.Pointer[string]
}

// Lease is the lease under which weeks are sealed, opened and rebuilt.
const Lease = "weeks"

const (
	// LeaseTime is how long a dead holder keeps the lease from others.
	LeaseTime = 15 * time.Second
	// purgeAfter is how long after its state was reduced a send is purged, so
	// that a piece of it that comes late still finds it.
	purgeAfter = 24 * time.Hour
	// purgeBatch is how many messages are purged at a time.
	purgeBatch = 200
)

// New makes a Rollover.
func New(c Config) *Rollover {
	if c.SealAfter == 0 {
		c.SealAfter = 14 * 24 * time.Hour
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Between == nil {
		c.Between = func(Action) {}
	}
	return &Rollover{Config: c}
}

// LastMade is when this process last made a run in which nothing failed, the
// zero time when it made none.
func (r *Rollover) LastMade() time.Time {
	if at := r.made.Load(); at != 0 {
		return time.Unix(at, 0)
	}
	return time.Time{}
}

// Report says what a run did.
type Report struct {
	At      time.Time     `json:"at"`
	Took    time.Duration `json:"took"`
	Actions []Action      `json:"actions"`
}

// Failed counts the actions that were not done.
func (r Report) Failed() int {
	n := 0
	for _, action := range r.Actions {
		if action.Error != "" {
			n++
		}
	}
	return n
}

// Run makes a run under the lease. An action that fails leaves the others
// alone; the error names all that failed.
func (r *Rollover) Run(ctx context.Context) (Report, error) { return r.runUnderLease(ctx, false) }

func (r *Rollover) runUnderLease(ctx context.Context, confirmed bool) (Report, error) {
	var report Report
	err := r.Leases.RunUnderLease(ctx, Lease, LeaseTime, func(ctx context.Context) error {
		var err error
		report, err = r.run(ctx, confirmed)
		return err
	})
	return report, err
}

func (r *Rollover) run(ctx context.Context, confirmed bool) (Report, error) {
	now, began := r.Clock(), time.Now()
	plan, err := r.plan(ctx, now, confirmed)
	if err != nil {
		return Report{At: now}, err
	}
	report := Report{At: now}
	unblocked := make(map[event.Week]bool)
	var errs []error
	for _, action := range plan {
		if action.Step == StepSeal {
			// Sealing takes long, and events may have come for other weeks.
			late, err := r.unblock(ctx)
			errs = append(errs, err)
			for _, done := range late {
				unblocked[*done.Week] = true
			}
			report.Actions = append(report.Actions, late...)
			if unblocked[*action.Week] {
				continue
			}
		}
		done, err := r.do(ctx, action)
		report.Actions = append(report.Actions, done)
		errs = append(errs, err)
		if ctx.Err() != nil {
			return report, errors.Join(errs...)
		}
	}
	report.Took = time.Since(began)
	errs = append(errs, r.Notes.NoteRun(ctx, report))
	err = errors.Join(errs...)
	if err == nil {
		r.made.Store(now.Unix())
	}
	return report, err
}

// do takes one action.
func (r *Rollover) do(ctx context.Context, action Action) (Action, error) {
	n, err := action.do(ctx)
	action.Count = n
	if err != nil {
		err = fmt.Errorf("%s: %w", action, err)
		action.Error = err.Error()
		return action, err
	}
	r.Logger.InfoContext(ctx, "rollover", "action", action.String())
	r.Between(action)
	return action, nil
}

// Unblock opens the blocked weeks that events wait for, under the lease.
func (r *Rollover) Unblock(ctx context.Context) error {
	wanted, err := r.Notes.WantedWeeks(ctx)
	if err != nil || len(wanted) == 0 {
		return err
	}
	return r.Leases.RunUnderLease(ctx, Lease, LeaseTime, func(ctx context.Context) error {
		_, err := r.unblock(ctx)
		return err
	})
}

// unblock opens what is wanted now, and returns what it did.
func (r *Rollover) unblock(ctx context.Context) ([]Action, error) {
	wanted, err := r.Notes.WantedWeeks(ctx)
	if err != nil {
		return nil, err
	}
	var actions []Action
	var errs []error
	for _, week := range wanted {
		done, err := r.do(ctx, r.unblocking(week))
		actions, errs = append(actions, done), append(errs, err)
	}
	return actions, errors.Join(errs...)
}

// purge takes sends out of the index that nobody waits for any more. A message
// is taken off the list after its sends, so a crash only looks for them again.
func (r *Rollover) purge(ctx context.Context, now time.Time) (int, error) {
	total := 0
	for {
		finished, err := r.States.Finished(ctx, now.Add(-purgeAfter), purgeBatch)
		if err != nil || len(finished) == 0 {
			return total, err
		}
		weeks := make(map[event.Week][]event.MessageKey)
		keys := make([]event.MessageKey, len(finished))
		for i, message := range finished {
			keys[i] = message.MessageKey
			week := event.WeekOf(message.At)
			// A send may come in pieces over some hours.
			weeks[week] = append(weeks[week], message.MessageKey)
			weeks[week+1] = append(weeks[week+1], message.MessageKey)
		}
		for week, messages := range weeks {
			n, err := r.Weeks.RemoveSends(ctx, week, messages)
			// The sends of a damaged week stay: to wait for it would be to purge no
			// others.
			if _, err := event.SplitDamaged(err); err != nil {
				return total, err
			}
			total += n
		}
		if err := r.States.Purged(ctx, keys); err != nil {
			return total, err
		}
		r.Between(Action{Step: StepPurge, Count: total})
	}
}
