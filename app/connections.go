package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"tidings/limit"
)

// Bounds of connections.
const (
	// spareConnections are taken beyond that, for /healthz, /readyz and /metrics
	// alone. The oldest of them ends when another comes.
	spareConnections = 64
	maxHeader        = 64 << 10
	// spareRest is how long the body of a request is waited for that comes over one of them.
	spareRest = 500 * time.Millisecond
)

// connections bounds how many connections a listener gives out, in all and by
// address: half of all for one. Addresses of trusted proxies and of this machine
// speak for many and have no bound of their own.
type connections struct {
	net.Listener
	most      int
	byAddress int
	exempt    []netip.Prefix

	mu    sync.Mutex
	open  map[netip.Addr]int
	count int
	spare []*connection // oldest first
}

// connections is how many there may be: as told, or as memory and descriptors are
// enough for.
func (s *Settings) connections() int {
	if s.Connections > 0 {
		return s.Connections
	}
	most := limit.Memory(s.Memory).Connections()
	if files := openFiles(); files > 0 {
		// Stores and the queue need the others.
		most = max(1, min(most, files-spareConnections-files/3))
	}
	return most
}

// bounded bounds a listener.
func bounded(listener net.Listener, most int, exempt []netip.Prefix) *connections {
	return &connections{Listener: listener, most: most, byAddress: max(1, most/2), exempt: exempt, open: make(map[netip.Addr]int)}
}

// connection is one that is counted until it is closed.
type connection struct {
	net.Conn
	of      *connections
	address netip.Addr
	isSpare bool
	once    sync.Once
}

// Accept gives out connections. One too many of an address is closed at once.
func (c *connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if counted := c.admit(conn); counted != nil {
			return counted, nil
		}
		_ = conn.Close()
	}
}

// admit counts a connection; nil when its address has too many.
func (c *connections) admit(conn net.Conn) *connection {
	var address netip.Addr
	if at, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		address = at.Addr().Unmap()
	}
	counted := &connection{Conn: conn, of: c, address: address}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[address] >= c.byAddress && !c.exempted(address) {
		return nil
	}
	if c.count >= c.most {
		counted.isSpare = true
		if len(c.spare) == spareConnections {
			oldest := c.spare[0]
			c.spare = c.spare[1:]
			// Its Close finds it gone from the spare ones.
			_ = oldest.Conn.Close()
		}
		c.spare = append(c.spare, counted)
	} else {
		c.count++
	}
	c.open[address]++
	return counted
}

func (c *connections) exempted(address netip.Addr) bool {
	return !address.IsValid() || address.IsLoopback() ||
		slices.ContainsFunc(c.exempt, func(p netip.Prefix) bool { return p.Contains(address) })
}

// Close ends the connection and counts it no more.
func (c *connection) Close() error {
	c.once.Do(func() {
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		if c.isSpare {
			c.of.spare = slices.DeleteFunc(c.of.spare, func(other *connection) bool { return other == c })
		} else {
			c.of.count--
		}
		if c.of.open[c.address]--; c.of.open[c.address] <= 0 {
			delete(c.of.open, c.address)
		}
	})
	return c.Conn.Close()
}

type spareMark struct{}

// mark is http.Server.ConnContext: it tells requests of spare connections.
func (c *connections) mark(ctx context.Context, conn net.Conn) context.Context {
	if counted, ok := conn.(*connection); ok && counted.isSpare {
		return context.WithValue(ctx, spareMark{}, true)
	}
	return ctx
}

// spared answers on spare connections only whether the process is well.
func spared(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Context().Value(spareMark{}) != nil {
			w.Header().Set("Connection", "close")
			// The server reads what is left of a body before it closes, and waits for it.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(spareRest)) // a test's has none
			if !slices.Contains([]string{"/healthz", "/readyz", "/metrics"}, r.URL.Path) {
				refuseFull(w)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func refuseFull(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "5")
	w.WriteHeader(http.StatusServiceUnavailable)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the reader has gone when this fails
		"title": http.StatusText(http.StatusServiceUnavailable), "status": http.StatusServiceUnavailable,
		"detail": "the server has too many connections; try again soon",
	})
}

// newServer bounds what a connection may cost. What it cannot answer it says in the log.
func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}
