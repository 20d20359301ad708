package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"tidings/crash"
	"tidings/event"
)

// mostDeadLetters is how many dead letters one listing returns at most.
const mostDeadLetters = 1000

// deadLetter is what a message of DEAD holds.
type deadLetter struct {
	ID        string          `json:"id"`
	Workspace string          `json:"w"`
	Lane      event.Lane      `json:"lane"`
	At        time.Time       `json:"at"`
	Attempts  []event.Attempt `json:"attempts"`
	// Week is set of an event that waits until its week is repaired.
	Week string `json:"week,omitempty"`
	// Event is the event's message as it was; Raw is it when it is no JSON.
	Event json.RawMessage `json:"event,omitempty"`
	Raw   []byte          `json:"raw,omitempty"`
}

// bury makes an event a dead letter. It is durable when this returns; the same
// event again takes the place of the first.
func (s *Stream) bury(ctx context.Context, d *delivery, history []event.Attempt, week string) error {
	_, workspace, err := splitEventSubject(d.pack.message.Subject())
	if err != nil {
		return err
	}
	letter := deadLetter{
		ID: d.name, Workspace: workspace, Lane: d.pack.lane, At: s.cfg.Clock().UTC(), Attempts: history, Week: week,
	}
	if payload := d.data; json.Valid(payload) {
		letter.Event = payload
	} else {
		letter.Raw = payload
	}
	data, err := json.Marshal(letter)
	if err != nil {
		return fmt.Errorf("dead letter: %w", err)
	}
	// What it replaces is overwritten. A crash before the next line loses nothing: the
	// event was not acknowledged.
	if _, before, err := s.deadLetter(ctx, workspace, d.name); err == nil {
		if err := s.dropDead(ctx, before); err != nil {
			return err
		}
	}
	_, err = s.js.PublishMsg(ctx, &nats.Msg{Subject: deadSubject(workspace, d.name), Data: data})
	if err != nil {
		return unavailable("dead letter", err)
	}
	return nil
}

// DeadLetters lists a workspace's, oldest event first, from behind the id
// after, which need not exist any more. Limit is 1,000 at most and by default.
func (s *Stream) DeadLetters(ctx context.Context, workspace, after string, limit int) ([]event.DeadLetter, error) {
	if limit <= 0 || limit > mostDeadLetters {
		limit = mostDeadLetters
	}
	subjects, err := s.deadSubjects(ctx, workspace, after)
	if err != nil || len(subjects) == 0 {
		return nil, err
	}
	subjects = subjects[:min(limit, len(subjects))]
	found, err := jetstreamext.GetLastMsgsFor(ctx, s.js, deadName, subjects, jetstreamext.GetLastMsgsBatchSize(len(subjects)))
	if err != nil {
		return nil, unavailable("dead letters", err)
	}
	var out []event.DeadLetter
	for message, err := range found {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			break // all of them were dropped meanwhile
		}
		if err != nil {
			return nil, unavailable("dead letters", err)
		}
		letter, err := readDeadLetter(message)
		if err != nil {
			return nil, err
		}
		shown, err := letter.shown()
		if err != nil {
			return nil, err
		}
		out = append(out, shown)
	}
	slices.SortFunc(out, func(a, b event.DeadLetter) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// deadSubjects are the subjects of a workspace's dead letters behind an id, in
// the order of ids, which is the order of their events' time.
func (s *Stream) deadSubjects(ctx context.Context, workspace, after string) ([]string, error) {
	dead, err := s.js.Stream(ctx, deadName)
	if err != nil {
		return nil, unavailable("dead letters", err)
	}
	info, err := dead.Info(ctx, jetstream.WithSubjectFilter(deadWorkspace(workspace)+">"))
	if err != nil {
		return nil, unavailable("dead letters", err)
	}
	from := ""
	if after != "" {
		from = deadSubject(workspace, after)
	}
	var subjects []string
	for subject := range info.State.Subjects {
		// Hex keeps the order of ids.
		if subject > from {
			subjects = append(subjects, subject)
		}
	}
	slices.Sort(subjects)
	return subjects, nil
}

// DeadLetter returns one, or ErrNotFound.
func (s *Stream) DeadLetter(ctx context.Context, workspace, id string) (event.DeadLetter, error) {
	letter, _, err := s.deadLetter(ctx, workspace, id)
	if err != nil {
		return event.DeadLetter{}, err
	}
	return letter.shown()
}

// Replay puts one back into its lane, its attempts forgotten, and takes it off
// the list once it is durable there.
func (s *Stream) Replay(ctx context.Context, workspace, id string) error {
	letter, sequence, err := s.deadLetter(ctx, workspace, id)
	if err != nil {
		return err
	}
	if err := s.forget(ctx, letter.ID); err != nil {
		return err
	}
	message := eventMessage(letter.Lane, workspace, letter.ID, letter.payload())
	if err := s.submit(ctx, []*nats.Msg{message}); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return s.dropDead(ctx, sequence)
}

// Drop forgets one, or returns ErrNotFound.
func (s *Stream) Drop(ctx context.Context, workspace, id string) error {
	_, sequence, err := s.deadLetter(ctx, workspace, id)
	if err != nil {
		return err
	}
	return s.dropDead(ctx, sequence)
}

// dropDead removes one by its sequence on DEAD and overwrites it in the file: if the event has failed again
// since, what it left then has another sequence and stays.
func (s *Stream) dropDead(ctx context.Context, sequence uint64) error {
	dead, err := s.js.Stream(ctx, deadName)
	if err != nil {
		return unavailable("drop dead letter", err)
	}
	crash.At("dead letter")
	if err := dead.SecureDeleteMsg(ctx, sequence); err != nil {
		if _, gone := dead.GetMsg(ctx, sequence); missing(gone) {
			return nil
		}
		return unavailable("drop dead letter", err)
	}
	return nil
}

// DeadCount is how many events failed for good, of all workspaces.
func (s *Stream) DeadCount(ctx context.Context) (int64, error) {
	dead, err := s.js.Stream(ctx, deadName)
	if err != nil {
		return 0, unavailable("count dead letters", err)
	}
	return int64(dead.CachedInfo().State.Msgs), nil
}

func (s *Stream) deadLetter(ctx context.Context, workspace, id string) (deadLetter, uint64, error) {
	dead, err := s.js.Stream(ctx, deadName)
	if err != nil {
		return deadLetter{}, 0, unavailable("dead letter", err)
	}
	message, err := dead.GetLastMsgForSubject(ctx, deadSubject(workspace, id))
	if missing(err) {
		return deadLetter{}, 0, fmt.Errorf("dead letter: %w", event.ErrNotFound)
	}
	if err != nil {
		return deadLetter{}, 0, unavailable("dead letter", err)
	}
	letter, err := readDeadLetter(message)
	return letter, message.Sequence, err
}

func readDeadLetter(message *jetstream.RawStreamMsg) (deadLetter, error) {
	var letter deadLetter
	if err := json.Unmarshal(message.Data, &letter); err != nil {
		return letter, fmt.Errorf("dead letter %d: %w", message.Sequence, err)
	}
	return letter, nil
}

// payload is the event's message as it was.
func (l deadLetter) payload() []byte {
	if l.Event != nil {
		return l.Event
	}
	return l.Raw
}

// shown is the dead letter as people get to see it: a payload that is no JSON
// is shown as text.
func (l deadLetter) shown() (event.DeadLetter, error) {
	out := event.DeadLetter{ID: l.ID, At: l.At, Attempts: l.Attempts, Event: l.Event}
	if l.Event == nil {
		text, err := json.Marshal(strings.ToValidUTF8(string(l.Raw), string(utf8.RuneError)))
		if err != nil {
			return out, fmt.Errorf("dead letter: %w", err)
		}
		out.Event = text
	}
	return out, nil
}
