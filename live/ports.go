package live

import (
	"context"
	"time"

	"tidings/event"
	"tidings/query"
)

// Log is the LIVE stream as the hub reads it.
type Log interface {
	// Follow calls each for every announcement that is kept, from the oldest
	// on, in order and without a gap, and goes on with new ones until ctx ends.
	// It survives the stream being away. Each call must return quickly.
	Follow(ctx context.Context, each func(Entry)) error
	// Bounds says which incarnation of the stream this is and the first and
	// last sequence it keeps (last is first-1 when it is empty).
	Bounds(ctx context.Context) (Bounds, error)
}

// Finder finds events that are stored, to check them again.
type Finder interface {
	// Find returns the newest events of a workspace for which a query without
	// conditions on recipients holds, at most limit, with the states of the
	// messages of the sends among them.
	Find(ctx context.Context, workspace string, q query.Query, limit int) ([]event.Event, map[string]event.State, error)
	// StatesOf returns the states that exist among messages.
	StatesOf(ctx context.Context, workspace string, messages []string) (map[string]event.State, error)
}

// Entry is one announcement with its sequence in the stream.
type Entry struct {
	Sequence  uint64
	At        time.Time
	Workspace string
	// Size is how many bytes Read reads from.
	Size int
	// Read reads the announcement, as often as it is called: most are of
	// workspaces that nobody looks at.
	Read func() (event.Announcement, error)
}

// Bounds are what a Log keeps.
type Bounds struct {
	// Incarnation changes when the stream is made anew: a sequence of another
	// incarnation means nothing.
	Incarnation string
	First, Last uint64
}

// Checkpoint is how far somebody has come in a Log, so that they can go on there later.
type Checkpoint struct {
	Incarnation string `json:"incarnation"`
	// Next is the sequence that comes next, 0 for the newest that are kept.
	Next uint64 `json:"next"`
}
