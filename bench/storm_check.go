package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"tidings/app"
	"tidings/event"
	"tidings/feed"
)

// check compares what a workspace holds with the model: one document an event,
// and each message's state.
func (s *storm) check(ctx context.Context, a *app.App, workspace string) error {
	names := slices.Sorted(maps.Keys(s.messages))
	for chunk := range slices.Chunk(names, 500) {
		keys := make([]event.MessageKey, len(chunk))
		for i, name := range chunk {
			keys[i] = event.MessageKey{Workspace: workspace, Message: name}
		}
		states, err := a.State.Read(ctx, keys)
		if err != nil {
			return fmt.Errorf("read states: %w", err)
		}
		for _, key := range keys {
			if err := s.messages[key.Message].compare(states[key]); err != nil {
				return fmt.Errorf("message %s: %w", key.Message, err)
			}
		}
	}
	found, err := s.documents(ctx, a, workspace)
	if err != nil {
		return err
	}
	if found != len(s.events) {
		return fmt.Errorf("%d documents of %d events", found, len(s.events))
	}
	return nil
}

// documents counts a workspace's documents by reading all of its feed.
func (s *storm) documents(ctx context.Context, a *app.App, workspace string) (int, error) {
	seen := make(map[event.ID]bool, len(s.events))
	request := feed.PageRequest{Scope: feed.Scope{Workspace: workspace}, Limit: 200}
	request.Filter.Automated = "show"
	for {
		page, err := a.Reader.Page(ctx, request)
		if err != nil {
			return 0, fmt.Errorf("read the feed: %w", err)
		}
		for _, item := range page.Items {
			if seen[item.ID] {
				return 0, fmt.Errorf("document %s is there twice", item.ID)
			}
			seen[item.ID] = true
		}
		if page.Next == nil {
			return len(seen), nil
		}
		request.Cursor = *page.Next
	}
}

// compare says what of a state is not as the model has it.
func (m *stormMessage) compare(state event.State) error {
	for who := range m.recipients {
		if _, ok := state.Recipients[who]; !ok {
			return fmt.Errorf("a recipient is missing")
		}
	}
	if len(m.recipients) != len(state.Recipients) {
		return fmt.Errorf("%d recipients, not %d", len(state.Recipients), len(m.recipients))
	}
	marks := map[string][]event.Mark{
		"open": {event.MarkOpened, event.MarkMachineOpened}, "delivered": {event.MarkDelivered}, "bounce": {event.MarkBounced},
	}
	for what, sources := range marks {
		found := make(map[event.RecipientKey]int64)
		for _, mark := range sources {
			for who, at := range state.First[mark] {
				if have, ok := found[who]; !ok || at < have {
					found[who] = at
				}
			}
		}
		if !maps.Equal(found, m.first[what]) {
			return fmt.Errorf("first %s: %v, not %v", what, found, m.first[what])
		}
	}
	for who, n := range m.clicks {
		if len(state.Clicks[who]) != n {
			return fmt.Errorf("%d clicks, not %d", len(state.Clicks[who]), n)
		}
	}
	return nil
}
