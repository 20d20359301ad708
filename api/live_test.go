package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tidings/account"
	"tidings/api"
	"tidings/event"
	"tidings/feed"
	"tidings/live"
	"tidings/query"
)

// scroll is a live.Log in memory.
type scroll struct {
	mu   sync.Mutex
	kept []live.Entry
	more chan struct{}
}

func (s *scroll) Bounds(context.Context) (live.Bounds, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return live.Bounds{Incarnation: "one", First: 1, Last: uint64(len(s.kept))}, nil
}

func (s *scroll) Follow(ctx context.Context, each func(live.Entry)) error {
	for n := 0; ; {
		s.mu.Lock()
		entries, more := s.kept[n:len(s.kept):len(s.kept)], s.more
		s.mu.Unlock()
		for _, e := range entries {
			each(e)
		}
		n += len(entries)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-more:
		}
	}
}

func (s *scroll) announce(announcements ...event.Announcement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range announcements {
		s.kept = append(s.kept, live.Entry{
			Sequence: uint64(len(s.kept) + 1), At: time.Now(), Workspace: a.Workspace,
			Read: func() (event.Announcement, error) { return a, nil },
		})
	}
	close(s.more)
	s.more = make(chan struct{})
}

// asking reads questions as the feed does.
type asking struct{}

func (asking) Understand(_ context.Context, r feed.PageRequest) (feed.Understood, query.Query, error) {
	read := query.Parse(r.Text, query.Options{Now: time.Unix(liveTime+60, 0), Zone: r.Zone, Me: r.Me})
	q := r.Filter.Apply(read.Query)
	if r.Users != nil {
		q = q.Restrict(r.Users)
	}
	return feed.Understood{Chips: read.Chips, Words: read.Words, Interpretation: read.Interpretation}, q, nil
}

// named is a directory in which everyone is called by their id in capitals.
type named struct{}

func (named) Names(context.Context, string) (map[string]string, error) {
	return map[string]string{"ana": "ANA", "ben": "BEN"}, nil
}

// callers are who may ask, by the word that stands for their key.
func callers(gone <-chan struct{}) map[string]account.Caller {
	return map[string]account.Caller{
		"admin":   {Workspace: "w", Role: account.RoleAdmin},
		"ana":     {Workspace: "w", Role: account.RoleRead, User: "ana", Users: []string{"ana"}},
		"nobody":  {Workspace: "w", Role: account.RoleRead, User: "eve", Users: []string{}},
		"other":   {Workspace: "x", Role: account.RoleAdmin},
		"revoked": {Workspace: "w", Role: account.RoleRead, Gone: gone},
	}
}

// liveSite is a server of the live routes alone.
type liveSite struct {
	t       testing.TB
	log     *scroll
	gone    chan struct{}
	hub     *live.Hub
	handler *api.LiveHandler
	server  *httptest.Server
	stop    func()
}

// change may alter the configurations.
type change func(*live.Config, *api.LiveHandler)

func newLiveSite(t testing.TB, changes ...change) *liveSite {
	t.Helper()
	if _, benchmark := t.(*testing.B); !benchmark {
		ignore := goleak.IgnoreCurrent()
		t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
	}
	s := &liveSite{t: t, log: &scroll{more: make(chan struct{})}, gone: make(chan struct{})}
	t.Cleanup(func() { s.stop() })
	s.start(changes...)
	return s
}

// start starts the hub and the server, again if need be.
func (s *liveSite) start(changes ...change) {
	logger := slog.New(slog.DiscardHandler)
	config := live.Config{Log: s.log, Logger: logger, Render: api.NewLiveRenderer(named{}, time.Now).Render}
	known := callers(s.gone)
	s.handler = &api.LiveHandler{
		Questions: asking{}, Logger: logger,
		Caller: func(r *http.Request) (account.Caller, bool) {
			caller, ok := known[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
			return caller, ok
		},
		Timing: api.LiveTiming{Linger: 2 * time.Second},
	}
	for _, apply := range changes {
		apply(&config, s.handler)
	}
	s.hub = live.NewHub(config)
	s.handler.Hub = s.hub
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.hub.Run(ctx) }()
	require.Eventually(s.t, func() bool { return s.hub.Ready() == nil }, 5*time.Second, time.Millisecond)
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/live", s.handler.Socket)
	mux.HandleFunc("/v1/live/sse", s.handler.SSE)
	s.server = httptest.NewServer(mux)
	s.stop = sync.OnceFunc(func() {
		closing, cancelClosing := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancelClosing()
		require.NoError(s.t, s.hub.Close(closing))
		s.server.Close()
		cancel()
		require.NoError(s.t, <-done)
	})
}

// serverFrame is a frame of the server.
type serverFrame struct {
	Op         string           `json:"op"`
	ID         string           `json:"id"`
	At         string           `json:"at"`
	Query      *feed.Understood `json:"query"`
	Item       json.RawMessage  `json:"item"`
	Message    string           `json:"message"`
	Recipients json.RawMessage  `json:"recipients"`
	Unopened   *int             `json:"unopened"`
	V          int              `json:"v"`
	Reason     string           `json:"reason"`
	Problem    *api.Problem     `json:"problem"`
	// Notification, Unread and IDs are of frames about notifications.
	Notification *api.DecisionView `json:"notification"`
	Unread       *int              `json:"unread"`
	IDs          []string          `json:"ids"`
}

func (f serverFrame) item(t testing.TB) feed.Item {
	var item feed.Item
	require.NoError(t, json.Unmarshal(f.Item, &item), "%s", f.Item)
	return item
}

// client is a websocket client.
type client struct {
	t testing.TB
	*websocket.Conn
}

func (s *liveSite) dial(key string, header ...string) (*client, *http.Response, error) {
	s.t.Helper()
	headers := http.Header{"Authorization": {"Bearer " + key}}
	for i := 0; i+1 < len(header); i += 2 {
		headers.Set(header[i], header[i+1])
	}
	dialer := websocket.Dialer{Subprotocols: []string{"tidings.v1"}}
	conn, response, err := dialer.Dial("ws"+strings.TrimPrefix(s.server.URL, "http")+"/v1/live", headers)
	if err != nil {
		return nil, response, err
	}
	return &client{s.t, conn}, response, nil
}

func (s *liveSite) connect(key string) *client {
	s.t.Helper()
	c, response, err := s.dial(key)
	require.NoError(s.t, err)
	require.Equal(s.t, "tidings.v1", response.Header.Get("Sec-Websocket-Protocol"))
	require.Empty(s.t, response.Header.Get("Sec-Websocket-Extensions"), "nothing is compressed")
	s.t.Cleanup(func() { c.Close() })
	return c
}

func (c *client) say(format string, args ...any) {
	c.t.Helper()
	require.NoError(c.t, c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, args...)))
}

func (c *client) hear() serverFrame {
	c.t.Helper()
	require.NoError(c.t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, raw, err := c.ReadMessage()
	require.NoError(c.t, err)
	var f serverFrame
	require.NoError(c.t, json.Unmarshal(raw, &f), "%s", raw)
	return f
}

// hearClose reads on until the socket is closed and returns the code.
func (c *client) hearClose() int {
	c.t.Helper()
	require.NoError(c.t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			var closed *websocket.CloseError
			require.ErrorAs(c.t, err, &closed)
			return closed.Code
		}
	}
}

// subscribe subscribes and returns the position that was answered.
func (c *client) subscribe(id, text, since string) string {
	c.t.Helper()
	frame, err := json.Marshal(map[string]string{"op": "subscribe", "id": id, "q": text, "since": since})
	require.NoError(c.t, err)
	c.say("%s", frame)
	f := c.hear()
	require.Equal(c.t, "subscribed", f.Op)
	require.Equal(c.t, id, f.ID)
	require.NotNil(c.t, f.Query)
	return f.At
}

// liveTime is when every announced event happened.
const liveTime = 1_790_000_000

func announced(workspace, user string, t event.Type, key, subject string) event.Announcement {
	e := event.Event{
		ID:        event.NewID(liveTime, workspace, "api", true, []byte(key)),
		Workspace: workspace, Type: t, Time: liveTime, Message: key, User: user,
		Subject: subject, Source: "api", Verdict: event.Verdict{Is: event.Human, Rule: "else", By: "rule"},
	}
	jo := event.Person{Email: "jo@acme.example", Name: "Jo Reyes"}
	a := event.Announcement{Kind: event.AnnounceEvent, Workspace: workspace, User: user, Event: &e}
	if t == event.Send {
		e.Recipients = []event.Person{jo}
		a.State = &event.State{MessageKey: event.MessageKey{Workspace: workspace, Message: key}}
		a.State.Apply(event.ChangeOf(e))
	} else {
		e.Recipient = &jo
	}
	return a
}

func (s *liveSite) page() string { return s.hub.PositionBefore(time.Hour) }

// waitForEntries waits until the hub holds n entries.
func (s *liveSite) waitForEntries(n int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.hub.Stats().Entries == n }, 5*time.Second, time.Millisecond)
}
