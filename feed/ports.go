package feed

import (
	"context"
	"time"

	"tidings/event"
	"tidings/query"
)

// Index reads events that an indexer wrote.
type Index interface {
	// Search returns the newest events of a search, newest first, or the oldest,
	// oldest first. It is asked for a run of weeks and answers as if they were one.
	// A week that does not exist is empty.
	Search(ctx context.Context, s Search) ([]Hit, error)
	// Get returns the events that exist among ids, in any order. Others, and
	// those of another workspace, are left out.
	Get(ctx context.Context, workspace string, ids []event.ID) ([]event.Event, error)
	// RefreshInterval is how long a written event may stay unseen by Search.
	RefreshInterval() time.Duration
}

// Presence is an Index that tells which events it has without reading them.
type Presence interface {
	// Has returns those of the ids that Get would find.
	Has(ctx context.Context, workspace string, ids []event.ID) (map[event.ID]bool, error)
}

// Search is one question to an Index.
type Search struct {
	Workspace string
	// Query holds no Recipients condition: see query.Query.Candidates.
	Query query.Query
	// Weeks are the ones to look in, newest first, without gaps of interest; with
	// Oldest the oldest first.
	Weeks []event.Week
	// Before, when not zero, leaves out what does not come after it in the list.
	Before Key
	// Oldest asks for the oldest events, oldest first.
	Oldest bool
	// Limit is how many to return at most.
	Limit int
}

// Key is where an event sorts: by seconds, then by tie, both descending. The
// tie is the index's own and stable; it is the beginning of the id in effect.
type Key struct {
	Seconds int64
	Tie     uint64
}

// IsZero reports whether k is no position at all.
func (k Key) IsZero() bool { return k == Key{} }

// Hit is an event that a search found.
type Hit struct {
	Event event.Event
	Key   Key
}

// States reads what is known of messages.
type States interface {
	// Of returns the states that exist among the messages of a workspace. What they point to is
	// others' too, and is not changed.
	Of(ctx context.Context, workspace string, messages []string) (map[string]event.State, error)
}

// Statuses knows of all messages at once how far their recipients have come. A
// States may be one.
type Statuses interface {
	// Statuses returns how to look up messages of a workspace. What it finds is
	// at least as new as the states that could be read before. A workspace with
	// too many messages is errors.ErrUnsupported.
	Statuses(ctx context.Context, workspace string) (StatusesOf, error)
}

// StatusesOf returns the status of each message, in the order of messages.
type StatusesOf func(messages []string) []query.RecipientStatus

// Catalogue says where events are.
type Catalogue interface {
	// Weeks returns the weeks that may hold events of the workspace, newest
	// first. A week is listed before its first event can be found.
	Weeks(ctx context.Context, workspace string) ([]event.Week, error)
}

// Aggregator counts events without reading them one by one. What it counts of
// several weeks adds up: see MergeAggregates.
type Aggregator interface {
	// Aggregate counts the events of one week for which the query holds: those that
	// Search would find, each once. A week that does not exist is empty. An
	// aggregator that can count only by what Search knows answers any other
	// condition with errors.ErrUnsupported.
	Aggregate(ctx context.Context, c AggregateRequest) (Aggregate, error)
	// Revisions names what weeks hold of a workspace: while a week's revision
	// stays the same, so does every count of it. An event created, corrected or
	// erased gives the week another one, never one that it had before. A week
	// whose counts must not be kept is left out.
	Revisions(ctx context.Context, workspace string, weeks []event.Week) (map[event.Week]string, error)
}

// AggregateRequest is one question to an Aggregator.
type AggregateRequest struct {
	Workspace string
	Query     query.Query
	Week      event.Week
	Parts     Parts
	// Statuses are there when the query has a Recipients condition.
	Statuses StatusesOf
}

// Team is a set of users who see each other's events.
type Team struct {
	ID, Name string
	// Members are the ids of its users.
	Members []string
}

// Teams knows the teams of a workspace.
type Teams interface {
	// ListTeams returns them in any order. They are not changed afterwards.
	ListTeams(ctx context.Context, workspace string) ([]Team, error)
}

// Vocabulary knows the words of an index, to correct those that were misspelt. An
// index may be one.
type Vocabulary interface {
	// Terms returns at most limit words of a workspace's events in a week that
	// begin with prefix, the commonest first, with the number of their events.
	// Words are as query.Analyse gives them, not stemmed; whole addresses and
	// the words of automated events alone are left out. A week or a workspace
	// that does not exist has none. Counts may be a little behind.
	Terms(ctx context.Context, workspace string, week event.Week, prefix string, limit int) ([]query.Term, error)
}

// Directory knows the names of a workspace's users.
type Directory interface {
	// Names returns name by user id. The map is not changed afterwards.
	Names(ctx context.Context, workspace string) (map[string]string, error)
}

// Positions gives the position on the live stream from which nothing is missed
// of what a search made afterwards may not have seen.
type Positions interface {
	PositionBefore(lag time.Duration) string
}
