package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tidings/event"
	"tidings/panics"
	"tidings/query"
)

// weeksAtOnce is how many weeks are counted at a time.
const weeksAtOnce = 4

// readBatch is how many events are read at a time to be counted.
const readBatch = 1000

// counted is what a query gave, from reached on.
type counted struct {
	aggregate Aggregate
	reached   int64
	partial   bool
	// damaged are weeks that could not be counted.
	damaged event.DamagedWeeks
	// sends are how far the recipients of the counted sends have come, ratedSends of them at
	// most, where states were read to count; nil elsewhere.
	sends *stateRates
}

// aggregate counts what a query finds, from the newest week backwards until the time
// is spent.
func (r *Reader) aggregate(ctx context.Context, scope Scope, q query.Query, parts Parts, now time.Time) (counted, error) {
	s := scan{reader: r, scope: scope, query: q}
	weeks, err := s.weeks(ctx, now)
	if err != nil {
		return counted{}, err
	}
	began := r.clock()
	done, err := r.aggregateAll(ctx, AggregateRequest{Workspace: scope.Workspace, Query: q, Parts: parts}, weeks, began)
	if errors.Is(err, errors.ErrUnsupported) {
		return r.aggregateReading(ctx, scope, q, parts, weeks, began)
	}
	return done, err
}

// aggregateAll lets the index count, where it is a aggregator that knows how.
func (r *Reader) aggregateAll(ctx context.Context, request AggregateRequest, weeks []event.Week, began time.Time) (counted, error) {
	if r.aggregator == nil || request.Query.AsksBeyondIndex() {
		return counted{}, errors.ErrUnsupported
	}
	var err error
	if request.Statuses, err = r.statusesFor(ctx, request.Workspace, request.Query); err != nil {
		return counted{}, err
	}
	return r.aggregateWeeks(ctx, request, weeks, began)
}

// statusesFor are the statuses that a query asks for, nil where it asks for
// none.
func (r *Reader) statusesFor(ctx context.Context, workspace string, q query.Query) (StatusesOf, error) {
	switch {
	case !q.AsksRecipients():
		return nil, nil
	case q.AsksPerson(), r.statuses == nil:
		return nil, errors.ErrUnsupported
	}
	statuses, err := r.statuses.Statuses(ctx, workspace)
	if err != nil {
		return nil, fmt.Errorf("read statuses: %w", err)
	}
	return statuses, nil
}

// aggregateReading reads every event: for conditions that an index does not count by.
func (r *Reader) aggregateReading(ctx context.Context, scope Scope, q query.Query, parts Parts, weeks []event.Week, began time.Time) (counted, error) {
	builder, choice := NewAggregateBuilder(q.Automated, parts), q.Automated
	if q.History == nil {
		// What is hidden is counted apart. It takes no part in a history.
		q.Automated = query.AutomatedShow
	}
	w := r.walkThrough(scope, q, weeks, readBatch)
	var sends *stateRates
	if parts.Has(PartPairs) && q.History == nil && choice != query.AutomatedOnly && !w.exact {
		// The rates are of the same sends, whose states are at hand.
		sends = &stateRates{choice: choice}
		w.confirmed = sends.addSend
	}
	counted, err := r.aggregateInto(ctx, builder, func(event.Event) bool { return true }, w, began)
	counted.sends = sends
	return counted, err
}

// aggregateInto counts what a walk finds and wanted lets through.
func (r *Reader) aggregateInto(ctx context.Context, builder *AggregateBuilder, wanted func(event.Event) bool, w *walk, began time.Time) (counted, error) {
	weeks, q := w.weeks, w.query
	for more := len(weeks) > 0; more; {
		var hits []Hit
		var err error
		if hits, more, err = w.next(ctx); err != nil {
			return counted{}, err
		}
		for _, hit := range hits {
			if wanted(hit.Event) {
				builder.Add(hit.Event)
			}
		}
		if more && w.spent(began) {
			return counted{aggregate: builder.Aggregate(), reached: w.past, partial: true, damaged: w.damaged}, nil
		}
	}
	return counted{aggregate: builder.Aggregate(), reached: q.From, damaged: w.damaged}, nil
}

// aggregateWeeks asks the index, week by week, and keeps what it says of weeks that
// lie within the query's time as a whole.
func (r *Reader) aggregateWeeks(ctx context.Context, request AggregateRequest, weeks []event.Week, began time.Time) (counted, error) {
	revisions, err := r.aggregator.Revisions(ctx, request.Workspace, weeks)
	if err != nil {
		return counted{}, fmt.Errorf("read revisions: %w", err)
	}
	first, end, key := cachedRun(request, weeks, revisions)
	before, known := r.cache.get(key)
	aggregates := make([]Aggregate, len(weeks))
	done := counted{reached: request.Query.From}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(weeksAtOnce)
	var mu sync.Mutex
	for i, week := range weeks {
		if known && first <= i && i < end {
			continue
		}
		if i > 0 && r.clock().Sub(began) > r.budget {
			done.partial, done.reached = true, max(weeks[i-1].Start(), request.Query.From)
			break
		}
		group.Go(panics.AsError(func() error {
			var err error
			aggregates[i], err = r.aggregateWeek(groupCtx, request.of(week), revisions[week])
			damaged, other := event.SplitDamaged(err)
			mu.Lock()
			defer mu.Unlock()
			done.damaged = addDamaged(done.damaged, damaged)
			return other
		}))
	}
	if err := group.Wait(); err != nil {
		return counted{}, errors.Join(ctx.Err(), err)
	}
	if !known {
		before = combine(aggregates[first:end])
		if first < end && !done.partial && len(done.damaged) == 0 {
			r.cache.put(key, before)
		}
	}
	done.aggregate = before.with(slices.Concat(aggregates[:first], aggregates[end:]))
	return done, nil
}

// aggregateWeek counts one week, or remembers what it was.
func (r *Reader) aggregateWeek(ctx context.Context, c AggregateRequest, revision string) (Aggregate, error) {
	if !c.lasting(revision) {
		aggregate, err := r.aggregator.Aggregate(ctx, c)
		return aggregate, wrapAggregate(err)
	}
	key := c.key(revision)
	if kept, known := r.cache.get(key); known {
		return kept.aggregate, nil
	}
	aggregate, err := r.aggregator.Aggregate(ctx, c)
	if err != nil {
		return Aggregate{}, wrapAggregate(err)
	}
	r.cache.put(key, &cachedAggregate{aggregate: aggregate})
	return aggregate, nil
}

// of is the count of one week, whose time has no bounds where they are not
// inside of it.
func (c AggregateRequest) of(week event.Week) AggregateRequest {
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
func (c AggregateRequest) lasting(revision string) bool {
	return revision != "" && c.Statuses == nil && c.Query.From == 0 && c.Query.Until == 0
}

func (c AggregateRequest) key(revision string) aggregateKey {
	return aggregateKey{
		workspace: c.Workspace, week: c.Week, revision: revision, parts: c.Parts,
		// Go's own notation tells every condition apart.
		query: fmt.Sprintf("%s %#v", c.Query.Automated, c.Query.Where),
	}
}

func wrapAggregate(err error) error {
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return nil
}
