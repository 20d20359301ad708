package sqlite

import (
	"context"
	"fmt"

	"tidings/event"
	"tidings/query"
)

// Rewrite replaces events that exist, in one transaction a week. Those that do
// not are left out. An event of a blocked week makes it an event.WeekBlocked, and
// those of damaged weeks, once the others are written, event.DamagedWeeks.
func (x *Index) Rewrite(ctx context.Context, events []event.Event) error {
	weeks := make(map[event.Week][]event.Event)
	for _, e := range events {
		if err := e.Storable(); err != nil {
			return fmt.Errorf("rewriting events: %w", err)
		}
		weeks[e.Week()] = append(weeks[e.Week()], e)
	}
	var damaged event.DamagedWeeks
	for week, events := range weeks {
		err := x.writing(ctx, week, false, func(file *weekFile, blocked bool) error {
			if blocked {
				return &event.WeekBlocked{Week: week}
			}
			return file.transactWords(ctx, func(tx *weekTx) error {
				for _, e := range events {
					if err := x.rewriteOne(tx, e); err != nil {
						return err
					}
				}
				return nil
			})
		})
		if found, other := event.SplitDamaged(err); other != nil {
			return failed("rewriting events", other)
		} else {
			damaged = append(damaged, found...)
		}
	}
	return damaged.Err()
}

func (x *Index) rewriteOne(tx *weekTx, e event.Event) error {
	r, exists, _, err := tx.file.find(tx.ctx, tx.run, e.ID)
	if err != nil || !exists || tx.file.nameOf(r.workspaceID) != e.Workspace {
		return err
	}
	return x.replace(tx, r, e)
}

// replace puts e where the row r is.
func (x *Index) replace(tx *weekTx, r row, e event.Event) error {
	ready := x.analyse(e)
	made, err := ready.entryFor(tx.file)
	if err != nil {
		return err
	}
	if same, err := x.documents.same(row{id: r.id, doc: made.doc}, r); err != nil || same {
		return err
	}
	old, err := x.storedTerms(tx.file, r)
	if err != nil {
		return err
	}
	return tx.rewrite(r.rowid, old, made)
}

// storedTerms are the terms that a stored event was indexed with.
func (x *Index) storedTerms(file *weekFile, r row) (indexTerms, error) {
	e, err := x.documents.unpack(r.id, file.nameOf(r.workspaceID), r.doc)
	if err != nil {
		return indexTerms{}, err
	}
	return termsOf(query.NewDocument(e), r.workspaceID), nil
}
