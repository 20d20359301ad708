package notify

import (
	"context"
	"encoding/json"
	"fmt"

	"tidings/event"
)

// MostUnread is up to how many unread notifications are counted.
const MostUnread = 500

// Note is what a person's sockets hear beside the event.
type Note struct {
	// Decision is what they were told of, or what was taken back.
	Decision *Decision `json:"decision,omitempty"`
	// IDs are the decisions that they have read; all where there are none.
	IDs []string `json:"ids,omitempty"`
	// Unread is how many they have not read then, up to MostUnread.
	Unread int `json:"unread"`
}

// bell is an announcement to a person on its way.
type bell struct {
	Decision
	event *event.Event
	trace string
}

// ring tells the sockets of those whom decisions are about. It may be repeated: a
// client knows a decision by its id.
func (x *Engine) ring(ctx context.Context, bells []bell) error {
	if x.Announcer == nil {
		return nil
	}
	var said []event.Announcement
	unread := make(map[string]int)
	for _, b := range bells {
		kind := event.AnnounceNotification
		if b.Outcome == Withdrawn {
			kind = event.AnnounceWithdrawn
		}
		if b.Shadow || b.Outcome != Notified && b.Outcome != Withdrawn {
			continue
		}
		if b.event != nil {
			sees, err := x.sees(ctx, b.User, *b.event)
			if err != nil {
				return err
			}
			if !sees { // not any more: what is taken back is, without what it was
				if b.Outcome == Notified {
					continue
				}
				b.event = nil
			}
		}
		count, counted := unread[b.User]
		if !counted {
			var err error
			if count, err = x.Store.Unread(ctx, b.Workspace, b.User, MostUnread); err != nil {
				return err
			}
			unread[b.User] = count
		}
		note, err := json.Marshal(Note{Decision: &b.Decision, Unread: count})
		if err != nil {
			return fmt.Errorf("write what a bell says: %w", err)
		}
		said = append(said, event.Announcement{Kind: kind, Workspace: b.Workspace, To: b.User, Event: b.event, Note: note, Trace: b.trace})
	}
	if len(said) == 0 {
		return nil
	}
	return x.Announcer.Announce(ctx, said)
}

// Read marks what a user was notified of as read, the ids or all when there are none,
// and tells their other windows.
func (x *Engine) Read(ctx context.Context, workspace, user string, ids []string) error {
	if err := x.Store.Read(ctx, workspace, user, ids); err != nil || x.Announcer == nil {
		return err
	}
	unread, err := x.Store.Unread(ctx, workspace, user, MostUnread)
	if err != nil {
		return err
	}
	note, err := json.Marshal(Note{IDs: ids, Unread: unread})
	if err != nil {
		return fmt.Errorf("write what was read: %w", err)
	}
	return x.Announcer.Announce(ctx, []event.Announcement{{Kind: event.AnnounceRead, Workspace: workspace, To: user, Note: note}})
}
