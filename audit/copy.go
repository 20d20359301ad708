package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"tidings/event"
)

// Copy adds to a store the rows of another that it does not have yet, as they are, and
// returns how many. It may be repeated. Rows of a day that cannot be read are left out with
// a line in the log; a chain that is another one there is an ErrConflict.
func Copy(ctx context.Context, from, to Store, logger *slog.Logger) (rows int64, err error) {
	days, err := from.Days(ctx)
	if err != nil {
		return 0, fmt.Errorf("list the days of the audit log: %w", err)
	}
	for _, day := range days {
		copied, err := copyDay(ctx, from, to, day)
		rows += copied
		if damaged, is := errors.AsType[*event.Degraded](err); is {
			logger.ErrorContext(ctx, "a day of the audit log is not copied", "day", string(day), "problem", damaged.Words)
			continue
		}
		if err != nil {
			return rows, fmt.Errorf("copy the audit log of %s: %w", day, err)
		}
	}
	return rows, nil
}

func copyDay(ctx context.Context, from, to Store, day Day) (rows int64, err error) {
	workspaces, err := from.Workspaces(ctx, day)
	if err != nil {
		return 0, err
	}
	for _, workspace := range workspaces {
		after, err := agreedUpTo(ctx, from, to, chainKey{workspace, day})
		if err != nil {
			return rows, err
		}
		for {
			entries, err := from.Chain(ctx, workspace, day, after, commitRows)
			if err != nil {
				return rows, err
			}
			if len(entries) == 0 {
				break
			}
			if _, err := to.Append(ctx, day, entries); err != nil {
				return rows, err
			}
			rows, after = rows+int64(len(entries)), entries[len(entries)-1].Seq
		}
	}
	return rows, nil
}

// agreedUpTo is the Seq of the last row of a chain in the store that is copied to, 0 where
// it has none.
func agreedUpTo(ctx context.Context, from, to Store, key chainKey) (int64, error) {
	last, err := to.Last(ctx, key.workspace, key.day)
	if errors.Is(err, event.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	same, err := from.Chain(ctx, key.workspace, key.day, last.Seq-1, 1)
	if err != nil {
		return 0, err
	}
	if len(same) != 1 || same[0].Seq != last.Seq || same[0].Hash != last.Hash {
		return 0, fmt.Errorf("row %d of workspace %s there is another one: %w", last.Seq, key.workspace, event.ErrConflict)
	}
	return last.Seq, nil
}
