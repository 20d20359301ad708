package app

import (
	"context"
	"net"
	"net/http"
	"os"
	"sync"

	"tidings/api"
)

// OperateInMemory answers the operator's API in memory until stop. A command that
// works alone on a directory so speaks the same protocol as one that works
// through a server.
//
//nolint:contextcheck // each request brings a context of its own
func (a *App) OperateInMemory() (dial Dialer, stop func() error) {
	listener := newMemoryListener()
	server := &http.Server{Handler: a.Operator, ReadHeaderTimeout: headerTimeout}
	server.ConnContext = func(ctx context.Context, _ net.Conn) context.Context { return api.WithPeer(ctx, uint32(os.Getuid())) } //nolint:gosec // an id is no number to count with
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	return listener.dial, func() error {
		err := server.Close()
		<-served
		return err
	}
}

// memoryListener is a listener in memory, so that a command that works alone on a
// directory speaks the same protocol as one that works through a server.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for the next dial.
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and dial.
func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr names the listener.
func (l *memoryListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }
