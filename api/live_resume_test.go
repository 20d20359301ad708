package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

// follower is a client that keeps what it was sent, over connections.
type follower struct {
	site  *liveSite
	query string

	mu   sync.Mutex
	at   string
	got  []string
	conn *websocket.Conn
	done chan struct{}
}

// connect resumes from the last position.
func (f *follower) connect() {
	if f.conn != nil {
		return
	}
	c, _, err := f.site.dial("admin")
	require.NoError(f.site.t, err)
	frame, err := json.Marshal(map[string]string{"op": "subscribe", "id": "a", "q": f.query, "since": f.at})
	require.NoError(f.site.t, err)
	c.say("%s", frame)
	f.conn, f.done = c.Conn, make(chan struct{})
	go f.read(c.Conn, f.done)
}

func (f *follower) read(conn *websocket.Conn, done chan struct{}) {
	defer close(done)
	for {
		var frame serverFrame
		if conn.ReadJSON(&frame) != nil {
			return
		}
		f.mu.Lock()
		if frame.At != "" {
			f.at = frame.At
		}
		switch frame.Op {
		case "event":
			var item struct{ Message string }
			_ = json.Unmarshal(frame.Item, &item)
			f.got = append(f.got, item.Message)
		case "reset", "error":
			f.got = append(f.got, frame.Op)
		}
		f.mu.Unlock()
	}
}

// disconnect cuts the line wherever it is.
func (f *follower) disconnect() {
	if f.conn == nil {
		return
	}
	_ = f.conn.NetConn().Close()
	<-f.done
	f.conn = nil
}

func (f *follower) has() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

// TestFollowersOverBrokenLinesMissAndRepeatNothing cuts lines and restarts the
// server at random, and compares what each client was sent with the stream.
func TestFollowersOverBrokenLinesMissAndRepeatNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newLiveSite(t)
		defer func() { s.stop() }() // the last of those that were started
		followers := make([]*follower, 4)
		for i := range followers {
			followers[i] = &follower{site: s, query: []string{"", "type:open"}[i%2], at: s.page()}
			defer followers[i].disconnect()
		}
		want := make([][]string, len(followers))
		which := rapid.IntRange(0, len(followers)-1)
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"announce", "announce", "connect", "disconnect", "restart"}).Draw(rt, "step") {
			case "announce":
				for range rapid.IntRange(1, 100).Draw(rt, "how many") {
					key := fmt.Sprint(len(s.log.kept))
					kind := rapid.SampledFrom([]event.Type{event.Send, event.Open}).Draw(rt, "type")
					s.log.announce(announced("w", "ana", kind, key, ""))
					for i := range followers {
						if i%2 == 0 || kind == event.Open {
							want[i] = append(want[i], key)
						}
					}
				}
			case "connect":
				followers[which.Draw(rt, "client")].connect()
			case "disconnect":
				followers[which.Draw(rt, "client")].disconnect()
			case "restart":
				s.stop()
				for _, f := range followers {
					f.disconnect()
				}
				s.start()
			}
		}
		for i, f := range followers {
			f.connect()
			require.Eventually(t, func() bool { return len(f.has()) >= len(want[i]) }, 10*time.Second, time.Millisecond)
			if got := f.has(); !slices.Equal(want[i], got) {
				rt.Fatalf("client %d: want %v, got %v", i, strings.Join(want[i], " "), strings.Join(got, " "))
			}
		}
	})
}
