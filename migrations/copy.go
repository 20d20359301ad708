package migrations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"slices"

	"tidings/event"
)

// Copier copies an installation into other stores. It may be stopped and run
// again. Whatever is copied is read back from where it went: both sides must
// have the same number and the same hash.
type Copier struct {
	Events   EventSource
	To       EventTarget
	Sealer   Sealer
	Progress Progress
	Logger   *slog.Logger
}

// Copied says what a copy did. Kept are weeks that had been copied before and
// did not change since.
type Copied struct {
	Weeks, Kept     int
	Events          int64
	States, Records int64
}

// copyBatch is how many events, states or records are copied at a time.
const copyBatch = 500

// Weeks copies weeks, the oldest first: the sealed ones, which may be done while
// the installation runs, or all of them, when nothing is written any more.
func (c *Copier) Weeks(ctx context.Context, sealedOnly bool) (Copied, error) {
	var done Copied
	if err := c.begin(ctx); err != nil {
		return done, err
	}
	infos, err := c.Events.WeekInfos(ctx)
	if err != nil {
		return done, fmt.Errorf("copy: list weeks: %w", err)
	}
	slices.SortFunc(infos, func(a, b event.WeekInfo) int { return int(a.Week) - int(b.Week) })
	for _, info := range infos {
		if sealedOnly && !info.Sealed || info.Events == 0 {
			continue
		}
		digest, kept, err := c.week(ctx, info)
		if err != nil {
			return done, fmt.Errorf("copy week %s: %w", info.Week, err)
		}
		if kept {
			done.Kept++
		} else {
			done.Weeks++
			done.Events += digest.Count
		}
		c.Logger.InfoContext(ctx, "copy", "week", info.Week.String(), "events", digest.Count, "was there", kept)
	}
	return done, nil
}

// begin refuses a target that somebody else fills.
func (c *Copier) begin(ctx context.Context) error {
	begun, err := c.Progress.Begun(ctx)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	if begun {
		return nil
	}
	infos, err := c.To.WeekInfos(ctx)
	if err != nil {
		return fmt.Errorf("copy: look at the target: %w", err)
	}
	for _, info := range infos {
		if info.Events > 0 {
			return fmt.Errorf("copy: the target holds events of week %s already: give one that is empty: %w", info.Week, event.ErrConflict)
		}
	}
	if err := c.Progress.Begin(ctx); err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	return nil
}

// week copies one week unless it was copied as it is.
func (c *Copier) week(ctx context.Context, info event.WeekInfo) (digest Digest, kept bool, err error) {
	before, copied, err := c.Progress.Copied(ctx, info.Week)
	if err != nil {
		return digest, false, err
	}
	if copied {
		now, err := c.digest(ctx, info.Week)
		if err != nil || now == before {
			return now, err == nil, err
		}
		// Somebody was erased, or it was written again: not all of the copy is
		// true any more.
		if err := c.To.Drop(ctx, info.Week); err != nil {
			return digest, false, err
		}
	}
	digest, err = c.copyWeek(ctx, info.Week)
	_, sealed := errors.AsType[*event.WeekBlocked](err)
	if sealed || errors.Is(err, event.ErrConflict) {
		// A run that was stopped left what has changed since, or what it had sealed
		// and not noted.
		if err = c.To.Drop(ctx, info.Week); err == nil {
			digest, err = c.copyWeek(ctx, info.Week)
		}
	}
	if err != nil {
		return digest, false, err
	}
	if info.Sealed {
		if err := c.Sealer.Seal(ctx, info.Week); err != nil {
			return digest, false, err
		}
	}
	return digest, false, c.Progress.NoteCopied(ctx, info.Week, digest)
}

// digest reads a week of the source.
func (c *Copier) digest(ctx context.Context, week event.Week) (Digest, error) {
	sum := newDigester()
	err := c.scan(ctx, week, func(events []event.Event) error { return add(sum, events) })
	return sum.digest(), err
}

// copyWeek copies a week, reads each batch back and counts them at last. It is
// ErrConflict where the two differ.
func (c *Copier) copyWeek(ctx context.Context, week event.Week) (Digest, error) {
	have, got := newDigester(), newDigester()
	err := c.scan(ctx, week, func(events []event.Event) error {
		outcomes, err := c.To.Create(ctx, events)
		if err != nil {
			return err
		}
		for _, outcome := range outcomes {
			if outcome.Err != nil {
				return outcome.Err
			}
		}
		written, err := c.readBack(ctx, events)
		if err != nil {
			return err
		}
		return errors.Join(add(have, events), add(got, written))
	})
	if err != nil {
		return have.digest(), err
	}
	if have.digest() != got.digest() {
		return have.digest(), fmt.Errorf("what was copied reads differently: %w", event.ErrConflict)
	}
	return have.digest(), c.count(ctx, week, have.count)
}

func (c *Copier) scan(ctx context.Context, week event.Week, visit func([]event.Event) error) error {
	for after := ""; ; {
		events, next, err := c.Events.Scan(ctx, week, after, copyBatch)
		if err != nil {
			return err
		}
		if err := visit(events); err != nil || next == "" {
			return err
		}
		after = next
	}
}

// readBack reads events from the target, in the order of those given. What is
// not there is left out.
func (c *Copier) readBack(ctx context.Context, events []event.Event) ([]event.Event, error) {
	ids := make(map[string][]event.ID)
	for _, e := range events {
		ids[e.Workspace] = append(ids[e.Workspace], e.ID)
	}
	found := make(map[event.ID]event.Event, len(events))
	for workspace, ids := range ids {
		some, err := c.To.Get(ctx, workspace, ids)
		if err != nil {
			return nil, err
		}
		for _, e := range some {
			found[e.ID] = e
		}
	}
	ordered := make([]event.Event, 0, len(found))
	for _, e := range events {
		if written, ok := found[e.ID]; ok {
			ordered = append(ordered, written)
		}
	}
	return ordered, nil
}

// count holds a week of the target to a number of events.
func (c *Copier) count(ctx context.Context, week event.Week, want int64) error {
	infos, err := c.To.WeekInfos(ctx)
	if err != nil {
		return err
	}
	for _, info := range infos {
		if info.Week == week && info.Events == want {
			return nil
		}
	}
	return fmt.Errorf("the target does not have %d events of it: %w", want, event.ErrConflict)
}

// digester counts and hashes things by their JSON.
type digester struct {
	sum   hash.Hash
	count int64
}

func newDigester() *digester { return &digester{sum: sha256.New()} }

func add[T any](d *digester, things []T) error {
	encoder := json.NewEncoder(d.sum)
	for _, thing := range things {
		if err := encoder.Encode(thing); err != nil {
			return err
		}
		d.count++
	}
	return nil
}

func (d *digester) digest() Digest { return Digest{d.count, hex.EncodeToString(d.sum.Sum(nil))} }
