package stream

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"tidings/event"
)

const (
	// maxPayload bounds a message of the in-process server: the largest event,
	// 1,000 recipients with a body, has well under 2 MiB.
	maxPayload = 4 << 20
	// unbounded is more than any disk. The server would refuse to open streams
	// whose bounds add up to more than its own, even if they are nearly empty;
	// we bound each stream instead, by what the disk has.
	unbounded = 1 << 50
	// lowDisk is the free room below which nothing is taken in, so that what
	// was taken in can still be handled. It is a twentieth of a small disk.
	lowDisk = 256 << 20
	// embeddedReconnect is how soon the client looks for the server after it was
	// started again.
	embeddedReconnect = 50 * time.Millisecond
)

// embeddedServer is a NATS server in this process: no port, no signal handling, and
// every write synced before it is acknowledged.
type embeddedServer struct {
	dir     string
	logger  *slog.Logger
	current atomic.Pointer[server.Server]
}

func startServer(ctx context.Context, dir string, logger *slog.Logger) (*embeddedServer, error) {
	o := &embeddedServer{dir: dir, logger: logger}
	return o, o.start(ctx)
}

func (o *embeddedServer) start(ctx context.Context) error {
	if err := onlyFiles(o.dir); err != nil {
		return err
	}
	srv, err := server.NewServer(&server.Options{
		ServerName:             "tidings",
		DontListen:             true,
		NoSigs:                 true,
		NoSystemAccount:        true,
		JetStream:              true,
		StoreDir:               o.dir,
		SyncAlways:             true,
		JetStreamMaxMemory:     64 << 20,
		JetStreamMaxStore:      unbounded,
		MaxPayload:             maxPayload,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("stream: in-process server: %w", err)
	}
	srv.SetLoggerV2(serverLog{o.logger}, false, false, false)
	// It reads the whole queue before Start returns. A damaged block may keep it there.
	started := make(chan struct{})
	go func() {
		defer close(started)
		srv.Start()
	}()
	if err := o.await(ctx, started); err != nil {
		go srv.Shutdown() // Which may not come back either: the process ends.
		return err
	}
	for began := time.Now(); !srv.ReadyForConnections(100 * time.Millisecond); {
		if ctx.Err() != nil || !srv.Running() || time.Since(began) > openTime {
			srv.Shutdown()
			srv.WaitForShutdown()
			return fmt.Errorf("stream: in-process server did not start: %w", event.ErrUnavailable)
		}
	}
	o.current.Store(srv)
	return nil
}

// onlyFiles refuses a folder in the place of a block of the queue: the server would end the
// process, or stand still.
func onlyFiles(dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "*", "msgs", "*"))
	if err != nil {
		return fmt.Errorf("list the blocks of the queue: %w", err)
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			return &event.Cause{Words: path + " is not a file, as a block of the queue must be: put the file back, or move away what is there and " +
				"run tidings stream repair --data DIR, which makes a new queue of what can be read"}
		}
	}
	return nil
}

const (
	// openTime is how long opening the queue may take; 8 GiB take well under a minute.
	openTime = 3 * time.Minute
	// openPatience is after how long it is said that it still goes on.
	openPatience = 15 * time.Second
)

// await waits until the server has read the queue, and says when that takes long.
func (o *embeddedServer) await(ctx context.Context, started <-chan struct{}) error {
	limit, tick := time.NewTimer(openTime), time.NewTicker(openPatience)
	defer limit.Stop()
	defer tick.Stop()
	for began := time.Now(); ; {
		select {
		case <-started:
			return nil
		case <-tick.C:
			o.logger.WarnContext(ctx, "the queue is still being read", "dir", o.dir, "since", time.Since(began).Round(time.Second))
		case <-limit.C:
			return &event.Cause{Words: fmt.Sprintf("the queue in %s could not be read within %v: a block of it may be damaged. "+
				"tidings stream repair --data DIR makes a new queue of what can be read; to go on without what it held, "+
				"start once with --begin-anew=stream", o.dir, openTime)}
		case <-ctx.Done():
			return fmt.Errorf("stream: in-process server did not start: %w: %w", event.ErrUnavailable, ctx.Err())
		}
	}
}

// InProcessConn connects a client to the server that runs now.
func (o *embeddedServer) InProcessConn() (net.Conn, error) {
	if srv := o.current.Load(); srv != nil {
		return srv.InProcessConn()
	}
	return nil, fmt.Errorf("in-process server: %w", event.ErrUnavailable)
}

// sick says why the server cannot write any more, or "". After a failed write,
// a full disk most likely, it refuses until it is started again, even when
// there is room.
func (o *embeddedServer) sick() string {
	srv := o.current.Load()
	if srv == nil {
		return "it does not run"
	}
	if !srv.JetStreamEnabled() {
		return "JetStream is disabled"
	}
	// Healthz gives the accept loop a millisecond to answer: that one says only
	// that this machine is busy.
	health := srv.Healthz(&server.HealthzOptions{})
	if strings.HasPrefix(health.Error, "failed to be ready for connections") && srv.Running() {
		return ""
	}
	return health.Error
}

// restart starts the server again. The client connects to it by itself.
func (o *embeddedServer) restart(ctx context.Context) error {
	o.shutdown()
	return o.start(ctx)
}

func (o *embeddedServer) shutdown() {
	if srv := o.current.Swap(nil); srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

// diskShare is how much of want EVENTS may have in dir, which holds used bytes
// of it already: half of what there is, so that the index has the rest.
func diskShare(dir string, want, used int64) int64 {
	free, _, ok := diskRoom(dir)
	if !ok {
		return want
	}
	return min(want, (free+used)/2)
}

// diskLow reports whether dir has too little room to take anything in.
func diskLow(dir string) bool {
	free, total, ok := diskRoom(dir)
	return ok && free < min(lowDisk, total/20)
}

// serverLog passes on what the in-process server warns of and drops the rest.
type serverLog struct{ to *slog.Logger }

func (l serverLog) Noticef(string, ...any) {}
func (l serverLog) Debugf(string, ...any)  {}
func (l serverLog) Tracef(string, ...any)  {}

func (l serverLog) Warnf(format string, args ...any) {
	l.to.Warn("NATS server warns", "message", fmt.Sprintf(format, args...))
}

func (l serverLog) Errorf(format string, args ...any) {
	l.to.Error("NATS server failed", "message", fmt.Sprintf(format, args...))
}

func (l serverLog) Fatalf(format string, args ...any) {
	l.to.Error("NATS server stopped", "message", fmt.Sprintf(format, args...))
}
