package elastic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"tidings/event"
)

// Create writes the events that are not there yet and returns one outcome an
// event in their order. Weeks are made as they are needed. What Elasticsearch was
// too busy for is event.ErrUnavailable, each on its own; the events of a sealed
// week are event.WeekBlocked, and those of a damaged one event.WeekDamaged.
func (x *Index) Create(ctx context.Context, events []event.Event) ([]event.Outcome, error) {
	outcomes := make([]event.Outcome, len(events))
	b := creation{index: x, events: events, outcomes: outcomes}
	now := x.known()
	for i, e := range events {
		if outcomes[i].Err = now.of(e.Week()); outcomes[i].Err != nil {
			continue
		}
		doc, err := encode(e)
		if err != nil {
			outcomes[i].Err = err
			continue
		}
		b.numbers = append(b.numbers, i)
		b.actions = append(b.actions, action{op: opCreate, target: x.target(e), doc: doc})
	}
	absent, err := b.write(ctx)
	if err != nil {
		return nil, failed("creating events", err)
	}
	if len(absent) > 0 {
		for _, week := range absent {
			if _, err := event.SplitDamaged(x.Prepare(ctx, week)); err != nil {
				return nil, failed("creating events", err)
			}
		}
		if _, err := b.write(ctx); err != nil {
			return nil, failed("creating events", err)
		}
	}
	return outcomes, failed("creating events", b.blame(ctx))
}

// blame has the weeks looked at whose events found them away, so that the damaged are
// named.
func (b *creation) blame(ctx context.Context) error {
	ended := time.Now()
	for i, e := range b.events {
		away := b.outcomes[i].Err
		if !errors.Is(away, event.ErrUnavailable) || errors.Is(away, context.Canceled) {
			continue
		}
		if _, blocked := errors.AsType[*event.WeekBlocked](away); blocked {
			continue
		}
		now, err := b.index.look(ctx, ended)
		if err != nil {
			return ctx.Err() // what is away is tried again
		}
		if damage := now.of(e.Week()); damage != nil {
			b.outcomes[i].Err = damage
		}
	}
	return nil
}

// target is where an event is written by its week's alias.
func (x *Index) target(e event.Event) target {
	return target{Index: x.names.alias(e.Week()), ID: e.ID, Routing: e.Workspace, RequireAlias: true}
}

// creation is one Create. numbers are the events that actions are for.
type creation struct {
	index    *Index
	events   []event.Event
	outcomes []event.Outcome
	numbers  []int
	actions  []action
}

// write makes the actions and leaves those to be made whose weeks are absent.
func (b *creation) write(ctx context.Context) (absent []event.Week, err error) {
	results, err := b.index.bulk(ctx, b.actions, false)
	if err != nil {
		return nil, err
	}
	weeks := make(map[event.Week]bool)
	var numbers []int
	var actions []action
	for i, result := range results {
		number := b.numbers[i]
		e := b.events[number]
		b.outcomes[number] = outcome(e, result)
		if result.Error.Type == kindNoIndex {
			weeks[e.Week()] = true
			numbers, actions = append(numbers, number), append(actions, b.actions[i])
		}
	}
	b.numbers, b.actions = numbers, actions
	return slices.Sorted(maps.Keys(weeks)), nil
}

// outcome is what became of one event.
func outcome(e event.Event, r result) event.Outcome {
	switch {
	case r.Status == http.StatusCreated:
		return event.Outcome{Created: true}
	case r.Status == http.StatusConflict:
		return event.Outcome{}
	case r.Error.Type == kindNoIndex:
		// The week was dropped between being made and being written.
		return event.Outcome{Err: fmt.Errorf("%w: week %s is not there", event.ErrUnavailable, e.Week())}
	}
	return event.Outcome{Err: writeError(e, r)}
}

// writeError is why an event was not written.
func writeError(e event.Event, r result) error {
	err := r.err()
	switch {
	case err == nil:
		return nil
	case r.Error.Type == kindBlocked:
		return errBlocked(e.Week())
	case errors.Is(err, event.ErrInvalid):
		return fmt.Errorf("event %s: %w", e.ID, err)
	}
	return err
}
