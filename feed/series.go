package feed

import (
	"context"
	"fmt"
	"slices"

	"tidings/event"
)

// Bounds of reading what happened before and after events.
const (
	// historyChunk is how many events are checked at a time.
	historyChunk = 100
	// longestHistory is how many events the histories of a chunk may have. A
	// search that meets longer ones is refused.
	longestHistory = 50_000
)

// inHistory keeps the hits for which the query's History holds, which the other
// events of their recipients decide: those are searched for.
func (s *scan) inHistory(ctx context.Context, hits []Hit) ([]Hit, error) {
	if s.query.History == nil {
		return hits, nil
	}
	var kept []Hit
	for chunk := range slices.Chunk(hits, historyChunk) {
		events := make([]event.Event, 0, len(chunk))
		for _, hit := range chunk {
			if hit.Event.Recipient != nil {
				events = append(events, hit.Event)
			}
		}
		if len(events) == 0 {
			continue
		}
		series, err := s.series(ctx, events)
		if err != nil {
			return nil, err
		}
		holds := s.query.Among(events, series)
		for _, hit := range chunk {
			if holds[hit.Event.ID] {
				kept = append(kept, hit)
			}
		}
	}
	return kept, nil
}

// series reads the events that decide whether the query's History holds for these.
func (s *scan) series(ctx context.Context, events []event.Event) ([]event.Event, error) {
	other := scan{reader: s.reader, scope: s.scope, query: s.query.Series(events)}
	weeks, err := other.weeks(ctx, s.reader.clock())
	if err != nil {
		return nil, err
	}
	var series []event.Event
	asked, exact := other.query.Candidates()
	for before, more := (Key{}), true; more; {
		hits, err := other.search(ctx, Search{
			Workspace: s.scope.Workspace, Query: asked, Weeks: weeks, Before: before, Limit: readBatch,
		})
		if err != nil {
			return nil, fmt.Errorf("search histories: %w", err)
		}
		if more = len(hits) == readBatch; more {
			before = hits[len(hits)-1].Key
		}
		if !exact {
			other.states = nil
			if hits, err = other.matching(ctx, hits); err != nil {
				return nil, err
			}
		}
		for _, hit := range hits {
			series = append(series, hit.Event)
		}
		if len(series) > longestHistory {
			return nil, &event.TooMuch{What: fmt.Sprintf("so much has happened to these mails (more than %d events) that it cannot be counted; name a person or a mail", longestHistory)}
		}
	}
	s.damaged = addDamaged(s.damaged, other.damaged)
	return series, nil
}
