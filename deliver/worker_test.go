package deliver_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tidings/deliver"
	"tidings/event"
	"tidings/outbound"
)

func TestMain(m *testing.M) {
	// Each case writes to the disk some hundred times; -rapid.checks asks for more.
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// house is a worker over a real outbox, with a receiver outside.
type house struct {
	t      *testing.T
	outbox deliver.Outbox
	worker *deliver.Worker
	server *httptest.Server

	mu        sync.Mutex
	now       time.Time
	status    func(endpoint string) int
	got       []string // delivery ids as they came in
	endpoints map[string]deliver.Endpoint
	health    map[string]deliver.Health
	gone      map[string]string // why by delivery
	bad       string            // the delivery whose content cannot be made
	observed  []string
}

func (h *house) Tried(kind deliver.Kind, result string, _, late time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.observed = append(h.observed, fmt.Sprintf("%s %s, late %v", kind, result, late))
}

func (h *house) Turned(kind deliver.Kind, mode deliver.Mode) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.observed = append(h.observed, fmt.Sprintf("%s turned %s", kind, mode))
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) Endpoint(_ context.Context, key deliver.EndpointKey) (deliver.Endpoint, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, ok := h.endpoints[key.Endpoint]
	if !ok {
		return e, event.ErrNotFound
	}
	return e, nil
}

func (h *house) Health(_ context.Context, key deliver.EndpointKey, apply func(*deliver.Health)) (deliver.Health, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	health := h.health[key.Endpoint]
	if apply != nil {
		apply(&health)
		h.health[key.Endpoint] = health
	}
	return health, nil
}

// Gone is a device that wants nothing any more.
func (h *house) Gone(_ context.Context, key deliver.EndpointKey) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.endpoints, key.Endpoint)
	return nil
}

func (h *house) Content(_ context.Context, d deliver.Delivery) (deliver.Content, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.ID == h.bad {
		panic("a bad event")
	}
	return deliver.Content{Sentence: "Jo opened your mail"}, h.gone[d.ID], nil
}

func (h *house) receive(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	h.mu.Lock()
	status := h.status
	if r.Header.Get("X-Tidings-Delivery") != "" {
		h.got = append(h.got, r.Header.Get("X-Tidings-Delivery"))
	}
	h.mu.Unlock()
	w.WriteHeader(status(r.URL.Path[1:]))
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{
		t: t, now: time.UnixMilli(1_795_000_000_000), status: func(string) int { return 204 },
		endpoints: map[string]deliver.Endpoint{}, health: map[string]deliver.Health{}, gone: map[string]string{},
	}
	h.server = httptest.NewServer(http.HandlerFunc(h.receive))
	t.Cleanup(h.server.Close)
	h.outbox = openOutbox(t)
	h.worker = h.another(h.outbox)
	return h
}

func (h *house) another(outbox deliver.Outbox) *deliver.Worker {
	allow, err := outbound.ParseAllow([]string{h.server.Listener.Addr().String()})
	require.NoError(h.t, err)
	out := outbound.New(allow)
	h.t.Cleanup(out.HTTP().CloseIdleConnections)
	return deliver.NewWorker(deliver.Config{
		Outbox: outbox, Endpoints: h, Source: h, Sender: deliver.NewSender(out, h.clock), Clock: h.clock, Random: func() float64 { return 0.5 },
		Observer: h,
	})
}

func (h *house) endpoint(name string) {
	h.endpoints[name] = deliver.Endpoint{
		EndpointKey: deliver.EndpointKey{Workspace: "w", Endpoint: name}, Kind: deliver.Webhook, URL: h.server.URL + "/" + name, Enabled: true,
		Secrets: []deliver.SigningSecret{{Text: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},
	}
}

func (h *house) add(endpoint string, n int) {
	h.t.Helper()
	at := h.clock().UnixMilli()
	var all []deliver.Delivery
	for i := range n {
		all = append(all, deliver.Delivery{
			ID: fmt.Sprintf("%s-%02d", endpoint, i), Workspace: "w", Endpoint: endpoint, Type: "open", Reason: "rule", At: at, Due: at, State: deliver.Waiting,
		})
	}
	require.NoError(h.t, h.outbox.Add(h.t.Context(), all))
}

// look looks until nothing is under way and nothing more is due.
func (h *house) look(times int) {
	h.t.Helper()
	for range times {
		require.NoError(h.t, h.worker.Look(h.t.Context()))
		h.worker.Idle()
	}
}

func (h *house) of(state deliver.State) []deliver.Delivery {
	h.t.Helper()
	list, _, err := h.outbox.List(h.t.Context(), "w", deliver.Filter{State: state}, "", 1000)
	require.NoError(h.t, err)
	return list
}

// What cannot be made into a message ends neither the process nor what is brought beside it.
func TestAPanicOfADeliveryIsItsOwn(t *testing.T) {
	h := newHouse(t)
	h.endpoint("crm")
	h.add("crm", 3)
	h.bad = "crm-01"
	h.look(3)
	require.Len(t, h.of(deliver.Sent), 2)
	h.bad = ""
	h.pass(time.Hour) // its lease ends
	h.look(2)
	require.Len(t, h.of(deliver.Sent), 3)
}

func TestADeadEndpointHoldsUpNobody(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"dead", "fine"} {
		h.endpoint(name)
		h.add(name, 20)
	}
	h.status = func(endpoint string) int {
		if endpoint == "dead" {
			return 500
		}
		return 204
	}
	h.look(5)
	require.Len(t, h.of(deliver.Sent), 20, "four at a time, five times")
	require.Equal(t, deliver.Paused, h.health["dead"].Mode)
	tried := len(h.got) - 20
	require.LessOrEqual(t, tried, 12, "it is left alone for a while")
	h.status = func(string) int { return 204 }
	h.pass(time.Hour)
	h.look(6)
	require.Len(t, h.of(deliver.Sent), 40)
	require.Equal(t, deliver.OK, h.health["dead"].Mode)
}

// However many endpoints of a workspace take a call and never answer it.
func TestAWorkspaceThatWaitsLeavesRoomForOthers(t *testing.T) {
	h := newHouse(t)
	release, came := make(chan struct{}), make(chan string, 100)
	answer := sync.OnceFunc(func() { close(release) })
	defer answer()
	next := func() string {
		select {
		case endpoint := <-came:
			return endpoint
		case <-time.After(time.Minute):
			return "nothing"
		}
	}
	h.status = func(endpoint string) int {
		came <- endpoint
		if endpoint != "fine" {
			<-release
		}
		return 204
	}
	for n := range 20 {
		name := fmt.Sprint("hangs-", n)
		h.endpoint(name)
		h.add(name, 5)
	}
	for range 3 {
		require.NoError(t, h.worker.Look(t.Context()))
	}
	for range 48 {
		require.Contains(t, next(), "hangs-")
	}
	h.endpoint("fine")
	require.NoError(t, h.outbox.Add(t.Context(), []deliver.Delivery{{
		ID: "other", Workspace: "v", Endpoint: "fine", Type: "open", At: h.clock().UnixMilli(), Due: h.clock().UnixMilli(), State: deliver.Waiting,
	}}))
	require.NoError(t, h.worker.Look(t.Context()))
	require.Equal(t, "fine", next())
	answer()
	h.worker.Idle()
	require.Len(t, h.of(deliver.Sent), 48, "three times what is free")
}

// What comes at once is written in few transactions, and each hears what became of its own.
func TestManyResolveAtOnce(t *testing.T) {
	h := newHouse(t)
	key := deliver.EndpointKey{Workspace: "w", Endpoint: "crm"}
	h.add("crm", 40)
	lease := h.clock().Add(time.Minute)
	claimed, err := h.outbox.Claim(t.Context(), []deliver.Want{{EndpointKey: key, Most: 40}}, h.clock(), lease)
	require.NoError(t, err)
	var resolving sync.WaitGroup
	for i, d := range claimed {
		d.State, d.Ended = deliver.Sent, d.At
		under := d.Lease
		if i%2 == 1 {
			under--
		}
		resolving.Go(func() {
			err := h.outbox.Resolve(t.Context(), d, under)
			if i%2 == 1 && !errors.Is(err, event.ErrConflict) || i%2 == 0 && err != nil {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	resolving.Wait()
	require.Len(t, h.of(deliver.Sent), 20)
	require.Len(t, h.of(deliver.Waiting), 20)
}

func TestTriesFollowTheScheduleToTheLast(t *testing.T) {
	h := newHouse(t)
	h.endpoint("crm")
	h.add("crm", 1)
	h.status = func(string) int { return 500 }
	begun := h.clock()
	for len(h.of(deliver.Waiting)) > 0 {
		h.look(1)
		if list := h.of(deliver.Waiting); len(list) > 0 {
			h.pass(time.UnixMilli(list[0].Due).Sub(h.clock()))
		}
	}
	failed := h.of(deliver.Failed)
	require.Len(t, failed, 1)
	require.Len(t, failed[0].Tries, 8)
	require.Equal(t, 27*time.Hour+35*time.Minute+5*time.Second, h.clock().Sub(begun))
	require.Equal(t, 500, failed[0].Tries[7].Status)
	require.Empty(t, failed[0].Tries[7].Answer, "a private host's answer is nobody's business")
}

func TestNothingIsSentThatMayNotBeSentAnyMore(t *testing.T) {
	h := newHouse(t)
	h.endpoint("crm")
	h.endpoint("off")
	off := h.endpoints["off"]
	off.Enabled = false
	h.endpoints["off"] = off
	h.add("crm", 2)
	h.add("off", 1)
	h.add("deleted", 1)
	h.gone["crm-00"] = "it was withdrawn: a scanner did it"
	h.look(1)
	require.Equal(t, []string{"crm-01"}, h.got)
	why := map[string]string{}
	for _, d := range h.of(deliver.Cancelled) {
		why[d.ID] = d.Why
	}
	require.Equal(t, map[string]string{"crm-00": "it was withdrawn: a scanner did it", "off-00": "the endpoint is switched off", "deleted-00": "the endpoint was deleted"}, why)

	h.health["crm"] = deliver.Health{Mode: deliver.Disabled}
	h.add("crm", 4)
	h.look(1)
	require.Len(t, h.of(deliver.Failed), 2)
	require.Len(t, h.got, 1)
}

func TestA410DisablesAtOnce(t *testing.T) {
	h := newHouse(t)
	h.endpoint("crm")
	h.add("crm", 1)
	h.status = func(string) int { return 410 }
	h.look(1)
	require.Equal(t, deliver.Disabled, h.health["crm"].Mode)
	require.Len(t, h.of(deliver.Failed), 1)
}

// Who runs it is told of each try, of how late it began, and of an endpoint when it turns.
func TestTriesAndTurnsAreObserved(t *testing.T) {
	h := newHouse(t)
	h.endpoint("crm")
	h.add("crm", 1)
	h.pass(time.Minute)
	h.look(1)
	require.Equal(t, []string{"webhook sent, late 1m0s"}, h.observed, "it was well before")
	h.observed = nil
	h.status = func(string) int { return 410 }
	require.NoError(t, h.outbox.Add(t.Context(), []deliver.Delivery{{
		ID: "next", Workspace: "w", Endpoint: "crm", Type: "open", Reason: "rule", At: h.now.UnixMilli(), Due: h.now.UnixMilli(), State: deliver.Waiting,
	}}))
	h.look(1)
	require.Equal(t, []string{"webhook failed, late 0s", "webhook turned disabled"}, h.observed)
}

// More may end in an hour than is deleted at once.
func TestAllThatEndedLongAgoIsDeleted(t *testing.T) {
	h := newHouse(t)
	h.add("off", 2500) // There is no such endpoint.
	_, err := h.outbox.Change(t.Context(), "w", deliver.Filter{}, func(d *deliver.Delivery) bool {
		d.State, d.Ended = deliver.Cancelled, d.At
		return true
	})
	require.NoError(t, err)
	h.pass(deliver.KeepFor + time.Second)
	h.endpoint("crm")
	h.add("crm", 1)
	require.NoError(t, h.worker.Expire(t.Context()))
	require.Len(t, h.of(""), 1)
}

var errKilled = errors.New("killed")

// dying is an outbox of a process that is killed before the n-th of its calls, or right
// after it.
type dying struct {
	deliver.Outbox
	left  int
	after bool
}

func (d *dying) step(do func() error) error {
	if d.left--; d.left == 0 && d.after {
		return errors.Join(do(), errKilled)
	}
	if d.left <= 0 {
		return errKilled
	}
	return do()
}

func (d *dying) Claim(ctx context.Context, wants []deliver.Want, now, lease time.Time) (claimed []deliver.Delivery, err error) {
	err = d.step(func() error {
		claimed, err = d.Outbox.Claim(ctx, []deliver.Want{{EndpointKey: wants[0].EndpointKey, Most: 1}}, now, lease)
		return err
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

func (d *dying) Resolve(ctx context.Context, one deliver.Delivery, lease int64) error {
	return d.step(func() error { return d.Outbox.Resolve(ctx, one, lease) })
}

// A process is killed before or after each of its steps, again and again: everything
// arrives, and each kill costs at most one more of the same id.
func TestKillsLoseNothingAndDoubleLittle(t *testing.T) {
	h := newHouse(t)
	h.endpoint("crm")
	kills := 0
	for round := range 60 {
		h.add("crm", round+1) // what is there stays as it is
		for _, after := range []bool{false, true} {
			doomed := &dying{Outbox: h.outbox, left: 1 + round%5, after: after}
			worker := h.another(doomed)
			for range 5 {
				_ = worker.Look(t.Context())
				worker.Idle()
			}
			if doomed.left <= 0 {
				kills++
			}
			h.pass(2 * time.Minute) // The lease ends.
		}
	}
	h.look(60)
	require.Len(t, h.of(deliver.Sent), 60)
	times := map[string]int{}
	for _, id := range h.got {
		times[id]++
	}
	require.Len(t, times, 60)
	require.Greater(t, kills, 40)
	require.LessOrEqual(t, len(h.got), 60+kills)
}
