package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"tidings/event"
)

const (
	attemptsBucket = "tidings_attempts"
	leasesBucket   = "tidings_leases"
	// bucketPrefix makes a bucket's name that of its stream.
	bucketPrefix = "KV_"
	// attemptsTTL forgets the attempts of an event that has not failed for so
	// long. It is longer than an event may take over all of its retries.
	attemptsTTL = 7 * 24 * time.Hour

	// deadBytes bounds DEAD. When it is full, events that fail for good are
	// retried until there is room again.
	deadBytes = 1 << 30

	// maxAckPending is how many events of a lane may be out at once, those
	// which wait for a retry included. When it is reached the lane stands
	// still until some end.
	maxAckPending = 20_000

	// incarnationKey is the stream's metadata that names this LIVE.
	incarnationKey = "tidings-incarnation"
)

// prepare makes the streams, consumers and buckets, or brings those that are
// there in line with the configuration.
func (s *Stream) prepare(ctx context.Context) error {
	if err := s.prepareStreams(ctx); err != nil {
		return unavailable("stream: prepare", err)
	}
	for _, name := range lanes {
		if _, err := s.consumer(ctx, name); err != nil {
			return unavailable("stream: prepare lane "+string(name), err)
		}
	}
	if err := s.prepareBuckets(ctx); err != nil {
		return unavailable("stream: prepare", err)
	}
	return nil
}

func (s *Stream) prepareStreams(ctx context.Context) error {
	err := s.prepareStream(ctx, jetstream.StreamConfig{
		Name:               eventsName,
		Subjects:           []string{eventsPrefix + ">"},
		Discard:            jetstream.DiscardNew,
		MaxBytes:           s.cfg.EventsBytes,
		AllowAtomicPublish: true,
	})
	if err != nil {
		return err
	}
	err = s.prepareStream(ctx, jetstream.StreamConfig{
		Name:               liveName,
		Subjects:           []string{livePrefix + ">"},
		Discard:            jetstream.DiscardOld,
		MaxAge:             s.cfg.LiveAge,
		MaxBytes:           s.cfg.LiveBytes,
		AllowAtomicPublish: true,
		Metadata:           map[string]string{incarnationKey: nuid.Next()},
	})
	if err != nil {
		return err
	}
	if s.cfg.Triggers {
		if err := s.prepareStream(ctx, triggersConfig()); err != nil {
			return err
		}
	}
	err = s.prepareStream(ctx, jetstream.StreamConfig{
		Name:              claimsName,
		Subjects:          []string{claimsPrefix + ">"},
		Discard:           jetstream.DiscardOld,
		MaxAge:            claimsAge,
		MaxBytes:          claimsBytes,
		MaxMsgsPerSubject: 1,
	})
	if err != nil {
		return err
	}
	return s.prepareStream(ctx, jetstream.StreamConfig{
		Name:              deadName,
		Subjects:          []string{deadPrefix + ">"},
		Discard:           jetstream.DiscardNew,
		MaxBytes:          deadBytes,
		MaxMsgsPerSubject: 1,
		AllowDirect:       true,
	})
}

func (s *Stream) prepareStream(ctx context.Context, want jetstream.StreamConfig) error {
	want.Storage, want.Replicas = jetstream.FileStorage, max(s.cfg.Replicas, 1)
	used := int64(0)
	existing, err := s.js.Stream(ctx, want.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
	case err != nil:
		return fmt.Errorf("stream %s: %w", want.Name, err)
	default:
		info := existing.CachedInfo()
		used = int64(info.State.Bytes)
		// Metadata that is there stays: the incarnation must outlive us.
		maps.Copy(emptied(&want.Metadata), info.Config.Metadata)
		if s.cfg.Replicas == 0 {
			want.Replicas = info.Config.Replicas
		}
	}
	if want.Name == eventsName {
		if s.server != nil {
			want.MaxBytes = diskShare(s.cfg.Dir, want.MaxBytes, used)
		}
		// A bound below what is there would only be confusing: it removes
		// nothing from a stream that discards what is new.
		want.MaxBytes = max(want.MaxBytes, used)
	}
	made, err := s.js.CreateOrUpdateStream(ctx, want)
	if err != nil {
		return fmt.Errorf("stream %s: %w", want.Name, err)
	}
	if want.AllowAtomicPublish && !made.CachedInfo().Config.AllowAtomicPublish {
		return fmt.Errorf("stream %s: atomic batches need NATS 2.12: %w", want.Name, errors.ErrUnsupported)
	}
	return nil
}

// emptied makes sure that there is a map to write to.
func emptied(m *map[string]string) map[string]string {
	if *m == nil {
		*m = map[string]string{}
	}
	return *m
}

func (s *Stream) prepareBuckets(ctx context.Context) error {
	attempts, err := s.prepareBucket(ctx, jetstream.KeyValueConfig{Bucket: attemptsBucket, TTL: attemptsTTL})
	if err != nil {
		return err
	}
	leases, err := s.prepareBucket(ctx, jetstream.KeyValueConfig{Bucket: leasesBucket})
	if err != nil {
		return err
	}
	// A handle is a name: it serves a bucket that was made again, too.
	if s.attempts == nil {
		s.attempts, s.leases = attempts, leases
	}
	return nil
}

func (s *Stream) prepareBucket(ctx context.Context, want jetstream.KeyValueConfig) (jetstream.KeyValue, error) {
	want.Storage, want.Replicas = jetstream.FileStorage, max(s.cfg.Replicas, 1)
	if s.cfg.Replicas == 0 {
		existing, err := s.js.Stream(ctx, bucketPrefix+want.Bucket)
		switch {
		case err == nil:
			want.Replicas = existing.CachedInfo().Config.Replicas
		case !errors.Is(err, jetstream.ErrStreamNotFound):
			return nil, fmt.Errorf("bucket %s: %w", want.Bucket, err)
		}
	}
	bucket, err := s.js.CreateOrUpdateKeyValue(ctx, want)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", want.Bucket, err)
	}
	return bucket, nil
}

// begin looks at what is there before anything is given out.
func (s *Stream) begin(ctx context.Context) error {
	if err := s.lookForLosses(ctx); err != nil {
		return err
	}
	if s.server != nil {
		if err := s.takeOver(ctx); err != nil {
			return unavailable("stream: take over", err)
		}
	}
	if err := s.refresh(ctx); err != nil {
		return err
	}
	s.figures.givenBefore.Store(s.figures.lastSequence.Load())
	return s.refreshSlowly(ctx)
}

// takeOver ends what a process before us held in our own server: nobody else
// can be using it. Without this, what it had pulled would come again only after
// AckWait, and its leases would have to run out.
func (s *Stream) takeOver(ctx context.Context) error {
	for _, name := range lanes {
		if _, err := s.js.ResetConsumer(ctx, eventsName, string(name)); err != nil {
			return fmt.Errorf("reset lane %s: %w", name, err)
		}
	}
	bucket, err := s.js.Stream(ctx, bucketPrefix+leasesBucket)
	if err != nil {
		return fmt.Errorf("leases: %w", err)
	}
	return bucket.Purge(ctx)
}

// stream asks for a stream, with its state.
func (s *Stream) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	handle, err := s.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, fmt.Errorf("stream %s: %w: %w", name, event.ErrUnavailable, err)
	}
	return handle, err
}
