package stream

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
	"tidings/indexer"
	"tidings/live"
)

var (
	_ indexer.Queue     = (*Stream)(nil)
	_ indexer.Announcer = (*Stream)(nil)
	_ indexer.Delivery  = (*delivery)(nil)
	_ live.Log          = (*Stream)(nil)
)

// Stream is an open set of streams. It is safe for concurrent use.
type Stream struct {
	cfg    Config
	server *embeddedServer // nil when the server runs elsewhere
	conn   *nats.Conn
	js     jetstream.JetStream
	link   *link

	attempts jetstream.KeyValue
	leases   jetstream.KeyValue
	holder   string // who we are to other holders of leases

	// events has a committer a lane: what is live waits for no batch of an import.
	events    map[event.Lane]*committer
	announced *committer
	triggered *committer
	// triggersBehind is what was last seen of triggers that wait; nil where none are taken.
	triggersBehind atomic.Pointer[TriggersBehind]
	allowance      *allowance
	shares         shares
	packs          packs
	lanes          [len(lanes)]*lane
	// lost is what was missing when the queue was opened, nil for nothing.
	lost    *event.Degraded
	pulling sync.Once // starts the lanes at the first Pull
	figures figures
	counts  counts

	// stop ends what runs in the background; running waits for it.
	stopped context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
	closing sync.Once
}

// counts are what has been done since Open.
type counts struct {
	published, diverted           atomic.Uint64
	given, acked, retried, failed atomic.Uint64
	dead, held                    atomic.Uint64
	trimmed, announced            atomic.Uint64
}

// Open opens the streams of a directory or of a server, making what is not
// there yet. It returns ErrUnavailable when the server does not answer.
func Open(ctx context.Context, cfg Config) (*Stream, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Stream{cfg: cfg, link: newLink()}
	s.allowance = newAllowance(cfg)
	s.figures.full = make(chan struct{}, 1)
	s.packs.markUnsure()
	s.stopped, s.stop = context.WithCancel(context.Background())
	if err := s.connect(ctx); err != nil {
		s.disconnect()
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		s.disconnect()
		return nil, err
	}
	if err := s.begin(ctx); err != nil {
		s.disconnect()
		return nil, err
	}
	s.start()
	return s, nil
}

// connect reaches the server, starting it first when it is our own.
func (s *Stream) connect(ctx context.Context) error {
	options := []nats.Option{
		nats.Name("tidings"),
		nats.MaxReconnects(-1),
		// What is published while the server is away must fail at once and not
		// be sent later, out of its batch.
		nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			s.link.down()
			// A server that comes back may not know what it had given out.
			s.figures.givenBefore.Store(math.MaxUint64)
			if err != nil {
				s.cfg.Logger.Warn("connection to NATS lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			s.link.up()
			s.cfg.Logger.Info("connection to NATS is back")
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			s.cfg.Logger.Warn("NATS reports an error", "error", err)
		}),
	}
	if s.cfg.Credentials != "" {
		options = append(options, nats.UserCredentials(s.cfg.Credentials))
	}
	if s.cfg.Dir != "" {
		server, err := startServer(ctx, s.cfg.Dir, s.cfg.Logger)
		if err != nil {
			return err
		}
		s.server = server
		options = append(options, nats.InProcessServer(server), nats.ReconnectWait(embeddedReconnect))
	}
	conn, err := nats.Connect(s.cfg.URL, options...)
	if err != nil {
		return unavailable("stream: connect", err)
	}
	s.conn, s.holder = conn, nats.NewInbox()
	s.js, err = jetstream.New(conn, jetstream.WithPublishAsyncTimeout(commitTimeout))
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	return nil
}

// start runs what works in the background until Close.
func (s *Stream) start() {
	s.events = make(map[event.Lane]*committer, len(lanes))
	s.announced = newCommitter(s.js, s.link, s.stopped, s.cfg.BatchBytes)
	s.triggered = newCommitter(s.js, s.link, s.stopped, s.cfg.BatchBytes)
	for i, name := range lanes {
		s.lanes[i] = newLane(s, name)
		s.events[name] = newCommitter(s.js, s.link, s.stopped, s.cfg.BatchBytes)
		s.events[name].packs = &s.packs
		s.running.Go(s.events[name].run)
	}
	s.running.Go(s.announced.run)
	s.running.Go(s.triggered.run)
	s.running.Go(s.observe)
}

// Close gives back what was pulled and not handled, ends what was begun and
// closes the streams. What is published from now on is refused.
func (s *Stream) Close() error {
	s.closing.Do(func() {
		s.stop()
		s.running.Wait()
		for _, l := range s.lanes {
			l.giveBack()
		}
		// Acknowledgements are sent without waiting: see that they arrive.
		if s.conn.IsConnected() {
			_ = s.conn.FlushTimeout(commitTimeout)
		}
		s.noteAtEnd()
		s.disconnect()
	})
	return nil
}

// noteAtEnd notes what the queue has once nothing comes in any more.
//
//nolint:contextcheck // it is done when the contexts of others have ended
func (s *Stream) noteAtEnd() {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	if err := s.noteLast(ctx, true); err != nil {
		s.cfg.Logger.Debug("what the queue has is not noted", "error", err)
	}
}

func (s *Stream) disconnect() {
	s.stop()
	s.link.down()
	if s.js != nil {
		s.js.CleanupPublisher()
	}
	if s.conn != nil {
		s.conn.Close()
	}
	if s.server != nil {
		s.server.shutdown()
	}
}
