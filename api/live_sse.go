package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/trace"

	"tidings/event"
	"tidings/live"
)

const (
	// sseID is the one subscription of a stream of server-sent events.
	sseID = "sse"
	// sseRetry is how many milliseconds a browser waits before it comes back.
	sseRetry = 2000
	// defaultLag is LiveHandler.Lag unless it is set.
	defaultLag = 10 * time.Second
)

// SSE serves GET /v1/live/sse: the frames of a socket with one subscription,
// each with its position as the id of the event, so that a browser comes back
// with it by itself. Where the position has expired it says reset and goes on,
// from far enough back that a page read now closes the gap.
func (l *LiveHandler) SSE(w http.ResponseWriter, r *http.Request) {
	caller, refused := l.admit(r)
	if refused != nil {
		refused.write(w)
		return
	}
	f, err := parseSSE(r)
	if err != nil {
		l.problemOf(r.Context(), err).write(w)
		return
	}
	reader, err := l.open(r.Context(), caller)
	if err != nil {
		l.problemOf(r.Context(), err).write(w)
		return
	}
	defer reader.Close()
	s := &eventStream{l.session(caller, reader, "query"), http.NewResponseController(w), w, l.Timing.orDefault(), f}
	s.serve(r.Context())
}

// parseSSE reads the parameters as if they were a subscribe frame.
func parseSSE(r *http.Request) (clientFrame, error) {
	f := clientFrame{Op: opSubscribe, ID: sseID, Filters: &liveFilters{}}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return f, located("query", event.Invalid("", "is badly encoded"))
	}
	for name, given := range values {
		if slices.ContainsFunc(given, func(text string) bool { return !utf8.ValidString(text) }) {
			return f, located("query", event.Invalid(clip(name), "is not valid UTF-8"))
		}
		if err := f.parameter(name, given); err != nil {
			return f, located("query", err)
		}
	}
	// A browser that comes back repeats its first address.
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		f.Since = last
	}
	if reflect.ValueOf(*f.Filters).IsZero() {
		f.Filters = nil
	}
	if err := f.check(); err != nil {
		return f, located("query", event.Invalid(strings.TrimPrefix(err.Field, "filters."), err.Problem))
	}
	return f, nil
}

// parameter takes one parameter.
func (f *clientFrame) parameter(name string, given []string) *event.FieldError {
	once := map[string]*string{
		"q": &f.Q, "since": &f.Since, "tz": &f.TZ, "to": &f.To, "automated": (*string)(&f.Filters.Automated),
	}
	many := map[string]*[]string{
		"user": &f.Filters.User, "recipient": &f.Filters.Recipient, "message": &f.Filters.Message,
		"shows": &f.Shows,
	}
	switch {
	case name == "type":
		for _, text := range given {
			f.Filters.Type = append(f.Filters.Type, event.Type(text))
		}
	case many[name] != nil:
		*many[name] = given
	case once[name] == nil:
		return event.Invalid(clip(name), "is not a known parameter")
	case len(given) > 1:
		return event.Invalid(name, "is given more than once")
	default:
		*once[name] = given[0]
	}
	return nil
}

// eventStream is one stream of server-sent events.
type eventStream struct {
	*liveSession
	to     *http.ResponseController
	w      http.ResponseWriter
	timing LiveTiming
	asked  clientFrame
}

// serve goes on until the client goes, or has to: it comes back by itself then,
// and is told the reason by the status of that answer.
func (s *eventStream) serve(ctx context.Context) {
	understood, at, err := s.ask(ctx, s.asked)
	expired := errors.Is(err, live.ErrPositionExpired)
	if err != nil && !expired {
		s.problemIn(ctx, err).write(s.w)
		return
	}
	header := s.w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would hold events back
	s.w.WriteHeader(http.StatusOK)
	err = s.write(fmt.Appendf(nil, "retry: %d\n\n", sseRetry))
	if err == nil && expired {
		err = s.restart(ctx)
	} else if err == nil {
		err = s.begin(understood, at)
	}
	if err == nil {
		err = s.to.Flush()
	}
	if err == nil {
		s.follow(ctx)
	}
}

// follow sends what the hub has until the stream is to end. The client needs no
// reason: it is gone, or is told when it comes back.
func (s *eventStream) follow(ctx context.Context) {
	beat := time.NewTicker(s.timing.Ping)
	defer beat.Stop()
	age := time.NewTimer(s.timing.Age)
	defer age.Stop()
	// While there is more to send, its turn comes among the others'.
	always := make(chan struct{})
	close(always)
	more := s.reader.Wake()
	for {
		var err error
		select {
		case <-more:
			more = always
			var sent bool
			if sent, err = s.send(ctx); !sent {
				more = s.reader.Wake()
			}
		case <-beat.C:
			err = s.beat()
		case <-s.caller.Gone:
			return
		case <-age.C:
			return
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// send writes what the hub has for this client now; sent is false when there
// was nothing.
func (s *eventStream) send(ctx context.Context) (sent bool, err error) {
	deliveries, err := s.reader.Next(ctx)
	if err != nil || len(deliveries) == 0 {
		return false, err
	}
	for _, d := range deliveries {
		if err := context.Cause(ctx); err != nil {
			return false, err
		}
		_, span := s.Tracer.Resume(ctx, d.Trace, "push", trace.SpanKindProducer)
		if d.Kind == live.KindReset {
			err = s.restart(ctx)
		} else if _, err = s.delivery(d); err == nil {
			err = s.say(d.At, s.frame)
		}
		span.End()
		if err != nil {
			return false, err
		}
	}
	return true, s.to.Flush()
}

// begin says that the subscription has begun.
func (s *eventStream) begin(understood any, at live.Position) error {
	frame, err := s.subscribed(sseID, understood, at)
	if err != nil {
		return err
	}
	return s.say(at, frame)
}

// restart says reset and subscribes from a position that a page read after that
// cannot leave a gap to.
func (s *eventStream) restart(ctx context.Context) error {
	frame, err := s.delivery(live.Delivery{Kind: live.KindReset, Subscription: sseID})
	if err != nil {
		return err
	}
	if err := s.write([]byte("data: "), frame, []byte("\n\n")); err != nil {
		return err
	}
	asked := s.asked
	asked.Since = s.Hub.PositionBefore(cmp.Or(s.Lag, defaultLag))
	understood, at, err := s.ask(ctx, asked)
	if err != nil {
		return err
	}
	return s.begin(understood, at)
}

// beat shows that the connection lives, and tells the position where nothing
// else has: an event without data sets the client's last event id alone.
func (s *eventStream) beat() error {
	err := s.write([]byte(":\n\n"))
	if at, moved := s.moved(); err == nil && moved {
		err = s.write([]byte("id: "), []byte(at.String()), []byte("\n\n"))
	}
	if err != nil {
		return err
	}
	return s.to.Flush()
}

// say writes a frame, which holds no line break, as one event.
func (s *eventStream) say(at live.Position, frame []byte) error {
	return s.write([]byte("id: "), []byte(at.String()), []byte("\ndata: "), frame, []byte("\n\n"))
}

// write gives each piece the time that a frame may take.
func (s *eventStream) write(pieces ...[]byte) error {
	err := s.to.SetWriteDeadline(time.Now().Add(s.timing.Write))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set deadline: %w", err)
	}
	for _, piece := range pieces {
		if _, err := s.w.Write(piece); err != nil {
			return fmt.Errorf("write event: %w", err)
		}
	}
	return nil
}
