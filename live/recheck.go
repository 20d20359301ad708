package live

import (
	"context"
	"slices"
	"sync"
	"time"

	"tidings/event"
	"tidings/query"
)

// A send matches a condition on the state of its recipients, or on its age, at
// one time and not at another. So a subscription with such a condition is told
// "event" when a send begins to match and "gone" when it ceases: at each change
// of its message's state, and each minute where the clock decides.

// Bounds of re-checks.
const (
	// findTimeout is how long events may be searched for. A subscription whose
	// search fails is reset: the client reads a page.
	findTimeout = 2 * time.Second
	// aroundSend is how far from the time of a send its pieces may lie, in seconds.
	aroundSend = 7 * 24 * 60 * 60
	// mostSends is how many pieces of one message's send are looked at.
	mostSends = 100
	// knownSends is how many sends a subscription remembers to match or not, and
	// recentSends how many that the index may not show yet a reader remembers.
	// What is forgotten is told again, which does no harm.
	knownSends, recentSends = 4096, 1024
	// mostRenewed is how many events may come and go with one tick of the clock
	// before the subscription is reset instead.
	mostRenewed = 500
)

// Renewal reads a subscription's question again at a later time.
type Renewal func(ctx context.Context) (query.Query, error)

// send is one send whose message's state moved.
type send struct {
	event    event.Event
	document func() query.Document
}

func newSend(e event.Event) *send {
	return &send{e, sync.OnceValue(func() query.Document { return query.NewDocument(e) })}
}

// found are the sends of a message with its state, as they are stored.
type found struct {
	sends []*send
	state *event.State
}

// sendsOf searches for the sends of a message.
//
//nolint:contextcheck // what is found is shared by all readers, whichever comes first
func (h *Hub) sendsOf(key event.MessageKey, state *event.State) (found, error) {
	ctx, cancel := context.WithTimeout(context.Background(), findTimeout)
	defer cancel()
	var from, until int64
	names := []string{key.Message}
	if state != nil {
		names = state.AllNames()
	}
	if state != nil && state.At != 0 {
		from, until = max(1, state.At-aroundSend), state.At+aroundSend
	}
	events, states, err := h.finder.Find(ctx, key.Workspace, query.Query{
		From: from, Until: until, Automated: query.AutomatedShow,
		Where: query.And{
			query.Keyword{Field: query.FieldType, Values: []string{string(event.Send)}},
			query.Keyword{Field: query.FieldMessage, Values: names},
		},
	}, mostSends)
	if err != nil {
		return found{}, err
	}
	f := found{sends: make([]*send, len(events))}
	for i, e := range events {
		f.sends[i] = newSend(e)
	}
	if state, known := states[key.Message]; known {
		f.state = &state
	}
	return f, nil
}

// RecheckBy makes subscriptions follow the state of recipients, before Run.
func (h *Hub) RecheckBy(f Finder) { h.finder = f }

// follows reports whether the query's answer about a send changes with its state.
// Where it has a History, no send matches.
func (s *subscription) follows(h *Hub) bool {
	return h.finder != nil && s.query.History == nil && s.query.AsksRecipients()
}

// remember keeps a send that the index may not show yet.
func (r *Reader) remember(e *event.Event) {
	if r.recent == nil || len(r.recent) >= recentSends {
		r.recent = make(map[string][]*event.Event)
	}
	r.recent[e.Message] = append(r.recent[e.Message], e)
}

// recheck tells the subscriptions that ask for the state of recipients, and have
// not had the entry, which sends of its message match now.
func (r *Reader) recheck(out []Delivery, views *views, key event.MessageKey, state *event.State, offset uint64, at Position) []Delivery {
	for _, s := range slices.Clone(r.subscriptions) {
		if s.next > offset || !s.follows(r.hub) {
			continue
		}
		stored, err := views.sends()
		if err != nil {
			r.hub.config.Logger.Warn("sends could not be checked again; their subscription is reset", "error", err)
			r.lose(s.id)
			continue
		}
		now := state
		if now == nil {
			now = stored.state
		}
		sends := stored.sends
		for _, e := range r.recent[key.Message] {
			if !slices.ContainsFunc(sends, func(other *send) bool { return other.event.ID == e.ID }) {
				sends = append(sends[:len(sends):len(sends)], newSend(*e))
			}
		}
		for _, each := range sends {
			if r.users == nil || r.users[each.event.User] {
				out = r.tell(out, s, each, now, at)
			}
		}
	}
	return out
}

// deliverState is deliver for the state of a message: connections that show it are told,
// and its sends are checked again, if the reader may see what has moved.
func (r *Reader) deliverState(out []Delivery, views *views, a *event.Announcement, offset uint64, at Position) []Delivery {
	if !r.hears(a) {
		return out
	}
	r.at = at
	if r.shown.has(a.State.AllNames()) {
		if body := r.stateFor(views, a); body != nil {
			out = append(out, Delivery{Kind: a.Kind, At: at, Body: body})
		}
	}
	return r.recheck(out, views, keyOf(a), a.State, offset, at)
}

// tell appends what a subscription is told of a send, if it does not know that.
func (r *Reader) tell(out []Delivery, s *subscription, each *send, state *event.State, at Position) []Delivery {
	return r.tellWhether(out, s, each, state, s.query.Match(each.document(), state), at)
}

// tellWhether appends that a subscription's event matches or does not, if it does
// not know that.
func (r *Reader) tellWhether(out []Delivery, s *subscription, each *send, state *event.State, matches bool, at Position) []Delivery {
	if before, known := s.known[each.event.ID]; known && before == matches {
		return out
	}
	s.know(each.event.ID, matches)
	if !matches {
		return append(out, Delivery{Kind: event.AnnounceGone, Subscription: s.id, At: at, Gone: each.event.ID})
	}
	body, err := r.hub.config.Render(event.Announcement{
		Kind: event.AnnounceEvent, Workspace: each.event.Workspace, User: each.event.User, Event: &each.event, State: state,
	})
	if err != nil {
		r.hub.config.Logger.Error("send cannot be rendered", "error", err)
		return out
	}
	r.shown.add(each.event.Message)
	return append(out, Delivery{Kind: event.AnnounceEvent, Subscription: s.id, At: at, Body: body, Event: &each.event})
}

// know remembers whether a send matches.
func (s *subscription) know(id event.ID, matches bool) {
	if s.known == nil || len(s.known) >= knownSends {
		s.known = make(map[event.ID]bool)
	}
	s.known[id] = matches
}

// lose ends a subscription whose client must read a page.
func (r *Reader) lose(id string) {
	if r.Unsubscribe(id) {
		r.lost = append(r.lost, id)
		r.signal()
	}
}

// Renew lets a subscription follow the clock: what its question says of times
// and ages is read again each minute.
func (r *Reader) Renew(id string, again Renewal) {
	at := r.find(id)
	if at < 0 || r.hub.finder == nil {
		return
	}
	s := r.subscriptions[at]
	s.again, s.renewed = again, r.hub.config.Clock()
	r.timed.Store(true)
}

// renew reads again what depends on the clock and returns what comes and goes.
func (r *Reader) renew(parent context.Context) []Delivery {
	var out []Delivery
	now := r.hub.config.Clock()
	for _, s := range slices.Clone(r.subscriptions) {
		if s.again == nil || now.Sub(s.renewed) < watchEvery {
			continue
		}
		ctx, cancel := context.WithTimeout(parent, findTimeout)
		more, err := r.renewOne(ctx, s, now)
		cancel()
		if parent.Err() != nil {
			return out // The connection has ended, and so has what it waited for.
		}
		if err != nil {
			r.hub.config.Logger.Warn("a subscription could not follow the clock; it is reset", "error", err)
			r.lose(s.id)
			continue
		}
		out = append(out, more...)
	}
	return out
}

func (r *Reader) renewOne(ctx context.Context, s *subscription, now time.Time) ([]Delivery, error) {
	before, since := s.query, s.renewed
	after, err := s.again(ctx)
	if err != nil {
		return nil, err
	}
	s.query, s.renewed = after, now
	var out []Delivery
	var counted []event.Event
	for _, window := range moved(before, after, since.Unix(), now.Unix()) {
		q := query.Query{From: window[0], Until: window[1], Automated: query.AutomatedShow}
		events, states, err := r.hub.finder.Find(ctx, r.workspace, q, mostRenewed)
		if err != nil {
			return nil, err
		}
		if len(events) == mostRenewed {
			r.lose(s.id)
			return nil, nil
		}
		for _, e := range events {
			if r.users != nil && !r.users[e.User] {
				continue
			}
			var state *event.State
			if known, ok := states[e.Message]; ok {
				state = &known
			}
			each := newSend(e)
			if after.History != nil {
				if before.OfAnyActor().Match(each.document(), nil) || after.OfAnyActor().Match(each.document(), nil) {
					counted = append(counted, e)
				}
				continue
			}
			if was := before.Match(each.document(), state); was != after.Match(each.document(), state) {
				s.know(e.ID, was)
				out = r.tell(out, s, each, state, r.at)
			}
		}
	}
	if len(counted) > 0 {
		return r.recountOne(ctx, s, counted, r.at)
	}
	return out, nil
}

// horizon is how far back a moving beginning is followed: nobody looks at a
// list of so many events to its end.
const horizon = 90 * 24 * 60 * 60

// moved are the times of the events on which two readings of one question may
// differ, made at since and now.
func moved(before, after query.Query, since, now int64) [][2]int64 {
	var windows [][2]int64
	add := func(from, until int64) {
		if from < until && until > now-horizon {
			windows = append(windows, [2]int64{from, until})
		}
	}
	if before.From != 0 {
		add(min(before.From, after.From), max(before.From, after.From))
	}
	if before.Until != 0 && after.Until != 0 {
		add(min(before.Until, after.Until), max(before.Until, after.Until))
	}
	// Times within alternatives moved: each end of one is a window.
	was, is := before.Times(), after.Times()
	for i := range min(len(was), len(is)) {
		add(min(was[i].From, is[i].From), max(was[i].From, is[i].From))
		add(min(was[i].Until, is[i].Until), max(was[i].Until, is[i].Until))
	}
	for _, age := range after.Ages() {
		add(since-age, now-age+1)
	}
	return windows
}
