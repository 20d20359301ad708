package app

import (
	"context"
	"time"

	"tidings/deliver/forward"
	"tidings/event"
	"tidings/indexer"
	"tidings/stream"
)

// announcer is where the indexer makes announcements.
func (a *App) announcer() indexer.Announcer {
	if a.small {
		return freshAnnouncer{a.Stream, time.Now}
	}
	return a.Stream
}

// freshAnnouncer is for a command that works alone: nobody listens while it does, and
// what is as old as imported mail is told to nobody later. Announcing that would write
// each event to the queue for a second time.
type freshAnnouncer struct {
	*stream.Stream
	clock func() time.Time
}

// Announce leaves out what is about old events.
func (f freshAnnouncer) Announce(ctx context.Context, announcements []event.Announcement) error {
	since := f.clock().Add(-forward.Fresh).Unix()
	var fresh []event.Announcement
	for _, each := range announcements {
		switch {
		case each.Kind == event.AnnounceEvent && each.Event.Time < since:
		case each.Kind == event.AnnounceState && each.State.At < since:
		default:
			fresh = append(fresh, each)
		}
	}
	return f.Stream.Announce(ctx, fresh)
}
