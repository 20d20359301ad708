package signin

import (
	"context"
	"encoding/json"

	"tidings/secret"
)

// Records keeps providers, and what was used once. It is a part of the state store.
type Records interface {
	// Get returns event.ErrNotFound when there is none.
	Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error)
	secret.Records
}
