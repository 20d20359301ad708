package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
)

// lastName is the file beside the server's own that says what each stream had a moment
// ago. A server takes what it finds, blocks that are gone or not, without a word.
const lastName = "last"

// noted is what a stream had.
type noted struct {
	// Last is its last sequence, which never falls.
	Last uint64 `json:"last"`
	// Messages is how many it had when it was closed in order, -1 while it is open:
	// what is acknowledged leaves.
	Messages int64 `json:"messages"`
	// At is when the last message came, in Unix nanoseconds, 0 where there was none. Two
	// queues do not have the same time at the same sequence.
	At int64 `json:"at,omitempty"`
}

// watched are the streams whose messages nobody can make again.
var watched = []string{eventsName, deadName}

// lookForLosses holds the streams that a server found in its directory to what was
// there. What is gone is said once in the log, and by Lost until the process ends.
func (s *Stream) lookForLosses(ctx context.Context) error {
	if s.server == nil {
		return nil
	}
	gone := s.server.lost()
	before, err := readLast(s.cfg.Dir)
	if err != nil {
		return err
	}
	for _, name := range watched {
		stream, err := s.stream(ctx, name)
		if err != nil {
			return unavailable("look for losses", err)
		}
		state, was := stream.CachedInfo().State, before[name]
		if err := s.ownBlock(ctx, stream, was); err != nil {
			return err
		}
		if was.Messages >= 0 && state.LastSeq == was.Last {
			gone[name] = max(gone[name], int(was.Messages)-int(state.Msgs))
		}
		if state.LastSeq < was.Last {
			gone[name] = max(gone[name], int(was.Last-state.LastSeq))
		}
	}
	if gone[eventsName]+gone[deadName] == 0 {
		return nil
	}
	lost := &event.Degraded{Words: fmt.Sprintf("a block of the queue is damaged or missing: up to %d messages with events that had been accepted, each with up to %d, and up to %d dead letters are lost; "+
		"have the senders send again what they sent since the server last ran well", gone[eventsName], packMost, gone[deadName])}
	s.cfg.Logger.ErrorContext(ctx, "the queue is damaged", "error", lost)
	s.lost = lost
	return nil
}

// ownBlock refuses a stream whose message at the last sequence of before is another one:
// its block is of another directory.
func (s *Stream) ownBlock(ctx context.Context, stream jetstream.Stream, was noted) error {
	if was.At == 0 {
		return nil
	}
	message, err := stream.GetMsg(ctx, was.Last)
	if missing(err) {
		return nil // it has left, or is lost
	}
	if err != nil {
		return unavailable("look for losses", err)
	}
	if message.Time.UnixNano() == was.At {
		return nil
	}
	return fmt.Errorf("a block of the queue in %s is of another directory: put its own back, or move the folder away and start with --begin-anew=stream: %w",
		s.cfg.Dir, event.ErrConflict)
}

// Lost says what opening the queue found missing, nil for nothing.
func (s *Stream) Lost() error {
	if s.lost == nil {
		return nil
	}
	return s.lost
}

// lost is how many messages of each stream the server could not read.
func (o *embeddedServer) lost() map[string]int {
	gone := make(map[string]int)
	info, err := o.current.Load().Jsz(&server.JSzOptions{Streams: true, Accounts: true})
	if err != nil {
		return gone
	}
	for _, account := range info.AccountDetails {
		for _, stream := range account.Streams {
			if lost := stream.State.Lost; lost != nil {
				gone[stream.Name] += len(lost.Msgs)
			}
		}
	}
	return gone
}

// noteLast writes down what there is where that has changed, and how many messages
// once nothing comes or goes any more.
func (s *Stream) noteLast(ctx context.Context, closing bool) error {
	if s.server == nil {
		return nil
	}
	last := make(map[string]noted)
	for _, name := range watched {
		stream, err := s.stream(ctx, name)
		if err != nil {
			return unavailable("refresh", err)
		}
		state, messages := stream.CachedInfo().State, int64(-1)
		if closing {
			messages = int64(state.Msgs)
		}
		last[name] = noted{Last: state.LastSeq, Messages: messages}
		if state.Msgs > 0 {
			last[name] = noted{Last: state.LastSeq, Messages: messages, At: state.LastTime.UnixNano()}
		}
	}
	if maps.Equal(last, s.figures.lastNoted) {
		return nil
	}
	raw, err := json.Marshal(last)
	if err != nil {
		return err
	}
	path := filepath.Join(s.cfg.Dir, lastName)
	// The first note of a process takes back what the last one said at its end: that one
	// must not come again after the power failed.
	if err = writeFile(path+".new", raw, s.figures.lastNoted == nil); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("note the last sequences of the queue: %w", err)
	}
	s.figures.lastNoted = last
	return nil
}

func writeFile(path string, raw []byte, synced bool) error {
	file, err := os.OpenFile(filepath.Clean(path), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(raw)
	if err == nil && synced {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// readLast reads what noteLast wrote; a file that cannot be understood says nothing.
func readLast(dir string) (map[string]noted, error) {
	last := make(map[string]noted)
	raw, err := os.ReadFile(filepath.Join(dir, lastName))
	if errors.Is(err, os.ErrNotExist) {
		return last, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the last sequences of the queue: %w", err)
	}
	if json.Unmarshal(raw, &last) != nil {
		return map[string]noted{}, nil
	}
	return last, nil
}
