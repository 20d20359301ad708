package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"
)

const (
	// faultBehind is after how many events a socket that reads nothing is far behind: more
	// than the system keeps for it, and than the server lets it be behind.
	faultBehind = 30_000
	// closedTooSlow is the code with which the server closes it.
	closedTooSlow = 4408
)

// faultSocket is a socket that resumes where it was, and hears each send once.
type faultSocket struct {
	room     *faultRoom
	position string
	heard    map[string]int
	conn     *websocket.Conn
	ended    chan error
}

// faultRoom are all sockets of a run, and when what they hear was posted.
type faultRoom struct {
	address, key string
	mu           sync.Mutex
	timing       *Timing
	sent         map[string]time.Time
	resets       int
}

// socketSlow has one socket of many read nothing, and then all of them come back at once.
func socketSlow(ctx context.Context, r *faultRun) error {
	if err := r.serve(ctx); err != nil {
		return err
	}
	room := &faultRoom{address: r.server.address, timing: NewTiming(), sent: make(map[string]time.Time)}
	var err error
	if room.key, err = keyOf(ctx, r.server, faultWorkspace); err != nil {
		return err
	}
	var page struct{ Live string }
	if err := r.ask(ctx, http.MethodGet, "/v1/feed", nil, &page); err != nil {
		return err
	}
	r.book.offering = room.post
	sockets := make([]*faultSocket, max(2, r.Sockets))
	for i := range sockets {
		sockets[i] = &faultSocket{room: room, position: page.Live, heard: make(map[string]int)}
	}
	slow := sockets[0]
	if err := openAll(ctx, sockets[1:]); err != nil {
		return err
	}
	r.work(ctx, 1, 0, faultPace/2)
	if err := r.grow(ctx, faultBehind/3); err != nil {
		return err
	}
	without := room.takeTiming()
	if err := slow.open(ctx, 4<<10); err != nil {
		return err
	}
	r.begins()
	if err := r.grow(ctx, faultBehind); err != nil {
		return err
	}
	with := room.takeTiming()
	go slow.read()
	ended := <-slow.ended
	var closed *websocket.CloseError
	r.must(errors.As(ended, &closed) && closed.Code == closedTooSlow, "the slow socket is closed with %d (%v)", closedTooSlow, ended)
	r.row.beside = with.Percentile(99).Seconds() / without.Percentile(99).Seconds()
	fmt.Fprintf(r.env.Err, "a send is on the others' sockets after %s without the slow one, and %s beside it\n", without, with)

	// All are cut off, and come back while events come in.
	for _, socket := range sockets[1:] {
		_ = socket.conn.Close() // it is cut off
		<-socket.ended
	}
	r.ends()
	if err := openAll(ctx, sockets[1:]); err != nil {
		return err
	}
	if err := slow.open(ctx, 0); err != nil {
		return err
	}
	go slow.read()
	if err := errors.Join(r.grow(ctx, 4*faultBatch), r.rest()); err != nil {
		return err
	}
	deaf := func() (n int) {
		room.mu.Lock()
		defer room.mu.Unlock()
		for _, socket := range sockets {
			for message := range r.book.unopened {
				if socket.heard[message] == 0 {
					n++
				}
			}
		}
		return n
	}
	if err := r.await(ctx, "all sockets have heard all", func() bool { return deaf() == 0 }); err != nil {
		r.must(false, "each socket hears each send: %d are missing", deaf())
	}
	for _, socket := range sockets {
		_ = socket.conn.Close() // it is over
		<-socket.ended
		for message, n := range socket.heard {
			r.must(n == 1, "a socket hears send %s once, and not %d times", message, n)
		}
	}
	r.must(room.resets == 0, "sockets resume, and were told to begin anew %d times", room.resets)
	return r.settle(ctx)
}

// openAll opens sockets at once, and reads them.
func openAll(ctx context.Context, sockets []*faultSocket) error {
	var opening errgroup.Group
	opening.SetLimit(socketsAtOnce)
	for _, socket := range sockets {
		opening.Go(func() error {
			err := socket.open(ctx, 0)
			if err == nil {
				go socket.read()
			}
			return err
		})
	}
	return opening.Wait()
}

// open asks for all sends since the socket's position; with a small buffer little is on its
// way to it.
func (s *faultSocket) open(ctx context.Context, buffer int) (err error) {
	dialer := websocket.Dialer{Subprotocols: []string{"tidings.v1"}, HandshakeTimeout: time.Minute}
	dialer.NetDialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok && buffer > 0 {
			err = errors.Join(err, tcp.SetReadBuffer(buffer))
		}
		return conn, err
	}
	s.conn, err = dialed(dialer.DialContext(ctx, "ws://"+s.room.address+"/v1/live", http.Header{"Authorization": {"Bearer " + s.room.key}}))
	if err != nil {
		return fmt.Errorf("open a socket: %w", err)
	}
	s.ended = make(chan error, 1)
	query := "type:send"
	if buffer > 0 {
		query = "" // all, so that there is much to be slow with
	}
	return s.conn.WriteJSON(map[string]any{"op": "subscribe", "id": "s", "q": query, "since": s.position, "filters": map[string]any{"automated": "show"}})
}

// read notes what comes until the socket ends.
func (s *faultSocket) read() {
	for {
		_, raw, err := s.conn.ReadMessage()
		if err != nil {
			s.ended <- err
			return
		}
		now := time.Now()
		var frame struct {
			Op, At string
			Item   struct{ Type, Message string }
		}
		if err := json.Unmarshal(raw, &frame); err != nil {
			s.ended <- err
			return
		}
		s.room.mu.Lock()
		switch {
		case frame.Op == "reset":
			s.room.resets++
		case frame.Op == "event" && frame.Item.Type == "send":
			s.heard[frame.Item.Message]++
			if at, ok := s.room.sent[frame.Item.Message]; ok {
				s.room.timing.Record(now.Sub(at))
			}
		}
		s.room.mu.Unlock()
		if frame.At != "" {
			s.position = frame.At
		}
	}
}

// post notes when a request is sent.
func (r *faultRoom) post(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[message] = time.Now()
}

// takeTiming is what was timed since it was asked last.
func (r *faultRoom) takeTiming() *Timing {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.timing
	r.timing = NewTiming()
	return taken
}
