package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"tidings/event"
	"tidings/live"
	"tidings/tracing"
)

// LiveHandler pushes the feed: Socket over a websocket, SSE as server-sent
// events. Both say the same frames. Hub and Questions are needed.
type LiveHandler struct {
	Hub       *live.Hub
	Questions LiveQuestions
	// Caller is who is asking; nil takes CallerFrom.
	Caller func(*http.Request) (Caller, bool)
	// Zone is where the days of a caller begin who has not named a zone; nil
	// means UTC.
	Zone func(ctx context.Context, caller Caller) (*time.Location, error)
	// Origins are the pages, as https://host, that may open a socket with
	// their user's session beside those of this host.
	Origins []string
	// Lag is how long an event that was announced may stay unseen by a search;
	// 0 means ten seconds.
	Lag time.Duration
	// Unread counts what a user was notified of and has not read; nil where
	// notifications are kept nowhere.
	Unread func(ctx context.Context, workspace, user string) (int, error)
	Timing LiveTiming
	Logger *slog.Logger
	// Tracer may be nil.
	Tracer *tracing.Tracer

	// buffers are for writing to sockets: most are silent most of the time.
	buffers sync.Pool
}

// LiveTiming are how long things take; 0 means the default.
type LiveTiming struct {
	// Ping is how often a client is asked for a sign of life (25 s), Silence
	// how long it may give none (60 s).
	Ping, Silence time.Duration
	// Write is how long one frame may take to leave (30 s).
	Write time.Duration
	// Age is when a connection is told to come back (1 h), so that what its
	// caller may see is looked up again.
	Age time.Duration
	// Ready is how long a caller waits for the hub (5 s).
	Ready time.Duration
	// Linger is how long a closed socket waits for the client's goodbye (5 s).
	Linger time.Duration
}

func (t LiveTiming) orDefault() LiveTiming {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&t.Ping, 25 * time.Second},
		{&t.Silence, 60 * time.Second},
		{&t.Write, 30 * time.Second},
		{&t.Age, time.Hour},
		{&t.Ready, 5 * time.Second},
		{&t.Linger, 5 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	return t
}

// admit finds out who is asking and whether this page may ask for them.
func (l *LiveHandler) admit(r *http.Request) (Caller, *Problem) {
	find := l.Caller
	if find == nil {
		find = func(r *http.Request) (Caller, bool) { return CallerFrom(r.Context()) }
	}
	caller, ok := find(r)
	if !ok {
		return caller, unauthorized("a key (Authorization: Bearer …) or a session is needed")
	}
	if caller.Session != "" && !l.sameOrigin(r) {
		return caller, problem(http.StatusForbidden, "this page may not read the live feed")
	}
	return caller, nil
}

// sameOrigin reports whether a request that a browser made with its user's
// session comes from our own page. A websocket always names its page; an
// EventSource does unless the page is on the same origin.
func (l *LiveHandler) sameOrigin(r *http.Request) bool {
	given := r.Header.Values("Origin")
	if len(given) == 0 {
		return r.Header.Get("Upgrade") == ""
	}
	origin, err := url.Parse(given[0])
	if err != nil || len(given) > 1 || origin.Host == "" {
		return false
	}
	return strings.EqualFold(origin.Host, r.Host) ||
		slices.ContainsFunc(l.Origins, func(allowed string) bool {
			return strings.EqualFold(strings.TrimSuffix(allowed, "/"), given[0])
		})
}

// open begins a caller's connection with the hub.
func (l *LiveHandler) open(ctx context.Context, caller Caller) (*live.Reader, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Timing.orDefault().Ready)
	defer cancel()
	return l.Hub.Open(ctx, caller.Workspace, caller.Users)
}

// problemOf is what a client is told of an error. What nobody has foreseen is
// logged.
func (l *LiveHandler) problemOf(ctx context.Context, err error) *Problem {
	if errors.Is(err, live.ErrRestarting) {
		err = event.ErrUnavailable
	}
	p, known := problemOf(err)
	if known || errors.Is(err, context.Canceled) {
		return p
	}
	p.Reference = requestID(ctx)
	if l.Logger != nil {
		l.Logger.ErrorContext(ctx, "live request failed", "reference", p.Reference, "error", err)
	}
	return p
}

// zone is where the caller's days begin. part is where the name was given.
func (l *LiveHandler) zone(ctx context.Context, caller Caller, part, named string) (*time.Location, error) {
	if named != "" {
		zone, err := location(named)
		if err != nil {
			return nil, located(part, event.Invalid("tz", "is not an IANA time zone"))
		}
		return zone, nil
	}
	if l.Zone == nil {
		return time.UTC, nil
	}
	return l.Zone(ctx, caller)
}
