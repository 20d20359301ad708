package feed

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"tidings/event"
	"tidings/query"
)

// named reads states under whatever name of their message is asked for. A state has
// the name that the message is known under as its key.
type named struct{ States }

// Of returns the states that exist among the messages of a workspace.
func (n named) Of(ctx context.Context, workspace string, messages []string) (map[string]event.State, error) {
	found, err := n.States.Of(ctx, workspace, messages)
	for range event.MaxNames {
		if err != nil {
			return nil, err
		}
		leading := make(map[string][]string)
		for name, state := range found {
			if state.To != "" {
				leading[state.To] = append(leading[state.To], name)
			}
		}
		if len(leading) == 0 {
			return found, nil
		}
		var targets map[string]event.State
		targets, err = n.States.Of(ctx, workspace, slices.Collect(maps.Keys(leading)))
		for to, names := range leading {
			state, known := targets[to]
			if !known { // it was forgotten
				state.MessageKey = event.MessageKey{Workspace: workspace, Message: to}
			}
			for _, name := range names {
				found[name] = state
			}
		}
	}
	return found, err
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
