package migrations

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tidings/event"
)

// Generations builds weeks of an index anew.
type Generations interface {
	// NextGeneration begins an empty one beside a week, with the present
	// mapping, and forgets one that was left half made. What is written to the
	// week from then on is remembered for Copy. ErrNotFound when there is no
	// such week, ErrConflict while it is being built already.
	NextGeneration(ctx context.Context, week event.Week) (Generation, error)
}

// Generation is a week beside the one that is read. One of Swap and Discard
// ends it.
type Generation interface {
	// Copy brings over what was written to the week since the last Copy, and at
	// first everything, a batch at a time and each as judge returns it. It
	// returns how many events it looked at. What was removed from the week is
	// removed.
	Copy(ctx context.Context, judge Judge) (int, error)
	// Block makes writes to the week an event.WeekBlocked until the generation
	// ends. Reading goes on.
	Block(ctx context.Context) error
	// Swap brings over what is left, holds the generation to having as many
	// events as the week (ErrConflict), puts it in its place, sealed where that
	// was, and takes the block off.
	Swap(ctx context.Context, judge Judge) error
	// Discard forgets the generation and takes the block off.
	Discard(ctx context.Context) error
}

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
