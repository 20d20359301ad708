package feed

import (
	"context"
	"fmt"
	"slices"

	"tidings/event"
	"tidings/query"
)

// PersonData gives all that is stored about a person of a workspace, by canonical
// address, to visit: every event of every week with them, newest first, a bounded
// number at a time, with its raw evidence; none after a search that found nothing. Of a send it tells this recipient alone.
// It ends with the first error of visit. Once all the others were given it returns
// event.DamagedWeeks where weeks could not be read.
func (r *Reader) PersonData(ctx context.Context, workspace, email string, visit func([]EventView) error) error {
	names, err := r.directory.Names(ctx, workspace)
	if err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	scope := Scope{Workspace: workspace}
	q := query.Query{
		Automated: query.AutomatedShow,
		Where:     query.Keyword{Field: query.FieldRecipient, Values: []string{email}},
	}
	s := scan{reader: r, scope: scope, query: q}
	weeks, err := s.weeks(ctx, r.clock())
	if err != nil {
		return err
	}
	w := r.walkThrough(scope, q, weeks, exportBatch)
	for more := len(weeks) > 0; more; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("export a person's data: %w", err)
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
		if err := w.read(ctx, hits); err != nil {
			return err
		}
		views := make([]EventView, len(hits))
		for i, hit := range hits {
			e := hit.Event
			e.Recipients = slices.DeleteFunc(slices.Clone(e.Recipients), func(p event.Person) bool { return p.Email != email })
			views[i] = viewOf(e, w.stateOf(e), func(user string) string { return names[user] })
		}
		if err := visit(views); err != nil {
			return err
		}
	}
	return w.damaged.Err()
}
