package indexer

import (
	"context"
	"time"

	"tidings/event"
	"tidings/verdict"
)

// Index is where events are written.
type Index interface {
	// Create writes events that are not there yet, each on its own, and returns
	// one Outcome an event in their order. An id that exists is left as it is.
	// A written event survives a crash once Create returns. The outcome of an
	// event whose week takes no writes is an event.WeekBlocked. The error is
	// for the whole batch: nothing is known of any event then, and all may be
	// created again.
	Create(ctx context.Context, events []event.Event) ([]event.Outcome, error)
	// Get returns the events that exist among ids, in any order.
	Get(ctx context.Context, workspace string, ids []event.ID) ([]event.Event, error)
	// Rewrite replaces events that exist, found by id; one that does not exist
	// is left out. It is for corrections and is repeated freely. Where a week
	// takes no writes the error is an event.WeekBlocked, and the events of
	// other weeks may have been replaced or not.
	Rewrite(ctx context.Context, events []event.Event) error
}

// States keeps what is known of messages.
type States interface {
	// Read returns the states that exist among keys.
	Read(ctx context.Context, keys []event.MessageKey) (map[event.MessageKey]event.State, error)
	// Apply makes the changes durable, at most one a message, marks the weeks
	// in the catalogue in the same breath, and returns the states after them in
	// the order of the changes. Changes are commutative and idempotent.
	Apply(ctx context.Context, changes []event.Change, weeks []WorkspaceWeek) ([]event.State, error)
	// Completed takes ids off a message's Pending once their documents have been
	// completed. Ids that are not there are no error.
	Completed(ctx context.Context, key event.MessageKey, ids []event.ID) error
	// Replace writes a state over the stored one, for corrections, which may
	// take marks away, as Apply never does. It compares and sets: only over the
	// version that state.Version names, 0 for none, with the next version. It
	// reports false, and has done nothing, when the state has moved.
	Replace(ctx context.Context, state event.State) (bool, error)
}

// WorkspaceWeek is a week in which a workspace has events.
type WorkspaceWeek struct {
	Workspace string
	Week      event.Week
}

// Queue gives events out and takes back what became of them.
type Queue interface {
	// Pull waits for up to wait for the first event of a lane and returns at most
	// most. It returns an empty batch when there is none, and ErrUnavailable when
	// the queue is away.
	Pull(ctx context.Context, lane event.Lane, most int, wait time.Duration) ([]Delivery, error)
}

// Delivery is one event out of the queue. Exactly one of its ends is called.
type Delivery interface {
	// Event decodes the event; an error is a reason of its own to fail.
	Event() (event.Event, error)
	// Repeated reports whether this event was given out before.
	Repeated() bool
	// Ack says that the event is done with. It may be lost: the event comes
	// again then.
	Ack() error
	// Extend asks for more time before the event is given out again. It may be lost.
	Extend() error
	// Retry gives the event back for later without counting: nothing is wrong
	// with the event itself.
	Retry(after time.Duration) error
	// Fail counts a failure that is the event's own. It comes again after a
	// growing delay, or goes to the dead letters with its history.
	Fail(ctx context.Context, reason error) error
	// Reject puts the event among the dead letters at once: no other try would end
	// otherwise.
	Reject(ctx context.Context, reason error) error
}

// Holder is a Delivery that can wait elsewhere until its week is repaired.
type Holder interface {
	// Hold takes the event off the queue and keeps it in a bounded store of its own,
	// durably, with why. An error means that it did not: it is given back then.
	Hold(ctx context.Context, week event.Week, reason error) error
}

// Laned is a Delivery that knows its lane.
type Laned interface{ Lane() event.Lane }

// Traced is a Delivery that came with a trace.
type Traced interface {
	// Trace is a traceparent, or empty.
	Trace() string
}

// Blocks hears which weeks are waited for.
type Blocks interface {
	// Wanted notes for the holder of the lease that events wait for the blocks
	// of these weeks to be unblocked. It is repeated freely.
	Wanted(ctx context.Context, weeks []event.Week) error
}

// Announcer makes announcements to whoever is listening.
type Announcer interface {
	// Announce is done once the announcements are on disk, in their order.
	Announce(ctx context.Context, announcements []event.Announcement) error
}

// Triggers takes what people may want to be told of.
type Triggers interface {
	// Trigger is done once the triggers are on disk. It may be repeated.
	Trigger(ctx context.Context, triggers []event.Trigger) error
}

// Erasures knows who must not come back.
type Erasures interface {
	// Erased reports which of the addresses, by workspace, were erased, and up to
	// which time, Unix seconds: what is not later stays out. It is asked once for a
	// batch. A workspace of which nobody was is left out.
	Erased(ctx context.Context, emails map[string][]string) (map[string]map[string]int64, error)
}

// Internal knows what workspaces know for themselves: their people and scanners.
type Internal interface {
	// Internal returns what is known now; it may be a minute old.
	Internal(ctx context.Context, workspace string) (verdict.Internal, error)
}

// Reevaluations takes messages of which something must be judged again.
type Reevaluations interface {
	// Reevaluate is durable when it returns, and is repeated freely.
	Reevaluate(ctx context.Context, keys []event.MessageKey) error
}

// PendingReevaluations keeps lists of messages that are to be judged again.
type PendingReevaluations interface {
	// Note keeps a list under an id of its own, durably.
	Note(ctx context.Context, id string, keys []event.MessageKey) error
	// Noted returns all lists that are kept.
	Noted(ctx context.Context) (map[string][]event.MessageKey, error)
	// Forget lets a list go; there need not be one.
	Forget(ctx context.Context, id string) error
}

// History finds the events of a message.
type History interface {
	// History returns those that can be found now, in any order: what was
	// written within the index's refresh interval may be missing. ErrTooMuch
	// says that there are more than anybody can look through.
	History(ctx context.Context, key event.MessageKey) ([]event.Event, error)
	// EachOf visits as History finds them, however many there are, a bounded
	// number at a time. It ends with the first error of visit.
	EachOf(ctx context.Context, key event.MessageKey, visit func([]event.Event) error) error
}

// Observer is told what happens.
type Observer interface {
	// Took is the time that a step took for a batch.
	Took(step Step, d time.Duration)
	// Count counts events by outcome: each event that a batch ends has one.
	Count(outcome Outcome, n int)
	// Reevaluates counts messages of which something is to be judged again, and
	// Corrected the stored events that were put right.
	Reevaluates(messages int)
	Corrected(events int)
	// KeptApart counts names that were told of a message and do not lead to it.
	KeptApart(why Apart)
	// Untold counts events that could not be handed to notifications.
	Untold(events int)
}

// Apart is why two names that an event gives one mail stay those of two messages.
type Apart string

// The reasons.
const (
	// ApartOtherMail are those of two mails, by what is known of them.
	ApartOtherMail Apart = "other_mail"
	// ApartNames and ApartRecipients would be too many for one message.
	ApartNames      Apart = "names"
	ApartRecipients Apart = "recipients"
)

// ErasableIndex removes a person from the index.
type ErasableIndex interface {
	// EraseRecipient deletes the events whose recipient has the address, and
	// takes the address off sends to several. It is repeated freely.
	EraseRecipient(ctx context.Context, workspace, email string) (deleted []event.ID, rewritten []event.Event, err error)
}

// ErasableStates removes a person from what is known of messages.
type ErasableStates interface {
	// MarkErased puts the address on the list that Erased answers from, with the
	// present time or until, Unix seconds, where that is later.
	MarkErased(ctx context.Context, workspace, email string, until int64) error
	// EraseRecipient takes the address off every message and returns what holds
	// of them afterwards.
	EraseRecipient(ctx context.Context, workspace, email string) ([]event.State, error)
}

// ErasableDeadLetters removes a person from the dead letters.
type ErasableDeadLetters interface {
	// DropWhere drops the letters of a workspace whose event matches.
	DropWhere(ctx context.Context, workspace string, match func(event.Event) bool) (int, error)
}

// ErasableTriggers removes a person from what waits to be decided.
type ErasableTriggers interface {
	// EraseTriggers removes those of a workspace whose event matches.
	EraseTriggers(ctx context.Context, workspace string, match func(event.Event) bool) error
}
