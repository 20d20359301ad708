package stream

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"tidings/event"
)

// childNATS tells a copy of the test binary to be a NATS server with a
// configuration file.
const childNATS = "TIDINGS_STREAM_CHILD_NATS"

// runNATS is a NATS server until it is killed.
func runNATS(config string) {
	options, err := server.ProcessConfigFile(config)
	if err == nil {
		options.NoSigs = true
		var srv *server.Server
		if srv, err = server.NewServer(options); err == nil {
			srv.Start()
			srv.WaitForShutdown()
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

const nodeConfig = `
server_name: %[1]s
listen: %[2]s
jetstream { store_dir: %[3]q, sync_interval: always, max_memory_store: 64MB, max_file_store: 4GB }
cluster { name: test, listen: %[4]s, routes: [%[5]s] }
`

// aCluster is three NATS servers, each a process.
type aCluster struct {
	t         *testing.T
	addresses []string
	configs   []string
	processes []*exec.Cmd
}

func newCluster(t *testing.T) *aCluster {
	const nodes = 3
	free := freeAddresses(t, 2*nodes)
	c := &aCluster{t: t, addresses: free[:nodes], processes: make([]*exec.Cmd, nodes)}
	var routes []string
	for _, address := range free[nodes:] {
		routes = append(routes, `"nats://`+address+`"`)
	}
	for i := range nodes {
		config := filepath.Join(t.TempDir(), "nats.conf")
		text := fmt.Sprintf(nodeConfig, fmt.Sprint("n", i), free[i], t.TempDir(), free[nodes+i], strings.Join(routes, ","))
		require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
		c.configs = append(c.configs, config)
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range nodes {
			c.kill(i)
		}
	})
	return c
}

func freeAddresses(t *testing.T, n int) []string {
	addresses := make([]string, n)
	for i := range addresses {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		addresses[i] = listener.Addr().String()
	}
	return addresses
}

func (c *aCluster) url() string { return "nats://" + strings.Join(c.addresses, ",nats://") }

func (c *aCluster) start(i int) {
	c.processes[i] = exec.Command(os.Args[0], "-test.run=^$")
	c.processes[i].Env = append(os.Environ(), childNATS+"="+c.configs[i])
	c.processes[i].Stderr = os.Stderr
	require.NoError(c.t, c.processes[i].Start())
}

// kill ends a server as a power cut would.
func (c *aCluster) kill(i int) {
	if c.processes[i] == nil {
		return
	}
	_ = c.processes[i].Process.Kill()
	_ = c.processes[i].Wait()
	c.processes[i] = nil
}

// leader is the server that leads EVENTS.
func (c *aCluster) leader(s *Stream) int {
	leader := -1
	require.Eventually(c.t, func() bool {
		events, err := s.stream(c.t.Context(), eventsName)
		if err != nil || events.CachedInfo().Cluster == nil {
			return false
		}
		_, err = fmt.Sscanf(events.CachedInfo().Cluster.Leader, "n%d", &leader)
		return err == nil
	}, clusterPatience, 100*time.Millisecond)
	return leader
}

// whole waits until every server has all of the streams.
func (c *aCluster) whole(s *Stream) {
	require.Eventually(c.t, func() bool {
		for _, name := range []string{eventsName, liveName, deadName} {
			handle, err := s.stream(c.t.Context(), name)
			if err != nil || len(handle.CachedInfo().Cluster.Replicas) != len(c.addresses)-1 {
				return false
			}
			for _, replica := range handle.CachedInfo().Cluster.Replicas {
				if replica.Offline || !replica.Current {
					return false
				}
			}
		}
		return true
	}, clusterPatience, 200*time.Millisecond)
}

// clusterPatience is how long elections and catching up may take.
const clusterPatience = time.Minute

func openCluster(t *testing.T, c *aCluster) *Stream {
	var s *Stream
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var err error
		s, err = Open(ctx, Config{URL: c.url(), Replicas: 3, EventsBytes: 256 << 20, AckWait: 3 * time.Second, Logger: testLogger(t)})
		if err != nil {
			t.Logf("the cluster is not ready: %v", err)
		}
		return err == nil
	}, clusterPatience, 200*time.Millisecond, "the cluster elects a leader")
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// clusterLoad publishes, announces and handles events, and keeps account of them.
type clusterLoad struct {
	mu           sync.Mutex
	acknowledged map[event.ID]bool
	// refused are events that may be there all the same: their batch was not
	// acknowledged, and they were published again.
	refused map[event.ID]bool
	handled map[event.ID]int
	// again counts second deliveries that did not say so.
	again     int
	announced int
}

func (l *clusterLoad) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged)
}

func (l *clusterLoad) publish(ctx context.Context, s *Stream, worker int) {
	for n := 0; ctx.Err() == nil; n += 20 {
		events := someEvents(fmt.Sprint("w", worker), n, 20)
		for ctx.Err() == nil {
			err := s.Publish(ctx, event.LaneLive, events)
			l.mu.Lock()
			for _, e := range events {
				if err == nil {
					l.acknowledged[e.ID] = true
				} else {
					l.refused[e.ID] = true
				}
			}
			l.mu.Unlock()
			if err == nil {
				break
			}
			time.Sleep(50 * time.Millisecond) // as a sender does
		}
	}
}

func (l *clusterLoad) handle(ctx context.Context, s *Stream) {
	for ctx.Err() == nil {
		got, _ := pullAny(ctx, s, 100, time.Second)
		for _, d := range got {
			e, err := d.Event()
			if err != nil {
				continue
			}
			l.mu.Lock()
			if l.handled[e.ID] > 0 && !l.refused[e.ID] && !d.Repeated() {
				l.again++
			}
			l.handled[e.ID]++
			l.mu.Unlock()
			_ = d.Ack()
		}
	}
}

func (l *clusterLoad) missing() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	missing := 0
	for id := range l.acknowledged {
		if l.handled[id] == 0 {
			missing++
		}
	}
	return missing
}

// The leader of three servers is killed under load and comes back, and then the
// next one: nothing acknowledged is lost, and publishing goes on.
func TestAClusterLosesServersUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short, and this runs three servers")
	}
	t.Parallel()
	c := newCluster(t)
	s := openCluster(t, c)
	c.whole(s)
	l := &clusterLoad{acknowledged: map[event.ID]bool{}, refused: map[event.ID]bool{}, handled: map[event.ID]int{}}
	ctx, cancel := context.WithCancel(context.Background())
	var loading, handling sync.WaitGroup
	for worker := range 3 {
		loading.Go(func() { l.publish(ctx, s, worker) })
	}
	handlingCtx, stopHandling := context.WithCancel(context.Background())
	handling.Go(func() { l.handle(handlingCtx, s) })
	heard, stopListening := listen(t, s)

	for range 2 {
		grows(t, l, 200)
		leader := c.leader(s)
		c.kill(leader)
		begun := time.Now()
		grows(t, l, 200)
		t.Logf("publishing went on %v after server %d was killed", time.Since(begun).Round(100*time.Millisecond), leader)
		eventually(t, "announcing goes on", func() bool { return announceOne(s, l) })
		c.start(leader)
		c.whole(s)
	}
	cancel()
	loading.Wait()
	require.Eventually(t, func() bool { return l.missing() == 0 }, clusterPatience, 100*time.Millisecond, "%d acknowledged events are lost", l.missing())
	stopHandling()
	handling.Wait()
	require.Zero(t, l.again, "second deliveries that do not say so")
	eventually(t, "announcements are heard", func() bool { return len(heard.heard()) >= l.announced })
	stopListening()
	for i, entry := range heard.heard() {
		require.Equal(t, heard.heard()[0].Sequence+uint64(i), entry.Sequence, "no gap")
	}
	t.Logf("%d events acknowledged, %d refused and published again", len(l.acknowledged), len(l.refused))
}

func announceOne(s *Stream, l *clusterLoad) bool {
	e := anEvent("acme", l.announced)
	a := event.Announcement{Kind: event.AnnounceEvent, Workspace: e.Workspace, Event: &e}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if s.Announce(ctx, []event.Announcement{a}) != nil {
		return false
	}
	l.announced++
	return true
}

// grows waits until so many more events are acknowledged.
func grows(t *testing.T, l *clusterLoad, by int) {
	t.Helper()
	before := l.size()
	require.Eventually(t, func() bool { return l.size() >= before+by }, clusterPatience, 20*time.Millisecond)
}

// Without a majority nothing is acknowledged, and it is said so; with one it goes
// on.
func TestAClusterWithoutAMajorityRefuses(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short, and this runs three servers")
	}
	t.Parallel()
	c := newCluster(t)
	s := openCluster(t, c)
	c.whole(s)
	publish(t, s, event.LaneLive, someEvents("acme", 0, 50)...)
	c.kill(0)
	c.kill(1)
	eventually(t, "it is refused", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		return s.Publish(ctx, event.LaneLive, someEvents("acme", 100, 20)) != nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	require.ErrorIs(t, s.Publish(ctx, event.LaneLive, someEvents("acme", 100, 20)), event.ErrUnavailable)
	c.start(0)
	c.start(1)
	require.Eventually(t, func() bool {
		return s.Publish(t.Context(), event.LaneLive, someEvents("acme", 100, 20)) == nil
	}, clusterPatience, 200*time.Millisecond)
	seen := map[event.ID]bool{}
	require.Eventually(t, func() bool {
		got, _ := pullAny(t.Context(), s, 100, time.Second)
		for _, d := range got {
			seen[decode(t, d).ID] = true
			_ = d.Ack()
		}
		return len(seen) == 70
	}, clusterPatience, 10*time.Millisecond)
}

// A process that names no number of replicas leaves what is there as it is.
func TestReplicasStayAsTheyAre(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short, and this runs three servers")
	}
	t.Parallel()
	c := newCluster(t)
	openCluster(t, c)
	openIn(t, Config{URL: c.url(), EventsBytes: 256 << 20})
	conn, err := nats.Connect(c.url())
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	for _, name := range []string{eventsName, liveName, deadName, bucketPrefix + attemptsBucket, bucketPrefix + leasesBucket} {
		handle, err := js.Stream(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, 3, handle.CachedInfo().Config.Replicas, name)
	}
}
