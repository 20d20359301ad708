package sqlite

import (
	"context"
	"slices"

	"tidings/event"
	"tidings/query"
	"tidings/store/sqlite/rowids"
)

// RemoveSends takes the sends of messages out of a week, sealed or not, and
// returns how many it took.
func (x *Index) RemoveSends(ctx context.Context, week event.Week, messages []event.MessageKey) (int, error) {
	byWorkspace := make(map[string][]string)
	for _, key := range messages {
		byWorkspace[key.Workspace] = append(byWorkspace[key.Workspace], key.Message)
	}
	removed := 0
	err := x.exclusively(ctx, week, func(slot *weekSlot) error {
		return x.edit(ctx, slot, func(file *weekFile) (bool, error) {
			for workspace, messages := range byWorkspace {
				rows, err := sendsOf(ctx, file, workspace, messages)
				if err != nil || len(rows) > 0 {
					return len(rows) > 0, err
				}
			}
			return false, nil
		}, func(file *weekFile) error {
			// Who is erased later is not looked for in what is free.
			if err := secure(ctx, file, 1); err != nil {
				return err
			}
			for workspace, messages := range byWorkspace {
				rows, err := sendsOf(ctx, file, workspace, messages)
				if err != nil {
					return err
				}
				if err := file.withoutSamples(ctx, x.documents, rowidsIn(rows)); err != nil {
					return err
				}
				if err := x.removeRows(ctx, file, rows); err != nil {
					return err
				}
				removed += len(rows)
			}
			if err := file.clearNumbers(ctx); err != nil {
				return err
			}
			return secure(ctx, file, 0)
		})
	})
	return removed, failed("removing sends from week "+week.String(), err)
}

// sendsOf reads the rows of the sends of messages.
func sendsOf(ctx context.Context, file *weekFile, workspace string, messages []string) ([]row, error) {
	workspaceID, known := file.workspaceIDOf(workspace)
	if !known {
		return nil, nil
	}
	var all []row
	for _, message := range slices.Compact(slices.Sorted(slices.Values(messages))) {
		named := query.And{query.Types(event.Send), query.Keyword{Field: query.FieldMessage, Values: []string{message}}}
		match, err := compileParts(named, partsOf(workspaceID, query.AutomatedHide))
		if err != nil {
			return nil, err
		}
		rows, err := file.page(ctx, workspaceID, match, 0, rowids.End(file.week), maxPieces, false)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// maxPieces is how many sends one message may have: a piece a recipient.
const maxPieces = 10_000

// removeRows takes rows out in one transaction.
func (x *Index) removeRows(ctx context.Context, file *weekFile, rows []row) error {
	return file.transactWords(ctx, func(tx *weekTx) error {
		for _, r := range rows {
			old, err := x.storedTerms(file, r)
			if err != nil {
				return err
			}
			if err := tx.remove(r, old); err != nil {
				return err
			}
		}
		return nil
	})
}

func rowidsIn(rows []row) []int64 {
	rowids := make([]int64, len(rows))
	for i, r := range rows {
		rowids[i] = r.rowid
	}
	return rowids
}
