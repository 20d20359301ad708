package cli_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

const terminate = syscall.SIGTERM

var (
	kills  = flag.Int("kills", 4, "how often the ledger test kills the server; 20 for the full form")
	outage = flag.Duration("outage", 5*time.Second, "how long the ledger test makes the stores fail; 30s for the full form")
)

// ledger is what was sent and acknowledged.
type ledger struct {
	mu sync.Mutex
	// sent holds every acknowledged event by its id.
	sent map[string]bool
	// recipients and opened are the model of each message.
	recipients map[string]map[string]bool
	opened     map[string]map[string]bool
}

func newLedger() *ledger {
	return &ledger{
		sent:       make(map[string]bool),
		recipients: make(map[string]map[string]bool),
		opened:     make(map[string]map[string]bool),
	}
}

// acknowledge writes a batch into the ledger.
func (l *ledger) acknowledge(ids []string, batch []map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		l.sent[id] = true
	}
	for _, e := range batch {
		message := e["message"].(string)
		if l.recipients[message] == nil {
			l.recipients[message], l.opened[message] = map[string]bool{}, map[string]bool{}
		}
		if people, ok := e["recipients"].([]map[string]string); ok {
			for _, person := range people {
				l.recipients[message][person["email"]] = true
			}
			continue
		}
		if e["type"] == "open" || e["type"] == "reply" {
			l.opened[message][e["recipient"].(map[string]string)["email"]] = true
		}
	}
}

// unopened is how many recipients of a message have not opened it.
func (l *ledger) unopened(message string) int {
	n := 0
	for email := range l.recipients[message] {
		if !l.opened[message][email] {
			n++
		}
	}
	return n
}

// load posts batches until it is told to stop. A batch that was not answered
// is posted again, as any sender would, until it is.
func (l *ledger) load(ctx context.Context, address *atomic.Value, key string, worker int, since int64) error {
	random := rand.New(rand.NewPCG(7, uint64(worker)))
	for number := 0; ctx.Err() == nil; number++ {
		batch := someEvents(random, worker, number, since)
		body, err := json.Marshal(batch)
		if err != nil {
			return err
		}
		var answer struct {
			Accepted int      `json:"accepted"`
			IDs      []string `json:"ids"`
		}
		for {
			at := "http://" + address.Load().(string) + "/v1/events?ids=1"
			if request(http.MethodPost, at, key, "application/json", body, &answer) == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if answer.Accepted != len(batch) || len(answer.IDs) != len(batch) {
			return fmt.Errorf("%d of %d accepted, %d ids", answer.Accepted, len(batch), len(answer.IDs))
		}
		l.acknowledge(answer.IDs, batch)
	}
	return nil
}

// grow waits until the load has put some more into the ledger.
func (l *ledger) grow(t *testing.T) {
	t.Helper()
	before := l.size()
	require.Eventually(t, func() bool { return l.size() > before+500 }, time.Minute, 10*time.Millisecond, "events are taken in")
}

// awaitEvent waits until the feed shows an event.
func awaitEvent(t *testing.T, address, key string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var page struct{ Items []any }
		err := request(http.MethodGet, "http://"+address+"/v1/feed", key, "", nil, &page)
		return err == nil && len(page.Items) > 0
	}, time.Minute, 10*time.Millisecond, "events are indexed")
}

// someEvents are a few messages with what happens to them, in no order.
func someEvents(random *rand.Rand, worker, number int, since int64) []map[string]any {
	var batch []map[string]any
	for i := range 20 {
		message := fmt.Sprintf("m-%d-%d-%d", worker, number, i)
		var people []map[string]string
		for p := range 1 + random.IntN(3) {
			people = append(people, map[string]string{"email": fmt.Sprintf("p%d@acme.example", p)})
		}
		at := since + random.Int64N(3*7*24*3600)
		batch = append(batch, map[string]any{
			"id": message + "-send", "type": "send", "time": at, "message": message, "user": "u_ana",
			"subject": "Ledger " + message, "recipients": people,
		})
		for p, person := range people {
			kind := []string{"open", "click", "reply", "delivery"}[random.IntN(4)]
			e := map[string]any{
				"id": fmt.Sprint(message, "-", kind, p), "type": kind, "time": at + 60 + random.Int64N(3600),
				"message": message, "recipient": person,
			}
			if kind == "click" {
				e["client"] = map[string]any{"ip": "192.0.2.1", "automated": true}
			}
			batch = append(batch, e)
		}
	}
	random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	return batch
}

func TestNothingAcknowledgedIsLostOrDoubledByKills(t *testing.T) {
	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	var address atomic.Value
	server := startServer(t, data, "127.0.0.1:0")
	address.Store(server.address)
	since := time.Now().Add(-3 * 7 * 24 * time.Hour).Unix()

	book := newLedger()
	stopLoad := book.start(t, &address, key, since)
	heard := listen(t, &address, key)
	for i := range *kills {
		time.Sleep(200*time.Millisecond + rand.N(1200*time.Millisecond))
		server.kill()
		began := time.Now()
		server = startServer(t, data, server.address)
		address.Store(server.address)
		require.Less(t, time.Since(began), 10*time.Second, "ready again after kill %d", i+1)
	}
	book.grow(t)
	stopLoad()
	awaitIndexed(t, server.address)
	book.check(t, server.address, key)
	heard.check(t, book)
	require.NoError(t, server.stop(), server.output())
}

func TestNothingAcknowledgedIsLostOrDoubledWhileTheStoresFail(t *testing.T) {
	data := t.TempDir()
	key := createKey(t, data, "w", "admin")
	var address atomic.Value
	server := startServer(t, data, "127.0.0.1:0")
	address.Store(server.address)
	since := time.Now().Add(-3 * 7 * 24 * time.Hour).Unix()

	book := newLedger()
	stopLoad := book.start(t, &address, key, since)
	book.grow(t)
	awaitEvent(t, server.address, key)
	unlock := lockDatabases(t, data)
	time.Sleep(*outage / 2)
	var page struct{ Items []any }
	require.NoError(t, request(http.MethodGet, "http://"+server.address+"/v1/feed", key, "", nil, &page), "reading goes on")
	require.NotEmpty(t, page.Items)
	before := book.size()
	time.Sleep(*outage / 2)
	require.Greater(t, book.size(), before, "accepting goes on")
	unlock()
	book.grow(t)
	stopLoad()
	awaitIndexed(t, server.address)
	book.check(t, server.address, key)
	require.NoError(t, server.stop(), server.output())
}

// lockDatabases keeps every writer out of the state and of the weeks, as a
// stuck disk or a backup tool would.
func lockDatabases(t *testing.T, data string) (unlock func()) {
	t.Helper()
	weeks, err := filepath.Glob(filepath.Join(data, "weeks", "*.db"))
	require.NoError(t, err)
	require.NotEmpty(t, weeks)
	var connections []*sql.DB
	for _, path := range append(weeks, filepath.Join(data, "state.db")) {
		db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(20000)")
		require.NoError(t, err)
		db.SetMaxOpenConns(1)
		_, err = db.Exec("BEGIN IMMEDIATE")
		require.NoError(t, err)
		connections = append(connections, db)
	}
	return func() {
		for _, db := range connections {
			_, err := db.Exec("ROLLBACK")
			require.NoError(t, err)
			require.NoError(t, db.Close())
		}
	}
}

func (l *ledger) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sent)
}

// start loads with three workers and returns how to stop them.
func (l *ledger) start(t *testing.T, address *atomic.Value, key string, since int64) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for worker := range 3 {
		workers.Go(func() {
			if err := l.load(ctx, address, key, worker, since); err != nil {
				t.Error(err)
			}
		})
	}
	return func() {
		cancel()
		workers.Wait()
	}
}

// awaitIndexed waits until nothing waits in the queue.
func awaitIndexed(t *testing.T, address string) {
	t.Helper()
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + address + "/metrics")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return err == nil && strings.Contains(string(text), "\ntidings_queue_waiting_events 0\n")
	}, 2*time.Minute, 250*time.Millisecond)
}

// check compares the ledger with the feed, the states and the dead letters.
func (l *ledger) check(t *testing.T, address, key string) {
	t.Helper()
	seen := make(map[string]int)
	unopened := make(map[string]int)
	cursor := ""
	for {
		var page struct {
			Items []struct {
				ID       string `json:"id"`
				Type     string `json:"type"`
				Message  string `json:"message"`
				Subject  string `json:"subject"`
				Unopened *int   `json:"unopened"`
			} `json:"items"`
			Next *string `json:"next"`
		}
		at := "http://" + address + "/v1/feed?limit=200&automated=show&cursor=" + url.QueryEscape(cursor)
		require.NoError(t, request(http.MethodGet, strings.TrimSuffix(at, "&cursor="), key, "", nil, &page))
		for _, item := range page.Items {
			seen[item.ID]++
			require.Equal(t, "Ledger "+item.Message, item.Subject, "%s %s", item.Type, item.ID)
			if item.Type == "send" {
				unopened[item.Message] = *item.Unopened
			}
		}
		if page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	lost, double, extra := 0, 0, 0
	for id := range l.sent {
		if seen[id] == 0 {
			lost++
		}
	}
	for id, n := range seen {
		if n > 1 {
			double++
		}
		if !l.sent[id] {
			extra++
		}
	}
	t.Logf("%d events acknowledged: %d lost, %d double, %d not acknowledged", len(l.sent), lost, double, extra)
	require.NotEmpty(t, l.sent)
	require.Zero(t, lost)
	require.Zero(t, double)
	require.Zero(t, extra)
	require.Len(t, unopened, len(l.recipients))
	for message, n := range unopened {
		require.Equal(t, l.unopened(message), n, message)
	}
	var dead struct{ Items []any }
	require.NoError(t, request(http.MethodGet, "http://"+address+"/v1/dead-letters", key, "", nil, &dead))
	require.Empty(t, dead.Items, "no crash makes a dead letter")
}

// listener is a socket that resumes whenever it is cut.
type listener struct {
	mu     sync.Mutex
	heard  map[string]bool
	resets int
}

// listen keeps a socket open over restarts and notes what it hears.
func listen(t *testing.T, address *atomic.Value, key string) *listener {
	l := &listener{heard: make(map[string]bool)}
	var page struct{ Live string }
	require.NoError(t, request(http.MethodGet, "http://"+address.Load().(string)+"/v1/feed", key, "", nil, &page))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		position := page.Live
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

// check waits until everything acknowledged has been heard.
func (l *listener) check(t *testing.T, book *ledger) {
	t.Helper()
	var missing []string
	heardAll := func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		missing = missing[:0]
		for id := range book.sent {
			if !l.heard[id] {
				missing = append(missing, id)
			}
		}
		return len(missing) == 0
	}
	if !assert.Eventually(t, heardAll, 30*time.Second, 200*time.Millisecond) {
		slices.Sort(missing)
		t.Errorf("%d of %d events that the socket never heard, such as %s", len(missing), len(book.sent), missing[0])
	}
	require.Zero(t, l.resets, "the socket resumed each time")
}
