package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"

	"tidings/crash"
)

// Repaired says what was kept of a queue and what was lost.
type Repaired struct {
	// Events were put into the new queue, indexed before or not.
	Events int
	// DeadLetters and Claims were too.
	DeadLetters, Claims int
	// Missing is how many messages of events, each of one or of a pack, are known to have
	// been there and could not be read. Those at the end of a block that was cut off are not
	// among them.
	Missing uint64
	// Unreadable is how many bytes of the blocks belong to no record.
	Unreadable int64
	// SetAside is where the old queue is now. It is empty where a run that was killed
	// had set it aside: this one has put the new queue in its place and knows no more.
	SetAside string
}

const (
	// repairEnding is of a queue in the making, readyEnding of one that is whole.
	repairEnding, readyEnding = ".repair", ".repaired"
	// repairBatch is how many messages are written at a time, and repairBytes how many
	// bytes of them.
	repairBatch, repairBytes = 500, 4 << 20
)

// Repair makes a new queue of what can be read of the one in dir, which is set aside.
// No server may run on it. What only readers of the moment need, announcements and the
// attempts of events that failed, begins anew. It may be killed and repeated.
func Repair(ctx context.Context, dir string, at time.Time, logger *slog.Logger) (Repaired, error) {
	made, ready := dir+repairEnding, dir+readyEnding
	aside := fmt.Sprintf("%s.damaged-%s", dir, at.UTC().Format("20060102T150405"))
	var done Repaired
	_, err := os.Stat(dir)
	_, readyErr := os.Stat(ready)
	if err != nil && readyErr != nil {
		return done, fmt.Errorf("repair the queue: %w", err)
	}
	// While the old one is in its place, it may have been used since a run that was killed.
	if err == nil {
		if err := errors.Join(os.RemoveAll(made), os.RemoveAll(ready)); err != nil {
			return done, fmt.Errorf("repair the queue: %w", err)
		}
		if done, err = refill(ctx, dir, made, logger); err != nil {
			return done, fmt.Errorf("repair the queue: %w", err)
		}
		crash.At("new queue")
		if err := errors.Join(copyFiles(made, dir), syncDir(made), os.Rename(made, ready), syncDir(filepath.Dir(dir))); err != nil {
			return done, fmt.Errorf("repair the queue: %w", err)
		}
		crash.At("set the old queue aside")
		if err := os.Rename(dir, aside); err != nil {
			return done, fmt.Errorf("set the old queue aside: %w", err)
		}
		done.SetAside = aside
	}
	crash.At("put the new queue in its place")
	if err := errors.Join(os.Rename(ready, dir), syncDir(filepath.Dir(dir))); err != nil {
		return done, fmt.Errorf("put the new queue in its place: %w", err)
	}
	return done, nil
}

// refill makes a queue in made of what can be read of the one in dir.
func refill(ctx context.Context, dir, made string, logger *slog.Logger) (done Repaired, err error) {
	s, err := Open(ctx, Config{Dir: made, Logger: logger})
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, each := range []struct {
		name, prefix string
		kept         *int
		put          func(context.Context, []*nats.Msg) error
	}{
		{eventsName, eventsPrefix, &done.Events, s.submit},
		{deadName, deadPrefix, &done.DeadLetters, s.putAll},
		{claimsName, claimsPrefix, &done.Claims, s.putAll},
	} {
		found, err := listRecords(dir, each.name, each.prefix)
		if err != nil {
			return done, err
		}
		if each.name == eventsName {
			done.Missing = found.missing() // The others' messages are replaced all the time.
		}
		done.Unreadable += found.unreadable
		put := func(messages []*nats.Msg) error {
			crash.At("refill")
			*each.kept += int(eventsIn(messages))
			return each.put(ctx, messages)
		}
		if err := copyRecords(dir, each.name, each.prefix, found, put); err != nil {
			return done, err
		}
	}
	return done, nil
}

// copyRecords puts the messages that were found and not removed, some at a time.
func copyRecords(dir, name, prefix string, found records, put func([]*nats.Msg) error) error {
	var messages []*nats.Msg
	bytes, last := 0, uint64(0)
	_, err := readRecords(dir, name, prefix, func(r record) error {
		if r.message == nil || r.sequence <= last || !found.kept(r.sequence) {
			return nil
		}
		last = r.sequence
		messages, bytes = append(messages, r.message), bytes+len(r.message.Data)
		if len(messages) < repairBatch && bytes < repairBytes {
			return nil
		}
		some := messages
		messages, bytes = nil, 0
		return put(some)
	})
	if err == nil && len(messages) > 0 {
		err = put(messages)
	}
	return err
}

// putAll writes messages of any stream.
func (s *Stream) putAll(ctx context.Context, messages []*nats.Msg) error {
	for _, message := range messages {
		if _, err := s.js.PublishMsg(ctx, message); err != nil {
			return unavailable("repair", err)
		}
	}
	return nil
}

// copyFiles copies the files that stand beside the server's own, such as the one that
// says whose the queue is.
func copyFiles(to, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() || entry.Name() == lastName {
			continue // The new queue says itself what it has.
		}
		raw, err := os.ReadFile(filepath.Join(from, entry.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, entry.Name()), raw, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
