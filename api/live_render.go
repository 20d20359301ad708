package api

import (
	"context"
	"sync"
	"time"

	"tidings/event"
	"tidings/feed"
)

const (
	// namesKept is how old the names may be that live items show.
	namesKept = 10 * time.Second
	// namesWorkspaces bounds how many workspaces' names are kept.
	namesWorkspaces = 1000
	namesTimeout    = time.Second
)

// LiveRenderer makes what the hub sends for announcements: items with the names
// of their users. It is safe for concurrent use.
type LiveRenderer struct {
	directory feed.Directory
	clock     func() time.Time

	mu    sync.Mutex
	names map[string]namesAt
}

type namesAt struct {
	names map[string]string
	until time.Time
}

// NewLiveRenderer makes a LiveRenderer.
func NewLiveRenderer(directory feed.Directory, clock func() time.Time) *LiveRenderer {
	return &LiveRenderer{directory: directory, clock: clock, names: make(map[string]namesAt)}
}

// liveState is what a frame says of a message's recipients.
type liveState struct {
	Message    string           `json:"message"`
	Recipients []feed.Recipient `json:"recipients"`
	Rest       *feed.Rest       `json:"rest,omitempty"`
	Unopened   int              `json:"unopened"`
	Version    int64            `json:"v"`
}

// Render is for live.Config: an item for an event, and an object whose members
// belong into the frame for a state and for what is about notifications.
func (r *LiveRenderer) Render(a event.Announcement) ([]byte, error) {
	var value any
	names := func(user string) string { return r.namesOf(a.Workspace)[user] }
	switch a.Kind {
	case event.AnnounceNotification, event.AnnounceWithdrawn, event.AnnounceRead:
		note, err := frameOfNote(a, names)
		if err != nil {
			return nil, err
		}
		value = note
	case event.AnnounceState:
		recipients, unopened, rest := feed.LatestOf(*a.State)
		value = liveState{a.State.Message, recipients, rest, unopened, a.State.Version}
	default:
		item := feed.ItemOf(*a.Event, a.State, names)
		return item.AppendJSON(nil), nil
	}
	return appendJSON(nil, value)
}

// namesOf returns names that are at most namesKept old. Without the directory
// items go out with ids alone: better that than late.
func (r *LiveRenderer) namesOf(workspace string) map[string]string {
	now := r.clock()
	r.mu.Lock()
	defer r.mu.Unlock()
	kept, ok := r.names[workspace]
	if ok && now.Before(kept.until) {
		return kept.names
	}
	ctx, cancel := context.WithTimeout(context.Background(), namesTimeout)
	defer cancel()
	if names, err := r.directory.Names(ctx, workspace); err == nil {
		kept.names = names
	}
	kept.until = now.Add(namesKept)
	if len(r.names) >= namesWorkspaces && !ok {
		clear(r.names)
	}
	r.names[workspace] = kept
	return kept.names
}
