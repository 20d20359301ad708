package feed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// maxCounted bounds how many events of one message are counted.
const maxCounted = 10_000

// beforeSend is how long before its send an event of a message may lie: clocks
// differ, and a week's edge may be between.
const beforeSend = 24 * time.Hour

// Message returns what is known of one message, ErrNotFound when nothing is or
// the reader may not see it. Its recipients are those behind a cursor, "" for the first.
func (r *Reader) Message(ctx context.Context, scope Scope, id, recipients string) (MessageView, error) {
	names, err := r.namesFor(ctx, scope)
	if err != nil {
		return MessageView{}, fmt.Errorf("read names: %w", err)
	}
	state, err := r.state(ctx, scope, id)
	if err != nil {
		return MessageView{}, err
	}
	counts, err := r.count(ctx, scope, state)
	if err != nil {
		return MessageView{}, err
	}
	if !state.Sent && len(counts) == 0 {
		return MessageView{}, fmt.Errorf("message: %w", event.ErrNotFound)
	}
	view := MessageView{Message: state.Message, Aliases: state.Aliases, Subject: state.Subject, Counts: counts, Version: state.Version}
	if err := view.listRecipients(scope, state, recipients); err != nil {
		return MessageView{}, err
	}
	if state.User != "" {
		view.User = &User{ID: state.User, Name: names[state.User]}
	}
	if state.Sent {
		view.Sent = at(state.At)
	}
	return view, nil
}

// state reads what the reader may see of a message's state, an empty one when its
// send is not known.
func (r *Reader) state(ctx context.Context, scope Scope, id string) (event.State, error) {
	states, err := r.states.Of(ctx, scope.Workspace, []string{id})
	if err != nil {
		return event.State{}, fmt.Errorf("read state: %w", err)
	}
	state, known := states[id]
	if !known {
		state.MessageKey = event.MessageKey{Workspace: scope.Workspace, Message: id}
	}
	if !state.Sent {
		return state, nil
	}
	seen, any := scope.seen(state)
	if !any {
		return event.State{}, fmt.Errorf("message: %w", event.ErrNotFound)
	}
	return seen, nil
}

// count counts a message's events by type.
func (r *Reader) count(ctx context.Context, scope Scope, state event.State) ([]TypeCount, error) {
	scan := r.timeline(scope, state, Key{}, maxCounted)
	if err := scan.run(ctx, r.clock()); err != nil {
		return nil, err
	}
	byType := make(map[event.Type]*TypeCount)
	for _, hit := range scan.found {
		count := byType[hit.Event.Type]
		if count == nil {
			count = &TypeCount{Type: hit.Event.Type}
			byType[hit.Event.Type] = count
		}
		if hit.Event.Verdict.Is == event.Machine {
			count.Automated++
		} else {
			count.People++
		}
	}
	counts := make([]TypeCount, 0, len(byType))
	for _, t := range event.Types {
		if count := byType[t]; count != nil {
			counts = append(counts, *count)
		}
	}
	return counts, nil
}

// timeline is a scan over everything that happened to one message.
func (r *Reader) timeline(scope Scope, state event.State, before Key, limit int) scan {
	q := query.Query{
		Automated: query.AutomatedShow,
		Where:     query.Keyword{Field: query.FieldMessage, Values: state.AllNames()},
	}
	if state.Sent {
		q.From = max(0, state.At-int64(beforeSend/time.Second))
	}
	if scope.Users != nil {
		q = q.Restrict(scope.Users)
	}
	return scan{reader: r, scope: scope, query: q, before: before, limit: limit, named: true}
}

// Timeline returns the events of one message, newest first, automated ones
// among them.
func (r *Reader) Timeline(ctx context.Context, scope Scope, id, after string, limit int) (Page, error) {
	from := cursor{}
	fingerprint := query.Fingerprint(scope.Workspace, scope.Me, "timeline", id)
	if after != "" {
		var err error
		if from, err = parseCursor(after, fingerprint); err != nil {
			return Page{}, err
		}
	}
	names, err := r.namesFor(ctx, scope)
	if err != nil {
		return Page{}, fmt.Errorf("read names: %w", err)
	}
	state, err := r.state(ctx, scope, id)
	if err != nil {
		return Page{}, err
	}
	now := from.clockOf(r.clock())
	scan := r.timeline(scope, state, from.key, pageLimit(limit))
	if err := scan.run(ctx, now); err != nil {
		return Page{}, err
	}
	if !state.Sent && from.key.IsZero() && len(scan.found) == 0 {
		return Page{}, fmt.Errorf("message: %w", event.ErrNotFound)
	}
	page := Page{
		Items:   make([]Item, len(scan.found)),
		Reached: time.Unix(scan.reached, 0).UTC(),
		Query:   Understood{Chips: []query.Chip{}},
	}
	if scan.next != nil {
		next := cursor{*scan.next, now.Unix(), fingerprint}.String()
		page.Next = &next
	}
	for i, hit := range scan.found {
		page.Items[i] = ItemOf(hit.Event, &state, func(user string) string { return names[user] })
	}
	return page, nil
}

// Event returns one event with its evidence, ErrNotFound when there is none or
// the reader may not see it.
func (r *Reader) Event(ctx context.Context, scope Scope, id event.ID) (EventView, error) {
	found, err := r.index.Get(ctx, scope.Workspace, []event.ID{id})
	if err != nil {
		return EventView{}, fmt.Errorf("get event: %w", err)
	}
	at := slices.IndexFunc(found, func(e event.Event) bool { return e.ID == id })
	if at < 0 || !scope.maySee(found[at].User) {
		return EventView{}, fmt.Errorf("event: %w", event.ErrNotFound)
	}
	e := found[at]
	names, err := r.namesFor(ctx, scope)
	if err != nil {
		return EventView{}, fmt.Errorf("read names: %w", err)
	}
	var state *event.State
	if e.Type == event.Send {
		states, err := r.states.Of(ctx, scope.Workspace, []string{e.Message})
		if err != nil {
			return EventView{}, fmt.Errorf("read state: %w", err)
		}
		if known, ok := states[e.Message]; ok {
			state = &known
		}
	}
	return viewOf(e, state, func(user string) string { return names[user] }), nil
}

// Items returns those of the events that there are and the reader may see, without
// the state of their messages.
func (r *Reader) Items(ctx context.Context, scope Scope, ids []event.ID) (map[event.ID]Item, error) {
	found, err := r.index.Get(ctx, scope.Workspace, ids)
	if err != nil {
		return nil, fmt.Errorf("get events: %w", err)
	}
	names, err := r.namesFor(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	items := make(map[event.ID]Item, len(found))
	for _, e := range found {
		if scope.maySee(e.User) {
			items[e.ID] = ItemOf(e, nil, func(user string) string { return names[user] })
		}
	}
	return items, nil
}

// viewOf is an event with its evidence.
func viewOf(e event.Event, state *event.State, names func(user string) string) EventView {
	view := EventView{Item: ItemOf(e, state, names), Body: e.Body, OwnWords: e.OwnWords}
	if e.Client != nil {
		view.Evidence = &Evidence{
			IP: e.Client.IP, UserAgent: e.Client.UserAgent, Automated: e.Client.Automated,
			Method: e.Client.Method, Headers: e.Client.Headers,
			RulesVersion: e.Verdict.Version,
		}
	}
	return view
}
