package indexer

import (
	"context"
	"errors"
	"maps"
	"math"

	"tidings/event"
)

// complete gives events that came before their send what the send says, once
// the send is known.
//
// Two indexers may hold the two at the same time. The one with the send writes
// the facts and then looks for the pending documents; the one with the pending
// event writes its document and then looks for the facts again. Whichever comes
// last sees the other, so no event stays without its subject.
func (b *batch) complete(ctx context.Context) error {
	known := make(map[event.MessageKey]event.State)
	var unknown []event.MessageKey
	for key, state := range b.after {
		switch {
		case len(state.Pending) == 0:
		case state.Sent:
			known[key] = state
		default:
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		again, err := b.States.Read(ctx, unknown)
		if err != nil {
			return err
		}
		for key, state := range again {
			if state.Sent {
				known[key] = state
			}
		}
	}
	for key, state := range known {
		err := b.completeMessage(ctx, key, state)
		if _, blocked := errors.AsType[*event.WeekBlocked](err); blocked {
			b.hold(key, err)
		} else if err != nil {
			return err
		}
	}
	return b.eraseAgain(ctx)
}

// hold lets a message's entries wait while a pending document of theirs is in a
// week that takes no writes. Pending still names it when they come again.
func (b *batch) hold(key event.MessageKey, reason error) {
	for _, entry := range b.entries {
		if keyOf(entry.event) == key && entry.outcome.Err == nil {
			entry.outcome = event.Outcome{Err: reason}
		}
	}
}

func (b *batch) completeMessage(ctx context.Context, key event.MessageKey, state event.State) error {
	documents, err := b.Index.Get(ctx, key.Workspace, state.Pending)
	// Those of damaged weeks stay on the list.
	if _, err := event.SplitDamaged(err); err != nil {
		return err
	}
	var changed []event.Event
	done := make([]event.ID, 0, len(documents))
	for _, document := range documents {
		done = append(done, document.ID)
		if !state.IsCalled(document.Message) {
			continue // its id belongs to another message
		}
		if fill(&document, state) {
			changed = append(changed, document)
		}
	}
	if len(changed) > 0 {
		if _, err := event.SplitDamaged(b.Index.Rewrite(ctx, changed)); err != nil {
			return err
		}
	}
	for _, document := range changed {
		b.announcements = append(b.announcements, event.Announcement{
			Kind: event.AnnounceChanged, Workspace: key.Workspace, User: document.User, Event: &document,
		})
	}
	if len(done) == 0 {
		return nil
	}
	// Announced first: a crash between would otherwise leave readers with the
	// old line until they read a page, and people untold.
	if err := b.flush(ctx); err != nil {
		return err
	}
	if err := b.triggerCompleted(ctx, changed); err != nil {
		return err
	}
	return b.States.Completed(ctx, key, done)
}

// triggerCompleted has it decided anew who is told of events that only now are known to
// be somebody's, or about something.
func (b *batch) triggerCompleted(ctx context.Context, events []event.Event) error {
	if b.Triggers == nil || !b.live() {
		return nil
	}
	var triggers []event.Trigger
	for i := range events {
		t, ok := event.TriggerOf(event.Announcement{Kind: event.AnnounceChanged, Workspace: events[i].Workspace, Event: &events[i]})
		if ok && b.recent(events[i]) {
			triggers = append(triggers, t)
		}
	}
	if len(triggers) == 0 {
		return nil
	}
	return b.untold(ctx, b.Triggers.Trigger(ctx, triggers), len(triggers))
}

// eraseAgain removes what this batch wrote of a person who was put on the list
// of erased people after the batch had looked.
func (b *batch) eraseAgain(ctx context.Context) error {
	erased, err := b.erasedPeople(ctx)
	if err != nil || len(erased) == 0 {
		return err
	}
	for workspace, emails := range erased {
		maps.DeleteFunc(emails, func(email string, until int64) bool {
			before, known := b.barred[workspace][email]
			return known && before >= until
		})
		for email := range emails {
			if err := b.Eraser.Again(ctx, workspace, email); err != nil {
				return err
			}
		}
		for _, entry := range b.entries {
			if entry.event.Workspace == workspace && !withoutAll(&entry.event, emails) {
				entry.erased = true
			}
		}
	}
	return nil
}

// withoutAll is withoutErased whatever the time: an event that was under way while
// its person was erased goes with them.
func withoutAll(e *event.Event, erased map[string]int64) bool {
	always := make(map[string]int64, len(erased))
	for email := range erased {
		always[email] = math.MaxInt64
	}
	return withoutErased(e, always)
}

// fill gives an event what its message's send says, and the name that the message is
// known under.
func fill(e *event.Event, state event.State) (changed bool) {
	if state.IsCalled(e.Message) {
		changed = e.NameAs(state.Message)
	}
	if !state.Sent || e.Type == event.Send {
		return changed
	}
	user, subject := state.Owner(*e)
	if e.Subject == "" && subject != "" {
		e.Subject, changed = subject, true
	}
	if e.User == "" && user != "" {
		e.User, changed = user, true
	}
	if e.Recipient == nil {
		return changed
	}
	known := state.Recipients[event.KeyOf(e.Recipient.Email)]
	if e.Recipient.Name == "" && known.Name != "" {
		recipient := *e.Recipient
		recipient.Name = known.Name
		e.Recipient, changed = &recipient, true
	}
	return changed
}
