package erasures

import (
	"context"
	"encoding/json"
)

// Records is where the records are kept. Swap writes one where it is still old, nil
// for none, and returns event.ErrConflict otherwise.
type Records interface {
	Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error)
	Swap(ctx context.Context, workspace, kind, id string, old, doc json.RawMessage) error
}
