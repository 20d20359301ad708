package feed

import (
	"context"
	"fmt"
	"time"

	"tidings/event"
	"tidings/query"
)

// Evidence gives the sends, deliveries, opens and clicks of a workspace since a
// time to visit, newest first, a bounded number at a time, whoever made them. It
// takes its time as a page does, and returns how far back it has come: since,
// when that was all.
func (r *Reader) Evidence(ctx context.Context, workspace string, since time.Time, visit func([]event.Event)) (time.Time, error) {
	began := r.clock()
	q := query.Query{
		From: since.Unix(), Automated: query.AutomatedShow,
		Where: query.Keyword{Field: query.FieldType, Values: []string{
			string(event.Send), string(event.Delivery), string(event.Open), string(event.Click),
		}},
	}
	scope := Scope{Workspace: workspace}
	s := scan{reader: r, scope: scope, query: q}
	weeks, err := s.weeks(ctx, began)
	if err != nil {
		return time.Time{}, err
	}
	w := r.walkThrough(scope, q, weeks, mostCandidates)
	for more := len(weeks) > 0; more; {
		if err := ctx.Err(); err != nil {
			return time.Time{}, fmt.Errorf("evidence: %w", err)
		}
		var hits []Hit
		if hits, more, err = w.next(ctx); err != nil {
			return time.Time{}, err
		}
		events := make([]event.Event, len(hits))
		for i, hit := range hits {
			events[i] = hit.Event
		}
		visit(events)
		if more && s.spent(began) {
			return time.Unix(w.past, 0).UTC(), nil
		}
	}
	return since, nil
}
