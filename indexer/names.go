package indexer

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"tidings/event"
)

// follow reads the states of messages under whatever name of theirs is asked for.
// A state has the name that the message is known under as its key.
func follow(ctx context.Context, states States, keys []event.MessageKey) (map[event.MessageKey]event.State, error) {
	return event.Follow(ctx, keys, states.Read, func(from event.MessageKey, name string) event.MessageKey {
		return event.MessageKey{Workspace: from.Workspace, Message: name}
	})
}

// nameEvents files the events of the batch under the names that their messages are
// known under, and reads what is known of these. Names that an event tells are joined
// first.
func (b *batch) nameEvents(ctx context.Context) error {
	states, err := follow(ctx, b.States, b.allNames())
	if err != nil {
		return err
	}
	joined := false
	for _, entry := range b.entries {
		if len(entry.event.Aliases) == 0 || joinedAlready(entry.event, states) {
			continue
		}
		if err := b.join(ctx, entry.event); err != nil {
			return err
		}
		joined = true
	}
	if joined {
		if states, err = follow(ctx, b.States, b.allNames()); err != nil {
			return err
		}
	}
	b.before = make(map[event.MessageKey]event.State, len(states))
	for _, entry := range b.entries {
		state, known := states[keyOf(entry.event)]
		if !known {
			continue
		}
		entry.event.NameAs(state.Message)
		if state.Version > 0 {
			b.before[state.MessageKey] = state
		}
	}
	return nil
}

// allNames are the names of the messages of the batch, each once.
func (b *batch) allNames() []event.MessageKey {
	keys := make(map[event.MessageKey]bool, len(b.entries))
	for _, entry := range b.entries {
		keys[keyOf(entry.event)] = true
		for _, alias := range entry.event.Aliases {
			keys[event.MessageKey{Workspace: entry.event.Workspace, Message: alias}] = true
		}
	}
	return slices.Collect(maps.Keys(keys))
}

// joinedAlready reports whether all names that an event tells lead to one message.
func joinedAlready(e event.Event, states map[event.MessageKey]event.State) bool {
	root, known := states[keyOf(e)]
	if !known || root.Version == 0 {
		return false
	}
	for _, alias := range e.Aliases {
		state := states[event.MessageKey{Workspace: e.Workspace, Message: alias}]
		if alias != root.Message && (state.Message != root.Message || !root.IsCalled(alias)) {
			return false
		}
	}
	return true
}

// join makes one message of those that an event gives one mail's names. What is
// known of the others goes to the one that outranks them, by comparing and setting,
// and then their names lead to it. It may be stopped between any two writes and be
// repeated, by others at the same time too.
func (b *batch) join(ctx context.Context, e event.Event) error {
	for range correctTries {
		states, known, err := b.statesOf(ctx, e)
		if err != nil {
			return err
		}
		members, names := b.membersOf(ctx, e, states, known)
		root := rootOf(members)
		merged := slices.DeleteFunc(members, func(s event.State) bool { return s.Version == 0 || s.Message == root.Message })
		next := root
		for _, other := range merged {
			next = next.Joined(other)
		}
		next.AddAliases(names...)
		if len(merged) > 0 {
			// Events that are stored under the other names are filed anew.
			b.Observer.Reevaluates(1)
			if err := b.Reevaluations.Reevaluate(ctx, []event.MessageKey{root.MessageKey}); err != nil {
				return err
			}
		}
		done, err := b.writeJoined(ctx, root, next, merged)
		if err != nil || done {
			return err
		}
	}
	return fmt.Errorf("a state moved %d times while its names were joined: %w", correctTries, event.ErrUnavailable)
}

// rootOf is the message that the others become names of: the first one where none is
// known.
func rootOf(members []event.State) event.State {
	root := members[0]
	for _, m := range members[1:] {
		if m.Version > 0 && (root.Version == 0 || m.Outranks(root)) {
			root = m
		}
	}
	return root
}

// statesOf reads what is known under the names that an event tells, and under those that
// are known to be their messages': a join that was stopped left some of these behind.
func (b *batch) statesOf(ctx context.Context, e event.Event) (states map[event.MessageKey]event.State, known []string, err error) {
	states, err = follow(ctx, b.States, keysOf(e.Workspace, e.Names()))
	if err != nil {
		return nil, nil, err
	}
	for _, state := range states {
		known = append(known, state.Aliases...)
	}
	known = slices.DeleteFunc(distinct(known), func(name string) bool {
		_, read := states[event.MessageKey{Workspace: e.Workspace, Message: name}]
		return read
	})
	if len(known) == 0 {
		return states, nil, nil
	}
	others, err := follow(ctx, b.States, keysOf(e.Workspace, known))
	maps.Copy(states, others)
	return states, known, err
}

// membersOf are the messages that an event says to be one, or that are known to be, of
// which some may not be there yet, and their names. Those that may not be one are left
// out.
func (b *batch) membersOf(ctx context.Context, e event.Event, states map[event.MessageKey]event.State, known []string) ([]event.State, []string) {
	stateOf := func(name string) event.State {
		key := event.MessageKey{Workspace: e.Workspace, Message: name}
		if state, known := states[key]; known {
			return state
		}
		return event.State{MessageKey: key}
	}
	first := stateOf(e.Message)
	told := first
	if e.Type == event.Send && told.Subject == "" {
		told.Subject = e.Subject
	}
	members, judged, names := []event.State{first}, []event.State{told}, append(first.AllNames(), e.Message)
	people := len(first.Recipients)
	for _, alias := range append(known, e.Aliases...) {
		state := stateOf(alias)
		if slices.ContainsFunc(members, func(m event.State) bool { return m.Message == state.Message }) {
			names = append(names, alias)
			continue
		}
		all := distinct(append(append(slices.Clone(names), state.AllNames()...), alias))
		apart := slices.ContainsFunc(judged, func(m event.State) bool { return !m.SameMail(state) })
		apart = apart && !slices.Contains(known, alias)
		var why Apart
		switch {
		case apart:
			why = ApartOtherMail
		case len(all) > event.MaxNames+1:
			why = ApartNames
		case people+len(state.Recipients) > event.MaxRecipients:
			why = ApartRecipients
		}
		if why != "" {
			b.Observer.KeptApart(why)
			b.Logger.WarnContext(ctx, "a name was told of a message that another one has; they stay apart",
				"workspace", e.Workspace, "source", e.Source, "message", e.Message, "alias", alias, "why", why)
			continue
		}
		members, judged, names = append(members, state), append(judged, state), all
		people += len(state.Recipients)
	}
	return members, names
}

// writeJoined writes a joined state over the root, and then lets its other names lead
// to it. It reports false where another one was faster.
func (b *batch) writeJoined(ctx context.Context, root, next event.State, merged []event.State) (bool, error) {
	if root.Version == 0 || len(merged) > 0 || !slices.Equal(root.Aliases, next.Aliases) {
		if done, err := b.States.Replace(ctx, next); err != nil || !done {
			return false, err
		}
	}
	written, err := b.States.Read(ctx, keysOf(next.Workspace, next.Aliases))
	if err != nil {
		return false, err
	}
	for _, alias := range next.Aliases {
		state := written[event.MessageKey{Workspace: next.Workspace, Message: alias}]
		if state.To == next.Message {
			continue
		}
		taken := func(s event.State) bool { return s.Message == alias && s.Version == state.Version }
		if state.Version > 0 && !next.IsCalled(state.To) && !slices.ContainsFunc(merged, taken) {
			return false, nil // it has moved
		}
		if done, err := b.States.Replace(ctx, next.Redirect(alias, state.Version)); err != nil || !done {
			return false, err
		}
	}
	return true, nil
}

func keysOf(workspace string, names []string) []event.MessageKey {
	keys := make([]event.MessageKey, len(names))
	for i, name := range names {
		keys[i] = event.MessageKey{Workspace: workspace, Message: name}
	}
	return keys
}

func distinct(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}
