package live

import (
	"context"
	"fmt"
	"slices"

	"tidings/event"
	"tidings/query"
)

// A subscription whose query has a History is decided by several events: with the
// fourth open the three before it begin to match "more than 3 times". So each event
// that belongs to such a series has all of them checked again.

// longestSeries is how many events are looked at for one that arrived. A
// subscription that meets more is reset.
const longestSeries = 5000

// heard remembers an event for the subscriptions with a History: the index may not
// show it yet. What it was before a correction is forgotten.
func (r *Reader) heard(e *event.Event) {
	r.news = slices.DeleteFunc(r.news, func(before *event.Event) bool { return before.ID == e.ID })
	if len(r.news) >= recentSends {
		r.news = append([]*event.Event(nil), r.news[recentSends/2:]...)
	}
	r.news = append(r.news, e)
}

// forget takes an event that was removed out of what is remembered, so that it neither
// counts nor is told again.
func (r *Reader) forget(id event.ID) {
	is := func(e *event.Event) bool { return e.ID == id }
	r.news = slices.DeleteFunc(r.news, is)
	for message, sends := range r.recent {
		if slices.ContainsFunc(sends, is) {
			r.recent[message] = slices.DeleteFunc(sends, is)
		}
	}
}

// asksHistory reports whether any subscription has a History.
func (r *Reader) asksHistory() bool {
	return r.hub.finder != nil && slices.ContainsFunc(r.subscriptions, func(s *subscription) bool { return s.query.History != nil })
}

// touches reports whether an announced event may change what a subscription with a
// History shows.
func (s *subscription) touches(v *views, a *event.Announcement) bool {
	if a.Kind == event.AnnounceChanged {
		return true
	}
	return s.query.OfAnyActor().Series([]event.Event{*a.Event}).Match(v.document(), nil)
}

// recount tells the subscriptions with a History what an announced event has
// changed in its series.
func (r *Reader) recount(ctx context.Context, out []Delivery, v *views, a *event.Announcement, offset uint64, at Position) []Delivery {
	for _, s := range slices.Clone(r.subscriptions) {
		if s.query.History == nil || s.next > offset {
			continue
		}
		var more []Delivery
		var err error
		switch {
		case s.touches(v, a):
			more, err = r.recountOne(ctx, s, []event.Event{*a.Event}, at)
		case s.query.AsksActor() && a.Event.Type != event.Send:
			more, err = r.recountUnsent(ctx, s, a.Event, at)
		}
		if err != nil {
			r.hub.config.Logger.Warn("what happened before an event could not be read; its subscription is reset", "error", err)
			r.lose(s.id)
			continue
		}
		out = append(out, more...)
	}
	return out
}

// recountUnsent tells what an event means for the others of its message where its send is not
// known: no announcement of its state follows.
func (r *Reader) recountUnsent(parent context.Context, s *subscription, e *event.Event, at Position) ([]Delivery, error) {
	ctx, cancel := context.WithTimeout(parent, findTimeout)
	defer cancel()
	states, err := r.hub.finder.StatesOf(ctx, r.workspace, []string{e.Message})
	if err != nil {
		return nil, err
	}
	state, known := states[e.Message]
	if !known || state.Sent {
		return nil, nil
	}
	return r.recountMessage(parent, s, state.AllNames(), at)
}

// recountOne tells which events of the series of these match now.
func (r *Reader) recountOne(ctx context.Context, s *subscription, about []event.Event, at Position) ([]Delivery, error) {
	series, err := r.seriesOf(ctx, s.query.OfAnyActor(), about)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(series)
	for _, e := range about {
		if !slices.ContainsFunc(all, func(other event.Event) bool { return other.ID == e.ID }) {
			all = append(all, e)
		}
	}
	states, err := r.statesOf(ctx, s.query, all)
	if err != nil {
		return nil, err
	}
	if states != nil {
		asked := s.query.Series(about)
		series = slices.DeleteFunc(series, func(e event.Event) bool { return !asked.Match(query.NewDocument(e), states[e.Message]) })
	}
	holds := s.query.Among(all, series)
	var out []Delivery
	for _, e := range all {
		if r.users != nil && !r.users[e.User] {
			continue
		}
		each := newSend(e)
		matches := holds[e.ID] && s.query.Match(each.document(), states[e.Message])
		out = r.tellWhether(out, s, each, nil, matches, at)
	}
	return out, nil
}

// seriesOf are the events of the series of these, as the index and what was heard
// since have them.
func (r *Reader) seriesOf(parent context.Context, q query.Query, about []event.Event) ([]event.Event, error) {
	ctx, cancel := context.WithTimeout(parent, findTimeout)
	defer cancel()
	asked := q.Series(about)
	events, _, err := r.hub.finder.Find(ctx, r.workspace, asked, longestSeries)
	if err != nil {
		return nil, err
	}
	if len(events) == longestSeries {
		return nil, fmt.Errorf("read what happened before: %w", event.ErrTooMuch)
	}
	newest := make(map[event.ID]*event.Event, len(r.news))
	for _, e := range r.news {
		newest[e.ID] = e
	}
	events = slices.DeleteFunc(events, func(e event.Event) bool { return newest[e.ID] != nil })
	for _, e := range newest {
		if asked.Match(query.NewDocument(*e), nil) {
			events = append(events, *e)
		}
	}
	return events, nil
}

// statesOf are the states of the messages of events, nil where the query does not ask
// for them.
func (r *Reader) statesOf(parent context.Context, q query.Query, events []event.Event) (map[string]*event.State, error) {
	if !q.AsksActor() {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(parent, findTimeout)
	defer cancel()
	messages := make([]string, len(events))
	for i, e := range events {
		messages[i] = e.Message
	}
	slices.Sort(messages)
	known, err := r.hub.finder.StatesOf(ctx, r.workspace, slices.Compact(messages))
	if err != nil {
		return nil, err
	}
	states := make(map[string]*event.State, len(known))
	for message, state := range known {
		states[message] = &state
	}
	return states, nil
}

// recountState tells the subscriptions with a History that ask for the state of who
// acted what the change of a message's state means for its events.
func (r *Reader) recountState(ctx context.Context, out []Delivery, a *event.Announcement, offset uint64, at Position) []Delivery {
	for _, s := range slices.Clone(r.subscriptions) {
		if r.hub.finder == nil || s.query.History == nil || s.next > offset || !s.query.AsksActor() {
			continue
		}
		more, err := r.recountMessage(ctx, s, a.State.AllNames(), at)
		if err != nil {
			r.hub.config.Logger.Warn("the events of a message could not be read; their subscription is reset", "error", err)
			r.lose(s.id)
			continue
		}
		out = append(out, more...)
	}
	return out
}

// recountMessage tells which events of a message match now.
func (r *Reader) recountMessage(parent context.Context, s *subscription, names []string, at Position) ([]Delivery, error) {
	ctx, cancel := context.WithTimeout(parent, findTimeout)
	defer cancel()
	q := s.query.OfAnyActor()
	q.History = nil
	q.Where = query.AllOf(query.Keyword{Field: query.FieldMessage, Values: names}, q.Where)
	about, _, err := r.hub.finder.Find(ctx, r.workspace, q, longestSeries)
	if err != nil {
		return nil, err
	}
	if len(about) == longestSeries {
		return nil, fmt.Errorf("read what happened to a message: %w", event.ErrTooMuch)
	}
	for _, e := range r.news {
		if q.Match(query.NewDocument(*e), nil) && !slices.ContainsFunc(about, func(other event.Event) bool { return other.ID == e.ID }) {
			about = append(about, *e)
		}
	}
	if len(about) == 0 {
		return nil, nil
	}
	return r.recountOne(parent, s, about, at)
}
