package feed

import (
	"context"
	"fmt"

	"tidings/event"
)

// History returns all events of a message that can be found, for those who judge
// them again. It takes the time that it takes.
func (r *Reader) History(ctx context.Context, key event.MessageKey) ([]event.Event, error) {
	scope := Scope{Workspace: key.Workspace}
	state, err := r.state(ctx, scope, key.Message)
	if err != nil {
		return nil, err
	}
	var events []event.Event
	for before := (Key{}); ; {
		scan := r.timeline(scope, state, before, mostCandidates)
		if err := scan.run(ctx, r.clock()); err != nil {
			return nil, err
		}
		for _, hit := range scan.found {
			events = append(events, hit.Event)
		}
		if scan.next == nil {
			return events, nil
		}
		if len(events) > maxCounted {
			return nil, fmt.Errorf("history of a message: %w", event.ErrTooMuch)
		}
		before = *scan.next
	}
}
