package account

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tidings/event"
)

const (
	// kindEnding, with a day behind it, lists the sessions that end that day unless
	// they were made longer since.
	kindEnding = "session-ending/"
	// kindSwept holds the day up to which a workspace's sessions were swept.
	kindSwept = "session-swept"
	sweptID   = "workspace"
)

// sweeps says up to which day each workspace was swept by this process.
type sweeps struct {
	mu  sync.Mutex
	day map[string]string
}

// done reports whether a workspace was swept up to a day, and notes it.
func (s *sweeps) done(workspace, day string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.day[workspace] == day {
		return true
	}
	if s.day == nil || len(s.day) >= latelyKept {
		s.day = make(map[string]string)
	}
	s.day[workspace] = day
	return false
}

func (s *sweeps) undo(workspace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.day, workspace)
}

// note says that a session is used now, where it is looked up and, where that is
// another day than it was before, in the list of the day on which it ends unless it is
// used again.
func (s *Sessions) note(ctx context.Context, workspace, hash string, before, now time.Time) error {
	day := dayOf(now.Add(s.lives.Idle))
	if before.IsZero() || day != dayOf(before.Add(s.lives.Idle)) {
		if err := Put(ctx, s.records, workspace, kindEnding+day, hash, true); err != nil {
			return fmt.Errorf("list session: %w", err)
		}
	}
	if err := Put(ctx, s.records, NoWorkspace, kindSeen, hash, seenRecord{Seen: now.UTC()}); err != nil {
		return fmt.Errorf("note use of session: %w", err)
	}
	return nil
}

func dayOf(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// sweep forgets the workspace's sessions that ended before today, once a day: it
// reads the lists of the days since it was last done.
func (s *Sessions) sweep(ctx context.Context, workspace string) error {
	today := dayOf(s.clock())
	if s.swept.done(workspace, today) {
		return nil
	}
	err := s.sweepUntil(ctx, workspace, today)
	if err != nil {
		s.swept.undo(workspace)
	}
	return err
}

func (s *Sessions) sweepUntil(ctx context.Context, workspace, today string) error {
	from, err := Get[string](ctx, s.records, workspace, kindSwept, sweptID)
	switch {
	case errors.Is(err, event.ErrNotFound):
		// From before there were lists, too.
		hashes, err := s.of(ctx, workspace, func(sessionNote) bool { return true })
		if err != nil {
			return err
		}
		for _, hash := range hashes {
			if err := s.endIfOver(ctx, workspace, hash); err != nil {
				return err
			}
		}
	case err != nil:
		return fmt.Errorf("find what was swept: %w", err)
	default:
		if err := s.sweepDays(ctx, workspace, from, today); err != nil {
			return err
		}
	}
	if err := Put(ctx, s.records, workspace, kindSwept, sweptID, today); err != nil {
		return fmt.Errorf("note what was swept: %w", err)
	}
	return nil
}

// sweepDays reads the lists of the days from one on and before another.
func (s *Sessions) sweepDays(ctx context.Context, workspace, from, before string) error {
	day, err := time.Parse(time.DateOnly, from)
	if err != nil {
		return fmt.Errorf("read what was swept: %w", err)
	}
	for ; dayOf(day) < before; day = day.Add(24 * time.Hour) {
		kind := kindEnding + dayOf(day)
		listed, err := s.records.List(ctx, workspace, kind)
		if err != nil {
			return fmt.Errorf("list sessions that end: %w", err)
		}
		for _, record := range listed {
			if err := s.endIfOver(ctx, workspace, record.ID); err != nil {
				return err
			}
			if err := s.records.Delete(ctx, workspace, kind, record.ID); err != nil {
				return fmt.Errorf("forget a session's end: %w", err)
			}
		}
	}
	return nil
}

func (s *Sessions) endIfOver(ctx context.Context, workspace, hash string) error {
	session, err := s.find(ctx, hash)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return fmt.Errorf("find end of session: %w", err)
	}
	if err == nil {
		over, err := s.over(ctx, session)
		if err != nil || !over {
			return err
		}
	}
	return s.End(ctx, workspace, hash)
}
