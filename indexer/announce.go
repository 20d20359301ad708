package indexer

import (
	"context"
	"errors"
	"sync"
	"time"

	"tidings/event"
)

// triggerFresh is how old an event may be of which somebody may be told. Notifications
// refuse from a day on, and say so.
const triggerFresh = 25 * time.Hour

// announce tells who is listening what the index holds now. An event is
// announced when it was created, and when it comes for another time: the crash, or
// what broke its batch, may have come between the two. Readers drop an id that they have.
func (b *batch) announce(ctx context.Context) error {
	carried := make(map[event.MessageKey]bool)
	repeated := make(map[event.MessageKey]bool)
	var triggers []event.Trigger // of the live lane alone: an import tells nobody
	for _, entry := range b.entries {
		key := keyOf(entry.event)
		if entry.repeated() {
			repeated[key] = true
		}
		if entry.outcome.Err != nil || entry.erased {
			continue
		}
		if !entry.outcome.Created && !entry.repeated() {
			continue
		}
		announcement := event.Announcement{
			Kind: event.AnnounceEvent, Workspace: key.Workspace, User: entry.event.User, Event: &entry.event,
			Trace: entry.trace,
		}
		if entry.event.Type == event.Send {
			state := b.after[key]
			announcement.State = &state
			// Readers of another user's part hear of it below.
			carried[key] = !state.Shared()
		}
		b.announcements = append(b.announcements, announcement)
		if t, ok := event.TriggerOf(announcement); ok && b.Triggers != nil && entry.live() && b.recent(entry.event) {
			triggers = append(triggers, t)
		}
	}
	for key, state := range b.after {
		moved := state.Version != b.before[key].Version || repeated[key]
		if state.Sent && moved && !carried[key] {
			b.announcements = append(b.announcements, event.Announcement{
				Kind: event.AnnounceState, Workspace: key.Workspace, User: state.User, State: &state,
				Users: b.movedUsers(key, repeated[key]),
			})
		}
	}
	if len(triggers) == 0 {
		return b.flush(ctx)
	}
	var beside sync.WaitGroup
	var untold error
	beside.Go(func() { untold = b.Triggers.Trigger(ctx, triggers) })
	err := b.flush(ctx)
	beside.Wait()
	return errors.Join(err, b.untold(ctx, untold, len(triggers)))
}

// live reports whether an event came by the live lane.
func (e *entry) live() bool {
	laned, ok := e.delivery.(Laned)
	return ok && laned.Lane() == event.LaneLive
}

// live reports whether a batch is of the live lane: its events are all of one.
func (b *batch) live() bool { return len(b.entries) > 0 && b.entries[0].live() }

// recent reports whether somebody may be told of an event.
func (b *batch) recent(e event.Event) bool { return b.Clock().Sub(e.At()) < triggerFresh }

// untold has a batch that could not be triggered tried once more. After that it is gone
// without: notifying never stops indexing.
func (b *batch) untold(ctx context.Context, err error, count int) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	for _, entry := range b.entries {
		if !entry.repeated() {
			return err
		}
	}
	b.Logger.ErrorContext(ctx, "nobody is told of events: they could not be handed to notifications", "count", count, "error", err)
	b.Observer.Untold(count)
	return nil
}

// movedUsers are those whose part of a message moved. A repetition may be one of
// which nobody was told.
func (b *batch) movedUsers(key event.MessageKey, repeated bool) []string {
	if repeated {
		return nil
	}
	return b.after[key].Moved(b.before[key])
}

// flush makes the announcements that are due.
func (b *batch) flush(ctx context.Context) error {
	if len(b.announcements) == 0 {
		return nil
	}
	if err := b.Announcer.Announce(ctx, b.announcements); err != nil {
		return err
	}
	b.announcements = b.announcements[:0]
	return nil
}
