package event

import (
	"context"
	"maps"
	"slices"
)

// Follow reads the states of messages under whatever name of theirs is asked for: a
// state that leads to another name is replaced by the one that is known under it. It
// asks for keys, and at gives the key of another name in the workspace of a key. The
// redirects that are followed are bounded by MaxNames: each join shortens the way.
func Follow[K comparable](ctx context.Context, keys []K, read func(context.Context, []K) (map[K]State, error), at func(K, string) K) (map[K]State, error) {
	found, err := read(ctx, keys)
	for range MaxNames {
		if err != nil {
			return nil, err
		}
		leading, forgotten := make(map[K][]K), make(map[K]State)
		for key, state := range found {
			if state.To != "" {
				to := at(key, state.To)
				leading[to] = append(leading[to], key)
				forgotten[to] = State{MessageKey: MessageKey{Workspace: state.Workspace, Message: state.To}}
			}
		}
		if len(leading) == 0 {
			return found, nil
		}
		var targets map[K]State
		targets, err = read(ctx, slices.Collect(maps.Keys(leading)))
		for to, from := range leading {
			state, known := targets[to]
			if !known {
				state = forgotten[to]
			}
			for _, key := range from {
				found[key] = state
			}
		}
	}
	return found, err
}
