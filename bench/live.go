package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"tidings/apiclient"
	"tidings/bench/figures"
	"tidings/event"
)

// Live times live events from when they should be posted until a socket has them, with
// nothing beside them and while archives are imported.
type Live struct {
	// Data is an empty directory.
	Data string
	Seed uint64
	// For is how long each import goes on.
	For time.Duration
	// Rate is how many live events a second are posted.
	Rate int
	// Senders import at once.
	Senders int
}

const (
	// liveMust is what 99 of 100 live events may take, on a quiet machine.
	liveMust = 300 * time.Millisecond
	// liveLeast is how long it goes on for times to be judged.
	liveLeast = time.Minute
	// liveWait is how long is waited for the last.
	liveWait = time.Minute
	// archiveBatch is how many events of an archive a request brings.
	archiveBatch = 1000
	// archiveEvents is more than is imported in the time.
	archiveEvents = 20_000_000
)

// archives are what is imported beside the live events.
var archives = []struct {
	name     string
	weeks    int
	shuffled bool
}{
	{name: "nothing"},
	{name: "an archive of 43 weeks, oldest first", weeks: 43},
	{name: "an archive of 520 weeks, shuffled", weeks: 520, shuffled: true},
}

// Run prints a table, and fails where live events are lost or came late.
func (c *Live) Run(ctx context.Context, env Env) error {
	if entries, err := os.ReadDir(c.Data); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: remove it, or choose another --data", c.Data)
	}
	server, err := serveChild(ctx, c.Data, "127.0.0.1:0")
	if err != nil {
		return err
	}
	table, not, err := c.measure(ctx, env, server)
	if err := errors.Join(err, server.stop()); err != nil {
		return err
	}
	if _, err := io.WriteString(env.Out, table); err != nil {
		return err
	}
	return notShown(not)
}

func (c *Live) measure(ctx context.Context, env Env, server *child) (table string, not []string, err error) {
	client, err := server.client(ctx, "live")
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	heard, err := listen(ctx, client, server.address)
	if err != nil {
		return "", nil, err
	}
	defer heard.close()
	var out strings.Builder
	fmt.Fprintf(&out, "%d live events a second, until a socket has them\n\n| while this is imported | imported a second | accepted after | on the socket after |\n| --- | --- | --- | --- |\n", c.Rate)
	for _, archive := range archives {
		_, _ = fmt.Fprintf(env.Err, "%s is imported for %v\n", archive.name, c.For)
		accepted, timing, imported, err := c.beside(ctx, client, heard, func(ctx context.Context) (int64, error) {
			if archive.weeks == 0 {
				<-ctx.Done()
				return 0, nil
			}
			return c.importArchive(ctx, client, archive.weeks, archive.shuffled)
		})
		if err != nil {
			return "", nil, err
		}
		c.figures(env.Found, archive.name, archive.weeks > 0, accepted, timing, imported)
		fmt.Fprintf(&out, "| %s | %.0f | p50 %s, p99 %s | %s |\n", archive.name, float64(imported)/c.For.Seconds(),
			round(accepted.Percentile(50)), round(accepted.Percentile(99)), timing)
		not = append(not, c.judge(archive.name, archive.weeks > 0, timing, imported)...)
	}
	if c.For < liveLeast {
		fmt.Fprintf(&out, "\nTimes are not judged: that takes %v or more.\n", liveLeast)
	}
	return out.String(), not, nil
}

// besideP99 is the name of the figure that a bound is of.
func besideP99(archive string) string { return "on a socket beside " + archive + ", p99" }

func (c *Live) figures(found *figures.Found, archive string, imports bool, accepted, timing *Timing, imported int64) {
	if imports {
		found.Add(archive+", imported", "events/s", float64(imported)/c.For.Seconds())
	}
	found.Add("accepted beside "+archive+", p99", "ms", milliseconds(accepted.Percentile(99)))
	found.Add("on a socket beside "+archive+", p50", "ms", milliseconds(timing.Percentile(50)))
	found.Add(besideP99(archive), "ms", milliseconds(timing.Percentile(99)))
}

// judge names what the live events beside an import do not show.
func (c *Live) judge(beside string, imports bool, timing *Timing, imported int64) (not []string) {
	p99 := timing.Percentile(99)
	switch {
	case timing.Count() == 0:
		not = append(not, fmt.Sprintf("beside %s no live event was heard", beside))
	case c.For >= liveLeast && p99 > liveMust:
		not = append(not, fmt.Sprintf("beside %s 99 of 100 live events took up to %v, and may take %v", beside, round(p99), liveMust))
	}
	if imports && imported == 0 {
		not = append(not, beside+" was not imported")
	}
	return not
}

// beside posts live events while something else goes on, and waits until all were heard.
func (c *Live) beside(ctx context.Context, client *apiclient.Client, heard *hearing, other func(context.Context) (int64, error)) (accepted, timing *Timing, imported int64, err error) {
	accepted, timing = NewTiming(), NewTiming()
	heard.begin(timing)
	during, cancel := context.WithTimeout(ctx, c.For)
	defer cancel()
	var group errgroup.Group
	var mu sync.Mutex
	group.Go(func() (err error) { imported, err = other(during); return err })
	group.Go(func() error {
		var posts errgroup.Group
		for at := time.Now(); ; at = at.Add(time.Second / time.Duration(c.Rate)) {
			if wait(during, time.Until(at)) != nil {
				return posts.Wait()
			}
			id := heard.expect(at)
			posts.Go(func() error {
				err := client.Call(ctx, http.MethodPost, "/v1/events", map[string]any{
					"type": "send", "time": at.UTC().Format(time.RFC3339), "message": id, "user": "u_ana", "subject": "About " + id,
					"recipients": []any{map[string]string{"email": "jo@acme.example"}},
				}, nil)
				mu.Lock()
				defer mu.Unlock()
				accepted.Record(time.Since(at))
				return err
			})
		}
	})
	if err := group.Wait(); err != nil {
		return nil, nil, 0, err
	}
	return accepted, timing, imported, heard.all(ctx)
}

// importArchive posts events of a workspace of its own as fast as they are taken, and
// says how many were.
func (c *Live) importArchive(ctx context.Context, client *apiclient.Client, weeks int, shuffled bool) (int64, error) {
	load := Load{Seed: c.Seed, Workspaces: 1, Weeks: weeks, Until: time.Now().UTC().Add(-48 * time.Hour)}
	begin, span := load.span()
	random := rand.New(rand.NewPCG(c.Seed, uint64(weeks)))
	var imported atomic.Int64
	var senders errgroup.Group
	senders.SetLimit(c.Senders)
	batch := make([]event.Input, 0, archiveBatch)
	for given := range load.Inputs(archiveEvents) {
		if shuffled {
			at := event.Moment(begin + random.Int64N(span))
			given.Input.Time = &at
		}
		if batch = append(batch, given.Input); len(batch) < archiveBatch {
			continue
		}
		events := batch
		batch = make([]event.Input, 0, archiveBatch)
		senders.Go(func() error {
			for {
				err := client.Call(ctx, http.MethodPost, "/v1/events?lane=bulk", events, nil)
				var refused *apiclient.Error
				switch {
				case ctx.Err() != nil:
					return nil
				case err == nil:
					imported.Add(int64(len(events)))
					return nil
				case !errors.As(err, &refused) || refused.RetryAfter == 0:
					return err
				}
				pause(ctx, refused.RetryAfter)
			}
		})
		if ctx.Err() != nil {
			break
		}
	}
	err := senders.Wait()
	return imported.Load(), err
}

// hearing is a socket that times the events that are expected on it.
type hearing struct {
	conn *websocket.Conn
	done chan struct{}

	mu       sync.Mutex
	n        int
	expected map[string]time.Time
	timing   *Timing
	failed   error
}

// listen opens a socket for live events alone.
func listen(ctx context.Context, client *apiclient.Client, address string) (*hearing, error) {
	var key struct {
		Key string `json:"key"`
	}
	if err := client.Call(ctx, http.MethodPost, "/v1/keys", map[string]any{"role": "read", "name": "live"}, &key); err != nil {
		return nil, err
	}
	conn, err := dialLive(ctx, address, key.Key)
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	h := &hearing{conn: conn, done: make(chan struct{}), expected: make(map[string]time.Time)}
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"op":"subscribe","id":"s","q":"type:send about"}`)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go h.run()
	return h, nil
}

func (h *hearing) run() {
	defer close(h.done)
	for {
		_, raw, err := h.conn.ReadMessage()
		now := time.Now()
		var frame struct {
			Op   string `json:"op"`
			Item struct {
				Message string `json:"message"`
			} `json:"item"`
		}
		if err == nil && strings.HasPrefix(string(raw), `{"op":"event"`) {
			err = json.Unmarshal(raw, &frame)
		}
		h.mu.Lock()
		if err != nil {
			h.failed = err
			h.mu.Unlock()
			return
		}
		if at, waits := h.expected[frame.Item.Message]; waits && frame.Op == "event" {
			delete(h.expected, frame.Item.Message)
			h.timing.Record(now.Sub(at))
		}
		h.mu.Unlock()
	}
}

// begin has what is heard from now on recorded in a timing.
func (h *hearing) begin(timing *Timing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timing = timing
}

// expect names the message of an event that should be posted at a time.
func (h *hearing) expect(at time.Time) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.n++
	message := "live-" + strconv.Itoa(h.n)
	h.expected[message] = at
	return message
}

// all waits until nothing is expected any more.
func (h *hearing) all(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, liveWait)
	defer cancel()
	for {
		h.mu.Lock()
		left, failed := len(h.expected), h.failed
		h.mu.Unlock()
		switch {
		case left == 0:
			return nil
		case failed != nil:
			return fmt.Errorf("the socket ended: %w", failed)
		case ctx.Err() != nil:
			return fmt.Errorf("%d live events were not heard within %v", left, liveWait)
		}
		pause(ctx, 20*time.Millisecond)
	}
}

func (h *hearing) close() {
	_ = h.conn.Close() // it may have ended
	<-h.done
}
