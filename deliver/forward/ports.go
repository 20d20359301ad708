package forward

import (
	"context"

	"tidings/event"
	"tidings/feed"
	"tidings/live"
	"tidings/query"
)

// Events finds events by id; those that do not exist are left out.
type Events interface {
	Get(ctx context.Context, workspace string, ids []event.ID) ([]event.Event, error)
}

// Names knows the names of a workspace's users, by id.
type Names interface {
	Names(ctx context.Context, workspace string) (map[string]string, error)
}

// Searches understands the text of an endpoint's search.
type Searches interface {
	Understand(ctx context.Context, request feed.PageRequest) (feed.Understood, query.Query, error)
}

// Announcements is the LIVE stream.
type Announcements interface {
	// Follow calls each for what is kept, from the oldest on, and goes on with what comes
	// until ctx ends.
	Follow(ctx context.Context, each func(live.Entry)) error
	// Bounds says which sequences are kept.
	Bounds(ctx context.Context) (live.Bounds, error)
}
