package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"tidings/account"
	"tidings/event"
	"tidings/feed"
	"tidings/live"
	"tidings/query"
)

// understandTimeout is how long a subscription's question may take to read.
const understandTimeout = 5 * time.Second

// liveSession is one connection, over whichever transport: it turns what the
// client asks into subscriptions, and what the hub delivers into frames. It
// belongs to one goroutine.
type liveSession struct {
	*LiveHandler
	caller Caller
	reader *live.Reader
	// part names where the client's words are, for problems.
	part    string
	queries map[string]query.Query
	// frame is the last one that was made: its memory is used again.
	frame []byte
	// told is the last position that the client was told.
	told live.Position
}

func (l *LiveHandler) session(caller Caller, reader *live.Reader, part string) *liveSession {
	return &liveSession{LiveHandler: l, caller: caller, reader: reader, part: part, queries: make(map[string]query.Query)}
}

// ask begins a subscription. The errors are those of live.Reader.Subscribe and
// of reading the question.
func (s *liveSession) ask(ctx context.Context, f clientFrame) (any, live.Position, error) {
	if f.To != "" {
		return s.askNotifications(ctx, f)
	}
	ctx, cancel := context.WithTimeout(ctx, understandTimeout)
	defer cancel()
	zone, err := s.zone(ctx, s.caller, s.part, f.TZ)
	if err != nil {
		return nil, live.Position{}, err
	}
	scope := feed.Scope{Workspace: s.caller.Workspace, Users: s.caller.Users, Me: s.caller.User, Zone: zone}
	request := feed.PageRequest{Scope: scope, Text: f.Q, Filter: f.Filters.filter()}
	understood, q, err := s.Questions.Understand(ctx, request)
	if err != nil {
		return nil, live.Position{}, err
	}
	at, err := s.reader.Subscribe(f.ID, q, f.Since)
	if errors.Is(err, live.ErrPositionExpired) {
		s.unsubscribe(f.ID)
	}
	if err != nil {
		return nil, live.Position{}, err
	}
	if _, err := s.reader.Shows(f.Shows, ""); err != nil {
		return nil, live.Position{}, err
	}
	s.reader.Renew(f.ID, func(ctx context.Context) (query.Query, error) {
		_, again, err := s.Questions.Understand(ctx, request)
		if err == nil {
			s.queries[f.ID] = again
		}
		return again, err
	})
	s.queries[f.ID], s.told = q, at
	if rec := recordingFrom(ctx); rec != nil {
		rec.subscribes(f.Q)
	}
	return understood, at, nil
}

// askNotifications begins a subscription to what the caller is notified of.
func (s *liveSession) askNotifications(ctx context.Context, f clientFrame) (any, live.Position, error) {
	switch {
	case s.Unread == nil:
		return nil, live.Position{}, problem(http.StatusNotImplemented, "notifications are not kept on this server")
	case !hearsNotifications(s.caller):
		return nil, live.Position{}, problem(http.StatusForbidden, "this takes a key with the scope notifications:read")
	case s.caller.User == "":
		return nil, live.Position{}, errNobody
	}
	// What is counted after the subscription began may be told again, and nothing is missed.
	at, err := s.reader.Notify(f.ID, s.caller.User, f.Since)
	if errors.Is(err, live.ErrPositionExpired) {
		s.unsubscribe(f.ID)
	}
	if err != nil {
		return nil, live.Position{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, understandTimeout)
	defer cancel()
	unread, err := s.Unread(ctx, s.caller.Workspace, s.caller.User)
	if err != nil {
		s.unsubscribe(f.ID)
		return nil, live.Position{}, err
	}
	delete(s.queries, f.ID)
	s.told = at
	return unread, at, nil
}

// hearsNotifications reports whether a credential is for notifications.
func hearsNotifications(c Caller) bool {
	has := func(scope account.Scope) bool { return slices.Contains(c.Scopes, scope) }
	return c.Origins == nil && (c.Scopes == nil || has(account.ScopeNotifications) || has(account.ScopeAdmin))
}

// subscribe answers a subscribe frame with subscribed, reset or error. An
// error ends the connection.
func (s *liveSession) subscribe(ctx context.Context, f clientFrame) ([]byte, error) {
	understood, at, err := s.ask(ctx, f)
	switch {
	case errors.Is(err, live.ErrRestarting):
		return nil, err
	case errors.Is(err, live.ErrPositionExpired):
		return s.delivery(live.Delivery{Kind: live.KindReset, Subscription: f.ID})
	case err != nil:
		return s.refused(f.ID, s.problemIn(ctx, err)), nil
	}
	return s.subscribed(f.ID, understood, at)
}

// shows takes the messages that a page shows, and returns what has moved of them since
// before it was read. Where that is not known any more, the subscription ends.
func (s *liveSession) shows(f clientFrame) ([]live.Delivery, error) {
	moved, err := s.reader.Shows(f.Shows, f.Since)
	if errors.Is(err, live.ErrPositionExpired) {
		s.unsubscribe(f.ID)
		return []live.Delivery{{Kind: live.KindReset, Subscription: f.ID}}, nil
	}
	return moved, err
}

// subscribed is the frame that begins a subscription.
// of is how the question was understood, or how many notifications are unread.
func (s *liveSession) subscribed(id string, of any, at live.Position) ([]byte, error) {
	member := `,"query":`
	if _, unread := of.(int); unread {
		member = `,"unread":`
	}
	frame, err := appendJSON(append(appendFrame(s.frame[:0], opSubscribed, id), member...), of)
	if err != nil {
		return nil, err
	}
	s.frame = appendAt(frame, at)
	return s.frame, nil
}

func (s *liveSession) unsubscribe(id string) {
	s.reader.Unsubscribe(id)
	delete(s.queries, id)
}

// problemIn is what the client is told of an error in what it has asked.
func (s *liveSession) problemIn(ctx context.Context, err error) *Problem {
	var field *event.FieldError
	if errors.As(err, &field) {
		return located(s.part, field)
	}
	return s.problemOf(ctx, err)
}

// refused is the frame for a problem.
func (s *liveSession) refused(id string, p *Problem) []byte {
	frame := append(appendFrame(s.frame[:0], opError, id), `,"problem":`...)
	frame, err := appendJSON(frame, p)
	if err != nil { // only a Value could fail
		return s.refused(id, problem(p.Status, p.Detail))
	}
	s.frame = append(frame, '}')
	return s.frame
}

// delivery is the frame for a delivery, good until the next frame is made.
func (s *liveSession) delivery(d live.Delivery) ([]byte, error) {
	var highlights map[string][][2]int
	switch {
	case d.Kind == live.KindReset:
		delete(s.queries, d.Subscription)
	case d.Event != nil:
		highlights = query.Highlights(*d.Event, s.queries[d.Subscription])
	}
	frame, err := appendDelivery(s.frame[:0], d, highlights)
	if err != nil {
		return nil, err
	}
	s.frame = frame
	if d.Kind != live.KindReset {
		s.told = d.At
	}
	return frame, nil
}

// moved returns the position up to which there was nothing to send, if the
// client has not been told of it. Without it, a client to whom little happens
// would come back with a position that has expired.
func (s *liveSession) moved() (live.Position, bool) {
	at, ok := s.reader.At()
	if !ok || at == s.told {
		return live.Position{}, false
	}
	s.told = at
	return at, true
}
