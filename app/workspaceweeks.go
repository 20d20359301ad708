package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// weekCountTime bounds how long a workspace's events are counted for a list of
// weeks.
const weekCountTime = 2 * time.Second

// countedWeeks are the weeks of an index, with how much of them is a workspace's
// own.
type countedWeeks struct {
	Index
	catalogue feed.Catalogue
}

// WorkspaceEvents counts a workspace's events by week, newest first for as long
// as there is time. A number that is not known is nil: there was no more time,
// the week is damaged, or the index does not count.
func (w countedWeeks) WorkspaceEvents(ctx context.Context, workspace string) (map[event.Week]*int64, error) {
	weeks, err := w.catalogue.Weeks(ctx, workspace)
	if err != nil {
		return nil, fmt.Errorf("list weeks of the workspace: %w", err)
	}
	counts := make(map[event.Week]*int64, len(weeks))
	for _, week := range weeks {
		counts[week] = nil
	}
	aggregator, ok := w.Index.(feed.Aggregator)
	if !ok {
		return counts, nil
	}
	counting, cancel := context.WithTimeout(ctx, weekCountTime)
	defer cancel()
	for _, week := range weeks {
		aggregate, err := aggregator.Aggregate(counting, feed.AggregateRequest{
			Workspace: workspace, Week: week, Query: query.Query{Automated: query.AutomatedShow},
		})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if counting.Err() != nil {
			break
		}
		if _, damaged := errors.AsType[*event.WeekDamaged](err); damaged || errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var events int64
		for _, n := range aggregate.Events {
			events += int64(n)
		}
		counts[week] = &events
	}
	return counts, nil
}
