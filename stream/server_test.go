package stream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
)

// aServer is a NATS server of its own on this machine, which can go away.
type aServer struct {
	t    *testing.T
	dir  string
	port int
	srv  *server.Server
}

func newServer(t *testing.T) *aServer {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	require.NoError(t, free.Close())
	a := &aServer{t: t, dir: t.TempDir(), port: port}
	a.start()
	t.Cleanup(func() { a.stop() })
	return a
}

func (a *aServer) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", a.port) }

func (a *aServer) start() {
	a.t.Helper()
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: a.port, JetStream: true, StoreDir: a.dir, SyncAlways: true, NoSigs: true, NoLog: true,
	})
	require.NoError(a.t, err)
	srv.Start()
	require.True(a.t, srv.ReadyForConnections(patience))
	a.srv = srv
}

func (a *aServer) stop() {
	a.srv.Shutdown()
	a.srv.WaitForShutdown()
}

func TestAServerThatGoesAwayAndComesBack(t *testing.T) {
	away := newServer(t)
	s := openIn(t, Config{URL: away.url()})
	publish(t, s, event.LaneLive, someEvents("acme", 0, 100)...)
	in := pull(t, s, 100)
	ackAll(t, in[:50])
	drainedTo(t, s, 50)
	announce(t, s, 0, 10)
	l, _ := listen(t, s)
	eventually(t, "announcements", func() bool { return len(l.heard()) == 10 })
	before, err := s.Bounds(t.Context())
	require.NoError(t, err)

	away.stop()
	eventually(t, "the connection is gone", func() bool { return !s.conn.IsConnected() })
	begun := time.Now()
	require.ErrorIs(t, s.Publish(t.Context(), event.LaneLive, someEvents("acme", 200, 1)), event.ErrUnavailable)
	require.ErrorIs(t, s.Publish(t.Context(), event.LaneLive, someEvents("acme", 200, 50)), event.ErrUnavailable)
	require.Less(t, time.Since(begun), commitTimeout/2, "it is said at once")
	_, err = pullAny(t.Context(), s, 1, 10*time.Millisecond)
	require.ErrorIs(t, err, event.ErrUnavailable)
	require.ErrorIs(t, s.Ready(t.Context()), event.ErrUnavailable)
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = s.DeadLetters(soon, "acme", "", 1)
	require.ErrorIs(t, err, event.ErrUnavailable)

	away.start()
	eventually(t, "publishing works again", func() bool {
		return s.Publish(t.Context(), event.LaneLive, someEvents("acme", 300, 10)) == nil
	})
	eventually(t, "it is ready again", func() bool { return s.refresh(t.Context()) == nil && s.Ready(t.Context()) == nil })
	left := map[event.ID]bool{}
	for _, d := range in[50:] {
		left[decode(t, d).ID] = true
		require.NoError(t, d.Retry(0)) // the server forgets or remembers; both must do
	}
	for _, e := range someEvents("acme", 300, 10) {
		left[e.ID] = true
	}
	for deadline := time.Now().Add(patience); len(left) > 0; {
		require.True(t, time.Now().Before(deadline), "%d events are lost", len(left))
		got, err := pullAny(t.Context(), s, 100, time.Second)
		require.NoError(t, err)
		for _, d := range got {
			delete(left, decode(t, d).ID)
			require.NoError(t, d.Ack())
		}
	}
	after, err := s.Bounds(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
	announce(t, s, 10, 5)
	eventually(t, "the later announcements", func() bool { return len(l.heard()) >= 15 })
	requireRun(t, l.heard(), 15)
}

func TestWhatMayHaveBeenGivenOutBeforeAnOutageIsRepeated(t *testing.T) {
	away := newServer(t)
	s := openIn(t, Config{URL: away.url()})
	publish(t, s, event.LaneLive, anEvent("acme", 1))
	require.False(t, pull(t, s, 1)[0].Repeated())
	publish(t, s, event.LaneBulk, anEvent("acme", 2)) // this one nobody has pulled
	away.stop()
	eventually(t, "the connection is gone", func() bool { return !s.conn.IsConnected() })
	away.start()
	eventually(t, "it is back", func() bool { return s.refresh(t.Context()) == nil })
	publish(t, s, event.LaneBulk, anEvent("acme", 3))
	eventually(t, "what is new is not repeated", func() bool {
		got, err := pullAny(t.Context(), s, 10, time.Second)
		require.NoError(t, err)
		for _, d := range got {
			n := decode(t, d).Time - anEvent("acme", 0).Time
			require.Equal(t, n < 3, d.Repeated(), "event %d", n)
			if n == 3 {
				return true
			}
		}
		return false
	})
}

// A server that comes back without its disk gets its streams again.
func TestAServerThatLostItsStreams(t *testing.T) {
	away := newServer(t)
	s := openIn(t, Config{URL: away.url()})
	publish(t, s, event.LaneLive, anEvent("acme", 1))
	require.NoError(t, pull(t, s, 1)[0].Ack())
	away.stop()
	away.dir = t.TempDir()
	away.start()
	eventually(t, "publishing works again", func() bool {
		return s.Publish(t.Context(), event.LaneLive, someEvents("acme", 2, 1)) == nil
	})
	var d indexer.Delivery
	eventually(t, "and pulling", func() bool {
		got, _ := pullAny(t.Context(), s, 1, time.Second)
		if len(got) == 1 {
			d = got[0]
		}
		return d != nil
	})
	require.NoError(t, d.Fail(t.Context(), errors.New("broken")), "the buckets are back too")
}

func TestNoServerIsUnavailable(t *testing.T) {
	_, err := Open(t.Context(), Config{URL: "nats://127.0.0.1:1"})
	require.ErrorIs(t, err, event.ErrUnavailable)
}

// Two processes at one server: both publish, each event is given to one.
func TestTwoProcessesShareTheWork(t *testing.T) {
	shared := newServer(t)
	one, two := openIn(t, Config{URL: shared.url()}), openIn(t, Config{URL: shared.url()})
	publish(t, one, event.LaneLive, someEvents("acme", 0, 500)...)
	publish(t, two, event.LaneLive, someEvents("acme", 500, 500)...)
	seen := map[event.ID]int{}
	for deadline := time.Now().Add(patience); len(seen) < 1000; {
		require.True(t, time.Now().Before(deadline))
		for _, s := range []*Stream{one, two} {
			got, err := pullAny(t.Context(), s, 100, 50*time.Millisecond)
			require.NoError(t, err)
			for _, d := range got {
				seen[decode(t, d).ID]++
			}
			ackAll(t, got)
		}
	}
	for id, n := range seen {
		require.Equal(t, 1, n, id)
	}
	first, err := one.Bounds(t.Context())
	require.NoError(t, err)
	second, err := two.Bounds(t.Context())
	require.NoError(t, err)
	require.Equal(t, first, second)

	// A lease is held by one process, and passes to the other.
	held := make(chan struct{})
	release := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- one.RunUnderLease(t.Context(), "job", time.Minute, func(context.Context) error {
			close(held)
			<-release
			return errors.New("one ran")
		})
	}()
	<-held
	waiting, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err = two.RunUnderLease(waiting, "job", time.Second, func(context.Context) error { return nil })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	close(release)
	require.EqualError(t, <-done, "one ran")
	require.NoError(t, two.RunUnderLease(t.Context(), "job", time.Second, func(context.Context) error { return nil }))
}
