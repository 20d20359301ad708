package sqlite

import (
	"context"
	"errors"
	"fmt"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// Aggregate counts the events of one week for which a query holds.
func (x *Index) Aggregate(ctx context.Context, c feed.AggregateRequest) (feed.Aggregate, error) {
	if err := countable(c); err != nil {
		return feed.Aggregate{}, fmt.Errorf("counting: %w", err)
	}
	var tally feed.Aggregate
	err := x.using(ctx, c.Week, false, func(file *weekFile, sealed bool) error {
		workspaceID, known := file.workspaceIDOf(c.Workspace)
		low, high := placesOf(c.Week, feed.Search{Query: c.Query})
		if !known || low >= high {
			return nil
		}
		collect := func() (*facts, error) { return x.facts(ctx, file, sealed, workspaceID) }
		return x.counting.use(ctx, factsKey{c.Week, c.Workspace}, collect, func(f *facts) error {
			words := func(where query.Expr) (places []int64, err error) {
				match, err := compileParts(where, partsOf(workspaceID, query.AutomatedShow))
				if err != nil || match == "" {
					return nil, err
				}
				return file.places(ctx, match, low, high)
			}
			asked := factQuestion{facts: f, now: c.Query.Now, words: words}
			if c.Statuses != nil {
				asked.standings = f.standings(low, high, c.Statuses)
			}
			matches, err := asked.condition(c.Query.Where)
			if err == nil {
				tally = f.count(low, high, c, matches)
			}
			return err
		})
	})
	if err != nil {
		return feed.Aggregate{}, failed("counting week "+c.Week.String(), err)
	}
	return tally, nil
}

// countable refuses what cannot be counted by.
func countable(c feed.AggregateRequest) error {
	if c.Statuses == nil && c.Query.AsksRecipients() {
		return fmt.Errorf("the state of recipients is not known here: %w", errors.ErrUnsupported)
	}
	// The rest is what an index answers.
	candidates, _ := c.Query.Candidates()
	_, err := compile(candidates.Where, "")
	return err
}

// Revisions names what weeks hold of a workspace.
func (x *Index) Revisions(_ context.Context, workspace string, weeks []event.Week) (map[event.Week]string, error) {
	revisions := make(map[event.Week]string, len(weeks))
	for _, week := range weeks {
		revisions[week] = x.counting.revision(factsKey{week, workspace})
	}
	return revisions, nil
}

// facts are those that a sealed week has stored, or what its documents say.
func (x *Index) facts(ctx context.Context, file *weekFile, sealed bool, workspaceID int64) (*facts, error) {
	if sealed {
		if saved, err := x.savedFacts(ctx, file, workspaceID); err != nil || saved != nil {
			return saved, err
		}
	}
	return x.collectFacts(ctx, file, workspaceID)
}

// places are where an expression matches in [low, high), ascending.
func (w *weekFile) places(ctx context.Context, match string, low, high int64) ([]int64, error) {
	rows, err := w.read.places.QueryContext(ctx, match, low, high)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var places []int64
	for rows.Next() {
		var place int64
		if err := rows.Scan(&place); err != nil {
			return nil, err
		}
		places = append(places, place)
	}
	return places, rows.Err()
}
