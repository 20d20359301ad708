package faulty

import (
	"io"
	"net"
	"sync"
)

// Line leads TCP connections to a server, until it is told that the server is
// away.
type Line struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu    sync.Mutex
	away  bool
	conns map[net.Conn]bool
}

// NewLine listens on loopback for a server.
func NewLine(target string) (*Line, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Line{listener: listener, target: target, conns: make(map[net.Conn]bool)}
	l.running.Go(l.accept)
	return l, nil
}

// Close ends it and all connections.
func (l *Line) Close() error {
	err := l.listener.Close()
	l.Cut()
	l.running.Wait()
	return err
}

// Address is where it listens.
func (l *Line) Address() string { return l.listener.Addr().String() }

// Cut ends all connections and every new one, as a server that is away does.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = true
	for conn := range l.conns {
		_ = conn.Close()
	}
}

// Restore lets connections through again.
func (l *Line) Restore() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = false
}

func (l *Line) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.running.Go(func() { l.lead(conn) })
	}
}

// lead copies both ways until either side ends.
func (l *Line) lead(from net.Conn) {
	defer from.Close()
	if !l.keep(from) {
		return
	}
	defer l.forget(from)
	to, err := net.Dial("tcp", l.target)
	if err != nil {
		return
	}
	defer to.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(from, to)
		_ = from.Close()
	})
	_, _ = io.Copy(to, from)
	_ = to.Close()
	back.Wait()
}

func (l *Line) keep(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.away {
		l.conns[conn] = true
	}
	return !l.away
}

func (l *Line) forget(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
}
