package app

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// addressed says that it comes from an address of choice.
type addressed struct {
	net.Conn
	from net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.from }

func from(text string) net.Conn {
	one, _ := net.Pipe()
	return addressed{one, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(text))}
}

func TestOneAddressHasHalfOfTheConnections(t *testing.T) {
	c := bounded(nil, 4, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	first := c.admit(from("192.0.2.1:1"))
	require.NotNil(t, first)
	require.NotNil(t, c.admit(from("192.0.2.1:2")))
	require.Nil(t, c.admit(from("192.0.2.1:3")), "a third of one address")
	require.NotNil(t, c.admit(from("192.0.2.2:1")))
	for range 3 {
		require.NotNil(t, c.admit(from("10.1.2.3:1")), "a proxy speaks for many")
	}
	require.NoError(t, first.Close())
	require.NoError(t, first.Close(), "closing twice counts once")
	require.NotNil(t, c.admit(from("192.0.2.1:4")))
	require.Nil(t, c.admit(from("192.0.2.1:5")))
}

// served starts a server that takes so many connections, and returns what opens one.
func served(t *testing.T, most int) (dial func() net.Conn) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	counted := bounded(listener, most, nil)
	server := newServer(spared(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })), slog.New(slog.DiscardHandler))
	server.ConnContext = counted.mark
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(counted) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	return func() net.Conn {
		conn, err := net.Dial("tcp", listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		return conn
	}
}

// When all connections are taken by those who say nothing, health is answered all
// the same, and other requests are told to come back.
func TestHealthIsAnsweredWhenTheRestIsFull(t *testing.T) {
	dial := served(t, 3)
	ask := func(path string) *http.Response {
		conn := dial()
		_, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response
	}
	require.Equal(t, http.StatusOK, ask("/v1/feed").StatusCode)
	for range 3 + 2*spareConnections {
		dial()
	}
	full := ask("/v1/feed")
	require.Equal(t, http.StatusServiceUnavailable, full.StatusCode)
	require.NotEmpty(t, full.Header.Get("Retry-After"))
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		require.Equal(t, http.StatusOK, ask(path).StatusCode, path)
	}
}

// Who is refused with a body that never comes holds no connection.
func TestSpareConnectionsEndWithTheirAnswer(t *testing.T) {
	dial := served(t, 1)
	dial()
	for path, status := range map[string]string{"/v1/events": "HTTP/1.1 503", "/healthz": "HTTP/1.1 200"} {
		conn := dial()
		_, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
		require.NoError(t, err)
		answer, err := io.ReadAll(conn)
		require.NoError(t, err, "it is closed, also where the body does not come")
		require.Contains(t, string(answer), status)
	}
}

// Memory and descriptors bound connections where nobody says how many.
func TestConnectionsFollowFromMemory(t *testing.T) {
	most := func(s Settings) int { return s.connections() }
	require.Equal(t, 7, most(Settings{Connections: 7, Memory: 128 << 20}))
	require.LessOrEqual(t, most(Settings{Memory: 128 << 20}), 512)
	require.LessOrEqual(t, most(Settings{Memory: 64 << 30}), 4096)
	require.Positive(t, most(Settings{}))
}

// withoutDescriptors is a listener that can accept nothing, and then ends.
type withoutDescriptors struct {
	net.Listener
	accepts int
}

func (l *withoutDescriptors) Accept() (net.Conn, error) {
	if l.accepts++; l.accepts > 1 {
		return nil, net.ErrClosed
	}
	return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
}

func TestWhatTheServerCannotAcceptIsInTheLog(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	var said strings.Builder
	server := newServer(http.NotFoundHandler(), slog.New(slog.NewJSONHandler(&said, nil)))
	require.ErrorIs(t, server.Serve(&withoutDescriptors{Listener: listener}), net.ErrClosed)
	require.Contains(t, said.String(), `"level":"WARN"`)
	require.Contains(t, said.String(), "too many open files")
}
