package stream

import (
	"context"
	"fmt"
	"log/slog"
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
	// lowDisk is the free room below which nothing is taken in: a server that
	// meets a full disk stops writing until it is started again. It is a
	// twentieth of a disk that is small.
	lowDisk = 256 << 20
)

// startServer runs a NATS server in this process: no port, no signal handling,
// and every write synced before it is acknowledged.
func startServer(ctx context.Context, dir string, logger *slog.Logger) (*server.Server, error) {
	srv, err := server.NewServer(&server.Options{
		ServerName:             "tidings",
		DontListen:             true,
		NoSigs:                 true,
		NoSystemAccount:        true,
		JetStream:              true,
		StoreDir:               dir,
		SyncAlways:             true,
		JetStreamMaxMemory:     64 << 20,
		JetStreamMaxStore:      unbounded,
		MaxPayload:             maxPayload,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, fmt.Errorf("stream: in-process server: %w", err)
	}
	srv.SetLoggerV2(serverLog{logger}, false, false, false)
	srv.Start()
	for !srv.ReadyForConnections(100 * time.Millisecond) {
		if ctx.Err() != nil || !srv.Running() {
			srv.Shutdown()
			srv.WaitForShutdown()
			return nil, fmt.Errorf("stream: in-process server did not start: %w", event.ErrUnavailable)
		}
	}
	return srv, nil
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
