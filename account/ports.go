package account

import (
	"context"
	"encoding/json"

	"tidings/event"
)

// Records keeps small documents: keys, users, teams, sessions, settings.
type Records interface {
	// Get returns ErrNotFound when there is none.
	Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error)
	// Put writes one, durable when it returns.
	Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error
	// Swap writes one where it is still old, as Get returned it, or where there is
	// none and old is nil; ErrConflict otherwise. Durable when it returns.
	Swap(ctx context.Context, workspace, kind, id string, old, doc json.RawMessage) error
	// Delete is no error when there is none.
	Delete(ctx context.Context, workspace, kind, id string) error
	// Take returns one and deletes it; of several takers at once one has it, and
	// the others ErrNotFound.
	Take(ctx context.Context, workspace, kind, id string) (json.RawMessage, error)
	// List returns all of a kind, by id.
	List(ctx context.Context, workspace, kind string) ([]event.Record, error)
}
