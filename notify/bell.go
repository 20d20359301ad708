package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

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
	book  *Book
	event *event.Event
	trace string
}

// ring tells the sockets of those whom decisions are about. It may be repeated: a
// client knows a decision by its id.
func (x *Engine) ring(ctx context.Context, bells []bell) error {
	if x.Announcer == nil {
		return nil
	}
	ringing, err := x.ringing(ctx, bells)
	if err != nil {
		return err
	}
	unread, err := x.unread(ctx, ringing)
	if err != nil {
		return err
	}
	// A workspace's behind one another are announced as one; a person's stay in order.
	slices.SortStableFunc(ringing, func(a, b bell) int { return strings.Compare(a.Workspace, b.Workspace) })
	said := make([]event.Announcement, 0, len(ringing))
	for _, b := range ringing {
		kind := event.AnnounceNotification
		if b.Outcome == Withdrawn {
			kind = event.AnnounceWithdrawn
		}
		note, err := json.Marshal(Note{Decision: &b.Decision, Unread: unread[Reader{b.Workspace, b.User}]})
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

// ringing are those of bells that sockets hear.
func (x *Engine) ringing(ctx context.Context, bells []bell) ([]bell, error) {
	var heard []bell
	for _, b := range bells {
		if b.Shadow || b.Outcome != Notified && b.Outcome != Withdrawn {
			continue
		}
		if b.event != nil {
			sees, err := x.sees(ctx, b.User, *b.event)
			if err != nil {
				return nil, err
			}
			if !sees { // not any more: what is taken back is, without what it was
				if b.Outcome == Notified {
					continue
				}
				b.event = nil
			}
		}
		heard = append(heard, b)
	}
	return heard, nil
}

// unread counts what those whom bells are for have not read.
func (x *Engine) unread(ctx context.Context, bells []bell) (map[Reader]int, error) {
	counts := make(map[Reader]int)
	var readers []Reader
	for _, b := range bells {
		who := Reader{b.Workspace, b.User}
		if _, known := counts[who]; !known {
			counts[who] = 0
			readers = append(readers, who)
		}
	}
	if len(readers) == 0 {
		return counts, nil
	}
	all, err := x.Store.Unread(ctx, readers, MostUnread)
	if err != nil {
		return nil, err
	}
	for i, who := range readers {
		counts[who] = all[i]
	}
	return counts, nil
}

// UnreadOf counts what a person has not read, up to MostUnread.
func UnreadOf(ctx context.Context, log Log, workspace, user string) (int, error) {
	counts, err := log.Unread(ctx, []Reader{{workspace, user}}, MostUnread)
	if err != nil {
		return 0, err
	}
	return counts[0], nil
}

// Read marks what a user was notified of as read, the ids or all when there are none,
// and tells their other windows.
func (x *Engine) Read(ctx context.Context, workspace, user string, ids []string) error {
	if err := x.Store.Read(ctx, workspace, user, ids); err != nil || x.Announcer == nil {
		return err
	}
	unread, err := UnreadOf(ctx, x.Store, workspace, user)
	if err != nil {
		return err
	}
	note, err := json.Marshal(Note{IDs: ids, Unread: unread})
	if err != nil {
		return fmt.Errorf("write what was read: %w", err)
	}
	return x.Announcer.Announce(ctx, []event.Announcement{{Kind: event.AnnounceRead, Workspace: workspace, To: user, Note: note}})
}
