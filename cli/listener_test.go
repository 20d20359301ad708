package cli_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// listener is a socket that resumes whenever it is cut.
type listener struct {
	address *atomic.Value
	key     string
	from    string

	mu     sync.Mutex
	heard  map[string]bool
	resets int
}

// listen keeps a socket open over restarts and notes what it hears.
func listen(t *testing.T, address *atomic.Value, key string) *listener {
	t.Helper()
	var page struct{ Live string }
	require.NoError(t, request(http.MethodGet, "http://"+address.Load().(string)+"/v1/feed", key, "", nil, &page))
	return listenFrom(t, address, key, page.Live)
}

// listenFrom listens to what was announced after a position.
func listenFrom(t *testing.T, address *atomic.Value, key, position string) *listener {
	l := &listener{address: address, key: key, from: position, heard: make(map[string]bool)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			l.connect(ctx, address.Load().(string), key, &position)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return l
}

func (l *listener) connect(ctx context.Context, address, key string, position *string) {
	dialer := websocket.Dialer{Subprotocols: []string{"tidings.v1"}}
	socket, _, err := dialer.DialContext(ctx, "ws://"+address+"/v1/live", http.Header{"Authorization": {"Bearer " + key}})
	if err != nil {
		return
	}
	defer socket.Close()
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer stop()
	subscribe := map[string]any{"op": "subscribe", "id": "a", "q": "", "since": *position, "filters": map[string]any{"automated": "show"}}
	if socket.WriteJSON(subscribe) != nil {
		return
	}
	for {
		var frame struct {
			Op   string `json:"op"`
			At   string `json:"at"`
			Item struct {
				ID string `json:"id"`
			} `json:"item"`
		}
		if socket.ReadJSON(&frame) != nil {
			return
		}
		l.mu.Lock()
		switch frame.Op {
		case "event":
			l.heard[frame.Item.ID] = true
		case "reset":
			l.resets++
		}
		l.mu.Unlock()
		if frame.At != "" {
			*position = frame.At
		}
	}
}

// missing is what was acknowledged and not heard.
func (l *listener) missing(book *ledger) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var missing []string
	for id := range book.sent {
		if !l.heard[id] {
			missing = append(missing, id)
		}
	}
	return missing
}

// hears waits until everything acknowledged has been heard, and gives up when
// nothing more is for half a minute. It returns what is missing.
func (l *listener) hears(book *ledger) []string {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	missing, since := l.missing(book), time.Now()
	for len(missing) > 0 && time.Since(since) < 30*time.Second {
		<-tick.C
		if now := l.missing(book); len(now) < len(missing) {
			missing, since = now, time.Now()
		}
	}
	return missing
}

// check waits until everything acknowledged has been heard. When it is not, a
// second socket tells what was never announced from what the first passed over.
func (l *listener) check(t *testing.T, book *ledger) {
	t.Helper()
	if missing := l.hears(book); len(missing) > 0 {
		second := listenFrom(t, l.address, l.key, l.from)
		t.Errorf("%d of %d events that the socket never heard, such as %s; a second socket did not hear %d",
			len(missing), len(book.sent), slices.Min(missing), len(second.hears(book)))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Zero(t, l.resets, "the socket resumed each time")
}
