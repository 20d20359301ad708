package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/faulty"
	"tidings/store/mongo/mongotest"
)

// topology is what docker-compose.yml runs, as processes on this machine: two
// APIs behind a balancer, two indexers, and the servers they share.
type topology struct {
	t        *testing.T
	stores   []string // flags
	balancer *balancer
	address  string // of the balancer
	key      string
	drain    time.Duration
	// messages are how many a batch is about.
	messages int
	// patient says that what fails is tried again until it does not.
	patient bool
}

func startTopology(t *testing.T) *topology {
	if testing.Short() {
		t.Skip("skipped: -short, and this runs seven servers")
	}
	state := mongotest.Start(t).URL(t)
	index := strings.TrimSuffix(elasticServer.URL(t), "/") + fmt.Sprintf("/topology-%d?refresh=200ms", rand.Uint32())
	x := &topology{
		t: t, balancer: newBalancer(t), drain: time.Second, messages: 5,
		stores: []string{"--index", index, "--state", state, "--stream", startNATS(t).URL()},
	}
	front := httptest.NewServer(x.balancer)
	t.Cleanup(front.Close)
	x.address = strings.TrimPrefix(front.URL, "http://")
	x.key = x.createKey("w", "admin")
	return x
}

// startNATS starts a server that can go away, until the test is over.
func startNATS(t *testing.T) *faulty.NATS {
	n, err := faulty.StartNATS(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(n.Stop)
	return n
}

func (x *topology) createKey(workspace, role string) string {
	args := append([]string{"keys", "create", "--workspace", workspace, "--role", role}, x.stores...)
	command := exec.Command(program(), args...)
	var problem strings.Builder
	command.Stderr = &problem
	out, err := command.Output()
	require.NoError(x.t, err, problem.String())
	return strings.TrimSpace(string(out))
}

func (x *topology) startAPI(listen string) *process {
	p := startProcess(x.t, program(), append([]string{"api", "--listen", listen, "--drain", x.drain.String()}, x.stores...)...)
	x.balancer.add(p.address)
	return p
}

func (x *topology) startIndexer() *process {
	return startProcess(x.t, program(), append([]string{"indexer", "--listen", "127.0.0.1:0"}, x.stores...)...)
}

// balancer leads requests to the APIs that say that they are ready, as a load
// balancer does, and counts those that failed. It tries nothing twice.
type balancer struct {
	proxy  httputil.ReverseProxy
	turn   atomic.Uint64
	failed atomic.Int64

	mu       sync.Mutex
	backends map[string]bool // whether it is ready
}

type backendKey struct{}

func newBalancer(t *testing.T) *balancer {
	b := &balancer{backends: make(map[string]bool)}
	b.proxy = httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: r.In.Context().Value(backendKey{}).(string)})
		},
		ModifyResponse: func(response *http.Response) error {
			if response.StatusCode >= http.StatusInternalServerError {
				b.failed.Add(1)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if !errors.Is(r.Context().Err(), context.Canceled) { // The client is still there.
				b.failed.Add(1)
				t.Logf("%s %s failed: %v", r.Method, r.URL.Path, err)
			}
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { b.watch(ctx) })
	t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
	return b
}

func (b *balancer) add(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends[address] = true
}

// watch asks every API whether it is ready, ten times a second.
func (b *balancer) watch(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	client := http.Client{Timeout: time.Second}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		b.mu.Lock()
		addresses := make([]string, 0, len(b.backends))
		for address := range b.backends {
			addresses = append(addresses, address)
		}
		b.mu.Unlock()
		for _, address := range addresses {
			response, err := client.Get("http://" + address + "/readyz?self=true")
			ready := err == nil && response.StatusCode == http.StatusOK
			if err == nil {
				_ = response.Body.Close()
			}
			b.mu.Lock()
			b.backends[address] = ready
			b.mu.Unlock()
		}
	}
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	var ready []string
	for address, ok := range b.backends {
		if ok {
			ready = append(ready, address)
		}
	}
	b.mu.Unlock()
	if len(ready) == 0 {
		b.failed.Add(1)
		http.Error(w, "no API is ready", http.StatusBadGateway)
		return
	}
	slices.Sort(ready)
	address := ready[b.turn.Add(1)%uint64(len(ready))]
	b.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), backendKey{}, address)))
}

// post posts batches at a steady rate until it is told to stop. Unless it is
// patient nothing is tried twice: what fails, fails the test.
func (x *topology) post(ctx context.Context, book *ledger, worker int) error {
	random := rand.New(rand.NewPCG(11, uint64(worker)))
	since := time.Now().Add(-3 * 7 * 24 * time.Hour).Unix()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for number := 0; ; number++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		batch := someEvents(random, x.messages, worker, number, since)
		body, err := json.Marshal(batch)
		if err != nil {
			return err
		}
		var answer struct{ IDs []string }
		for {
			err := request(http.MethodPost, "http://"+x.address+"/v1/events?ids=1", x.key, "application/json", body, &answer)
			if err == nil {
				break
			}
			if !x.patient {
				return err
			}
			time.Sleep(50 * time.Millisecond) // as a sender does before it tries again
		}
		book.acknowledge(answer.IDs, batch)
	}
}

// read reads pages at the same rate. It does not hold up who posts: while a store
// is away, a page takes seconds to fail.
func (x *topology) read(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var page struct{ Items []any }
		err := request(http.MethodGet, "http://"+x.address+"/v1/feed", x.key, "", nil, &page)
		if err != nil && !x.patient {
			return err
		}
	}
}

// start posts with two workers, and reads with two, until stop is called.
func (x *topology) start(book *ledger) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	for worker := range 2 {
		working.Go(func() {
			if err := x.post(ctx, book, worker); err != nil {
				x.t.Error(err)
			}
		})
		working.Go(func() {
			if err := x.read(ctx); err != nil {
				x.t.Error(err)
			}
		})
	}
	return func() {
		cancel()
		working.Wait()
	}
}

// awaitVisible waits until the index shows as many events as were acknowledged.
func (x *topology) awaitVisible(book *ledger) {
	require.Eventually(x.t, func() bool {
		seen, cursor := 0, ""
		for {
			var page struct {
				Items []any
				Next  *string
			}
			at := "http://" + x.address + "/v1/feed?limit=200&automated=show" + cursor
			if request(http.MethodGet, at, x.key, "", nil, &page) != nil {
				return false
			}
			if seen += len(page.Items); page.Next == nil {
				return seen >= book.size()
			}
			cursor = "&cursor=" + url.QueryEscape(*page.Next)
		}
	}, 2*time.Minute, 500*time.Millisecond)
}

// Every process is restarted in turn while events are posted, pages are read and
// a socket listens.
func TestARollingRestartFailsNoRequestAndLeavesNoGap(t *testing.T) {
	t.Parallel()
	x := startTopology(t)
	apis := []*process{x.startAPI("127.0.0.1:0"), x.startAPI("127.0.0.1:0")}
	indexers := []*process{x.startIndexer(), x.startIndexer()}
	var address atomic.Value
	address.Store(x.address)
	book := newLedger()
	stopLoad := x.start(book)
	heard := listen(t, &address, x.key)
	showsOnlyHowItIs(t, indexers[0])

	for i, api := range apis {
		require.NoError(t, api.stop(), api.output())
		apis[i] = x.startAPI(api.address)
	}
	for i, indexer := range indexers {
		require.NoError(t, indexer.stop(), indexer.output())
		indexers[i] = x.startIndexer()
	}
	indexers[0].kill() // and one is lost
	indexers[0] = x.startIndexer()
	before := book.size()
	require.Eventually(t, func() bool { return book.size() > before }, time.Minute, 50*time.Millisecond)
	stopLoad()
	require.Zero(t, x.balancer.failed.Load(), "requests that failed")

	awaitIndexed(t, x.address)
	x.awaitVisible(book)
	book.check(t, x.address, x.key)
	heard.check(t, book)
	for _, p := range append(apis, indexers...) {
		for _, secret := range []string{x.key, "p0@acme.example", "Ledger m-"} {
			require.NotContains(t, p.output(), secret)
		}
		require.NoError(t, p.stop(), p.output())
	}
}

// showsOnlyHowItIs asks an indexer for what it must and must not answer.
func showsOnlyHowItIs(t *testing.T, p *process) {
	for path, status := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/metrics": 200, "/": 404, "/v1/feed": 404, "/v1/events": 404,
	} {
		response, err := http.Get("http://" + p.address + path)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, status, response.StatusCode, path)
	}
}
