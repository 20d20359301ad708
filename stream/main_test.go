package stream

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tidings/event"
	"tidings/indexer"
)

func TestMain(m *testing.M) {
	if config := os.Getenv(childNATS); config != "" {
		runNATS(config)
		return
	}
	if dir := os.Getenv(childDir); dir != "" {
		runChild(dir)
		return
	}
	goleak.VerifyTestMain(m,
		// The server's clock for access times ends with its last file store, up
		// to a tick later.
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server/ats.init.0.func1"),
	)
}

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

func testLogger(t testing.TB) *slog.Logger {
	if !testing.Verbose() {
		return nil
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// openIn opens the streams of a directory, or of cfg's own directory.
func openIn(t testing.TB, cfg Config) *Stream {
	t.Helper()
	cfg.Logger = testLogger(t)
	s, err := Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func open(t testing.TB, cfg Config) *Stream {
	t.Helper()
	cfg.Dir = t.TempDir()
	return openIn(t, cfg)
}

// anEvent is the n-th event of a workspace.
func anEvent(workspace string, n int) event.Event {
	const start = 1_790_000_000
	return event.Event{
		ID:        event.NewID(start+int64(n), workspace, "test", true, fmt.Append(nil, n)),
		Workspace: workspace, Type: event.Open, Time: start + int64(n), Message: "m-1", Source: "test",
		Recipient: &event.Person{Email: "jo@acme.example"},
	}
}

func someEvents(workspace string, from, n int) []event.Event {
	out := make([]event.Event, n)
	for i := range out {
		out[i] = anEvent(workspace, from+i)
	}
	return out
}

func publish(t testing.TB, s *Stream, lane event.Lane, events ...event.Event) {
	t.Helper()
	require.NoError(t, s.Publish(t.Context(), lane, events))
}

// pullAny pulls from the lane that has something first, live before bulk.
func pullAny(ctx context.Context, s *Stream, most int, wait time.Duration) ([]indexer.Delivery, error) {
	const turn = 5 * time.Millisecond
	for deadline := time.Now().Add(wait); ; {
		for _, name := range lanes {
			got, err := s.Pull(ctx, name, most, turn)
			if err != nil || len(got) > 0 || time.Now().After(deadline) {
				return got, err
			}
		}
	}
}

// pull waits for n deliveries, in as many pulls as it takes.
func pull(t testing.TB, s *Stream, n int) []indexer.Delivery {
	t.Helper()
	var out []indexer.Delivery
	for deadline := time.Now().Add(patience); len(out) < n; {
		require.True(t, time.Now().Before(deadline), "%d of %d events came", len(out), n)
		got, err := pullAny(t.Context(), s, n-len(out), time.Second)
		require.NoError(t, err)
		out = append(out, got...)
	}
	return out
}

// pullNone makes sure that nothing is given out.
func pullNone(t testing.TB, s *Stream) {
	t.Helper()
	got, err := pullAny(t.Context(), s, 10, 300*time.Millisecond)
	require.NoError(t, err)
	require.Empty(t, got)
}

func decode(t testing.TB, d indexer.Delivery) event.Event {
	t.Helper()
	e, err := d.Event()
	require.NoError(t, err)
	return e
}

func ackAll(t testing.TB, deliveries []indexer.Delivery) {
	t.Helper()
	for _, d := range deliveries {
		require.NoError(t, d.Ack())
	}
}

func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, 10*time.Millisecond, what)
}

// drained waits until the server says that nothing waits any more.
func drained(t testing.TB, s *Stream) {
	t.Helper()
	drainedTo(t, s, 0)
}

// drainedTo waits until the server says that n events wait: it counts them a moment
// after it has answered.
func drainedTo(t testing.TB, s *Stream, n int64) {
	t.Helper()
	eventually(t, "the backlog is as long as that", func() bool {
		require.NoError(t, s.refresh(t.Context()))
		return s.Backlog() == n
	})
}

// shiftedClock is the real time, moved by what a test says: the server's own
// timestamps are real.
type shiftedClock struct{ by atomic.Int64 }

func (c *shiftedClock) now() time.Time { return time.Now().Add(time.Duration(c.by.Load())) }

func (c *shiftedClock) advance(d time.Duration) { c.by.Add(int64(d)) }

// expired is a context whose deadline is over.
func expired(t testing.TB) context.Context {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	t.Cleanup(cancel)
	return ctx
}
