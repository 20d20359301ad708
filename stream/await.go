package stream

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
)

// awaitEvery is how often the server is asked whether what somebody waits for is indexed.
const awaitEvery = 100 * time.Millisecond

// AwaitIndexed waits until everything that was accepted before the call is indexed, or
// is a dead letter. What is accepted meanwhile is not waited for. It asks the server which
// messages it has: figures are a moment old, the server's counts too.
func (s *Stream) AwaitIndexed(ctx context.Context) error {
	events, err := s.stream(ctx, eventsName)
	if err != nil {
		return unavailable("await", err)
	}
	last := events.CachedInfo().State.LastSeq
	tick := time.NewTicker(awaitEvery)
	defer tick.Stop()
	for _, name := range lanes {
		for {
			done, err := indexedTo(ctx, events, name, last)
			if err != nil {
				return err
			}
			if done {
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
		}
	}
	return nil
}

// indexedTo reports whether all of a lane up to a sequence is acknowledged.
func indexedTo(ctx context.Context, events jetstream.Stream, name event.Lane, last uint64) (bool, error) {
	first, err := firstWaiting(ctx, events, name)
	return err == nil && (first == nil || first.Sequence > last), err
}
