package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tidings/crash"
	"tidings/event"
	"tidings/live"
)

const (
	// clearWithin is how long Clear waits for a moment in which nothing waits.
	clearWithin = 10 * time.Minute
	// clearEvery is how often it looks.
	clearEvery = 100 * time.Millisecond
	// clearQuiet is how long ago an announcement was made that all have read. Who has
	// not begins anew, as after any gap.
	clearQuiet = 300 * time.Millisecond
)

// Clear takes all that is done with out of the queue, out of its files too: events that
// every lane has acknowledged, however young, and announcements. What was removed before
// goes with them: a file keeps what was removed from it until the file goes, so this
// waits until none is left that was there when it began. What waits stays, and an event
// that is taken out cannot be fed through again.
//
// Announcements that were not forwarded to endpoints yet stay; forwarded says how far that
// has come, nil where nobody forwards.
//
// On a server elsewhere it only removes: when the files of it go is that server's matter.
func (s *Stream) Clear(ctx context.Context, forwarded func(context.Context) (live.Checkpoint, error)) error {
	ctx, cancel := context.WithTimeout(ctx, clearWithin)
	defer cancel()
	if err := s.clear(ctx, eventsName, s.acknowledged); err != nil {
		return err
	}
	if s.cfg.Triggers {
		if err := s.clear(ctx, triggersName, s.decided); err != nil {
			return err
		}
	}
	announced := func(ctx context.Context, announcements jetstream.Stream) (uint64, error) {
		upTo, err := s.announcedBefore(ctx, announcements)
		if err != nil || forwarded == nil || announcements.CachedInfo().State.Msgs == 0 {
			return upTo, err
		}
		checkpoint, err := forwarded(ctx)
		if err != nil || checkpoint.Incarnation != boundsOf(announcements).Incarnation || checkpoint.Next == 0 {
			return 0, err
		}
		return min(upTo, checkpoint.Next-1), nil
	}
	if err := s.clear(ctx, liveName, announced); err != nil {
		return err
	}
	// Dead letters are overwritten where they are removed. Those of before are not.
	return s.clear(ctx, deadName, func(_ context.Context, dead jetstream.Stream) (uint64, error) {
		if state := dead.CachedInfo().State; state.Msgs == 0 {
			return state.LastSeq, nil
		}
		return 0, errKept
	})
}

// errKept says that nothing of a stream can go.
var errKept = errors.New("nothing can go")

// clear removes what is done with from a stream until none of the files is left that
// are there now.
func (s *Stream) clear(ctx context.Context, name string, done func(context.Context, jetstream.Stream) (uint64, error)) error {
	before := s.blocks(name)
	for {
		from, err := s.stream(ctx, name)
		if err != nil {
			return unavailable("clear", err)
		}
		if from.CachedInfo().State.LastSeq == 0 {
			return nil // nothing was ever in it
		}
		upTo, err := done(ctx, from)
		if errors.Is(err, errKept) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("clear: %w", err)
		}
		if upTo > 0 {
			crash.At("purge " + name)
			if err := from.Purge(ctx, jetstream.WithPurgeSequence(upTo+1)); err != nil {
				return unavailable("clear", err)
			}
		}
		now := s.blocks(name)
		maps.DeleteFunc(now, func(block string, _ bool) bool { return !before[block] })
		if len(now) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("clear: parts of %s are needed still; the next run tries again: %w", name, event.ErrUnavailable)
		case <-time.After(clearEvery):
		}
	}
}

// acknowledged is the sequence up to which every lane has acknowledged.
func (s *Stream) acknowledged(ctx context.Context, events jetstream.Stream) (uint64, error) {
	// The state was read first: an event that came since lies behind it.
	floor := events.CachedInfo().State.LastSeq
	for _, name := range lanes {
		first, err := firstWaiting(ctx, events, name)
		if err != nil {
			return 0, err
		}
		if first != nil {
			floor = min(floor, first.Sequence-1)
		}
	}
	return floor, nil
}

// decided is the sequence up to which triggers were decided.
func (s *Stream) decided(ctx context.Context, triggers jetstream.Stream) (uint64, error) {
	if state := triggers.CachedInfo().State; state.Msgs == 0 {
		return state.LastSeq, nil
	}
	consumer, err := triggers.Consumer(ctx, triggersConsumer)
	if err != nil {
		return 0, unavailable("clear", err)
	}
	return consumer.CachedInfo().AckFloor.Stream, nil
}

// announcedBefore is the sequence up to which announcements are so old that all who
// follow have read them.
func (s *Stream) announcedBefore(ctx context.Context, announcements jetstream.Stream) (uint64, error) {
	state := announcements.CachedInfo().State
	at := s.cfg.Clock().Add(-clearQuiet)
	if state.Msgs == 0 || state.LastTime.Before(at) {
		return state.LastSeq, nil
	}
	next, err := sequenceAt(ctx, announcements, livePrefix, state, at)
	return next - 1, err
}

// blocks are the names of a stream's files, of the server in this process. Each has a
// number, and none comes again.
func (s *Stream) blocks(name string) map[string]bool {
	if s.cfg.Dir == "" {
		return nil
	}
	found := make(map[string]bool)
	// A purge moves a folder aside and deletes it a moment later.
	for _, folder := range []string{"msgs", "__msgs__"} {
		paths, _ := filepath.Glob(filepath.Join(s.cfg.Dir, "jetstream", "*", "streams", name, folder, "*.blk")) // the pattern is good
		for _, path := range paths {
			found[filepath.Base(path)] = true
		}
	}
	return found
}
