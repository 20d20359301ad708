package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/event"
	"tidings/query"
)

// countersAtOnce is how many weeks are counted at a time.
const countersAtOnce = 4

// countBatch is how many events are read at a time to be counted.
const countBatch = 1000

// counted is what a query gave, from reached on.
type counted struct {
	tally   Tally
	reached int64
	partial bool
}

// tally counts what a query finds, from the newest week backwards until the time
// is spent.
func (r *Reader) tally(ctx context.Context, scope Scope, q query.Query, parts Parts, now time.Time) (counted, error) {
	s := scan{reader: r, scope: scope, query: q}
	weeks, err := s.weeks(ctx, now)
	if err != nil {
		return counted{}, err
	}
	began := r.clock()
	done, err := r.countAll(ctx, Count{Workspace: scope.Workspace, Query: q, Parts: parts}, weeks, began)
	if errors.Is(err, errors.ErrUnsupported) {
		return r.countReading(ctx, scope, q, parts, weeks, began)
	}
	return done, err
}

// countAll lets the index count, where it is a counter that knows how.
func (r *Reader) countAll(ctx context.Context, count Count, weeks []event.Week, began time.Time) (counted, error) {
	if r.counter == nil {
		return counted{}, errors.ErrUnsupported
	}
	var err error
	if count.Standings, err = r.standingsFor(ctx, count.Workspace, count.Query); err != nil {
		return counted{}, err
	}
	return r.countWeeks(ctx, count, weeks, began)
}

// standingsFor are the standings that a query asks for, nil where it asks for
// none.
func (r *Reader) standingsFor(ctx context.Context, workspace string, q query.Query) (StandingsOf, error) {
	switch {
	case !q.AsksRecipients():
		return nil, nil
	case r.standings == nil:
		return nil, errors.ErrUnsupported
	}
	standings, err := r.standings.Standings(ctx, workspace)
	if err != nil {
		return nil, fmt.Errorf("read standings: %w", err)
	}
	return standings, nil
}

// countReading reads every event: for conditions that an index does not count by.
func (r *Reader) countReading(ctx context.Context, scope Scope, q query.Query, parts Parts, weeks []event.Week, began time.Time) (counted, error) {
	counting := NewCounting(q.Automated, parts)
	q.Automated = query.AutomatedShow
	w := r.walkThrough(scope, q, weeks, countBatch)
	for more := len(weeks) > 0; more; {
		var hits []Hit
		var err error
		if hits, more, err = w.next(ctx); err != nil {
			return counted{}, err
		}
		for _, hit := range hits {
			counting.Add(hit.Event)
		}
		if more && w.spent(began) {
			return counted{counting.Tally(), w.past, true}, nil
		}
	}
	return counted{counting.Tally(), q.From, false}, nil
}

// countWeeks asks the index, week by week, and keeps what it says of weeks that
// lie within the query's time as a whole.
func (r *Reader) countWeeks(ctx context.Context, count Count, weeks []event.Week, began time.Time) (counted, error) {
	revisions, err := r.counter.Revisions(ctx, count.Workspace, weeks)
	if err != nil {
		return counted{}, fmt.Errorf("read revisions: %w", err)
	}
	first, end, key := settledRun(count, weeks, revisions)
	before, known := r.tallies.get(key)
	tallies := make([]Tally, len(weeks))
	done := counted{reached: count.Query.From}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(countersAtOnce)
	for i, week := range weeks {
		if known && first <= i && i < end {
			continue
		}
		if i > 0 && r.clock().Sub(began) > r.budget {
			done.partial, done.reached = true, max(weeks[i-1].Start(), count.Query.From)
			break
		}
		group.Go(func() error {
			var err error
			tallies[i], err = r.countWeek(groupCtx, count.of(week), revisions[week])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return counted{}, errors.Join(ctx.Err(), err)
	}
	if !known {
		before = settle(tallies[first:end])
		if first < end && !done.partial {
			r.tallies.put(key, before)
		}
	}
	done.tally = before.with(slices.Concat(tallies[:first], tallies[end:]))
	return done, nil
}

// countWeek counts one week, or remembers what it was.
func (r *Reader) countWeek(ctx context.Context, c Count, revision string) (Tally, error) {
	if !c.lasting(revision) {
		tally, err := r.counter.Count(ctx, c)
		return tally, wrapCount(err)
	}
	key := c.key(revision)
	if kept, known := r.tallies.get(key); known {
		return kept.tally, nil
	}
	tally, err := r.counter.Count(ctx, c)
	if err != nil {
		return Tally{}, wrapCount(err)
	}
	r.tallies.put(key, &settled{tally: tally})
	return tally, nil
}

// of is the count of one week, whose time has no bounds where they are not
// inside of it.
func (c Count) of(week event.Week) Count {
	c.Week = week
	if c.Query.From <= week.Start() {
		c.Query.From = 0
	}
	if c.Query.Until >= week.End() {
		c.Query.Until = 0
	}
	return c
}

// lasting reports whether a count is worth keeping. What begins or ends within a
// week is seldom asked for twice, and recipients do more while their week's
// events stay the same.
func (c Count) lasting(revision string) bool {
	return revision != "" && c.Standings == nil && c.Query.From == 0 && c.Query.Until == 0
}

func (c Count) key(revision string) tallyKey {
	return tallyKey{
		workspace: c.Workspace, week: c.Week, revision: revision, parts: c.Parts,
		// Go's own notation tells every condition apart.
		query: fmt.Sprintf("%s %#v", c.Query.Automated, c.Query.Where),
	}
}

func wrapCount(err error) error {
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return nil
}
