package forward

import (
	"context"

	"tidings/deliver"
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

// Devices knows the browsers that a person is pushed to.
type Devices interface {
	Of(ctx context.Context, workspace, user string) ([]deliver.Device, error)
}

// Searches understands the text of an endpoint's search.
type Searches interface {
	Understand(ctx context.Context, request feed.PageRequest) (feed.Understood, query.Query, error)
}

// Checkpoints keeps how far forwarding has come, over restarts and for whoever clears LIVE.
type Checkpoints interface {
	// Forwarded is what was noted last, a zero Checkpoint for nothing.
	Forwarded(ctx context.Context) (live.Checkpoint, error)
	NoteForwarded(ctx context.Context, checkpoint live.Checkpoint) error
}

// Announcements is the LIVE stream.
type Announcements interface {
	// FollowFrom calls each for what is kept from a checkpoint on, and goes on with what comes
	// until ctx ends. Of no checkpoint, or that of another LIVE, it begins with the newest.
	FollowFrom(ctx context.Context, checkpoint live.Checkpoint, each func(live.Entry)) error
	// Bounds says which sequences are kept.
	Bounds(ctx context.Context) (live.Bounds, error)
}
