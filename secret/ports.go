package secret

import (
	"context"
	"encoding/json"

	"tidings/event"
)

// Records keeps data keys, and notes of what is sealed. It is a part of the state
// store.
type Records interface {
	// Put writes one, durable when it returns.
	Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error
	// Swap writes one where it is still old, or where there is none and old is nil;
	// event.ErrConflict otherwise. Durable when it returns.
	Swap(ctx context.Context, workspace, kind, id string, old, doc json.RawMessage) error
	// Delete is no error when there is none.
	Delete(ctx context.Context, workspace, kind, id string) error
	// List returns all of a kind, by id.
	List(ctx context.Context, workspace, kind string) ([]event.Record, error)
}
