package live

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"tidings/event"
	"tidings/query"
)

// KindReset is the Kind of a Delivery that ends a subscription because entries
// were lost: the client reads a page and subscribes from its position. The
// other kinds are the event package's Announce constants.
const KindReset = "reset"

// Delivery is one thing to send to a client.
type Delivery struct {
	Kind string
	// Subscription is whose it is. It is empty when it is for the connection as
	// a whole: the state of a message that it shows, and what was removed for good.
	Subscription string
	// At is the position behind it. Every subscription of the connection can
	// be resumed without a gap from the last one sent.
	At Position
	// Body is what Config.Render made of the announcement. It is shared.
	Body []byte
	// Event is the announced one, for AnnounceEvent and AnnounceChanged.
	Event *event.Event
	// Gone is what to take away, for AnnounceGone.
	Gone event.ID
	// Trace is the trace of the announced event, or empty.
	Trace string
}

// Reader is one connection: up to MaxSubscriptions queries over what one
// workspace announces. Its methods are called by one goroutine at a time.
type Reader struct {
	hub       *Hub
	workspace string
	users     map[string]bool // nil sees all
	wake      chan struct{}

	subscriptions []*subscription
	// lost are the ids of subscriptions that the client must be told to reset.
	lost []string
	// caughtUp is whether everything was read since the last subscription.
	caughtUp bool

	// recent are sends by message that the index may not show yet.
	recent map[string][]*event.Event
	// news are events that the index may not show yet, for what other events decide.
	news []*event.Event
	// at is the position of the entry that was read last.
	at Position
	// shown are the messages whose state the client is told.
	shown shown
	// timed says that a subscription follows the clock.
	timed atomic.Bool

	// What the reader walks over, changed with the hub's lock held.
	history     *history
	incarnation string
	remade      int
}

// subscription is one query with the offset in the workspace's history up to
// which it has been answered.
type subscription struct {
	id    string
	query query.Query
	next  uint64
	// to is whose notifications it is about; then query finds nothing.
	to string
	// known says of sends whether the client was told that they match.
	known map[event.ID]bool
	// again reads the question at a later time; nil where the clock changes
	// nothing. renewed is when it was read last.
	again   Renewal
	renewed time.Time
}

func newReader(h *Hub, workspace string, users []string) *Reader {
	r := &Reader{hub: h, workspace: workspace, wake: make(chan struct{}, 1)}
	if users != nil {
		r.users = make(map[string]bool, len(users))
		for _, user := range users {
			r.users[user] = true
		}
	}
	return r
}

// attach and detach are called with the hub's lock held.
func (r *Reader) attach(h *history) {
	r.history, r.incarnation, r.remade = h, r.hub.incarnation, r.hub.remade
	h.readers[r] = struct{}{}
}

func (r *Reader) detach() { delete(r.history.readers, r) }

// signal wakes the reader's owner.
func (r *Reader) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Wake receives when Next may have something to return.
func (r *Reader) Wake() <-chan struct{} { return r.wake }

// Close ends the connection. It may be called more than once.
func (r *Reader) Close() { r.hub.leave(r) }

// Subscribe adds a query, which is already restricted to what the reader may
// see, or replaces the one of the same id. What was announced after since comes
// first, in order, then what is new; an empty since begins now. It returns the
// position at which the subscription begins. The error is ErrInvalid, a
// TooMuch, ErrPositionExpired or ErrRestarting; nothing has changed then.
func (r *Reader) Subscribe(id string, q query.Query, since string) (Position, error) {
	return r.subscribe(&subscription{id: id, query: q}, since)
}

// Notify adds a subscription to what one user is notified of, as Subscribe does.
func (r *Reader) Notify(id, user, since string) (Position, error) {
	return r.subscribe(&subscription{id: id, to: user}, since)
}

func (r *Reader) subscribe(s *subscription, since string) (Position, error) {
	id := s.id
	if id == "" || len(id) > maxSubscription {
		return Position{}, event.Invalid("id", fmt.Sprintf("is 1 to %d bytes long", maxSubscription))
	}
	position, next, err := r.begin(since)
	if err != nil {
		return Position{}, err
	}
	s.next = next
	at := r.find(id)
	if at < 0 && len(r.subscriptions) == MaxSubscriptions {
		return Position{}, &event.TooMuch{What: fmt.Sprintf("a connection has at most %d subscriptions", MaxSubscriptions)}
	}
	r.lost = slices.DeleteFunc(r.lost, func(lost string) bool { return lost == id })
	if at < 0 {
		r.subscriptions = append(r.subscriptions, s)
	} else {
		r.subscriptions[at] = s
	}
	r.caughtUp, r.at = false, position
	r.signal()
	return position, nil
}

// Unsubscribe ends a subscription; it reports whether there was one.
func (r *Reader) Unsubscribe(id string) bool {
	at := r.find(id)
	if at < 0 {
		return false
	}
	r.subscriptions = slices.Delete(r.subscriptions, at, at+1)
	return true
}

// At is the position up to which every subscription has been answered, though
// nothing may have come of it; ok is false while there is more to read. A client
// that is told resumes from there even where little happens.
func (r *Reader) At() (at Position, ok bool) {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	if r.remade != r.hub.remade || len(r.subscriptions) == 0 || len(r.lost) > 0 {
		return Position{}, false
	}
	for _, s := range r.subscriptions {
		if s.next < r.history.end() {
			return Position{}, false
		}
	}
	return Position{r.incarnation, r.hub.ring.last}, true
}

func (r *Reader) find(id string) int {
	return slices.IndexFunc(r.subscriptions, func(s *subscription) bool { return s.id == id })
}

// Next returns what is to be sent next, in order, and nothing when the reader
// has caught up: Wake tells when to ask again. The error is ErrSlowConsumer or
// ErrRestarting, and the reader is to be closed.
//
// Subscriptions that are being replayed come first, so a message's state can be
// sent again to a connection that has had it: a page that was read meanwhile
// may be older than what was sent.
func (r *Reader) Next(ctx context.Context) ([]Delivery, error) {
	for {
		entries, from, resets, err := r.pull()
		if err != nil || len(resets) > 0 {
			return resets, err
		}
		if len(entries) == 0 {
			return r.renew(ctx), nil
		}
		var out []Delivery
		end := from
		for _, e := range entries {
			out = r.deliver(ctx, out, e, end)
			if end++; len(out) >= batch {
				break // An entry may have many.
			}
		}
		for _, s := range r.subscriptions {
			s.next = max(s.next, end)
		}
		if len(out) > 0 {
			return out, nil
		}
	}
}

// deliver appends what an entry means to the subscriptions that have not had it. Of several
// announcements in one only the last has the position behind it: who resumes from one before
// hears the others again.
func (r *Reader) deliver(ctx context.Context, out []Delivery, e *entry, offset uint64) []Delivery {
	views := e.views.Load()
	if views == nil {
		views = r.hub.viewsOf(e)
	}
	before, from, at := r.at, len(out), Position{r.incarnation, e.Sequence}
	parts := views.parts()
	for _, part := range parts {
		out = r.deliverOne(ctx, out, part, offset, at)
	}
	if len(parts) > 1 {
		for i := from; i < len(out)-1; i++ {
			out[i].At = before
		}
	}
	return out
}

// deliverOne is deliver for one announcement of an entry.
func (r *Reader) deliverOne(ctx context.Context, out []Delivery, views *views, offset uint64, at Position) []Delivery {
	a := views.announcement()
	if a.Kind == event.AnnounceGone && a.Gone != nil {
		r.forget(*a.Gone)
	}
	if a.To != "" {
		return r.deliverTo(out, a, views.body, offset, at)
	}
	if a.Kind == event.AnnounceState && a.State != nil {
		out = r.deliverState(out, views, a, offset, at)
		return r.recountState(ctx, out, a, offset, at)
	}
	if r.users != nil && !r.users[announcedUser(a)] {
		return out
	}
	r.at = at
	switch {
	case a.Kind == event.AnnounceGone && a.Gone != nil:
		return append(out, Delivery{Kind: a.Kind, At: at, Gone: *a.Gone})
	case a.Event == nil:
		return out
	}
	isSend := a.Event.Type == event.Send
	if isSend && r.hub.finder != nil {
		r.remember(a.Event)
	}
	asksHistory := r.asksHistory()
	if asksHistory {
		r.heard(a.Event)
	}
	for _, s := range r.subscriptions {
		if s.next > offset || s.query.History != nil || s.to != "" {
			continue
		}
		if isSend && a.State == nil && s.follows(r.hub) {
			continue // its state is searched for, below
		}
		document := query.Document{Event: *a.Event} // whose words most feeds do not ask for
		if s.query.AsksWords() {
			document = views.document()
		}
		matches := s.query.Match(document, a.State)
		if isSend && s.follows(r.hub) {
			s.know(a.Event.ID, matches)
		}
		if matches {
			if body := views.body(); body != nil {
				r.shown.add(a.Event.Message)
				out = append(out, Delivery{Kind: a.Kind, Subscription: s.id, At: at, Body: body, Event: a.Event, Trace: a.Trace})
			}
		} else if a.Kind == event.AnnounceChanged {
			// It may have matched before it was corrected.
			out = append(out, Delivery{Kind: event.AnnounceGone, Subscription: s.id, At: at, Gone: a.Event.ID})
		}
	}
	if asksHistory {
		out = r.recount(ctx, out, views, a, offset, at)
	}
	if isSend && a.State == nil {
		out = r.recheck(out, views, keyOf(a), nil, offset, at)
	}
	return out
}

// deliverTo is deliver for what is one person's alone.
func (r *Reader) deliverTo(out []Delivery, a *event.Announcement, render func() []byte, offset uint64, at Position) []Delivery {
	for _, s := range r.subscriptions {
		if s.next > offset || s.to != a.To {
			continue
		}
		r.at = at
		if body := render(); body != nil {
			out = append(out, Delivery{Kind: a.Kind, Subscription: s.id, At: at, Body: body, Trace: a.Trace})
		}
	}
	return out
}
