package notify

import (
	"context"
	"encoding/json"
	"time"

	"tidings/event"
	"tidings/query"
)

// Log keeps decisions, durable when a call returns.
type Log interface {
	// Add writes those that are not there yet, by workspace and id, and leaves the
	// others as they are: adding again is no error.
	Add(ctx context.Context, decisions []Decision) error
	// Replace writes a decision over the one of the version before its own. It
	// reports false, and has done nothing, when that has moved.
	Replace(ctx context.Context, d Decision) (bool, error)
	// OfEvents returns all decisions about events, by workspace and id.
	OfEvents(ctx context.Context, events []About) ([]Decision, error)
	// Page returns up to most, newest first by At and id, after a place that it returned.
	Page(ctx context.Context, workspace string, filter Filter, after string, most int) (page []Decision, next string, err error)
	// Unread counts what each was notified of and has not read, up to most.
	Unread(ctx context.Context, readers []Reader, most int) ([]int, error)
	// Read marks what a user was notified of as read: the ids, or all when there are none.
	Read(ctx context.Context, workspace, user string, ids []string) error
	// Forget takes what an erased person's rules are called out of decisions, claims and
	// notes. It may be repeated.
	Forget(ctx context.Context, workspace string, f Forgotten) error
	// Expire deletes decisions, claims and notes from before a time, Unix milliseconds.
	Expire(ctx context.Context, before int64) error
}

// About is an event that decisions are about.
type About struct {
	Workspace string
	Event     event.ID
}

// Reader is a person of a workspace.
type Reader struct{ Workspace, User string }

// Filter chooses decisions of a workspace. What is empty chooses all.
type Filter struct {
	ID      string
	User    string
	Outcome Outcome
	Kind    Kind
	Message string
	// Unread chooses what was notified and was not read.
	Unread bool
}

// Forgotten is an erased person, and the rules that go with them.
type Forgotten struct {
	Person event.RecipientKey
	// Rules are the names of the rules that go, and Kept of those that stay.
	Rules, Kept map[string]bool
}

// Claim is a key of what is told only once, and who asks for it.
type Claim struct {
	Workspace, Key string
	Event          event.ID
}

// Claims keep what is told only once.
type Claims interface {
	// Claim gives each key to its event where nobody has it, in order, at a time in
	// Unix milliseconds, and returns who has them.
	Claim(ctx context.Context, claims []Claim, at int64) (holders []event.ID, err error)
	// Release takes a key from an event; from another it is not taken.
	Release(ctx context.Context, workspace, key string, id event.ID) error
}

// Notes keep how far rules that wait or count have come.
type Notes interface {
	// Note returns what is noted under a key; nil where nothing is.
	Note(ctx context.Context, workspace, key string) ([]byte, error)
	// SwapNote writes a note over the one that was read, nil for none, at a time in Unix
	// milliseconds. It reports false, and has done nothing, when that has moved.
	SwapNote(ctx context.Context, workspace, key string, old, doc []byte, at int64) (bool, error)
}

// Counts counts events.
type Counts interface {
	// Count counts the events of a person's search since a time by type; text is as they
	// type it, users are whose events they may see.
	Count(ctx context.Context, workspace, user string, users []string, text string, since time.Time) (map[event.Type]int, error)
	// Figures are those of such a search from a time until another, beside those of as
	// long before.
	Figures(ctx context.Context, workspace, user string, users []string, text string, from, until time.Time) (Figures, error)
}

// Store is what a state store keeps of notifications.
type Store interface {
	Log
	Claims
	Notes
	Close() error
}

// Records keeps settings; see account.Records.
type Records interface {
	Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error)
	Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error
	Swap(ctx context.Context, workspace, kind, id string, old, doc json.RawMessage) error
	List(ctx context.Context, workspace, kind string) ([]event.Record, error)
	Delete(ctx context.Context, workspace, kind, id string) error
}

// People knows who sees whose events.
type People interface {
	// Visible lists whose events a user may see now: their own and their teams', as far as
	// their role lets them; nobody's where they may see none.
	Visible(ctx context.Context, workspace, user string) ([]string, error)
	// Viewers lists who may see a user's events now, in order: for each of them Visible has
	// the user.
	Viewers(ctx context.Context, workspace, user string) ([]string, error)
	// Revision changes with the names and teams by which texts are understood.
	Revision(ctx context.Context, workspace string) (string, error)
	// UsersByAddress are the ids of users by their own addresses.
	UsersByAddress(ctx context.Context, workspace string) (map[string]string, error)
}

// Searches understands the texts of rules.
type Searches interface {
	// Search reads a text as its person means it. timed is what of it is a time, "" for
	// nothing.
	Search(ctx context.Context, workspace, user, text string) (q query.Query, timed string, err error)
}

// Feed finds events.
type Feed interface {
	// Find returns the newest events of a workspace for which a query holds that has no
	// condition on recipients, at most limit, with the states of the sends among them.
	// event.ErrUnavailable where that takes too long.
	Find(ctx context.Context, workspace string, q query.Query, limit int) ([]event.Event, map[string]event.State, error)
	// FindEach visits all that Find could return, newest first, at most atOnce together,
	// until visit returns false.
	FindEach(
		ctx context.Context, workspace string, q query.Query, atOnce int,
		visit func(events []event.Event, states map[string]event.State) (more bool, err error),
	) error
}

// History finds the events of a message.
type History interface {
	// EachOf visits them newest first, some at once, and ends with the first error of visit.
	EachOf(ctx context.Context, key event.MessageKey, visit func([]event.Event) error) error
}

// Events finds events by their ids.
type Events interface {
	// Get returns those that there are, in any order.
	Get(ctx context.Context, workspace string, ids []event.ID) ([]event.Event, error)
}

// Outbox takes decisions that leave the house: those with a channel besides the page.
type Outbox interface {
	// Deliver is durable when it returns and may be repeated.
	Deliver(ctx context.Context, decisions []Decision) error
	// Cancel takes back what was not delivered yet of a decision.
	Cancel(ctx context.Context, d Decision) error
}

// Announcer says on the LIVE stream what people's sockets are told.
type Announcer interface {
	// Announce returns once all is on disk, in its order.
	Announce(ctx context.Context, announcements []event.Announcement) error
}

// Observer is told what happens.
type Observer interface {
	// Decided counts a decision that was kept.
	Decided(d Decision)
	// Beyond counts what a limit kept from being told or from being kept: BeyondPerson,
	// BeyondWorkspace or BeyondNotTold.
	Beyond(limit string)
}
