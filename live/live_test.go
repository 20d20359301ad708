package live

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tidings/event"
	"tidings/query"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(os.Exit))
}

// everything is the query without a condition.
var everything = query.Query{Automated: query.AutomatedShow}

// ofType is the query for events of one type.
func ofType(t event.Type) query.Query {
	return query.Query{Automated: query.AutomatedShow, Where: query.Types(t)}
}

// scroll is a Log in memory.
type scroll struct {
	mu          sync.Mutex
	incarnation string
	next        uint64
	kept        []Entry
	away        bool
	more        chan struct{}
}

func newScroll(incarnation string) *scroll {
	return &scroll{incarnation: incarnation, next: 1, more: make(chan struct{})}
}

func (s *scroll) Bounds(context.Context) (Bounds, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return Bounds{}, fmt.Errorf("scroll: %w", event.ErrUnavailable)
	}
	first := s.next
	if len(s.kept) > 0 {
		first = s.kept[0].Sequence
	}
	return Bounds{s.incarnation, first, s.next - 1}, nil
}

func (s *scroll) Follow(ctx context.Context, each func(Entry)) error {
	after, incarnation := uint64(0), ""
	for {
		s.mu.Lock()
		if s.incarnation != incarnation {
			after, incarnation = 0, s.incarnation
		}
		var entries []Entry
		for _, e := range s.kept {
			if e.Sequence > after {
				entries = append(entries, e)
			}
		}
		more := s.more
		s.mu.Unlock()
		for _, e := range entries {
			each(e)
			after = e.Sequence
		}
		if len(entries) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-more:
		}
	}
}

// change does something to the log and wakes who follows it.
func (s *scroll) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	close(s.more)
	s.more = make(chan struct{})
}

func (s *scroll) announce(announcements ...event.Announcement) {
	s.change(func() {
		for _, a := range announcements {
			s.kept = append(s.kept, entryOf(s.next, time.Now(), a))
			s.next++
		}
	})
}

// dropFirst forgets the oldest n.
func (s *scroll) dropFirst(n int) { s.change(func() { s.kept = s.kept[n:] }) }

// entryOf is an announcement as a Log gives it, with a size as if it were JSON.
func entryOf(sequence uint64, at time.Time, a event.Announcement) Entry {
	return Entry{
		Sequence: sequence, At: at, Workspace: a.Workspace, Size: 500,
		Read: func() (event.Announcement, error) { return a, nil },
	}
}

// announced is an event of a workspace's user.
func announced(workspace, user string, t event.Type, key string) event.Announcement {
	return announcedText(workspace, user, t, key, "Pricing proposal "+key)
}

func announcedText(workspace, user string, t event.Type, key, subject string) event.Announcement {
	e := event.Event{
		ID:        event.NewID(1_790_000_000, workspace, "api", true, []byte(key)),
		Workspace: workspace, Type: t, Time: 1_790_000_000, Message: key, User: user,
		Subject: subject, Source: "api", Verdict: event.Verdict{Is: event.Human},
	}
	if t == event.Send {
		e.Recipients = []event.Person{{Email: "jo@acme.example", Name: "Jo Reyes"}}
	} else {
		e.Recipient = &event.Person{Email: "jo@acme.example", Name: "Jo Reyes"}
	}
	return event.Announcement{Kind: event.AnnounceEvent, Workspace: workspace, User: user, Event: &e}
}

func announcedState(workspace, user, message string, version int64) event.Announcement {
	return event.Announcement{Kind: event.AnnounceState, Workspace: workspace, User: user, State: &event.State{
		MessageKey: event.MessageKey{Workspace: workspace, Message: message}, User: user, Version: version,
	}}
}

// render is the message of an event, or the message and version of a state.
func render(a event.Announcement) ([]byte, error) {
	if a.Kind == event.AnnounceState {
		return fmt.Appendf(nil, "%s v%d", a.State.Message, a.State.Version), nil
	}
	return []byte(a.Event.Message), nil
}

func testConfig(log Log) Config {
	return Config{Log: log, Render: render, Logger: slog.New(slog.DiscardHandler)}
}

// running is a hub that follows a log inside of a synctest bubble.
type running struct {
	*Hub
	t    *testing.T
	log  *scroll
	stop func()
}

// run starts a hub; it stops at the end of the test at the latest.
func run(t *testing.T, c Config) *running {
	ctx, cancel := context.WithCancel(t.Context())
	h := NewHub(c)
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(stop)
	synctest.Wait()
	return &running{h, t, c.Log.(*scroll), stop}
}

func (r *running) announce(announcements ...event.Announcement) {
	r.t.Helper()
	r.log.announce(announcements...)
	synctest.Wait()
}

func (r *running) open(workspace string, users []string) *Reader {
	r.t.Helper()
	reader, err := r.Open(r.t.Context(), workspace, users)
	require.NoError(r.t, err)
	r.t.Cleanup(reader.Close)
	return reader
}

// drain is all that a reader is to be sent now, as "kind subscription body".
func drain(t *testing.T, r *Reader) []string {
	t.Helper()
	heard := []string{}
	for {
		deliveries, err := r.Next(t.Context())
		require.NoError(t, err)
		if len(deliveries) == 0 {
			return heard
		}
		for _, d := range deliveries {
			body := string(d.Body)
			if d.Kind == event.AnnounceGone {
				body = d.Gone.String()
			}
			heard = append(heard, d.Kind+" "+d.Subscription+" "+body)
		}
	}
}

func subscribe(t *testing.T, r *Reader, id string, q query.Query, since string) Position {
	t.Helper()
	at, err := r.Subscribe(id, q, since)
	require.NoError(t, err)
	return at
}
