package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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

// load posts batches until it is told to stop. A batch that was not answered
// is posted again, as any sender would, until it is.
func (l *ledger) load(ctx context.Context, address *atomic.Value, key string, worker int, since int64) error {
	random := rand.New(rand.NewPCG(7, uint64(worker)))
	for number := 0; ctx.Err() == nil; number++ {
		batch := someEvents(random, 20, worker, number, since)
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
			time.Sleep(20 * time.Millisecond) // as a sender does before it tries again
		}
		if answer.Accepted != len(batch) || len(answer.IDs) != len(batch) {
			return fmt.Errorf("%d of %d accepted, %d ids", answer.Accepted, len(batch), len(answer.IDs))
		}
		l.acknowledge(answer.IDs, batch)
		time.Sleep(l.pause) // the rate of the load; nothing is waited for
	}
	return nil
}

// someEvents are a few messages with what happens to them, in no order.
func someEvents(random *rand.Rand, messages, worker, number int, since int64) []map[string]any {
	var batch []map[string]any
	for i := range messages {
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
	}, 5*time.Minute, 250*time.Millisecond)
}
