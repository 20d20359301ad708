package api

import (
	"encoding/json"
	"fmt"

	"tidings/event"
	"tidings/feed"
	"tidings/notify"
)

// liveNote is what frames about notifications say.
type liveNote struct {
	// Notification is what somebody was told of, or what was taken back.
	Notification *DecisionView `json:"notification,omitempty"`
	// IDs are what was read; all where there are none.
	IDs    []string `json:"ids,omitempty"`
	Unread int      `json:"unread"`
}

// frameOfNote is what a person's sockets hear of an announcement to them.
func frameOfNote(a event.Announcement, names func(string) string) (liveNote, error) {
	var note notify.Note
	if err := json.Unmarshal(a.Note, &note); err != nil {
		return liveNote{}, fmt.Errorf("read an announcement of a notification: %w", err)
	}
	frame := liveNote{IDs: note.IDs, Unread: note.Unread}
	if note.Decision != nil {
		view := viewOfDecision(*note.Decision)
		if a.Event != nil {
			item := feed.ItemOf(*a.Event, nil, names)
			view.Event = &item
		}
		frame.Notification = &view
	}
	return frame, nil
}
