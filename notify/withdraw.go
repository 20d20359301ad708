package notify

import (
	"context"
	"errors"
	"fmt"

	"tidings/event"
)

// mostLookedAt is how many events of a message are looked at for the next to be told.
const mostLookedAt = 10_000

// withdraw takes back what was told of an event that a machine made, lets go of its
// claims, and decides about the oldest other that a person made.
func (x *Engine) withdraw(ctx context.Context, book *Book, t event.Trigger, stored []Decision) error {
	freed := false
	for _, d := range stored {
		if d.Tells() {
			d.Outcome, d.Check = Withdrawn, CheckPerson
			d.Found = fmt.Sprintf("It turned out that a machine did this (rule %s).", t.Event.Verdict.Rule)
			d.Version++
			done, err := x.Store.Replace(ctx, d)
			if err != nil {
				return err
			}
			if !done {
				return fmt.Errorf("withdraw a notification: %w", event.ErrUnavailable) // it comes again
			}
			x.Observer.Decided(d)
		}
		if d.Outcome != Withdrawn {
			continue
		}
		if err := x.takeBack(ctx, bell{d, book, &t.Event, t.Trace}); err != nil {
			return err
		}
		freed = freed || d.Claim != ""
	}
	if !freed {
		return nil
	}
	return x.decideNext(ctx, t)
}

// takeBack says of a decision that is withdrawn wherever it was said, and lets go of its
// claim. It may be repeated.
func (x *Engine) takeBack(ctx context.Context, b bell) error {
	taken := []bell{b}
	if err := x.ring(ctx, taken); err != nil {
		return err
	}
	if err := x.endOnce(ctx, taken); err != nil {
		return err
	}
	if x.Outbox != nil {
		if err := x.Outbox.Cancel(ctx, b.Decision); err != nil {
			return err
		}
	}
	if b.Claim == "" {
		return nil
	}
	return x.Store.Release(ctx, b.Workspace, b.Claim, b.Event)
}

// errEnough ends looking at the events of a message.
var errEnough = errors.New("enough")

// decideNext decides about the oldest other event of the same kind and person that is
// no machine's and recent, of the newest that are looked at.
func (x *Engine) decideNext(ctx context.Context, t event.Trigger) error {
	key := event.MessageKey{Workspace: t.Event.Workspace, Message: t.Event.Message}
	oldest := x.Clock().Add(-x.Fresh).Unix()
	var next *event.Event
	looked := 0
	err := x.History.EachOf(ctx, key, func(events []event.Event) error {
		for i, e := range events {
			if e.ID == t.Event.ID || e.Type != t.Event.Type || e.RecipientEmail() != t.Event.RecipientEmail() ||
				e.Automated() || e.Time < oldest || (next != nil && e.Time >= next.Time) {
				continue
			}
			next = &events[i]
		}
		if looked += len(events); looked >= mostLookedAt || len(events) > 0 && events[len(events)-1].Time < oldest {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("find the other events of a message: %w", err)
	}
	if next == nil {
		return nil
	}
	again, _ := event.TriggerOf(event.Announcement{Kind: event.AnnounceChanged, Event: next, Trace: t.Trace})
	return x.Handle(ctx, []event.Trigger{again})
}
