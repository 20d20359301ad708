package app

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"tidings/limit"
	"tidings/store/elastic"
	"tidings/store/mongo"
	"tidings/store/sqlite"
	"tidings/stream"
)

// Bounds of how long a batch may take. After a crash, what was under way comes
// back after this time; servers elsewhere may be slow without being away.
const (
	ackWait       = 10 * time.Second
	ackWaitRemote = 30 * time.Second
)

// ackWait is how long a batch may take before its events are given out again.
func (s Settings) ackWait() time.Duration {
	if s.Index == "" && s.State == "" && s.Stream == "" {
		return ackWait
	}
	return ackWaitRemote
}

// bulkTime is how long a bulk batch should take where an embedded store, which takes
// one writer at a time, makes live events wait for it.
const bulkTime = 100 * time.Millisecond

func bulkTimeOf(s Settings) time.Duration {
	if s.Index != "" && s.State != "" {
		return 0
	}
	return bulkTime
}

// batchOf is how many events the indexer takes at once, 0 for its default.
func batchOf(s Settings) int {
	if s.Small {
		return smallEvents
	}
	return 0
}

func (a *App) openStores(ctx context.Context, s Settings, id string) error {
	if err := a.openIndex(s, id); err != nil {
		return fmt.Errorf("open the index: %w", err)
	}
	if err := a.openState(ctx, s); err != nil {
		return fmt.Errorf("open the state: %w", err)
	}
	if err := a.openOutbox(ctx, s); err != nil {
		return fmt.Errorf("open the outbox: %w", err)
	}
	if err := a.openAudit(ctx, s); err != nil {
		return err
	}
	if err := a.openStream(ctx, s); err != nil {
		return fmt.Errorf("open the stream: %w", err)
	}
	return nil
}

func (a *App) openIndex(s Settings, id string) error {
	if s.Index != "" {
		config, err := elastic.ParseURL(s.Index)
		if err != nil {
			return &SettingsError{"--index: " + err.Error()}
		}
		config.Transport = s.IndexTransport
		index, err := elastic.Open(config)
		if err == nil {
			a.Index = index
		}
		return err
	}
	memory := limit.Memory(s.Memory)
	config := sqlite.IndexConfig{
		Logger: a.log, Installation: id,
		WriterCacheKB: memory.Writer() >> 10, ReaderCacheKB: memory.Reader() >> 10, CountCacheKB: memory.Columns() >> 10, EventCacheKB: memory.Events() >> 10,
	}
	if s.Small {
		config.OpenWeeks, config.Readers = 4, 1
		config.WriterCacheKB, config.ReaderCacheKB, config.CountCacheKB, config.EventCacheKB = 2<<10, 512, 1<<10, 1<<10
	}
	index, err := sqlite.OpenIndex(filepath.Join(s.Data, "weeks"), config)
	if err == nil {
		a.Index, a.Words = index, index
	}
	return err
}

func (a *App) openState(ctx context.Context, s Settings) error {
	if s.State != "" {
		if !strings.HasPrefix(s.State, "mongodb://") && !strings.HasPrefix(s.State, "mongodb+srv://") {
			return &SettingsError{"--state is not an address such as mongodb://HOST:PORT/DATABASE"}
		}
		state, err := mongo.Open(ctx, mongo.Config{URL: s.State, Grace: s.Grace})
		if err != nil {
			return err
		}
		a.State = state
		if !s.Untold {
			decisions, err := state.Notify(ctx)
			if err != nil {
				return err
			}
			a.decisions = decisions
		}
		return nil
	}
	if err := a.openDecisions(ctx, s.Data); err != nil {
		return err
	}
	if s.Untold {
		a.decisions = nil // the file is a part of the directory all the same
	}
	config := sqlite.StateConfig{Grace: s.Grace, CacheKB: limit.Memory(s.Memory).States() >> 10}
	if s.Small {
		config.Readers, config.WriterCacheKB, config.ReaderCacheKB, config.CacheKB = 1, 4<<10, 1<<10, 1<<10
	}
	state, err := sqlite.OpenState(filepath.Join(s.Data, "state.db"), config)
	if err == nil {
		a.State = state
	}
	return err
}

// Bounds of the queue where little is cached.
const (
	// smallBacklog is how many events may wait: so few are read from the blocks that
	// are in memory because they are being written.
	smallBacklog = 1000
	// smallLive is how many bytes of announcements are kept, in blocks half as large
	// as usual. Nobody reads them while such a command runs.
	smallLive = 8 << 20
	// smallBatch is how many bytes are written to the queue at once.
	smallBatch = 768 << 10
	// smallEvents is how many events a batch of the indexer has at most.
	smallEvents = 500
)

func (a *App) openStream(ctx context.Context, s Settings) error {
	config := stream.Config{Backlog: s.Backlog, MaxAttempts: s.MaxAttempts, EventsBytes: s.StreamBytes, Logger: a.log, Tracer: s.Tracer}
	config.AckWait, config.Triggers = s.ackWait(), a.decisions != nil
	if s.Small {
		config.LiveBytes, config.BatchBytes = smallLive, smallBatch
		if s.Backlog == 0 {
			config.Backlog = smallBacklog
		}
	}
	if s.Stream == "" {
		config.Dir = filepath.Join(s.Data, "stream")
	} else {
		if err := checkAddress("--stream", s.Stream, "nats", "tls"); err != nil {
			return err
		}
		config.URL = s.Stream
		config.Replicas, config.Credentials = s.StreamReplicas, s.StreamCredentials
	}
	var err error
	a.Stream, err = stream.Open(ctx, config)
	return err
}

// checkAddress refuses what is no address of a server, or of several separated
// by commas. What it says holds nothing of the address, which may hold a
// password.
func checkAddress(flag, address string, schemes ...string) error {
	i := 0
	for part := range strings.SplitSeq(address, ",") {
		part = strings.TrimSpace(part)
		if i > 0 && !strings.Contains(part, "://") {
			part = schemes[0] + "://" + part // As in nats://a:4222,b:4222.
		}
		i++
		parsed, err := url.Parse(part)
		known := false
		for _, scheme := range schemes {
			known = known || err == nil && parsed.Scheme == scheme && parsed.Host != ""
		}
		if !known {
			return &SettingsError{fmt.Sprintf("%s is not an address such as %s://HOST:PORT (a password in it must be percent-encoded)", flag, schemes[0])}
		}
	}
	return nil
}
