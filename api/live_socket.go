package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"tidings/event"
	"tidings/live"
)

// liveProtocol is the subprotocol, and so the version, of the socket.
const liveProtocol = "tidings.v1"

// Close codes of the socket beside those of RFC 6455.
const (
	closeSignedOut  = 4401
	closeTooSlow    = 4408
	closeTooMany    = 4429
	closeRestarting = websocket.CloseServiceRestart
)

// How many frames a client may send: at once, and a second in the long run.
const (
	clientFrameBurst = 60
	clientFrameRate  = 10
)

// goodbye ends a socket with a close code.
type goodbye struct {
	code   int
	reason string
}

func (g *goodbye) Error() string { return g.reason }

// Socket serves GET /v1/live.
func (l *LiveHandler) Socket(w http.ResponseWriter, r *http.Request) {
	caller, refused := l.admit(r)
	if refused == nil {
		refused = checkUpgrade(r)
	}
	if refused != nil {
		refused.write(w)
		return
	}
	reader, err := l.open(r.Context(), caller)
	if err != nil && !errors.Is(err, event.ErrTooMuch) {
		l.problemOf(r.Context(), err).write(w)
		return
	}
	conn, upgradeErr := l.upgrader().Upgrade(w, r, nil)
	if upgradeErr != nil {
		if reader != nil {
			reader.Close()
		}
		return // the upgrader has answered
	}
	s := newSocket(conn, l.Timing.orDefault())
	if reader == nil {
		// Only now can a browser be told why.
		s.close(&goodbye{closeTooMany, "too many connections in this workspace"})
		return
	}
	defer reader.Close()
	s.session = l.session(caller, reader, "frame")
	err = s.serve(r.Context())
	reader.Close() // before the client's goodbye is waited for
	s.close(err)
}

func (l *LiveHandler) upgrader() *websocket.Upgrader {
	return &websocket.Upgrader{
		Subprotocols: []string{liveProtocol}, ReadBufferSize: 1024, WriteBufferSize: 4096, WriteBufferPool: &l.buffers,
		// admit has looked at it.
		CheckOrigin: func(*http.Request) bool { return true },
		Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			problem(status, "this is not a valid websocket handshake").write(w)
		},
	}
}

// checkUpgrade refuses what is no handshake for our protocol.
func checkUpgrade(r *http.Request) *Problem {
	if !websocket.IsWebSocketUpgrade(r) {
		p := problem(http.StatusUpgradeRequired, "this is a websocket; /v1/live/sse is there for those who cannot")
		p.header = http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}
		return p
	}
	if !slices.Contains(websocket.Subprotocols(r), liveProtocol) {
		return problem(http.StatusBadRequest, "the subprotocol "+liveProtocol+" must be offered")
	}
	return nil
}

// clientMessage is one message of the client, or why there are no more.
type clientMessage struct {
	kind int
	data []byte
}

// socket is one websocket. One goroutine reads; serve does everything else.
type socket struct {
	conn    *websocket.Conn
	timing  LiveTiming
	session *liveSession

	frames  chan clientMessage
	quit    chan struct{}
	reading sync.WaitGroup
}

// newSocket begins to read what the client says. The socket must be closed.
func newSocket(conn *websocket.Conn, timing LiveTiming) *socket {
	s := &socket{conn: conn, timing: timing, frames: make(chan clientMessage), quit: make(chan struct{})}
	s.reading.Go(s.read)
	return s
}

// read hands the client's messages on until the client goes or falls silent.
// After quit they are thrown away: an end with unread bytes would be a reset,
// which could overtake our goodbye.
func (s *socket) read() {
	defer close(s.frames)
	alive := func(string) error { return s.conn.SetReadDeadline(time.Now().Add(s.timing.Silence)) }
	s.conn.SetReadLimit(maxClientFrame)
	s.conn.SetPongHandler(alive)
	for alive("") == nil {
		kind, data, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		select {
		case s.frames <- clientMessage{kind, data}:
		case <-s.quit:
		}
	}
}

// serve goes on until the connection is to end. The error is a *goodbye to say
// so with, or another when there is nobody left to say it to.
func (s *socket) serve(ctx context.Context) error {
	ping := time.NewTicker(s.timing.Ping)
	defer ping.Stop()
	age := time.NewTimer(s.timing.Age)
	defer age.Stop()
	allowed := rate.NewLimiter(clientFrameRate, clientFrameBurst)
	// While there is more to send, its turn comes among the others'.
	always := make(chan struct{})
	close(always)
	more := s.session.reader.Wake()
	for {
		var err error
		select {
		case message, ok := <-s.frames:
			switch {
			case !ok:
				return net.ErrClosed
			case !allowed.Allow():
				return &goodbye{closeTooMany, "too many frames"}
			}
			err = s.take(ctx, message)
		case <-more:
			more = always
			var sent bool
			if sent, err = s.send(ctx); !sent {
				more = s.session.reader.Wake()
			}
		case <-ping.C:
			err = s.ping()
		case <-s.session.caller.Gone:
			err = &goodbye{closeSignedOut, "signed out or key revoked"}
		case <-age.C:
			err = &goodbye{closeRestarting, "come back, to be checked again"}
		case <-ctx.Done():
			err = endOf(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// endOf is how a client is told why the context of its socket has ended.
func endOf(ctx context.Context) *goodbye {
	switch err := context.Cause(ctx); {
	case errors.Is(err, errSignedOut):
		return &goodbye{closeSignedOut, "signed out or key revoked"}
	case errors.Is(err, errNarrowed):
		return &goodbye{closeRestarting, "come back: what you may see has changed"}
	}
	return &goodbye{closeRestarting, "restarting"}
}

// take deals with one message of the client.
func (s *socket) take(ctx context.Context, message clientMessage) error {
	if message.kind != websocket.TextMessage {
		return &goodbye{websocket.CloseUnsupportedData, "frames are JSON text"}
	}
	f, refused := parseFrame(message.data)
	switch {
	case refused != nil:
		return s.write(s.session.refused(f.ID, refused))
	case f.Op == opUnsubscribe:
		s.session.unsubscribe(f.ID)
		return nil
	case f.Op == opShows:
		return s.shows(ctx, f)
	}
	frame, err := s.session.subscribe(ctx, f)
	if err != nil {
		return farewell(err)
	}
	return s.write(frame)
}

// shows takes what the client shows and tells it what has moved of that.
func (s *socket) shows(ctx context.Context, f clientFrame) error {
	moved, err := s.session.shows(f)
	var wrong *event.FieldError
	switch {
	case errors.As(err, &wrong):
		return s.write(s.session.refused(f.ID, s.session.problemIn(ctx, err)))
	case err != nil:
		return farewell(err)
	}
	for _, d := range moved {
		frame, err := s.session.delivery(d)
		if err == nil {
			err = s.write(frame)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// send writes what the hub has for this client now; sent is false when there
// was nothing.
func (s *socket) send(ctx context.Context) (sent bool, err error) {
	deliveries, err := s.session.reader.Next(ctx)
	if err != nil {
		return false, farewell(err)
	}
	for _, d := range deliveries {
		if ctx.Err() != nil {
			return true, nil // serve says so
		}
		_, span := s.session.Tracer.Resume(ctx, d.Trace, "push", trace.SpanKindProducer)
		frame, err := s.session.delivery(d)
		if err == nil {
			err = s.write(frame)
		}
		span.End()
		if err != nil {
			return false, err
		}
	}
	return len(deliveries) > 0, nil
}

// farewell is how a client is told of an error of the hub.
func farewell(err error) error {
	switch {
	case errors.Is(err, live.ErrSlowConsumer):
		return &goodbye{closeTooSlow, "too slow: resume from your last position"}
	case errors.Is(err, live.ErrRestarting):
		return &goodbye{closeRestarting, "restarting"}
	}
	return err
}

// ping asks for a sign of life and tells the position where nothing else has.
func (s *socket) ping() error {
	if at, moved := s.session.moved(); moved {
		s.session.frame = appendAt(appendFrame(s.session.frame[:0], opAt, ""), at)
		if err := s.write(s.session.frame); err != nil {
			return err
		}
	}
	return s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(s.timing.Write))
}

func (s *socket) write(frame []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.timing.Write)); err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.TextMessage, frame)
}

// close says goodbye if there is somebody to say it to, waits a while for the
// answer and ends the connection.
func (s *socket) close(why error) {
	close(s.quit)
	var closing *goodbye
	if errors.As(why, &closing) {
		message := websocket.FormatCloseMessage(closing.code, closing.reason)
		if s.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(s.timing.Linger)) == nil {
			s.linger()
		}
	}
	_ = s.conn.Close() // it has ended either way
	s.reading.Wait()
}

// linger waits for the client's end.
func (s *socket) linger() {
	enough := time.NewTimer(s.timing.Linger)
	defer enough.Stop()
	for {
		select {
		case _, more := <-s.frames:
			if !more {
				return
			}
		case <-enough.C:
			return
		}
	}
}
