package feed

import (
	"context"
	"fmt"

	"tidings/event"
	"tidings/query"
)

// History returns all events of a message that can be found, for those who judge
// them again. It takes the time that it takes.
func (r *Reader) History(ctx context.Context, key event.MessageKey) ([]event.Event, error) {
	var events []event.Event
	err := r.EachOf(ctx, key, func(more []event.Event) error {
		if events = append(events, more...); len(events) > maxCounted {
			return fmt.Errorf("history of a message: %w", event.ErrTooMuch)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return events, nil
}

// EachOf visits all events of a message that can be found, a page at a time, and
// ends with the first error of visit.
func (r *Reader) EachOf(ctx context.Context, key event.MessageKey, visit func([]event.Event) error) error {
	scope := Scope{Workspace: key.Workspace}
	state, err := r.state(ctx, scope, key.Message)
	if err != nil {
		return err
	}
	for before := (Key{}); ; {
		scan := r.timeline(scope, state, before, mostCandidates)
		if err := scan.run(ctx, r.clock()); err != nil {
			return err
		}
		events := make([]event.Event, len(scan.found))
		for i, hit := range scan.found {
			events[i] = hit.Event
		}
		if err := visit(events); err != nil {
			return err
		}
		if scan.next == nil {
			return nil
		}
		before = *scan.next
	}
}

// SendsOf gives the sends of a workspace's week to visit, a bounded number at a
// time, and ends with the first error of visit.
func (r *Reader) SendsOf(ctx context.Context, workspace string, week event.Week, visit func([]event.Event) error) error {
	q := query.Query{Automated: query.AutomatedShow, Where: query.Types(event.Send)}
	w := r.walkThrough(Scope{Workspace: workspace}, q, []event.Week{week}, mostCandidates)
	for more := true; more; {
		var hits []Hit
		var err error
		if hits, more, err = w.next(ctx); err != nil {
			return err
		}
		events := make([]event.Event, len(hits))
		for i, hit := range hits {
			events[i] = hit.Event
		}
		if err := visit(events); err != nil {
			return err
		}
	}
	return w.damaged.Err()
}
