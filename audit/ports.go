package audit

import (
	"context"
	"encoding/json"
	"time"

	"tidings/event"
)

// Store keeps rows, and lets nobody change one.
type Store interface {
	// Append adds entries of one day, of any workspaces, each chain in order. They are
	// durable when it returns nil. Where another row has an entry's workspace and Seq
	// it returns ErrConflict and how many entries before that one were added.
	Append(ctx context.Context, day Day, entries []Entry) (int, error)
	// Chain returns the rows of a workspace and day in order, from behind a Seq. Where
	// what is stored of the day is damaged, this and Workspaces return an event.Degraded.
	Chain(ctx context.Context, workspace string, day Day, after int64, limit int) ([]Entry, error)
	// Last is the last of them, or ErrNotFound.
	Last(ctx context.Context, workspace string, day Day) (Entry, error)
	// Find returns a workspace's rows of one day, newest first.
	Find(ctx context.Context, day Day, question Question) ([]Entry, error)
	// Days lists the days that have rows, the oldest first.
	Days(ctx context.Context) ([]Day, error)
	// Workspaces lists those that have rows on a day.
	Workspaces(ctx context.Context, day Day) ([]string, error)
	// Drop forgets what lies before a day, in the units that it is stored by: a month
	// goes when its last day may. Droppable says which days those are.
	Drop(ctx context.Context, before Day) error
	Droppable(ctx context.Context, before Day) ([]Day, error)
}

// Records keep the heads of chains, apart from the rows.
type Records interface {
	Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error)
	Swap(ctx context.Context, workspace, kind, id string, old, doc json.RawMessage) error
	Delete(ctx context.Context, workspace, kind, id string) error
	List(ctx context.Context, workspace, kind string) ([]event.Record, error)
}

// Sink takes rows somewhere else. A row may come more than once, with the same ID.
type Sink interface {
	// Send returns nil once the rows are taken, in order.
	Send(ctx context.Context, entries []Entry) error
}

// Question is what rows are looked for; what is empty does not count.
type Question struct {
	Workspace string
	Kind      Kind
	Actor     string
	Route     string
	// About are what rows may be about: one of them is enough.
	About []string
	// From is the earliest time, inclusive.
	From time.Time
	// Before is where to go on: rows with a smaller Seq. 0 begins with the newest.
	Before int64
	Limit  int
}
