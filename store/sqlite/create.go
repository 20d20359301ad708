package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"tidings/event"
	"tidings/query"
	"tidings/store/sqlite/rowids"
	"tidings/store/sqlite/segments"
)

// Create writes the events that are not there yet, in one transaction a week,
// and returns one outcome an event in their order. A week that fails fails the
// whole call; weeks before it are written, and creating them again does nothing.
// The events of a blocked week wait: their outcome is an event.WeekBlocked, and that
// of those of a damaged week an event.WeekDamaged.
func (x *Index) Create(ctx context.Context, events []event.Event) ([]event.Outcome, error) {
	outcomes := make([]event.Outcome, len(events))
	weeks := make(map[event.Week][]int)
	for i, e := range events {
		if outcomes[i].Err = e.Storable(); outcomes[i].Err == nil {
			weeks[e.Week()] = append(weeks[e.Week()], i)
		}
	}
	for _, week := range slices.Sorted(maps.Keys(weeks)) {
		numbers := weeks[week]
		slices.SortStableFunc(numbers, func(a, b int) int {
			return cmp.Compare(rowids.Of(events[a].ID), rowids.Of(events[b].ID))
		})
		err := x.createWeek(ctx, week, events, numbers, outcomes)
		if damaged, ok := errors.AsType[*event.WeekDamaged](err); ok {
			for _, number := range numbers {
				outcomes[number] = event.Outcome{Err: damaged}
			}
			continue
		}
		if err != nil {
			return nil, failed("creating events", err)
		}
	}
	return outcomes, nil
}

// createWeek writes the numbered events, which are in the order of their rowids,
// and fills in their outcomes. What needs no file is done before its turn comes,
// while another batch is being written.
func (x *Index) createWeek(ctx context.Context, week event.Week, events []event.Event, numbers []int, outcomes []event.Outcome) error {
	ready := make([]analysed, len(numbers))
	for i, number := range numbers {
		ready[i] = x.analyse(events[number])
	}
	var prepared preparedWords
	err := x.using(ctx, week, true, func(file *weekFile, _ bool) error {
		prepared = prepareWords(file, ready)
		return nil
	})
	if err != nil {
		return err
	}
	due := 0
	err = x.writing(ctx, week, true, func(file *weekFile, blocked bool) error {
		if blocked {
			for _, number := range numbers {
				outcomes[number].Err = &event.WeekBlocked{Week: week}
			}
			return nil
		}
		results := make([]event.Outcome, len(numbers))
		err := file.transact(ctx, func(tx *weekTx) error {
			created := make([]*entry, 0, len(numbers))
			for i := range ready {
				entry, err := ready[i].entryFor(file)
				if err == nil {
					results[i].Created, err = tx.create(entry)
				}
				if err != nil && !errors.Is(err, event.ErrInvalid) {
					return err
				}
				results[i].Err = err
				if results[i].Created {
					created = append(created, entry)
				}
			}
			var err error
			if prepared.areOf(file, created) {
				err = tx.putSegment(prepared.segment)
			} else {
				err = tx.putAllWords(created)
			}
			due = tx.due
			return err
		})
		if err != nil {
			return err
		}
		for i, number := range numbers {
			outcomes[number] = results[i]
		}
		x.created.Add(int64(len(numbers)))
		return nil
	})
	if err == nil {
		x.mergeDue(ctx, week, due)
	}
	return err
}

// preparedWords are the words of a batch, made before it is known which of its events
// are there already.
type preparedWords struct {
	file    *weekFile
	segment *segments.Segment
	rowids  []int64
}

func prepareWords(file *weekFile, ready []analysed) preparedWords {
	p := preparedWords{file: file}
	entries := make([]*entry, 0, len(ready))
	for i := range ready {
		entry, err := ready[i].entryFor(file)
		if err == nil { // An error is of the event, and comes again.
			entries = append(entries, entry)
			p.rowids = append(p.rowids, entry.rowid)
		}
	}
	p.segment = segmentOf(entries)
	return p
}

// areOf reports whether they are those of the events that were created in a file.
func (p preparedWords) areOf(file *weekFile, created []*entry) bool {
	return p.file == file && slices.EqualFunc(p.rowids, created, func(rowid int64, e *entry) bool { return rowid == e.rowid })
}

// analysed is what a week stores of an event, and the entry made of it.
type analysed struct {
	document query.Document
	doc      []byte
	err      error

	file  *weekFile
	entry *entry
}

// analyse makes an event ready. An event that makes the analysis panic is that
// event's own fault, and a batch could not tell whose it was.
func (x *Index) analyse(e event.Event) (made analysed) {
	defer func() {
		if reason := recover(); reason != nil {
			made.err = fmt.Errorf("%w: event %s: its analysis panicked: %v", event.ErrInvalid, e.ID, reason)
		}
	}()
	made.doc, made.err = x.documents.pack(e)
	if made.err == nil {
		made.document = query.NewDocument(e)
	}
	return made
}

// entryFor returns the event as it goes into a file, which numbers its workspace.
// Between two calls another file may have taken the place of a week's.
func (a *analysed) entryFor(file *weekFile) (*entry, error) {
	if a.err == nil && a.file != file {
		e := a.document.Event
		workspaceID := file.assignWorkspaceID(e.Workspace)
		a.file = file
		a.entry = &entry{event: e, workspaceID: workspaceID, rowid: rowids.Of(e.ID), doc: a.doc, document: a.document}
	}
	return a.entry, a.err
}
