package feed

import (
	"context"
	"fmt"

	"tidings/event"
)

// Known returns those of the ids whose events are in the index. What still waits to
// be indexed is not among them.
func (r *Reader) Known(ctx context.Context, workspace string, ids []event.ID) (map[event.ID]bool, error) {
	if index, ok := r.index.(Presence); ok {
		known, err := index.Has(ctx, workspace, ids)
		if err != nil {
			return nil, fmt.Errorf("look for events: %w", err)
		}
		return known, nil
	}
	found, err := r.index.Get(ctx, workspace, ids)
	if err != nil {
		return nil, fmt.Errorf("get events: %w", err)
	}
	known := make(map[event.ID]bool, len(found))
	for _, e := range found {
		known[e.ID] = true
	}
	return known, nil
}
