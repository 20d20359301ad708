package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/apiclient"
	"tidings/faulty"
	"tidings/store/elastic"
)

// cluster is what Processes measures.
type cluster struct {
	*Processes
	n    int
	last bool
	dir  string

	nats    []*clustered
	apis    []*clustered
	workers []*clustered // indexers
	mongo   *faulty.Secantus
	line    *faulty.Line // to Elasticsearch
	raw     rawElastic
	prefix  string
	stores  []string
	key     string

	book *faultBook
	made atomic.Int64
	// limit is how many events work sends; 0 for as many as until rest.
	limit int
	stop  context.CancelFunc
	load  errgroup.Group
}

// clustered is a process that can be started again as it was.
type clustered struct {
	*child
	command []string
	// before is what the processes that it was have used.
	before time.Duration
}

func (c *clustered) start(ctx context.Context) (err error) {
	c.child, err = startChild(ctx, nil, "", c.command...)
	return err
}

// again ends the process by end, and starts it.
func (c *clustered) again(ctx context.Context, end func() error) error {
	c.before += c.processorTime()
	if err := end(); err != nil {
		return err
	}
	return c.start(ctx)
}

// start starts everything. What it returns has to be ended, also with an error.
func (p *Processes) start(ctx context.Context, dir string, n int) (*cluster, error) {
	c := &cluster{Processes: p, n: n, last: n == p.Counts[len(p.Counts)-1], dir: dir, book: newFaultBook()}
	for _, step := range []func(context.Context) error{c.startStores, c.startNATS, c.startServers} {
		if err := step(ctx); err != nil {
			return c, err
		}
	}
	return c, nil
}

// startStores starts the server of MongoDB's protocol and a line to Elasticsearch.
func (c *cluster) startStores(ctx context.Context) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	config, err := elastic.ParseURL(c.Index)
	if err != nil {
		return err
	}
	c.prefix = "processes-" + strings.ToLower(rand.Text()[:8])
	c.raw = rawElastic{node: config.Nodes[0], username: config.Username, password: config.Password, over: http.DefaultTransport}
	if c.line, err = faulty.NewLine(config.Nodes[0].Host); err != nil {
		return err
	}
	index := url.URL{Scheme: "elasticsearch", Host: c.line.Address(), Path: "/" + c.prefix}
	if config.Username != "" {
		index.User = url.UserPassword(config.Username, config.Password)
	}
	if c.mongo, err = faulty.StartSecantus(ctx, faulty.FindSecantus(), filepath.Join(c.dir, "mongo")); err != nil {
		return err
	}
	c.stores = []string{"--index", index.String(), "--state", "mongodb://" + c.mongo.Address + "/processes?directConnection=true"}
	return nil
}

// startNATS starts the servers that keep each stream three times.
func (c *cluster) startNATS(ctx context.Context) error {
	ports, err := freePorts(ctx, 2*processesNATS)
	if err != nil {
		return err
	}
	self := []string{"bench", "processes", "--member"}
	var starting errgroup.Group
	var addresses []string
	for i := range processesNATS {
		member, err := json.Marshal(faulty.Member{
			Name: fmt.Sprint("nats-", i), Storage: filepath.Join(c.dir, fmt.Sprint("nats-", i)),
			Port: ports[i], Cluster: ports[processesNATS+i], Routes: ports[processesNATS:],
		})
		if err != nil {
			return err
		}
		one := &clustered{command: append(self[:len(self):len(self)], string(member))}
		c.nats = append(c.nats, one)
		addresses = append(addresses, fmt.Sprint("nats://127.0.0.1:", ports[i]))
		starting.Go(func() error { return one.start(ctx) })
	}
	c.stores = append(c.stores, "--stream", strings.Join(addresses, ","), "--stream-replicas", fmt.Sprint(processesNATS), "--stream-bytes", fmt.Sprint(256<<20))
	return starting.Wait()
}

// startServers makes a key, and starts the APIs and indexers.
func (c *cluster) startServers(ctx context.Context) error {
	said := ""
	for range 30 { // until the NATS servers have chosen who leads
		var err error
		said, err = tidings(ctx, nil, append([]string{"keys", "create", "--workspace", faultWorkspace, "--role", "admin"}, c.stores...)...)
		lines := strings.Split(strings.TrimSpace(said), "\n")
		if c.key = lines[len(lines)-1]; err == nil {
			break
		}
		c.key = ""
		if err := wait(ctx, time.Second); err != nil {
			return err
		}
	}
	if c.key == "" {
		return fmt.Errorf("make a key: %s", said)
	}
	ports, err := freePorts(ctx, 2*c.n)
	if err != nil {
		return err
	}
	for i := range c.n {
		for role, at := range map[string]int{"api": ports[i], "indexer": ports[c.n+i]} {
			one := &clustered{command: append([]string{role, "--listen", fmt.Sprint("127.0.0.1:", at)}, c.stores...)}
			if role == "api" {
				one.command = append(one.command, "--drain", "1s")
				c.apis = append(c.apis, one)
			} else {
				c.workers = append(c.workers, one)
			}
			if err := one.start(ctx); err != nil {
				return fmt.Errorf("start %s: %w", role, err)
			}
		}
	}
	return nil
}

// freePorts are ports of loopback that nobody uses now.
func freePorts(ctx context.Context, n int) (ports []int, err error) {
	for range n {
		listener, listening := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if listening != nil {
			return nil, errors.Join(err, listening)
		}
		defer func() { err = errors.Join(err, listener.Close()) }()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// end ends what runs, and removes what lies in Elasticsearch.
func (c *cluster) end(ctx context.Context) error {
	err := c.rest()
	for _, group := range [][]*clustered{c.apis, c.workers, c.nats} {
		for _, one := range group {
			if one.child != nil {
				err = errors.Join(err, one.kill())
			}
		}
	}
	if c.mongo != nil {
		err = errors.Join(err, c.mongo.Kill())
	}
	if c.line != nil {
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, c.line.Close(), c.raw.removeIndices(cleaning, c.prefix), c.raw.removeTemplate(cleaning, c.prefix))
	}
	return err
}

// used is what each of kinds has used of processors.
func (c *cluster) used() []time.Duration {
	var all []time.Duration
	for _, group := range [][]*clustered{c.apis, c.workers, c.nats} {
		var used time.Duration
		for _, one := range group {
			used += one.before + one.processorTime()
		}
		all = append(all, used)
	}
	return append(all, processorTimeOf(c.IndexPID), processorTimeOf(c.mongo.PID()))
}

// client asks one of the APIs.
func (c *cluster) client(i int) *apiclient.Client {
	client := apiclient.New("http://"+c.apis[i].command[2], c.key)
	client.HTTP.Timeout = 30 * time.Second
	return client
}

// work has senders post to the APIs in turn, each request until it is acknowledged.
func (c *cluster) work(ctx context.Context, pace time.Duration) {
	ctx, c.stop = context.WithCancel(ctx)
	c.load = errgroup.Group{}
	for range max(1, c.Senders) {
		c.load.Go(func() error {
			for ctx.Err() == nil {
				n := int(c.made.Add(1))
				if c.limit > 0 && n*faultBatch > c.limit {
					return nil
				}
				c.post(ctx, n, faultEvents(n, 0))
				pause(ctx, pace)
			}
			return nil
		})
	}
}

// post sends a request to one API, and to the next where that fails.
func (c *cluster) post(ctx context.Context, n int, post faultPost) {
	c.book.offer(post)
	for ctx.Err() == nil {
		var receipt struct {
			IDs []string `json:"ids"`
		}
		err := c.client(n%c.n).Call(ctx, http.MethodPost, "/v1/events?ids=1", post.events, &receipt)
		if err == nil {
			c.book.acknowledge(post, receipt.IDs)
			c.book.answered(http.StatusAccepted)
			return
		}
		status := 0
		if refused := (*apiclient.Error)(nil); errors.As(err, &refused) {
			status = refused.Status
		}
		if ctx.Err() == nil {
			c.book.answered(status)
		}
		n++
		pause(ctx, 20*time.Millisecond)
	}
}

// rest ends the load.
func (c *cluster) rest() error {
	c.limit = 0
	if c.stop == nil {
		return nil
	}
	c.stop()
	c.stop = nil
	return c.load.Wait()
}

// grow waits until so many more events are acknowledged.
func (c *cluster) grow(ctx context.Context, n int) error {
	before := c.book.size()
	return c.await(ctx, "events are taken", func() bool { return c.book.size() >= before+n })
}

// awaitIndexed waits until nothing waits in the queue.
func (c *cluster) awaitIndexed(ctx context.Context) error {
	return c.await(ctx, "all is indexed", func() bool {
		none := false
		err := c.client(0).Read(ctx, "/metrics", func(body io.Reader) error {
			text, err := io.ReadAll(body)
			none = bytes.Contains(text, []byte("\ntidings_queue_waiting_events 0\n"))
			return err
		})
		return err == nil && none
	})
}

func (c *cluster) await(ctx context.Context, what string, so func() bool) error {
	r := faultRun{}
	return r.await(ctx, what, so)
}

// restartAll ends each process of ours in order, and starts it again.
func (c *cluster) restartAll(ctx context.Context) error {
	for _, group := range [][]*clustered{c.apis, c.workers} {
		for _, one := range group {
			if err := errors.Join(one.again(ctx, func() error { return one.stop() }), wait(ctx, processesApart)); err != nil {
				return err
			}
		}
	}
	return nil
}

// killEach kills each process of a kind in turn, and starts it again.
func (c *cluster) killEach(kind string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, one := range map[string][]*clustered{"api": c.apis, "indexer": c.workers, "nats": c.nats}[kind] {
			if err := errors.Join(one.again(ctx, one.kill), wait(ctx, processesApart)); err != nil {
				return err
			}
		}
		return nil
	}
}

func (c *cluster) killMongo(ctx context.Context) error {
	return errors.Join(c.mongo.Kill(), wait(ctx, processesApart), c.mongo.Start(ctx))
}

func (c *cluster) cutElastic(ctx context.Context) error {
	c.line.Cut()
	err := wait(ctx, processesApart)
	c.line.Restore()
	return err
}
