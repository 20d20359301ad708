package elastic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"tidings/event"
)

// maxTries bounds how often a write is tried that meets another one's.
const maxTries = 5

// Rewrite replaces events that exist. Those that do not, and those of another
// workspace, are left out. An event of a sealed week makes it event.WeekBlocked;
// the others are rewritten all the same, and those of damaged weeks are left, which
// event.DamagedWeeks says.
func (x *Index) Rewrite(ctx context.Context, events []event.Event) error {
	var damaged event.DamagedWeeks
	for range maxTries {
		met, err := x.rewrite(ctx, events)
		more, err := event.SplitDamaged(err)
		if err != nil {
			return failed("rewriting events", err)
		}
		damaged = append(damaged, more...)
		if len(met) == 0 {
			return damaged.Err()
		}
		events = met
	}
	return fmt.Errorf("rewriting events: %w: others keep writing them", event.ErrUnavailable)
}

// rewrite is one try. It returns the events whose document changed after it was
// read.
func (x *Index) rewrite(ctx context.Context, events []event.Event) (met []event.Event, err error) {
	docs := make([][]byte, len(events))
	for i, e := range events {
		if docs[i], err = encode(e); err != nil {
			return nil, err
		}
	}
	held, err := x.documents(ctx, events)
	damaged, err := event.SplitDamaged(err)
	if err != nil {
		return nil, err
	}
	var actions []action
	var writing []event.Event
	for i, e := range events {
		d, exists := held[e.ID]
		if !exists || d.Source.Event.Workspace != e.Workspace || reflect.DeepEqual(d.Source.Event, e) {
			continue
		}
		to := x.target(e)
		to.SeqNo, to.Term = d.SeqNo, d.Term
		actions = append(actions, action{op: opIndex, target: to, doc: docs[i]})
		writing = append(writing, e)
	}
	results, err := x.bulk(ctx, actions, false)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, result := range results {
		switch {
		case result.Status == http.StatusConflict:
			met = append(met, writing[i])
		case result.Error.Type == kindNoIndex: // dropped in between
		default:
			errs = append(errs, writeError(writing[i], result))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return met, err
	}
	return met, damaged.Err()
}
