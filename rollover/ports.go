package rollover

import (
	"context"
	"time"

	"tidings/event"
)

// Weeks are the weeks of the index. Everything may be repeated, and a week that
// does not exist is no error.
type Weeks interface {
	// WeekInfos describes every week, newest first.
	WeekInfos(ctx context.Context) ([]event.WeekInfo, error)
	// Prepare makes a week that does not exist yet.
	Prepare(ctx context.Context, week event.Week) error
	// RemoveSends takes the sends of messages out of a week, sealed or not, and
	// returns how many it took.
	RemoveSends(ctx context.Context, week event.Week, messages []event.MessageKey) (int, error)
	// Drop deletes a week with all its events.
	Drop(ctx context.Context, week event.Week) error
}

// Blocks closes weeks to writes and opens them again. Everything may be
// repeated, and a week that does not exist is no error.
type Blocks interface {
	// Seal makes a week small and fast to read. A write to it is an
	// event.WeekBlocked from then on; reading never stops.
	Seal(ctx context.Context, week event.Week) error
	// Unseal lets a week be written again.
	Unseal(ctx context.Context, week event.Week) error
}

// Leftovers are what an erasure leaves in files: free pages, and what was acknowledged.
type Leftovers interface {
	// Wanted reports whether somebody was erased since the last Clear.
	Wanted(ctx context.Context) (bool, error)
	// Clear takes them out. It may be stopped and repeated.
	Clear(ctx context.Context) error
}

// States are what is known of messages.
type States interface {
	// Expire reduces complete states whose time has passed to what is kept for
	// good, and returns how many. It may be stopped and repeated.
	Expire(ctx context.Context, now time.Time) (int, error)
	// Finished lists at most most messages that were reduced before a time and
	// are not Purged, with the time of their send. A send that comes again
	// lists its message again.
	Finished(ctx context.Context, before time.Time, most int) ([]Finished, error)
	// Purged takes messages off what Finished lists.
	Purged(ctx context.Context, messages []event.MessageKey) error
	// Forget removes what is known of messages that were sent before a time,
	// and of those without a send of which nothing later is known. It returns
	// how many, and may be stopped and repeated.
	Forget(ctx context.Context, before time.Time) (int, error)
}

// Finished is a message whose sends may be taken out of the index.
type Finished struct {
	event.MessageKey
	// At is when it was sent, Unix seconds.
	At int64
}

// Catalogue says in which weeks workspaces have events.
type Catalogue interface {
	// Unlist takes all weeks before a week off the catalogue.
	Unlist(ctx context.Context, before event.Week) error
}

// Notes are what runs and those who wait for weeks tell each other. They are
// durable.
type Notes interface {
	// WantedWeeks are the blocked weeks that events wait for.
	WantedWeeks(ctx context.Context) ([]event.Week, error)
	// Unblocked takes a week off them.
	Unblocked(ctx context.Context, week event.Week) error
	// LastRun is the report of the last run, false when there was none.
	LastRun(ctx context.Context) (Report, bool, error)
	// NoteRun writes the report of a run over the last.
	NoteRun(ctx context.Context, report Report) error
}

// Leases keep others from doing the same at once.
type Leases interface {
	// RunUnderLease waits for the lease called name and runs f while it holds
	// it. The context of f ends when the lease is lost.
	RunUnderLease(ctx context.Context, name string, ttl time.Duration, f func(context.Context) error) error
}
