package feed

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// What an export has in memory at a time: so many events, and items with so many
// recipients.
const (
	exportBatch      = 200
	exportRecipients = 5_000
)

// ExportRequest asks for every event that a feed would list.
type ExportRequest struct {
	Scope
	// Text is what was typed.
	Text string
	// Filter holds the structured filters. Since 0 means the horizon.
	Filter query.Filter
}

// Export gives every event that Page lists for the same text and filters to
// visit, in the same order, a bounded number at a time, without highlights; none after a
// search that found nothing, so that others have a turn between two of them. It ends
// with the first error of visit, or when ctx does. What arrives meanwhile may be
// missing, but nothing comes twice. Where a week was dropped meanwhile the error is an
// event.Cause: what it held may be missing. Once all the others were given it returns
// event.DamagedWeeks where weeks could not be read.
func (r *Reader) Export(ctx context.Context, request ExportRequest, visit func([]Item) error) error {
	who, err := r.people(ctx, request.Scope)
	if err != nil {
		return err
	}
	now := r.clock()
	understood, q, err := r.interpret(ctx, PageRequest{Scope: request.Scope, Text: request.Text, Filter: request.Filter}, who, now)
	if err != nil {
		return err
	}
	s := scan{reader: r, scope: request.Scope, query: q, oldest: understood.Order == string(query.OldestFirst)}
	weeks, err := s.weeks(ctx, now)
	if err != nil {
		return err
	}
	w := r.walkThrough(request.Scope, q, weeks, exportBatch)
	w.oldest = s.oldest
	for more := len(weeks) > 0; more; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("export: %w", err)
		}
		var hits []Hit
		if hits, more, err = w.next(ctx); err != nil {
			return err
		}
		if len(hits) == 0 {
			if err := visit(nil); err != nil {
				return err
			}
			continue
		}
		if err := w.visit(ctx, hits, who.names, visit); err != nil {
			return err
		}
	}
	if err := s.stillListed(ctx, weeks, now); err != nil {
		return err
	}
	return w.damaged.Err()
}

// stillListed is nil unless one of weeks was dropped since they were listed.
func (s *scan) stillListed(ctx context.Context, weeks []event.Week, now time.Time) error {
	listed, err := s.weeks(ctx, now)
	if err != nil {
		return err
	}
	for _, week := range weeks {
		if !slices.Contains(listed, week) {
			return &event.Cause{Words: fmt.Sprintf("week %s was dropped while it was exported: what it held may be missing", week)}
		}
	}
	return nil
}

// visit gives the items of hits, the sends with the state of all their recipients, at
// most exportRecipients at a time.
func (w *walk) visit(ctx context.Context, hits []Hit, names map[string]string, give func([]Item) error) error {
	var items []Item
	var failed error
	people := 0
	err := w.inParts(ctx, hits, func(hit Hit) {
		if failed != nil {
			return
		}
		if people += len(hit.Event.Recipients); people > exportRecipients && len(items) > 0 {
			failed = give(items)
			items, people = nil, len(hit.Event.Recipients)
		}
		items = append(items, itemOf(hit.Event, w.stateOf(hit.Event), func(user string) string { return names[user] }, event.MaxRecipients))
	})
	if err = cmp.Or(failed, err); err != nil || len(items) == 0 {
		return err
	}
	return give(items)
}
