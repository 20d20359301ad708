package feed

import (
	"context"
	"fmt"

	"tidings/event"
	"tidings/query"
)

// named reads states under whatever name of their message is asked for. A state has
// the name that the message is known under as its key.
type named struct{ States }

// Of returns the states that exist among the messages of a workspace.
func (n named) Of(ctx context.Context, workspace string, messages []string) (map[string]event.State, error) {
	read := func(ctx context.Context, names []string) (map[string]event.State, error) {
		return n.States.Of(ctx, workspace, names)
	}
	return event.Follow(ctx, messages, read, func(_, name string) string { return name })
}

// withNames is a query for messages by any of their names: what came before a name was
// known may be filed under another one.
func (r *Reader) withNames(ctx context.Context, workspace string, q query.Query) (query.Query, error) {
	asked := q.Messages()
	if len(asked) == 0 {
		return q, nil
	}
	states, err := r.states.Of(ctx, workspace, asked)
	if err != nil {
		return q, fmt.Errorf("read states: %w", err)
	}
	return q.WithMessages(func(name string) []string {
		if state, known := states[name]; known {
			return state.AllNames()
		}
		return nil
	}), nil
}
