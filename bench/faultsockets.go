package bench

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// faultAhead is how many events are acknowledged while a socket does not read: more than the
// system's buffers hold.
const faultAhead = 30_000

// stalledSocket has one socket read nothing beside one that keeps up, until the server lets it
// go, and has it come back from where it was.
func stalledSocket(ctx context.Context, r *faultRun) error {
	if err := r.serve(ctx); err != nil {
		return err
	}
	var key struct {
		Key string `json:"key"`
	}
	if err := r.ask(ctx, http.MethodPost, "/v1/keys", map[string]any{"role": "read", "name": "sockets"}, &key); err != nil {
		return err
	}
	listening, stop := context.WithCancel(ctx)
	var both sync.WaitGroup
	defer both.Wait()
	defer stop()
	stalled, other := &faultSocket{reads: make(chan struct{})}, &faultSocket{reads: make(chan struct{})}
	for _, one := range []*faultSocket{stalled, other} {
		conn, err := one.open(ctx, r.server.address, key.Key)
		if err != nil {
			return err
		}
		both.Go(func() { one.listen(listening, conn, r.server.address, key.Key) })
	}
	close(other.reads)
	r.begins()
	r.work(ctx, 1, 0, 0)
	err := errors.Join(r.grow(ctx, faultAhead), r.rest())
	if err != nil {
		return err
	}
	r.ends()
	heard := r.eventually(ctx, "the other socket has heard everything", func() bool { return other.misses(r.book) == 0 })
	r.must(heard, "the other socket hears each event")
	gone := r.eventually(ctx, "the server lets the socket go", func() bool {
		figures, err := metricsOf(ctx, r.server)
		return err == nil && figures["tidings_live_readers"] == 1
	})
	r.must(gone, "the server lets the socket go")
	close(stalled.reads)
	r.repaired = time.Now()
	heard = r.eventually(ctx, "it has heard everything", func() bool { return stalled.misses(r.book) == 0 })
	r.must(heard, "it hears each event once it comes back")
	stop()
	both.Wait()
	r.must(stalled.breaks > 0, "its connection ends")
	r.must(other.breaks == 0, "the other socket stays")
	r.must(stalled.resets+other.resets == 0, "none has to begin anew")
	return errors.Join(ctx.Err(), r.finish(ctx))
}

// eventually reports whether something is so within the time of await.
func (r *faultRun) eventually(ctx context.Context, what string, so func() bool) bool {
	return r.await(ctx, what, so) == nil
}

// faultSocket follows a workspace, and comes back from its last position when it is cut off.
type faultSocket struct {
	// reads is closed once it may read.
	reads chan struct{}
	// breaks is how often its connection ended by itself, and resets how often it had to begin
	// anew.
	breaks, resets int
	at             string

	mu    sync.Mutex
	heard map[string]bool
}

// misses is how many acknowledged events it has not heard.
func (s *faultSocket) misses(book *faultBook) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	book.mu.Lock()
	defer book.mu.Unlock()
	n := 0
	for id := range book.acknowledged {
		if !s.heard[id] {
			n++
		}
	}
	return n
}

// open subscribes to everything after the last position.
func (s *faultSocket) open(ctx context.Context, address, key string) (*websocket.Conn, error) {
	conn, err := dialLive(ctx, address, key)
	if err != nil {
		return nil, err
	}
	// What the system holds for a slow reader is small.
	if tcp, ok := conn.NetConn().(*net.TCPConn); ok {
		err = tcp.SetReadBuffer(64 << 10)
	}
	asked := map[string]string{"op": "subscribe", "id": "s", "q": ""}
	if s.at != "" {
		asked["since"] = s.at
	}
	if err = errors.Join(err, conn.WriteJSON(asked)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if s.at != "" {
		return conn, nil
	}
	// The first time nothing may be sent before it listens.
	for s.at == "" && err == nil {
		err = s.hear(conn)
	}
	return conn, err
}

// listen reads until ctx ends.
func (s *faultSocket) listen(ctx context.Context, conn *websocket.Conn, address, key string) {
	select {
	case <-s.reads:
	case <-ctx.Done():
	}
	for {
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		var err error
		for err == nil {
			err = s.hear(conn)
		}
		stop()
		_ = conn.Close() // it has ended
		if ctx.Err() != nil {
			return
		}
		s.breaks++
		for err != nil {
			if ctx.Err() != nil {
				return
			}
			if conn, err = s.open(ctx, address, key); err != nil {
				pause(ctx, 100*time.Millisecond)
			}
		}
	}
}

// hear reads a frame.
func (s *faultSocket) hear(conn *websocket.Conn) error {
	_, raw, err := conn.ReadMessage()
	if err != nil {
		return err
	}
	var frame struct {
		Op   string `json:"op"`
		At   string `json:"at"`
		Item struct {
			ID string `json:"id"`
		} `json:"item"`
	}
	if err := json.Unmarshal(raw, &frame); err != nil {
		return err
	}
	if frame.At != "" {
		s.at = frame.At
	}
	switch frame.Op {
	case "event":
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.heard == nil {
			s.heard = make(map[string]bool)
		}
		s.heard[frame.Item.ID] = true
	case "reset":
		s.resets++
		s.at = ""
		return errors.New("what was missed is gone")
	}
	return nil
}
