package indexer

import (
	"context"
	"fmt"
	"slices"

	"tidings/address"
	"tidings/event"
)

// Eraser removes a person from a workspace for good.
type Eraser struct {
	Index       ErasableIndex
	States      ErasableStates
	DeadLetters ErasableDeadLetters
	Triggers    ErasableTriggers
	Announcer   Announcer
}

// Erased says what an erasure did.
type Erased struct {
	EventsDeleted, SendsRewritten, MessagesTouched, DeadLetters int
}

// Erase first of all bars the address from coming back with what is still in
// the queue or is sent again, then removes what is there. What happens to the
// person afterwards is another matter: events later than the erasure are taken. It may
// be repeated; a repetition after a crash does the rest.
func (r *Eraser) Erase(ctx context.Context, workspace, email string) (Erased, error) {
	email = address.Fold(email)
	if err := r.States.MarkErased(ctx, workspace, email, 0); err != nil {
		return Erased{}, fmt.Errorf("bar the address: %w", err)
	}
	return r.remove(ctx, workspace, email, true)
}

// Again removes what came back of a person who is barred. It bars nothing: two
// indexers that each did would take the other's for a new erasure.
func (r *Eraser) Again(ctx context.Context, workspace, email string) error {
	_, err := r.remove(ctx, workspace, email, false)
	return err
}

func (r *Eraser) remove(ctx context.Context, workspace, email string, bar bool) (Erased, error) {
	deleted, rewritten, err := r.Index.EraseRecipient(ctx, workspace, email)
	if err != nil {
		return Erased{}, fmt.Errorf("erase events: %w", err)
	}
	if latest := latestOf(deleted, rewritten); bar && latest > 0 {
		// A sender's clock may be ahead of the server's: its event must not come back either.
		if err := r.States.MarkErased(ctx, workspace, email, latest); err != nil {
			return Erased{}, fmt.Errorf("bar the address: %w", err)
		}
	}
	touched, err := r.States.EraseRecipient(ctx, workspace, email)
	if err != nil {
		return Erased{}, fmt.Errorf("erase state: %w", err)
	}
	forms := event.TextsOf(email)
	theirs := func(e event.Event) bool { return concerns(e, forms) }
	dropped, err := r.DeadLetters.DropWhere(ctx, workspace, theirs)
	if err != nil {
		return Erased{}, fmt.Errorf("erase dead letters: %w", err)
	}
	if err := r.Triggers.EraseTriggers(ctx, workspace, theirs); err != nil {
		return Erased{}, fmt.Errorf("erase what waits to be told: %w", err)
	}
	if err := r.announce(ctx, workspace, deleted, rewritten, touched); err != nil {
		return Erased{}, err
	}
	return Erased{len(deleted), len(rewritten), len(touched), dropped}, nil
}

// latestOf is the latest time of what was erased, 0 where that was nothing.
func latestOf(deleted []event.ID, rewritten []event.Event) int64 {
	latest := int64(0)
	for _, id := range deleted {
		latest = max(latest, id.Seconds())
	}
	for _, e := range rewritten {
		latest = max(latest, e.Time)
	}
	return latest
}

// announce tells readers, so that what they see goes too.
func (r *Eraser) announce(
	ctx context.Context, workspace string, deleted []event.ID, rewritten []event.Event, touched []event.State,
) error {
	var announcements []event.Announcement
	for _, id := range deleted {
		announcements = append(announcements, event.Announcement{Kind: event.AnnounceGone, Workspace: workspace, Gone: &id})
	}
	states := make(map[string]*event.State, len(touched))
	for _, state := range touched {
		states[state.Message] = &state
	}
	for _, e := range rewritten {
		announcements = append(announcements, event.Announcement{
			Kind: event.AnnounceChanged, Workspace: workspace, User: e.User, Event: &e, State: states[e.Message],
		})
	}
	if len(announcements) == 0 {
		return nil
	}
	if err := r.Announcer.Announce(ctx, announcements); err != nil {
		return fmt.Errorf("announce the erasure: %w", err)
	}
	return nil
}

// concerns reports whether an event is about a person, by the texts of their address.
func concerns(e event.Event, forms []string) bool {
	if e.Recipient != nil && slices.Contains(forms, e.Recipient.Email) {
		return true
	}
	for _, person := range e.Recipients {
		if slices.Contains(forms, person.Email) {
			return true
		}
	}
	return false
}
