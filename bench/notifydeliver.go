package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/apiclient"
	"tidings/bench/figures"
)

const (
	// deliverEndpoints is how many endpoints there are, and deliverDead how many of them
	// take a call and never answer it.
	deliverEndpoints, deliverDead = 100, 10
	// deliverPaced is how many events a second are sent on while it is timed how long that
	// takes, for deliverFor, a batch each deliverStep.
	deliverPaced = 200
	deliverFor   = 8 * time.Second
	deliverStep  = 50 * time.Millisecond
	// repliesOf is how many replies a message has.
	repliesOf = 20

	deliverMust, deliverRate, deliverSlower = time.Second, 500, 1.1
)

// outside is where events are sent on to. Each reply is of another person, whose address says
// which it is.
type outside struct {
	http.Server
	// dead says that some endpoints never answer, until released.
	dead     atomic.Bool
	released chan struct{}

	mu     sync.Mutex
	due    map[int]time.Time
	timing *Timing
	// living are those that came to endpoints that answer, last when the last of them did.
	living int
	last   time.Time
}

func newOutside() *outside {
	o := &outside{released: make(chan struct{}), due: make(map[int]time.Time), timing: NewTiming()}
	o.Handler, o.ReadHeaderTimeout = http.HandlerFunc(o.take), 10*time.Second
	return o
}

func (o *outside) take(w http.ResponseWriter, request *http.Request) {
	var body struct {
		Data struct {
			Item struct {
				Person struct {
					Email string `json:"email"`
				} `json:"person"`
			} `json:"item"`
		} `json:"data"`
	}
	if json.NewDecoder(io.LimitReader(request.Body, 1<<20)).Decode(&body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var n, company int
	if _, err := fmt.Sscanf(body.Data.Item.Person.Email, "p%d@company%d", &n, &company); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if company < deliverDead {
		if o.dead.Load() {
			<-o.released
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if due, waits := o.due[n]; waits {
		delete(o.due, n)
		o.timing.Record(time.Since(due))
		o.living, o.last = o.living+1, time.Now()
	}
	w.WriteHeader(http.StatusNoContent)
}

// begin counts and times anew.
func (o *outside) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.due, o.timing, o.living = make(map[int]time.Time), NewTiming(), 0
}

// await waits until so many came to endpoints that answer.
func (o *outside) await(ctx context.Context, living int) (timing *Timing, last time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, notifyWait)
	defer cancel()
	for {
		o.mu.Lock()
		came, timing, last := o.living, o.timing, o.last
		o.mu.Unlock()
		if came >= living {
			return timing, last, nil
		}
		if wait(ctx, 10*time.Millisecond) != nil {
			return nil, last, fmt.Errorf("%d of %d deliveries came within %v", came, living, notifyWait)
		}
	}
}

// delivers measures how many events a second are sent on to endpoints of which some are
// dead, and how long one takes that nothing waits for.
func (c *Notify) delivers(ctx context.Context, env Env) (_ string, err error) {
	if c.Deliveries == 0 {
		return "", nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address := listener.Addr().String()
	o := newOutside()
	var serving errgroup.Group
	serving.Go(func() error { return o.Serve(listener) })
	defer func() {
		_ = o.Close() // that ends serving, with ErrServerClosed
		_ = serving.Wait()
	}()
	server, err := serveChild(ctx, filepath.Join(c.Data, "delivered"), "127.0.0.1:0", "--outbound-allow", address)
	if err != nil {
		return "", err
	}
	defer func() {
		close(o.released)
		err = errors.Join(err, server.stop())
	}()
	client, err := server.client(ctx, notifyWorkspace)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	fmt.Fprintf(env.Err, "events are sent on to %d endpoints …\n", deliverEndpoints)
	for n := range deliverEndpoints {
		err := client.Call(ctx, http.MethodPut, fmt.Sprintf("/v1/endpoints/e%d", n), map[string]any{
			"kind": "webhook", "url": fmt.Sprintf("http://%s/%d", address, n), "search": fmt.Sprintf("replies from company%d.example", n),
		}, nil)
		if err != nil {
			return "", err
		}
	}
	run := &deliverRun{client: client, outside: o}
	paced := min(int(deliverPaced*deliverFor.Seconds()), c.Deliveries)
	// The first of all pays for what is read and opened once.
	if _, _, err := run.send(ctx, paced/4, deliverPaced); err != nil {
		return "", err
	}
	quiet, _, err := run.send(ctx, paced, deliverPaced)
	if err != nil {
		return "", err
	}
	o.dead.Store(true)
	beside, _, err := run.send(ctx, paced, deliverPaced)
	if err != nil {
		return "", err
	}
	_, rate, err := run.send(ctx, c.Deliveries, 0)
	if err != nil {
		return "", err
	}
	found := delivered{quiet: quiet, beside: beside, rate: rate}
	found.figures(env.Found)
	var out strings.Builder
	fmt.Fprintf(&out, "| from an event to a webhook, %d a second to %d endpoints, %d of them dead | %s | p99 %s |\n", deliverPaced, deliverEndpoints, deliverDead, beside, deliverMust)
	fmt.Fprintf(&out, "| its p99 beside that without the dead | %.2f times %s | %.1f |\n", found.slower(), round(quiet.Percentile(99)), deliverSlower)
	fmt.Fprintf(&out, "| %d events at once, posted, indexed and delivered | %.0f deliveries a second | %d |\n", c.Deliveries, rate, deliverRate)
	return out.String(), nil
}

// delivered is how long deliveries took, without dead endpoints and beside them, and how many there
// are a second.
type delivered struct {
	quiet, beside *Timing
	rate          float64
}

// slower is how many times as long one takes beside dead endpoints.
func (d delivered) slower() float64 {
	return float64(d.beside.Percentile(99)) / float64(d.quiet.Percentile(99))
}

func (d delivered) figures(into *figures.Found) {
	into.Add(figureDeliverTime, "ms", milliseconds(d.beside.Percentile(99)))
	into.Add(figureDeliverRate, "deliveries/s", d.rate)
	into.Add(figureDeliverSlower, "", d.slower())
}

// deliverRun posts replies.
type deliverRun struct {
	client  *apiclient.Client
	outside *outside
	posted  int
}

// send posts so many replies, so many a second or all at once, and waits until those are
// delivered that come to endpoints that answer: how long each took from when it was due, and how
// many a second there were.
func (r *deliverRun) send(ctx context.Context, count, rate int) (*Timing, float64, error) {
	if err := r.messages(ctx, count); err != nil {
		return nil, 0, err
	}
	r.outside.begin()
	began, living := time.Now(), 0
	step := notifyBatch
	if rate > 0 {
		step = int(float64(rate) * deliverStep.Seconds())
	}
	var posts errgroup.Group
	posts.SetLimit(8)
	for first := 0; first < count; first += step {
		due := time.Now()
		if rate > 0 {
			due = began.Add(time.Duration(first) * time.Second / time.Duration(rate))
			if err := wait(ctx, time.Until(due)); err != nil {
				return nil, 0, errors.Join(err, posts.Wait())
			}
		}
		batch := make([]map[string]any, 0, step)
		r.outside.mu.Lock()
		for n := r.posted; n < r.posted+min(step, count-first); n++ {
			if n%deliverEndpoints >= deliverDead {
				r.outside.due[n] = due
				living++
			}
			batch = append(batch, map[string]any{
				"id": fmt.Sprintf("reply-%d", n), "type": "reply", "time": due.UTC().Format(time.RFC3339), "user": "u_0",
				"message":   fmt.Sprintf("m-%d", n/repliesOf),
				"recipient": map[string]string{"email": fmt.Sprintf("p%d@company%d.example", n, n%deliverEndpoints)},
			})
		}
		r.outside.mu.Unlock()
		r.posted += len(batch)
		posts.Go(func() error { return r.client.Call(ctx, http.MethodPost, "/v1/events", batch, nil) })
	}
	if err := posts.Wait(); err != nil {
		return nil, 0, err
	}
	timing, last, err := r.outside.await(ctx, living)
	return timing, float64(living) / last.Sub(began).Seconds(), err
}

// messages posts what the next replies answer.
func (r *deliverRun) messages(ctx context.Context, count int) error {
	var sends []map[string]any
	for n := r.posted / repliesOf; n <= (r.posted+count)/repliesOf; n++ {
		sends = append(sends, map[string]any{
			"id": fmt.Sprintf("send-%d", n), "type": "send", "time": time.Now().UTC().Format(time.RFC3339), "user": "u_0", "message": fmt.Sprintf("m-%d", n),
			"subject": "Pricing", "recipients": []any{map[string]string{"email": "jo@acme.example"}},
		})
	}
	return r.client.Call(ctx, http.MethodPost, "/v1/events", sends, nil)
}
