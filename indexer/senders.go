package indexer

import (
	"context"
	"fmt"
	"slices"

	"tidings/event"
)

// sharedAnew are messages of the batch that several users have sent, of which the
// batch brought a send while something else was known: that may have been taken
// for another sender's.
func (b *batch) sharedAnew(pending map[event.MessageKey]bool) {
	brought := make(map[event.MessageKey]int, len(b.entries))
	sent := make(map[event.MessageKey]bool)
	for _, entry := range b.entries {
		key := keyOf(entry.event)
		brought[key]++
		sent[key] = sent[key] || entry.event.Type == event.Send
	}
	for key, after := range b.after {
		if after.Shared() && sent[key] && (b.before[key].Version > 0 || brought[key] > 1) {
			pending[key] = true
		}
	}
}

// heal writes down who has sent to whom where the stored sends know better than
// the state: see event.State.Resent. It reports whether it was about to.
func (c *Reevaluator) heal(ctx context.Context, state event.State, events []event.Event) (tried, done bool, err error) {
	var sends event.State
	for _, e := range events {
		if e.Type == event.Send {
			sends.Apply(event.ChangeOf(e))
		}
	}
	next, differs := state.Resent(sends)
	if !differs {
		return false, false, nil
	}
	if done, err = c.States.Replace(ctx, next); err != nil {
		return true, false, fmt.Errorf("replace state: %w", err)
	}
	if done {
		err = c.announceState(ctx, state.MessageKey, event.State{})
	}
	return true, done, err
}

// refill is fill, and gives an event that was taken for another sender's to the
// one who has sent to its person.
func refill(e *event.Event, state event.State) (changed bool) {
	if isAnothers(*e, state) {
		before := e.User
		e.User = ""
		user, subject := state.Owner(*e)
		if e.Subject == state.Parts[before].Subject || e.Subject == state.Subject {
			e.Subject = subject
		}
		e.User, changed = user, true
	}
	return fill(e, state) || changed
}

// isAnothers reports whether an event's user has sent the message, but others alone
// have sent it to the event's person.
func isAnothers(e event.Event, state event.State) bool {
	if !state.Shared() || e.Type == event.Send || e.Recipient == nil {
		return false
	}
	_, sender := state.Parts[e.User]
	senders := state.SendersOf(event.KeyOf(e.Recipient.Email))
	return sender && len(senders) > 0 && !slices.Contains(senders, e.User)
}

// ownersOf are the users of events.
func ownersOf(events []event.Event) map[event.ID]string {
	owners := make(map[event.ID]string, len(events))
	for _, e := range events {
		owners[e.ID] = e.User
	}
	return owners
}

// corrections say what events are now; whoever saw one that is another user's
// now is told that it is gone.
func corrections(key event.MessageKey, changed []event.Event, owners map[event.ID]string) []event.Announcement {
	var said []event.Announcement
	for i := range changed {
		e := &changed[i]
		if owner := owners[e.ID]; owner != "" && owner != e.User {
			said = append(said, event.Announcement{Kind: event.AnnounceGone, Workspace: key.Workspace, User: owner, Gone: &e.ID})
		}
		said = append(said, event.Announcement{Kind: event.AnnounceChanged, Workspace: key.Workspace, User: e.User, Event: e})
	}
	return said
}
