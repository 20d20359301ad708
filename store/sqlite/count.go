package sqlite

import (
	"context"
	"fmt"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// Count counts the events of one week for which a query holds.
func (x *Index) Count(ctx context.Context, c feed.Count) (feed.Tally, error) {
	if _, err := compile(c.Query.Where, ""); err != nil {
		return feed.Tally{}, fmt.Errorf("counting: %w", err)
	}
	var tally feed.Tally
	err := x.using(ctx, c.Week, false, func(file *weekFile, sealed bool) error {
		space, known := file.spaceOf(c.Workspace)
		low, high := placesOf(c.Week, feed.Search{Query: c.Query})
		if !known || low >= high {
			return nil
		}
		collect := func() (*facts, error) { return x.facts(ctx, file, sealed, space) }
		return x.counting.use(ctx, factsKey{c.Week, c.Workspace}, collect, func(f *facts) error {
			links := f.links
			if c.Parts.Has(feed.PartLinks) && links == nil {
				var err error
				if links, err = x.savedLinks(ctx, file, space, f.linkCount); err != nil {
					return err
				}
			}
			matches, err := f.matching(ctx, file, space, c.Query.Where, low, high)
			if err == nil {
				tally = f.count(low, high, c, links, matches)
			}
			return err
		})
	})
	if err != nil {
		return feed.Tally{}, failed("counting week "+c.Week.String(), err)
	}
	return tally, nil
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
func (x *Index) facts(ctx context.Context, file *weekFile, sealed bool, space int64) (*facts, error) {
	if sealed {
		if saved, err := x.savedFacts(ctx, file, space); err != nil || saved != nil {
			return saved, err
		}
	}
	return x.collectFacts(ctx, file, space)
}

// matching is a condition on rows, asked of them in their order. Where it asks
// for words, the words' index says which places it holds at.
func (f *facts) matching(ctx context.Context, file *weekFile, space int64, where query.Expr, low, high int64) (condition, error) {
	if holds, known := f.condition(where); known {
		return holds, nil
	}
	match, err := compileParts(where, partsOf(space, query.AutomatedShow))
	if err != nil || match == "" {
		return noRow, err
	}
	places, err := file.places(ctx, match, low, high)
	if err != nil {
		return nil, err
	}
	return func(row int) bool {
		place := f.rows[row].place
		for len(places) > 0 && places[0] < place {
			places = places[1:]
		}
		return len(places) > 0 && places[0] == place
	}, nil
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
