package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"tidings/account"
	"tidings/event"
	"tidings/signin"
)

// Why what is open ends before its client wants it to.
var (
	errSignedOut = errors.New("signed out")
	errNarrowed  = errors.New("what the caller may see has changed")
)

// watchEvery is how often it is looked whether those who have something open may
// still see it: a socket, a stream or an export. With what is remembered for a
// moment (account), the end comes within 5 s.
const watchEvery = 2 * time.Second

// maxSocketsOfOne is how many sockets and streams one key, session or user may have
// open; a workspace may have four times as many.
const maxSocketsOfOne = 500

// opened are the sockets, streams and exports that are open, so that they end when
// their caller may not read any more.
type opened struct {
	mu sync.Mutex
	by map[*open]struct{}
	// sockets counts the sockets of each key, session and user.
	sockets map[string]int
}

// open is one of them.
type open struct {
	caller Caller
	end    context.CancelCauseFunc
	gone   chan struct{}
	counts []string
}

// open lets a caller read something that lasts. The context ends, with the reason as
// its cause, when the caller may not read it any more. leave is called at the end.
// ErrTooMuch says that the caller has too many sockets.
func (s *Server) open(ctx context.Context, caller *Caller, socket bool) (_ context.Context, leave func(), err error) {
	if caller.Credential == "" { // the operator
		return ctx, func() {}, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	o := &open{caller: *caller, end: cancel, gone: make(chan struct{})}
	caller.Gone = o.gone
	if socket {
		o.counts = countedBy(*caller)
	}
	if !s.opened.add(o) {
		cancel(nil)
		return nil, nil, &event.TooMuch{What: "too many live connections of this key, session or user"}
	}
	// It may have ended before it was listed.
	s.lookAt(ctx, o)
	return ctx, func() { s.opened.remove(o); cancel(nil) }, nil
}

// countedBy are the names that a caller's sockets are counted by. Those who were
// given tokens of one key count each for themselves.
func countedBy(c Caller) []string {
	var names []string
	if c.Origins == nil || c.User == "" {
		names = append(names, "credential "+c.Credential)
	}
	if c.User != "" {
		names = append(names, "user "+c.Workspace+" "+c.User)
	}
	return names
}

func (a *opened) add(o *open) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.by == nil {
		a.by, a.sockets = make(map[*open]struct{}), make(map[string]int)
	}
	for _, name := range o.counts {
		if a.sockets[name] >= maxSocketsOfOne {
			return false
		}
	}
	for _, name := range o.counts {
		a.sockets[name]++
	}
	a.by[o] = struct{}{}
	return true
}

func (a *opened) remove(o *open) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.by[o]; !ok {
		return
	}
	delete(a.by, o)
	for _, name := range o.counts {
		if a.sockets[name]--; a.sockets[name] == 0 {
			delete(a.sockets, name)
		}
	}
}

// end ends what a credential has open.
func (a *opened) end(credential string) {
	for _, o := range a.all() {
		if o.caller.Credential == credential {
			a.close(o, errSignedOut)
		}
	}
}

// close ends one of them, and is harmless for one that has ended.
func (a *opened) close(o *open, why error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-o.gone:
		return
	default:
	}
	if errors.Is(why, errSignedOut) {
		close(o.gone)
	}
	o.end(why)
}

func (a *opened) all() []*open {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]*open, 0, len(a.by))
	for o := range a.by {
		all = append(all, o)
	}
	return all
}

// Watch ends what is open of callers who may not see it any more, wherever that was
// decided, until ctx ends. What this process decides of keys and sessions counts at
// once.
func (s *Server) Watch(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.LookAgain(ctx)
			s.forgetUsed(ctx)
		}
	}
}

// forgetEvery is how often what was good once or for a while is let go.
const forgetEvery = time.Hour

// forgetUsed lets go of links and notes that have ended, once an hour.
func (s *Server) forgetUsed(ctx context.Context) {
	now := s.Clock()
	if now.Sub(s.forgot) < forgetEvery {
		return
	}
	s.forgot = now
	if err := account.ForgetEnded(ctx, s.Records, now, signin.KindUsed); err != nil && ctx.Err() == nil {
		s.Logger.WarnContext(ctx, "links that have ended were not let go; it is tried again in an hour", "error", err)
	}
}

// LookAgain is what Watch does every two seconds.
func (s *Server) LookAgain(ctx context.Context) {
	for _, o := range s.opened.all() {
		s.lookAt(ctx, o)
	}
}

func (s *Server) lookAt(ctx context.Context, o *open) {
	if why := s.mayNot(ctx, o.caller); why != nil {
		s.opened.close(o, why)
	}
}

// mayNot says why a caller may not see any more what they saw when they began; nil when
// they may. What cannot be looked up has not changed, as far as is known.
func (s *Server) mayNot(ctx context.Context, c Caller) error {
	if !c.Ends.IsZero() && !s.Clock().Before(c.Ends) {
		return errSignedOut
	}
	ended, err := s.ended(ctx, c)
	if err == nil && ended {
		return errSignedOut
	}
	now, err := s.directory.Now(ctx, c)
	switch {
	case errors.Is(err, event.ErrNotFound):
		return errSignedOut
	case err == nil && (now.Role != c.Role || !slices.Equal(now.Users, c.Users)):
		return errNarrowed
	}
	return nil
}

func (s *Server) ended(ctx context.Context, c Caller) (bool, error) {
	if c.Session != "" {
		if err := s.granted(ctx, c); errors.Is(err, event.ErrNotFound) {
			return true, nil
		}
		return s.sessions.Ended(ctx, c.Credential)
	}
	return s.keys.Ended(ctx, c.Credential)
}

// interrupted lets an answer that is being written end with its context, however
// slowly the client takes it.
func interrupted(ctx context.Context, control *http.ResponseController) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = control.SetWriteDeadline(time.Now()) })
}
