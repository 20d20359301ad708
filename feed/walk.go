package feed

import (
	"context"
	"fmt"

	"tidings/event"
	"tidings/query"
)

// walk reads every event that matches, newest first, a batch at a time. Unlike a
// page it goes on for as long as it is asked.
type walk struct {
	scan
	asked query.Query
	exact bool
	// batch is how many events are asked for at a time.
	batch int
	weeks []event.Week
	// past is how far back everything was read.
	past int64
}

// walkThrough begins a walk over weeks, which are newest first.
func (r *Reader) walkThrough(scope Scope, q query.Query, weeks []event.Week, batch int) *walk {
	w := &walk{scan: scan{reader: r, scope: scope, query: q}, weeks: weeks, batch: batch}
	w.asked, w.exact = q.Candidates()
	return w
}

// next is the next batch of matching events, perhaps an empty one, with the
// states of the messages of its sends; more is false after the last.
func (w *walk) next(ctx context.Context) (hits []Hit, more bool, err error) {
	if len(w.weeks) == 0 {
		return nil, false, nil
	}
	w.states, w.stated = nil, 0
	week := w.weeks[0]
	found, err := w.search(ctx, Search{
		Workspace: w.scope.Workspace, Query: w.asked, Weeks: []event.Week{week}, Before: w.before, Oldest: w.oldest, Limit: w.batch,
	})
	if err != nil {
		return nil, false, fmt.Errorf("search: %w", err)
	}
	if len(found) < w.batch {
		w.weeks, w.before, w.past = w.weeks[1:], Key{}, max(week.Start(), w.query.From)
	} else {
		w.before = found[len(found)-1].Key
		w.past = w.before.Seconds
	}
	if w.exact {
		return found, len(w.weeks) > 0, nil
	}
	matching, err := w.matching(ctx, found)
	return matching, len(w.weeks) > 0, err
}
