package cli

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"tidings/api"
	"tidings/feed"
	"tidings/indexer"
	"tidings/rollover"
	"tidings/store/elastic"
	"tidings/store/mongo"
	"tidings/store/sqlite"
	"tidings/stream"
)

// storeFlags say where things are kept that are not in the data directory.
type storeFlags struct {
	State             string `help:"State in MongoDB, a replica set, instead of in the data directory: mongodb://HOST:PORT/DATABASE." placeholder:"URL" group:"Stores"`
	Index             string `help:"Events in Elasticsearch 8 instead of in the data directory: elasticsearch://[USER:PASSWORD@]HOST:PORT[/PREFIX], several hosts separated by commas, elasticsearchs:// for TLS; ?ca=FILE&shards=N&refresh=1s." placeholder:"URL" group:"Stores"`
	Stream            string `help:"Queue on NATS servers instead of in the data directory: nats://HOST:PORT, several separated by commas. They need 2.12 or newer, JetStream and sync_interval: always." placeholder:"URL" group:"Stores"`
	StreamReplicas    int    `help:"How many servers of a NATS cluster keep each stream, 1 to 5; 0 leaves streams as they are and makes new ones with 1." default:"0" placeholder:"N" group:"Stores"`
	StreamBytes       int64  `help:"How many bytes of events the queue holds before it refuses; 0 for 8 GiB, or half of the disk's room where that is less. NATS servers need twice as much." default:"0" placeholder:"BYTES" group:"Stores"`
	StreamCredentials string `help:"NATS credentials file." placeholder:"FILE" type:"existingfile" group:"Stores"`
}

// external reports whether nothing is kept in a data directory.
func (f storeFlags) external() bool { return f.Index != "" && f.State != "" && f.Stream != "" }

// indexStore is an index and what it takes to run it.
type indexStore interface {
	indexer.Index
	indexer.ErasableIndex
	feed.Index
	rollover.Weeks
	rollover.Blocks
	Ping(ctx context.Context) error
	Close() error
}

// stateStore is a state store and what it takes to run it.
type stateStore interface {
	indexer.States
	indexer.Erasures
	indexer.ErasableStates
	feed.States
	feed.Catalogue
	rollover.States
	rollover.Catalogue
	api.Records
	Ping(ctx context.Context) error
	Close() error
}

// Bounds of how long a batch may take. After a crash, what was under way comes
// back after this time; servers elsewhere may be slow without being away.
const (
	ackWait       = 10 * time.Second
	ackWaitRemote = 30 * time.Second
)

func (a *app) openStores(ctx context.Context, s settings) error {
	if err := a.openIndex(s); err != nil {
		return fmt.Errorf("open the index: %w", err)
	}
	if err := a.openState(ctx, s); err != nil {
		return fmt.Errorf("open the state: %w", err)
	}
	if err := a.openStream(ctx, s); err != nil {
		return fmt.Errorf("open the stream: %w", err)
	}
	return nil
}

func (a *app) openIndex(s settings) error {
	if s.Index != "" {
		config, err := elastic.ParseURL(s.Index)
		if err != nil {
			return &usageError{"--index: " + err.Error()}
		}
		config.Transport = s.indexTransport
		index, err := elastic.Open(config)
		if err == nil {
			a.index = index
		}
		return err
	}
	index, err := sqlite.OpenIndex(filepath.Join(s.Data, "weeks"), sqlite.IndexConfig{})
	if err == nil {
		a.index, a.words = index, index
	}
	return err
}

func (a *app) openState(ctx context.Context, s settings) error {
	if s.State != "" {
		if !strings.HasPrefix(s.State, "mongodb://") && !strings.HasPrefix(s.State, "mongodb+srv://") {
			return &usageError{"--state is no address such as mongodb://HOST:PORT/DATABASE"}
		}
		state, err := mongo.Open(ctx, mongo.Config{URL: s.State, Grace: s.Grace})
		if err == nil {
			a.state = state
		}
		return err
	}
	state, err := sqlite.OpenState(filepath.Join(s.Data, "state.db"), sqlite.StateConfig{Grace: s.Grace})
	if err == nil {
		a.state = state
	}
	return err
}

func (a *app) openStream(ctx context.Context, s settings) error {
	config := stream.Config{Backlog: s.Backlog, MaxAttempts: s.MaxAttempts, EventsBytes: s.StreamBytes, Logger: a.log, Tracer: s.tracer}
	if s.Stream == "" {
		config.Dir, config.AckWait = filepath.Join(s.Data, "stream"), ackWait
		if s.Index != "" || s.State != "" {
			config.AckWait = ackWaitRemote
		}
	} else {
		if err := checkAddress("--stream", s.Stream, "nats", "tls"); err != nil {
			return err
		}
		config.URL, config.AckWait = s.Stream, ackWaitRemote
		config.Replicas, config.Credentials = s.StreamReplicas, s.StreamCredentials
	}
	var err error
	a.stream, err = stream.Open(ctx, config)
	return err
}

// checkAddress refuses what is no address of a server, or of several separated
// by commas. What it says holds nothing of the address, which may hold a
// password.
func checkAddress(flag, address string, schemes ...string) error {
	for part := range strings.SplitSeq(address, ",") {
		parsed, err := url.Parse(strings.TrimSpace(part))
		known := false
		for _, scheme := range schemes {
			known = known || err == nil && parsed.Scheme == scheme && parsed.Host != ""
		}
		if !known {
			return &usageError{fmt.Sprintf("%s is no address such as %s://HOST:PORT (a password in it must be percent-encoded)", flag, schemes[0])}
		}
	}
	return nil
}
