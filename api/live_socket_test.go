package api_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"tidings/api"
	"tidings/event"
	"tidings/feed"
	"tidings/live"
)

func TestSocketSendsWhatWasMissedAndThenWhatIsNew(t *testing.T) {
	s := newLiveSite(t)
	page := s.page()
	s.log.announce(announced("w", "ana", event.Send, "m1", "Pricing proposal"), announced("w", "ana", event.Reply, "m1", "Hello"))
	c := s.connect("admin")
	require.Equal(t, page, c.subscribe("a", "pricing", page))

	f := c.hear()
	require.Equal(t, "event", f.Op)
	require.Equal(t, "a", f.ID)
	item := f.item(t)
	require.Equal(t, "m1", item.Message)
	require.Equal(t, &feed.User{ID: "ana", Name: "ANA"}, item.User)
	require.Equal(t, 1, *item.Unopened)
	require.Len(t, item.Recipients, 1)
	require.Equal(t, map[string][][2]int{"subject": {{0, 7}}}, item.Highlights)
	require.Contains(t, string(f.Item), `"opened":null`)
	require.Contains(t, string(f.Item), `"time":"2026-09-21T14:13:20Z"`)

	s.log.announce(announced("w", "ana", event.Open, "m2", "Pricing again"))
	f = c.hear()
	require.Equal(t, "m2", f.item(t).Message)

	// From its last position a client goes on without a gap or a repeat.
	again := s.connect("admin")
	again.subscribe("a", "pricing", f.At)
	s.log.announce(announced("w", "ana", event.Open, "m3", "Pricing again"))
	require.Equal(t, "m3", again.hear().item(t).Message)
}

func TestSocketTellsStateCorrectionsAndRemovals(t *testing.T) {
	s := newLiveSite(t)
	c := s.connect("ana")
	c.subscribe("all", "", "")
	c.subscribe("people", "", "")
	c.say(`{"op":"subscribe","id":"shown","shows":["m1"],"filters":{"automated":"show","type":["open"],"user":["ana","ben"],"recipient":["Jo@acme.example"],"message":["m1"]}}`)
	require.Equal(t, "subscribed", c.hear().Op)
	c.say(`{"op":"unsubscribe","id":"people"}`)
	c.say(`{"op":"unsubscribe","id":"never was"}`)

	send := announced("w", "ana", event.Send, "m1", "Pricing")
	open := announced("w", "ana", event.Open, "m1", "Pricing")
	send.State.Apply(event.ChangeOf(*open.Event))
	open.Kind = event.AnnounceChanged
	open.Event.Verdict = event.Verdict{Is: event.Machine}
	// An unsubscribe is not answered: a subscribe behind it is.
	c.subscribe("last", "is:bounced", "")
	s.log.announce(
		event.Announcement{Kind: event.AnnounceState, Workspace: "w", User: "ana", State: send.State},
		event.Announcement{Kind: event.AnnounceState, Workspace: "w", User: "ben", State: send.State},
		open,
		event.Announcement{Kind: event.AnnounceGone, Workspace: "w", User: "ana", Gone: &send.Event.ID},
	)
	f := c.hear()
	require.Equal(t, "state", f.Op)
	require.Empty(t, f.ID)
	require.Equal(t, "m1", f.Message)
	require.Equal(t, 0, *f.Unopened)
	require.Equal(t, int(send.State.Version), f.V)
	require.JSONEq(t, `[{"email":"jo@acme.example","name":"Jo Reyes","opened":"2026-09-21T14:13:20Z"}]`, string(f.Recipients))
	require.NotEmpty(t, f.At)

	gone := c.hear()
	require.Equal(t, "gone", gone.Op, "an open that turned out a machine's leaves the feed of people")
	require.Equal(t, "all", gone.ID)
	require.Equal(t, `"`+open.Event.ID.String()+`"`, string(gone.Item))
	changed := c.hear()
	require.Equal(t, []string{"changed", "shown"}, []string{changed.Op, changed.ID})
	require.Equal(t, "machine", changed.item(t).Verdict.Is)
	require.Equal(t, "last", c.hear().ID)

	f = c.hear()
	require.Equal(t, "gone", f.Op)
	require.Empty(t, f.ID, "what was removed is gone from every subscription")
	require.Equal(t, `"`+send.Event.ID.String()+`"`, string(f.Item))
}

func TestSocketHearsTheStateOfWhatItShows(t *testing.T) {
	s := newLiveSite(t)
	page := s.page()
	c := s.connect("ana")
	c.say(`{"op":"subscribe","id":"a","q":"type:click","since":%q,"shows":["m-1"]}`, page)
	require.Equal(t, "subscribed", c.hear().Op)
	state := func(message string) event.Announcement {
		send := announced("w", "ana", event.Send, message, "Pricing")
		return event.Announcement{Kind: event.AnnounceState, Workspace: "w", User: "ana", State: send.State}
	}
	s.log.announce(state("m-2"), state("m-3"), state("m-1"))
	require.Equal(t, "m-1", c.hear().Message, "those of no other message come")
	c.say(`{"op":"shows","id":"a","shows":["m-2"],"since":%q}`, page)
	require.Equal(t, "m-2", c.hear().Message, "what moved while the page was read")
	for frame, field := range map[string]string{
		`{"op":"shows","id":"a","shows":["m"],"since":"x"}`: "since", `{"op":"shows","id":"a","q":"x"}`: "",
		`{"op":"shows","id":"a","shows":[` + strings.Repeat(`"m",`, 500) + `"m"]}`: "shows",
	} {
		c.say("%s", frame)
		f := c.hear()
		require.Equal(t, "error", f.Op, frame)
		require.Equal(t, 422, f.Problem.Status, frame)
		require.Equal(t, strings.TrimSuffix("frame."+field, "."), f.Problem.Errors[0].Location, frame)
	}
}

func TestSocketKeepsWorkspacesAndUsersApart(t *testing.T) {
	s := newLiveSite(t)
	page := s.page()
	all := map[string]*client{}
	for _, key := range []string{"admin", "ana", "nobody", "other"} {
		all[key] = s.connect(key)
		all[key].subscribe("a", "", page)
	}
	for _, workspace := range []string{"w", "x"} {
		for _, user := range []string{"ana", "ben", ""} {
			a := announced(workspace, user, event.Send, workspace+user, "Pricing")
			s.log.announce(a, event.Announcement{Kind: event.AnnounceState, Workspace: workspace, User: user, State: a.State},
				event.Announcement{Kind: event.AnnounceGone, Workspace: workspace, User: user, Gone: &a.Event.ID})
		}
	}
	// Each asks for something that is refused, to know that nothing else comes.
	for key, want := range map[string][]string{
		"admin": {"wana", "wben", "w"}, "ana": {"wana"}, "nobody": {}, "other": {"xana", "xben", "x"},
	} {
		for _, message := range want {
			require.Equal(t, message, all[key].hear().item(t).Message, key)
			require.Equal(t, message, all[key].hear().Message, key)
			require.Equal(t, "gone", all[key].hear().Op, key)
		}
		all[key].say(`{}`)
		require.Equal(t, "error", all[key].hear().Op, key)
	}
	// A position of another workspace opens nothing.
	other := s.connect("other")
	other.subscribe("a", "from:ana", page)
	require.Equal(t, "xana", other.hear().item(t).Message)
}

func TestSocketResetsWhatHasExpired(t *testing.T) {
	s := newLiveSite(t)
	c := s.connect("admin")
	c.subscribe("a", "", "")
	c.say(`{"op":"subscribe","id":"a","since":%q}`, live.Position{Incarnation: "two", Sequence: 1}.String())
	f := c.hear()
	require.Equal(t, serverFrame{Op: "reset", ID: "a", Reason: "position_expired"}, f)
	// A subscription that was reset has ended; a page's position begins it anew.
	s.log.announce(announced("w", "ana", event.Send, "m1", ""))
	s.waitForEntries(1)
	c.subscribe("a", "", live.Position{Incarnation: "one", Sequence: 1}.String())
	s.log.announce(announced("w", "ana", event.Send, "m2", ""))
	require.Equal(t, "m2", c.hear().item(t).Message)
}

func TestSocketAnswersWhatItDoesNotUnderstand(t *testing.T) {
	s := newLiveSite(t)
	c := s.connect("admin")
	cases := []struct{ name, frame, id, location string }{
		{"no JSON", `hello`, "", "frame"},
		{"no object", `[]`, "", "frame"},
		{"no op", `{"id":"a"}`, "a", "frame.op"},
		{"another op", `{"op":"publish","id":"a"}`, "a", "frame.op"},
		{"no id", `{"op":"subscribe"}`, "", "frame.id"},
		{"a long id", `{"op":"subscribe","id":"` + strings.Repeat("x", 101) + `"}`, strings.Repeat("x", 101), "frame.id"},
		{"an unknown field", `{"op":"subscribe","id":"a","query":"x"}`, "a", "frame.query"},
		{"a field twice", `{"op":"subscribe","op":"subscribe","id":"a"}`, "", "frame.op"},
		{"a field of subscribe", `{"op":"unsubscribe","id":"a","q":"x"}`, "a", "frame"},
		{"junk for a position", `{"op":"subscribe","id":"a","since":"junk"}`, "a", "frame.since"},
		{"no zone", `{"op":"subscribe","id":"a","tz":"Mars/Olympus"}`, "a", "frame.tz"},
		{"the server's zone", `{"op":"subscribe","id":"a","tz":"Local"}`, "a", "frame.tz"},
		{"no type", `{"op":"subscribe","id":"a","filters":{"type":["opening"]}}`, "a", "frame.filters.type"},
		{"no choice", `{"op":"subscribe","id":"a","filters":{"automated":"maybe"}}`, "a", "frame.filters.automated"},
		{"an unknown filter", `{"op":"subscribe","id":"a","filters":{"until":"now"}}`, "a", "frame.filters.until"},
		{"a long question", `{"op":"subscribe","id":"a","q":"` + strings.Repeat("x", 2001) + `"}`, "a", "frame.q"},
		{"an id that is no text", `{"op":"subscribe","id":7}`, "", "frame.id"},
		{"broken UTF-8", "{\"op\":\"subscribe\",\"id\":\"\\ud800\"}", "", "frame.id"},
	}
	for _, tc := range cases {
		c.say("%s", tc.frame)
		f := c.hear()
		require.Equal(t, "error", f.Op, tc.name)
		require.Equal(t, tc.id, f.ID, tc.name)
		require.Equal(t, http.StatusUnprocessableEntity, f.Problem.Status, tc.name)
		require.Len(t, f.Problem.Errors, 1, tc.name)
		require.Equal(t, tc.location, f.Problem.Errors[0].Location, tc.name)
	}
	c.subscribe("a", "", "") // and goes on
}

func TestSocketHasBounds(t *testing.T) {
	t.Run("subscriptions", func(t *testing.T) {
		c := newLiveSite(t).connect("admin")
		for i := range live.MaxSubscriptions {
			c.subscribe(fmt.Sprint(i), "", "")
		}
		c.say(`{"op":"subscribe","id":"one more"}`)
		f := c.hear()
		require.Equal(t, []string{"error", "one more"}, []string{f.Op, f.ID})
		require.Equal(t, http.StatusTooManyRequests, f.Problem.Status)
		c.subscribe("0", "opens", "") // in the place of another
	})
	t.Run("frame", func(t *testing.T) {
		c := newLiveSite(t).connect("admin")
		c.say(`{"op":"subscribe","id":"a"%s}`, strings.Repeat(" ", 64<<10))
		require.Equal(t, websocket.CloseMessageTooBig, c.hearClose())
	})
	t.Run("frames a second", func(t *testing.T) {
		c := newLiveSite(t).connect("admin")
		for range 100 {
			_ = c.WriteMessage(websocket.TextMessage, []byte(`{"op":"unsubscribe","id":"a"}`))
		}
		require.Equal(t, 4429, c.hearClose())
	})
	t.Run("connections", func(t *testing.T) {
		s := newLiveSite(t, func(c *live.Config, _ *api.LiveHandler) { c.Readers = 1 })
		s.connect("admin").subscribe("a", "", "")
		require.Equal(t, 4429, s.connect("admin").hearClose())
		s.connect("other").subscribe("a", "", "")
	})
	t.Run("kind of message", func(t *testing.T) {
		c := newLiveSite(t).connect("admin")
		require.NoError(t, c.WriteMessage(websocket.BinaryMessage, []byte(`{}`)))
		require.Equal(t, websocket.CloseUnsupportedData, c.hearClose())
	})
}

func TestSocketIsRefused(t *testing.T) {
	s := newLiveSite(t)
	_, response, err := s.dial("stranger")
	require.Error(t, err)
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"))

	plain, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/v1/live", nil)
	require.NoError(t, err)
	plain.Header.Set("Authorization", "Bearer admin")
	response, err = s.server.Client().Do(plain)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusUpgradeRequired, response.StatusCode)

	dialer := websocket.Dialer{Subprotocols: []string{"tidings.v2"}}
	_, response, err = dialer.Dial("ws"+strings.TrimPrefix(s.server.URL, "http")+"/v1/live", http.Header{"Authorization": {"Bearer admin"}})
	require.Error(t, err)
	require.Equal(t, http.StatusBadRequest, response.StatusCode)

	// A key cannot have been sent by a page of another site.
	c, _, err := s.dial("admin", "Origin", "https://evil.example")
	require.NoError(t, err)
	require.NoError(t, c.Close())
}

func TestSocketIsUnavailableUntilTheStreamIsKnown(t *testing.T) {
	s := newLiveSite(t, func(_ *live.Config, l *api.LiveHandler) { l.Timing.Ready = 10 * time.Millisecond })
	s.handler.Hub = live.NewHub(live.Config{})
	_, response, err := s.dial("admin")
	require.Error(t, err)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Equal(t, "1", response.Header.Get("Retry-After"))
}

func TestSocketEnds(t *testing.T) {
	t.Run("when the key is revoked", func(t *testing.T) {
		s := newLiveSite(t)
		c, other := s.connect("revoked"), s.connect("admin")
		c.subscribe("a", "", "")
		other.subscribe("a", "", "")
		close(s.gone)
		require.Equal(t, 4401, c.hearClose())
		s.log.announce(announced("w", "ana", event.Send, "m1", ""))
		require.Equal(t, "m1", other.hear().item(t).Message)
	})
	t.Run("when the server restarts", func(t *testing.T) {
		s := newLiveSite(t)
		c := s.connect("admin")
		c.subscribe("a", "", "")
		code := make(chan int)
		go func() { code <- c.hearClose() }()
		s.stop()
		require.Equal(t, websocket.CloseServiceRestart, <-code)
	})
	t.Run("when it is old", func(t *testing.T) {
		s := newLiveSite(t, func(_ *live.Config, l *api.LiveHandler) { l.Timing.Age = 50 * time.Millisecond })
		require.Equal(t, websocket.CloseServiceRestart, s.connect("admin").hearClose())
	})
	t.Run("when the client gives no sign of life", func(t *testing.T) {
		s := newLiveSite(t, func(_ *live.Config, l *api.LiveHandler) {
			l.Timing.Ping, l.Timing.Silence = 20*time.Millisecond, 200*time.Millisecond
		})
		mute, lively := s.connect("admin"), s.connect("admin")
		mute.SetPingHandler(func(string) error { return nil })
		lively.subscribe("a", "", "")
		heard := make(chan serverFrame)
		go func() { heard <- lively.hear() }()
		began := time.Now()
		require.NoError(t, mute.SetReadDeadline(began.Add(10*time.Second)))
		_, _, err := mute.ReadMessage()
		require.Error(t, err)
		require.Less(t, time.Since(began), 5*time.Second)
		s.log.announce(announced("w", "ana", event.Send, "m1", ""))
		f := <-heard
		require.Equal(t, "m1", f.item(t).Message)
	})
	t.Run("when the client goes", func(t *testing.T) {
		s := newLiveSite(t)
		c := s.connect("admin")
		c.subscribe("a", "", "")
		require.NoError(t, c.NetConn().Close())
		require.Eventually(t, func() bool { return s.hub.Stats().Readers == 0 }, 5*time.Second, time.Millisecond)
	})
}

func TestSocketTellsThePositionWhereLittleHappens(t *testing.T) {
	s := newLiveSite(t, func(_ *live.Config, l *api.LiveHandler) { l.Timing.Ping = 20 * time.Millisecond })
	c := s.connect("admin")
	begun := c.subscribe("a", "", "")
	s.log.announce(announced("x", "ana", event.Send, "m1", "")) // in another workspace
	f := c.hear()
	require.Equal(t, "at", f.Op)
	require.NotEqual(t, begun, f.At)
	s.log.announce(announced("w", "ana", event.Send, "m2", ""))
	for f = c.hear(); f.Op == "at"; f = c.hear() {
		require.NotEmpty(t, f.At)
	}
	again := s.connect("admin")
	again.subscribe("a", "", f.At)
}

func TestSlowSocketIsCutOffAndResumes(t *testing.T) {
	const events, heavy = 3000, 4000
	s := newLiveSite(t, func(c *live.Config, _ *api.LiveHandler) { c.Behind, c.Bytes = 500, 4*events*heavy })
	slow, quick := s.connect("admin"), s.connect("admin")
	require.NoError(t, slow.NetConn().(*net.TCPConn).SetReadBuffer(64<<10))
	last := slow.subscribe("a", "", "")
	quick.subscribe("a", "", "")
	for i := range events { // others go on meanwhile
		a := announced("w", "ana", event.Custom, fmt.Sprint(i), "")
		a.Event.Link = "https://acme.example/" + strings.Repeat("x", heavy)
		s.log.announce(a)
		require.Equal(t, fmt.Sprint(i), quick.hear().item(t).Message)
	}
	got := 0
	require.NoError(t, slow.SetReadDeadline(time.Now().Add(20*time.Second)))
	for {
		var f serverFrame
		err := slow.ReadJSON(&f)
		if err != nil {
			var closed *websocket.CloseError
			require.ErrorAs(t, err, &closed)
			require.Equal(t, 4408, closed.Code)
			break
		}
		require.Equal(t, fmt.Sprint(got), f.item(t).Message)
		got++
		last = f.At
	}
	require.Less(t, got, events)
	again := s.connect("admin")
	again.subscribe("a", "", last)
	for ; got < events; got++ {
		require.Equal(t, fmt.Sprint(got), again.hear().item(t).Message)
	}
}
