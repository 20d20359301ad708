package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
)

// Hold keeps an event among the dead letters until its week is repaired; Release puts
// it back. It is durable there before it leaves the queue. DEAD is bounded: when it is
// full the event stays in the queue.
func (d *delivery) Hold(ctx context.Context, week event.Week, reason error) error {
	s := d.pack.stream
	history := []event.Attempt{{At: s.cfg.Clock().UTC(), Error: cut(reason)}}
	if err := s.bury(ctx, d, history, week.String()); err != nil {
		return unavailable("hold", err)
	}
	if err := d.end("hold", d.pack.done("its week is damaged")); err != nil {
		return err
	}
	s.counts.held.Add(1)
	return s.forget(ctx, d.name)
}

// Held are the weeks that events wait for among the dead letters, with how many.
func (s *Stream) Held(ctx context.Context) (map[event.Week]int, error) {
	held := make(map[event.Week]int)
	err := s.eachHeld(ctx, func(letter deadLetter, week event.Week) error {
		held[week]++
		return nil
	})
	return held, err
}

// Release puts the events back that wait for a week, each into its lane, and returns
// how many. It may be stopped and repeated.
func (s *Stream) Release(ctx context.Context, week event.Week) (int, error) {
	released := 0
	err := s.eachHeld(ctx, func(letter deadLetter, waits event.Week) error {
		if waits != week {
			return nil
		}
		err := s.Replay(ctx, letter.Workspace, letter.ID)
		if errors.Is(err, event.ErrNotFound) {
			return nil
		}
		if err == nil {
			released++
		}
		return err
	})
	return released, err
}

// eachHeld walks the dead letters that wait for a week.
func (s *Stream) eachHeld(ctx context.Context, visit func(deadLetter, event.Week) error) error {
	dead, err := s.js.Stream(ctx, deadName)
	if err != nil {
		return unavailable("held events", err)
	}
	// What is held again meanwhile is left for the next time.
	last := dead.CachedInfo().State.LastSeq
	for next := uint64(1); ; {
		message, err := dead.GetMsg(ctx, next, jetstream.WithGetMsgSubject(deadPrefix+">"))
		if missing(err) {
			return nil
		}
		if err != nil {
			return unavailable("held events", err)
		}
		if message.Sequence > last {
			return nil
		}
		next = message.Sequence + 1
		letter, err := readDeadLetter(message)
		if err != nil {
			return err
		}
		if letter.Week == "" {
			continue
		}
		week, err := event.ParseWeek(letter.Week)
		if err == nil {
			err = visit(letter, week)
		}
		if err != nil {
			return fmt.Errorf("held event %s: %w", letter.ID, err)
		}
	}
}

// Accepting says in words why events cannot be taken in, nil when they can.
func (s *Stream) Accepting() error {
	if err := s.reachable(); err != nil {
		return err
	}
	if err := s.admit(event.LaneLive, load{}, 1); err != nil {
		return err
	}
	return s.figures.room(overhead)
}
