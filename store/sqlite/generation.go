package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"tidings/event"
	"tidings/migrations"
)

// generation is a week's file that is built beside the one that is read.
type generation struct {
	index *Index
	slot  *weekSlot
	file  *weekFile
	// copied is set once everything was copied for the first time.
	copied bool
}

// copyBatch is how many events are copied in one transaction.
const copyBatch = 1000

// NextGeneration begins a new file for a week.
func (x *Index) NextGeneration(ctx context.Context, week event.Week) (migrations.Generation, error) {
	g := &generation{index: x, slot: x.slot(week)}
	err := x.exclusively(ctx, week, func(slot *weekSlot) error {
		exists := false
		err := x.using(ctx, week, false, func(*weekFile, bool) error {
			exists = true
			return nil
		})
		switch {
		case err != nil:
			return err
		case !exists:
			return fmt.Errorf("there is no week %s: %w", week, event.ErrNotFound)
		case slot.next != nil:
			return fmt.Errorf("week %s is being built anew already: %w", week, event.ErrConflict)
		}
		if err := x.remove(week, generationEnding); err != nil {
			return err
		}
		if g.file, err = openWeek(ctx, g.path(), week, access{connections: 1}, x.caches()); err != nil {
			return err
		}
		slot.next = g
		slot.writeLog.start()
		return nil
	})
	if err != nil {
		return nil, failed("building week "+week.String()+" anew", err)
	}
	return g, nil
}

func (g *generation) path() string { return g.index.path(g.slot.week, generationEnding) }

// Copy brings over what was written since the last.
func (g *generation) Copy(ctx context.Context, judge migrations.Judge) (int, error) {
	n, err := g.copy(ctx, judge)
	return n, failed("copying week "+g.slot.week.String(), err)
}

func (g *generation) copy(ctx context.Context, judge migrations.Judge) (int, error) {
	if g.copied {
		return g.copyChanges(ctx, judge)
	}
	total := 0
	for after := int64(math.MinInt64); ; {
		rows, err := g.read(ctx, after+1, math.MaxInt64, copyBatch)
		if err != nil {
			return total, err
		}
		if len(rows) == 0 {
			break
		}
		if err := g.put(ctx, rows, judge); err != nil {
			return total, err
		}
		after = rows[len(rows)-1].rowid
		total += len(rows)
	}
	g.copied = true
	return total, nil
}

// stored is a row with the name of its workspace.
type stored struct {
	row
	workspace string
}

// read reads rows of the old generation in the order of their rowids.
func (g *generation) read(ctx context.Context, from, to int64, most int) ([]stored, error) {
	return g.index.rowsFrom(ctx, g.slot.week, from, to, most)
}

// rowsFrom reads rows of a week in the order of their rowids.
func (x *Index) rowsFrom(ctx context.Context, week event.Week, from, to int64, most int) ([]stored, error) {
	var all []stored
	err := x.using(ctx, week, false, func(file *weekFile, _ bool) error {
		rows, err := file.reader.QueryContext(ctx,
			"SELECT k, space, id, doc FROM event WHERE k BETWEEN ? AND ? ORDER BY k LIMIT +?", from, to, most)
		if err != nil {
			return err
		}
		defer rows.Close()
		all = nil
		for rows.Next() {
			r, err := file.scanRow(rows)
			if err != nil {
				return err
			}
			all = append(all, stored{r, file.nameOf(r.workspaceID)})
		}
		return rows.Err()
	})
	return all, err
}

// put writes rows at the rowids that they have.
func (g *generation) put(ctx context.Context, rows []stored, judge migrations.Judge) error {
	events := make([]event.Event, len(rows))
	for i, r := range rows {
		var err error
		if events[i], err = g.index.documents.unpack(r.id, r.workspace, r.doc); err != nil {
			return err
		}
	}
	judged, err := judge(ctx, events)
	if err != nil {
		return err
	}
	if len(judged) != len(rows) {
		return errors.New("the judge answered for another number of events")
	}
	return g.file.transact(ctx, func(tx *weekTx) error {
		entries := make([]*entry, len(judged))
		for i, e := range judged {
			ready := g.index.analyse(e)
			made, err := ready.entryFor(g.file)
			if err != nil {
				return err
			}
			made.rowid = rows[i].rowid
			if err := tx.insert(made); err != nil {
				return err
			}
			entries[i] = made
		}
		return tx.putAllWords(entries)
	})
}

// copyChanges makes the rows that were written since what they are now.
func (g *generation) copyChanges(ctx context.Context, judge migrations.Judge) (int, error) {
	rowids, total := g.slot.writeLog.take(), 0
	for batch := range slices.Chunk(rowids, copyBatch) {
		if err := g.copyRowids(ctx, batch, judge); err != nil {
			// They are looked at again.
			g.slot.writeLog.note(rowids[total:])
			return total, err
		}
		total += len(batch)
	}
	return total, nil
}

func (g *generation) copyRowids(ctx context.Context, rowids []int64, judge migrations.Judge) error {
	var before []row
	var now []stored
	for _, rowid := range rowids {
		old, err := g.file.rowsBetween(ctx, rowid, rowid)
		if err != nil {
			return err
		}
		rows, err := g.read(ctx, rowid, rowid, 1)
		if err != nil {
			return err
		}
		before, now = append(before, old...), append(now, rows...)
	}
	if err := g.index.removeRows(ctx, g.file, before); err != nil {
		return err
	}
	return g.put(ctx, now, judge)
}

// Block makes events of the week wait.
func (g *generation) Block(ctx context.Context) error {
	return g.index.exclusively(ctx, g.slot.week, func(slot *weekSlot) error {
		slot.blocked = true
		return nil
	})
}

// Swap puts the generation in the place of the week. Nobody writes meanwhile,
// not even an erasure, which knows no block.
func (g *generation) Swap(ctx context.Context, judge migrations.Judge) error {
	err := g.index.exclusively(ctx, g.slot.week, func(slot *weekSlot) error {
		if _, err := g.copy(ctx, judge); err != nil {
			return err
		}
		if err := g.compare(ctx); err != nil {
			return err
		}
		sealed := slot.isSealed()
		made, err := g.finish(ctx, sealed)
		if err != nil {
			return err
		}
		if err := g.index.swap(ctx, slot, made, sealed); err != nil {
			return err
		}
		g.end(slot)
		return nil
	})
	return failed("swapping week "+g.slot.week.String(), err)
}

// compare holds the generation to having as many events as the week.
func (g *generation) compare(ctx context.Context) error {
	var have, want int64
	if err := g.file.read.events.QueryRowContext(ctx).Scan(&have); err != nil {
		return err
	}
	exists := false
	err := g.index.using(ctx, g.slot.week, false, func(file *weekFile, _ bool) error {
		exists = true
		return file.read.events.QueryRowContext(ctx).Scan(&want)
	})
	switch {
	case err != nil:
		return err
	case !exists:
		return fmt.Errorf("the week was dropped meanwhile: %w", event.ErrConflict)
	case have != want:
		return fmt.Errorf("the copy has %d events and the week has %d: %w", have, want, event.ErrConflict)
	}
	return nil
}

// finish closes the generation's file, compacted where it is to be sealed, and
// returns its path.
func (g *generation) finish(ctx context.Context, sealed bool) (string, error) {
	made := g.path()
	if sealed {
		made = g.index.path(g.slot.week, newEnding)
		if err := g.index.compactInto(ctx, g.file, made); err != nil {
			return "", err
		}
	}
	err := g.file.close()
	g.file = nil
	return made, err
}

// end takes the block off; the caller may write the week.
func (g *generation) end(slot *weekSlot) {
	slot.next, slot.blocked = nil, false
	slot.writeLog.stop()
}

// Discard forgets the generation.
func (g *generation) Discard(ctx context.Context) error {
	return g.index.exclusively(ctx, g.slot.week, func(slot *weekSlot) error {
		var err error
		if g.file != nil {
			err = g.file.close()
			g.file = nil
		}
		g.end(slot)
		return errors.Join(err, g.index.remove(slot.week, generationEnding), os.RemoveAll(g.index.path(slot.week, newEnding)))
	})
}

// insert writes an entry's row at its rowid, which is free.
func (tx *weekTx) insert(e *entry) error {
	if err := tx.saveWorkspace(e); err != nil {
		return err
	}
	tx.growth++
	_, err := tx.add.ExecContext(tx.ctx, e.rowid, e.workspaceID, e.event.ID[4:], e.doc)
	return err
}
