package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"tidings/event"
	"tidings/query"
	"tidings/store/sqlite/rowids"
)

// eraseBatch is how many events of a person are taken out at a time.
const eraseBatch = 500

// EraseRecipient takes a person out of every week of a workspace, sealed ones
// too: events about them are deleted, and a send to others as well is rewritten
// without them. Nothing of what was taken out stays in the files. It may be
// stopped and repeated; it says what this call did. Damaged weeks fail it, once the
// others are done.
func (x *Index) EraseRecipient(ctx context.Context, workspace, email string) (deleted []event.ID, rewritten []event.Event, err error) {
	forms := event.TextsOf(email)
	var damaged event.DamagedWeeks
	for _, week := range x.known() {
		e := erasure{index: x, workspace: workspace, forms: forms}
		err := x.exclusively(ctx, week, func(slot *weekSlot) error { return e.week(ctx, slot) })
		found, other := event.SplitDamaged(err)
		if other != nil {
			return deleted, rewritten, failed("erasing a recipient from week "+week.String(), other)
		}
		damaged = append(damaged, found...)
		deleted = append(deleted, e.deleted...)
		rewritten = append(rewritten, e.rewritten...)
	}
	return deleted, rewritten, failed("erasing a recipient", damaged.Err())
}

// erasure takes one person out of one week.
type erasure struct {
	index     *Index
	workspace string
	// forms are the texts that stand for the person's address.
	forms     []string
	deleted   []event.ID
	rewritten []event.Event
}

// week erases from a week that nobody else writes.
func (e *erasure) week(ctx context.Context, slot *weekSlot) error {
	return e.index.edit(ctx, slot, func(file *weekFile) (bool, error) {
		rows, err := e.find(ctx, file, 1)
		return len(rows) > 0, err
	}, func(file *weekFile) error { return e.file(ctx, file) })
}

// file erases from a file. What is deleted is overwritten, in the index as in
// the rows, and the log that still has it is cut off.
func (e *erasure) file(ctx context.Context, file *weekFile) error {
	if err := secure(ctx, file, 1); err != nil {
		return err
	}
	if workspaceID, known := file.workspaceIDOf(e.workspace); known {
		err := transact(ctx, file.writer, func(tx *sql.Tx) error { return deleteColumns(ctx, tx, workspaceID) })
		if err != nil {
			return err
		}
	}
	rowids, err := e.rowids(ctx, file)
	if err != nil {
		return err
	}
	if err := file.withoutSamples(ctx, e.index.documents, rowids); err != nil {
		return err
	}
	for {
		rows, err := e.find(ctx, file, eraseBatch)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		batch := erasure{index: e.index, workspace: e.workspace, forms: e.forms}
		if err := file.transactWords(ctx, func(tx *weekTx) error { return batch.rows(tx, rows) }); err != nil {
			return err
		}
		e.deleted = append(e.deleted, batch.deleted...)
		e.rewritten = append(e.rewritten, batch.rewritten...)
	}
	if err := file.clearNumbers(ctx); err != nil {
		return err
	}
	if _, err := file.writer.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return err
	}
	return secure(ctx, file, 0)
}

// secure makes deletions overwrite, which costs time, or not.
func secure(ctx context.Context, file *weekFile, on int) error {
	if err := file.rereadWords(ctx); err != nil {
		return err
	}
	if _, err := file.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA secure_delete = %d", on)); err != nil {
		return err
	}
	_, err := file.writer.ExecContext(ctx, "INSERT INTO words(words, rank) VALUES('secure-delete', ?)", on)
	return err
}

// find reads rows that name the person, newest first.
func (e *erasure) find(ctx context.Context, file *weekFile, limit int) ([]row, error) {
	workspaceID, match, err := e.match(file)
	if err != nil || match == "" {
		return nil, err
	}
	return file.page(ctx, workspaceID, match, 0, rowids.End(file.week), limit, false)
}

// match is what finds the rows that name the person, "" where there are none.
func (e *erasure) match(file *weekFile) (workspaceID int64, match string, err error) {
	workspaceID, known := file.workspaceIDOf(e.workspace)
	if !known {
		return 0, "", nil
	}
	named := query.Keyword{Field: query.FieldRecipient, Values: e.forms}
	match, err = compileParts(named, partsOf(workspaceID, query.AutomatedShow))
	return workspaceID, match, err
}

// rowids are those of all rows that name the person.
func (e *erasure) rowids(ctx context.Context, file *weekFile) ([]int64, error) {
	workspaceID, match, err := e.match(file)
	if err != nil || match == "" {
		return nil, err
	}
	return file.rowids(ctx, workspaceID, match, 0, rowids.End(file.week))
}

func (e *erasure) rows(tx *weekTx, rows []row) error {
	for _, r := range rows {
		if err := e.row(tx, r); err != nil {
			return err
		}
	}
	return nil
}

func (e *erasure) row(tx *weekTx, r row) error {
	stored, err := e.index.documents.unpack(r.id, e.workspace, r.doc)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(stored.Recipients), func(p event.Person) bool { return slices.Contains(e.forms, p.Email) })
	if len(left) > 0 {
		stored.Recipients = left
		e.rewritten = append(e.rewritten, stored)
		return e.index.replace(tx, r, stored)
	}
	e.deleted = append(e.deleted, r.id)
	return tx.remove(r, termsOf(query.NewDocument(stored), r.workspaceID))
}
