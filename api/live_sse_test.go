package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/api"
	"tidings/event"
	"tidings/live"
)

// eventSource reads a stream of server-sent events as a browser does.
type eventSource struct {
	t      testing.TB
	lines  *bufio.Reader
	cancel context.CancelFunc
	// lastID is the client's last event id.
	lastID string
}

func (s *liveSite) events(key, parameters, lastID string) (*eventSource, *http.Response) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+"/v1/live/sse?"+parameters, nil)
	require.NoError(s.t, err)
	request.Header.Set("Authorization", "Bearer "+key)
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := s.server.Client().Do(request)
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		cancel()
		require.NoError(s.t, response.Body.Close())
	})
	return &eventSource{s.t, bufio.NewReader(response.Body), cancel, lastID}, response
}

// next returns the data of the next event; ok is false at the end.
func (e *eventSource) next() (data string, ok bool) {
	e.t.Helper()
	for {
		line, err := e.lines.ReadString('\n')
		if err != nil {
			return "", false
		}
		line = strings.TrimSuffix(line, "\n")
		switch name, value, _ := strings.Cut(line, ":"); {
		case line == "" && data != "":
			return data, true
		case name == "id":
			e.lastID = strings.TrimPrefix(value, " ")
		case name == "data":
			data = strings.TrimPrefix(value, " ")
		}
	}
}

func (e *eventSource) hear() serverFrame {
	e.t.Helper()
	data, ok := e.next()
	require.True(e.t, ok, "the stream has ended")
	var f serverFrame
	require.NoError(e.t, json.Unmarshal([]byte(data), &f), data)
	return f
}

func TestServerSentEventsSayWhatTheSocketSays(t *testing.T) {
	s := newLiveSite(t)
	page := s.page()
	parameters := url.Values{
		"q": {"pricing"}, "type": {"send", "open"}, "user": {"ana"}, "recipient": {"jo@acme.example"},
		"automated": {"show"}, "since": {page}, "tz": {"Europe/Berlin"},
	}
	e, response := s.events("ana", parameters.Encode(), "")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
	c := s.connect("ana")
	c.say(`{"op":"subscribe","id":"sse","q":"pricing","since":%q,"tz":"Europe/Berlin","filters":{"type":["send","open"],"user":["ana"],"recipient":["jo@acme.example"],"automated":"show"}}`, page)

	send := announced("w", "ana", event.Send, "m1", "Pricing")
	changed := announced("w", "ana", event.Open, "m1", "Pricing")
	changed.Kind = event.AnnounceChanged
	s.log.announce(send, announced("w", "ben", event.Send, "m2", "Pricing"), announced("w", "ana", event.Click, "m3", "Pricing"),
		event.Announcement{Kind: event.AnnounceState, Workspace: "w", User: "ana", State: send.State}, changed,
		event.Announcement{Kind: event.AnnounceGone, Workspace: "w", User: "ana", Gone: &send.Event.ID})
	for _, op := range []string{"subscribed", "event", "state", "changed", "gone"} {
		data, ok := e.next()
		require.True(t, ok)
		_, raw, err := c.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, string(raw), data)
		var f serverFrame
		require.NoError(t, json.Unmarshal(raw, &f))
		require.Equal(t, op, f.Op)
		require.Equal(t, f.At, e.lastID, "the id of an event is its position")
	}
}

func TestServerSentEventsResume(t *testing.T) {
	s := newLiveSite(t)
	page := s.page()
	s.log.announce(announced("w", "ana", event.Send, "m1", ""), announced("w", "ana", event.Send, "m2", ""))
	e, _ := s.events("admin", "since="+page, "")
	require.Equal(t, "subscribed", e.hear().Op)
	require.Equal(t, "m1", e.hear().item(t).Message)
	e.cancel()
	// A browser repeats the address and adds where it was.
	e, _ = s.events("admin", "since="+page, e.lastID)
	require.Equal(t, "subscribed", e.hear().Op)
	require.Equal(t, "m2", e.hear().item(t).Message)
}

func TestServerSentEventsGoOnAfterAReset(t *testing.T) {
	s := newLiveSite(t)
	s.log.announce(announced("w", "ana", event.Send, "m1", ""))
	s.waitForEntries(1)
	e, response := s.events("admin", "", live.Position{Incarnation: "two", Sequence: 9}.String())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, serverFrame{Op: "reset", ID: "sse", Reason: "position_expired"}, e.hear())
	require.Equal(t, "subscribed", e.hear().Op)
	require.Equal(t, "m1", e.hear().item(t).Message, "a page that is read now may not have it yet")
	s.log.announce(announced("w", "ana", event.Send, "m2", ""))
	require.Equal(t, "m2", e.hear().item(t).Message)
}

func TestServerSentEventsTellThePositionWhereLittleHappens(t *testing.T) {
	s := newLiveSite(t, func(_ *live.Config, l *api.LiveHandler) { l.Timing.Ping = 20 * time.Millisecond })
	e, _ := s.events("admin", "", "")
	begun := e.hear().At
	s.log.announce(announced("x", "ana", event.Send, "m1", ""))
	for e.lastID == begun {
		_, err := e.lines.Peek(1)
		require.NoError(t, err)
		line, err := e.lines.ReadString('\n')
		require.NoError(t, err)
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			e.lastID = strings.TrimSpace(id)
		}
	}
	p, err := live.ParsePosition(e.lastID)
	require.NoError(t, err)
	require.EqualValues(t, 1, p.Sequence)
}

func TestServerSentEventsEnd(t *testing.T) {
	cases := []struct {
		name string
		end  func(*liveSite)
	}{
		{"when the key is revoked", func(s *liveSite) { close(s.gone) }},
		{"when the server restarts", func(s *liveSite) { s.stop() }},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s := newLiveSite(t)
			e, _ := s.events("revoked", "", "")
			require.Equal(t, "subscribed", e.hear().Op)
			tc.end(s)
			_, more := e.next()
			require.False(t, more)
		})
	}
	t.Run("when it is old", func(t *testing.T) {
		s := newLiveSite(t, func(_ *live.Config, l *api.LiveHandler) { l.Timing.Age = 20 * time.Millisecond })
		e, _ := s.events("admin", "", "")
		require.Equal(t, "subscribed", e.hear().Op)
		_, more := e.next()
		require.False(t, more)
	})
}

func TestServerSentEventsAreRefused(t *testing.T) {
	s := newLiveSite(t, func(c *live.Config, _ *api.LiveHandler) { c.Readers = 1 })
	cases := []struct {
		name, key, parameters, lastID string
		status                        int
	}{
		{"a stranger", "stranger", "", "", 401},
		{"an unknown parameter", "admin", "op=subscribe", "", 422},
		{"one given twice", "admin", "q=a&q=b", "", 422},
		{"badly encoded", "admin", "q=%zz", "", 422},
		{"not UTF-8", "admin", "user=%ff", "", 422},
		{"no type", "admin", "type=opening", "", 422},
		{"no choice", "admin", "automated=maybe", "", 422},
		{"no zone", "admin", "tz=Mars", "", 422},
		{"junk for a position", "admin", "since=junk", "", 422},
		{"junk for a last id", "admin", "", "junk", 422},
		{"a long question", "admin", "q=" + strings.Repeat("x", 2001), "", 422},
	}
	for _, tc := range cases {
		_, response := s.events(tc.key, tc.parameters, tc.lastID)
		require.Equal(t, tc.status, response.StatusCode, tc.name)
		require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"), tc.name)
	}
	s.events("admin", "", "")
	_, response := s.events("admin", "", "")
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
}
