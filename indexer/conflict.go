package indexer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"tidings/event"
)

// errConflict is what the sender is told of an id that was used again: the event
// that has it stays as it is, and neither its message nor the other learns of the
// second one.
var errConflict = fmt.Errorf("%w: the id belongs to another event (another message, type or recipient)", event.ErrConflict)

// conflicts reports whether two events of one id are about different things.
func conflicts(a, b event.Event) bool {
	if a.Called() != b.Called() || a.Type != b.Type {
		return true
	}
	return a.Recipient != nil && b.Recipient != nil && a.Recipient.Email != b.Recipient.Email
}

// rejectConflicts takes entries out of the batch whose id another event of the
// batch or of the index has, before anything of them is applied. An index that
// cannot be asked now is no reason to stop: Create tells what exists.
func (b *batch) rejectConflicts(ctx context.Context) {
	first := make(map[event.ID]event.Event, len(b.entries))
	for _, e := range b.read(ctx, b.entries) {
		first[e.ID] = e
	}
	b.stored = make(map[event.ID]bool, len(first))
	for id := range first {
		b.stored[id] = true
	}
	b.entries = slices.DeleteFunc(b.entries, func(entry *entry) bool {
		known, met := first[entry.event.ID]
		if !met {
			first[entry.event.ID] = entry.event
			return false
		}
		if !conflicts(known, entry.event) {
			return false
		}
		b.conflicts = append(b.conflicts, entry)
		return true
	})
}

// read returns what the index holds under the ids of entries.
func (b *batch) read(ctx context.Context, entries []*entry) []event.Event {
	ids := make(map[string][]event.ID)
	for _, entry := range entries {
		ids[entry.event.Workspace] = append(ids[entry.event.Workspace], entry.event.ID)
	}
	var found []event.Event
	for workspace, asked := range ids {
		events, err := b.Index.Get(ctx, workspace, asked)
		if err != nil {
			b.Logger.DebugContext(ctx, "ids could not be compared with the index", "error", err)
			continue
		}
		found = append(found, events...)
	}
	return found
}

// findConflicts looks at events that existed and were not there when the batch
// began: another indexer has written them meanwhile. What this batch applied for
// one that is about something else is made anew from what the index holds.
func (b *batch) findConflicts(ctx context.Context) error {
	var existed []*entry
	for _, entry := range b.entries {
		if entry.outcome.Err == nil && !entry.outcome.Created && !b.stored[entry.event.ID] {
			existed = append(existed, entry)
		}
	}
	if len(existed) == 0 {
		return nil
	}
	stored := make(map[event.ID]event.Event, len(existed))
	for _, e := range b.read(ctx, existed) {
		stored[e.ID] = e
	}
	var keys []event.MessageKey
	for _, entry := range existed {
		if known, ok := stored[entry.event.ID]; ok && conflicts(known, entry.event) {
			entry.outcome.Err = errConflict
			keys = append(keys, keyOf(entry.event))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	b.Observer.Reevaluates(len(keys))
	return b.Reevaluations.Reevaluate(ctx, keys)
}

// rejectsAtOnce is how many conflicts of a batch are put among the dead letters at once.
const rejectsAtOnce = 8

// endConflicts puts conflicts among the dead letters. Those of one id would take each
// other's place there, so only the last is put there, before the others end: a sender that
// numbers its events anew each time holds up nobody. Where the event that had the id first
// was not kept, they are tried again.
func (b *batch) endConflicts(ctx context.Context) {
	kept := make(map[event.ID]bool, len(b.entries))
	for _, entry := range b.entries {
		kept[entry.event.ID] = kept[entry.event.ID] || entry.outcome.Err == nil || errors.Is(entry.outcome.Err, errConflict)
	}
	same := make(map[event.ID][]*entry)
	for _, entry := range b.conflicts {
		if id := entry.event.ID; b.stored[id] || kept[id] {
			same[id] = append(same[id], entry)
		} else {
			b.giveBack(entry)
		}
	}
	var group errgroup.Group
	group.SetLimit(rejectsAtOnce)
	for _, entries := range same {
		group.Go(func() error {
			last := len(entries) - 1
			if err := entries[last].delivery.Reject(ctx, errConflict); err != nil {
				b.Logger.WarnContext(ctx, "a conflict could not be put among the dead letters; it comes back by itself", "error", err)
				b.giveBack(entries[:last]...)
				return nil
			}
			for _, entry := range entries[:last] {
				if err := entry.delivery.Ack(); err != nil {
					b.Logger.DebugContext(ctx, "an ack was lost; the event comes again", "error", err)
				}
			}
			b.Observer.Count(OutcomeFailed, len(entries))
			return nil
		})
	}
	_ = group.Wait() // none fails
}
