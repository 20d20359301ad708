package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"tidings/event"
	"tidings/query"
	"tidings/store/sqlite/columns"
	"tidings/store/sqlite/rowids"
	"tidings/store/sqlite/segments"
)

// weekTx is a transaction that writes a week. Its statements are the week's.
type weekTx struct {
	weekWrites
	ctx  context.Context
	file *weekFile
	// saved are the workspaces whose numbers it wrote.
	saved map[int64]bool
	// growth is how many events it added, less those it dropped.
	growth int64
	// written are the events it created or replaced, and removed is whether it
	// took any out.
	written []columns.Event
	removed bool
	// workspaceIDs are the workspaces whose events it changed.
	workspaceIDs map[int64]bool
	// touched are the rowids that it wrote.
	touched []int64
	// changed are those of them that were there before.
	changed []int64
	// due is how many pages of words were written behind which as many have to be merged.
	due int
}

// entry is an event that is ready to be written.
type entry struct {
	event       event.Event
	workspaceID int64
	rowid       int64
	doc         []byte
	document    query.Document
}

// part is the number of the part of the index that the event is found in.
func (e *entry) part() int64 { return partNumber(e.workspaceID, e.document.Event.Automated()) }

// create writes an entry's row unless its event is there, and reports whether it
// did.
func (tx *weekTx) create(e *entry) (bool, error) {
	if err := tx.saveWorkspace(e); err != nil {
		return false, err
	}
	result, err := tx.weekWrites.create.ExecContext(tx.ctx, e.rowid, e.rowid-rowids.Probes+1, e.workspaceID, e.event.ID[4:], e.doc)
	if err != nil {
		return false, err
	}
	made, err := result.RowsAffected()
	if err != nil {
		return false, err
	}
	if made == 0 {
		_, exists, free, err := tx.file.find(tx.ctx, tx.run, e.event.ID)
		switch {
		case err != nil || exists:
			return false, err
		case free < 0:
			return false, fmt.Errorf("%w: event %s: too many ids begin like this one", event.ErrInvalid, e.event.ID)
		}
		e.rowid = free
		if _, err := tx.add.ExecContext(tx.ctx, e.rowid, e.workspaceID, e.event.ID[4:], e.doc); err != nil {
			return false, err
		}
	}
	tx.growth++
	tx.written = append(tx.written, columns.Event{Rowid: e.rowid, Event: e.event})
	tx.workspaceIDs[e.workspaceID] = true
	tx.touched = append(tx.touched, e.rowid)
	return true, nil
}

func (tx *weekTx) saveWorkspace(e *entry) error {
	if tx.saved[e.workspaceID] || tx.file.isSaved(e.workspaceID) {
		return nil
	}
	if _, err := tx.addWorkspace.ExecContext(tx.ctx, e.workspaceID, e.event.Workspace); err != nil {
		return err
	}
	tx.saved[e.workspaceID] = true
	return nil
}

// putSegment makes events findable.
func (tx *weekTx) putSegment(segment *segments.Segment) error {
	tx.file.wordsWritten = true
	due, err := segments.Add(tx.words, segment, leafBytes, levelSegments)
	tx.due += due
	return err
}

// putAllWords makes entries findable.
func (tx *weekTx) putAllWords(entries []*entry) error {
	slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(a.rowid, b.rowid) })
	return tx.putSegment(segmentOf(entries))
}

func (tx *weekTx) putWords(number int64, text indexTerms) error {
	_, err := tx.addWords.ExecContext(tx.ctx, number, text.body, text.subject, text.people, text.link, text.file)
	return err
}

func (tx *weekTx) takeWords(number int64, text indexTerms) error {
	_, err := tx.dropWords.ExecContext(tx.ctx, number, text.body, text.subject, text.people, text.link, text.file)
	return err
}

// change notes that a row is changed that is there, before it is.
func (tx *weekTx) change(rowid int64) {
	if len(tx.changed) == 0 {
		tx.file.changes.Add(1)
	}
	tx.changed = append(tx.changed, rowid)
	tx.touched = append(tx.touched, rowid)
}

// rewrite puts an entry in the place of what is stored of its event.
func (tx *weekTx) rewrite(rowid int64, old indexTerms, e *entry) error {
	tx.change(rowid)
	if made := termsOf(e.document, e.workspaceID); made != old {
		number, err := tx.number(e.workspaceID, rowid)
		if err != nil {
			return err
		}
		if err := tx.takeWords(number, old); err != nil {
			return err
		}
		if err := tx.putWords(number, made); err != nil {
			return err
		}
	}
	tx.written = append(tx.written, columns.Event{Rowid: rowid, Event: e.event})
	tx.workspaceIDs[e.workspaceID] = true
	_, err := tx.replace.ExecContext(tx.ctx, e.doc, rowid)
	return err
}

// remove takes an event out. Its number still says where it was: see clearNumbers.
func (tx *weekTx) remove(r row, old indexTerms) error {
	number, err := tx.number(r.workspaceID, r.rowid)
	if err != nil {
		return err
	}
	if err := tx.takeWords(number, old); err != nil {
		return err
	}
	tx.growth--
	tx.change(r.rowid)
	tx.removed, tx.workspaceIDs[r.workspaceID] = true, true
	_, err = tx.drop.ExecContext(tx.ctx, r.rowid)
	return err
}
