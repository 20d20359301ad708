package migrations

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tidings/event"
)

// Judge returns events as the present rules see them. It may be asked about the
// same event again.
type Judge func(ctx context.Context, events []event.Event) ([]event.Event, error)

// Rebuilder builds a week anew. Its caller holds the lease of the weeks.
type Rebuilder struct {
	Index Generations
	Judge Judge
	// Clock is the system's when nil.
	Clock  func() time.Time
	Logger *slog.Logger
	// Between is called after each step, for tests that crash there.
	Between func(step string)
}

// Rebuilt says what a rebuild did.
type Rebuilt struct {
	Week event.Week `json:"week"`
	// Events is how many were copied, those that changed meanwhile again.
	Events int `json:"events"`
	// Took is the whole time, Blocked the part in which writes waited.
	Took    time.Duration `json:"took"`
	Blocked time.Duration `json:"blocked"`
}

const (
	// fewEvents is how many may be left to copy when the week is blocked.
	fewEvents = 1000
	// mostRounds bounds the rounds of copying: a week may be written faster
	// than it is copied.
	mostRounds = 8
)

// Rebuild copies a week into a next generation while it is read and written,
// blocks it for the last of it, and swaps the two. When anything fails, the week
// is as it was.
func (r *Rebuilder) Rebuild(ctx context.Context, week event.Week) (Rebuilt, error) {
	clock, between := r.Clock, r.Between
	if clock == nil {
		clock = time.Now
	}
	if between == nil {
		between = func(string) {}
	}
	report, began := Rebuilt{Week: week}, clock()
	generation, err := r.Index.NextGeneration(ctx, week)
	if err != nil {
		return report, fmt.Errorf("rebuild week %s: %w", week, err)
	}
	between("begin")
	err = func() error {
		for round := 0; round < mostRounds; round++ {
			n, err := generation.Copy(ctx, r.Judge)
			if err != nil {
				return fmt.Errorf("copy: %w", err)
			}
			report.Events += n
			r.Logger.InfoContext(ctx, "rebuild", "week", week.String(), "copied", report.Events)
			between("copy")
			if n <= fewEvents {
				break
			}
		}
		blocked := clock()
		if err := generation.Block(ctx); err != nil {
			return fmt.Errorf("block: %w", err)
		}
		between("block")
		n, err := generation.Copy(ctx, r.Judge)
		if err != nil {
			return fmt.Errorf("copy the rest: %w", err)
		}
		report.Events += n
		between("copy the rest")
		if err := generation.Swap(ctx, r.Judge); err != nil {
			return fmt.Errorf("swap: %w", err)
		}
		report.Blocked = clock().Sub(blocked)
		return nil
	}()
	if err != nil {
		err = errors.Join(err, generation.Discard(context.WithoutCancel(ctx)))
		return report, fmt.Errorf("rebuild week %s: %w", week, err)
	}
	between("swap")
	report.Took = clock().Sub(began)
	return report, nil
}
