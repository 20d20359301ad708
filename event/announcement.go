package event

import "encoding/json"

// Announcements are what the indexer says on the LIVE stream.
const (
	// AnnounceEvent is an event that the index holds now.
	AnnounceEvent = "event"
	// AnnounceChanged is a corrected event: its subject or its verdict.
	AnnounceChanged = "changed"
	// AnnounceGone is an event that was erased or removed.
	AnnounceGone = "gone"
	// AnnounceState is a message whose recipients' state moved.
	AnnounceState = "state"
	// AnnounceNotification is somebody who was told of something, AnnounceWithdrawn what
	// was taken back, and AnnounceRead what they have read: each for To alone.
	AnnounceNotification = "notification"
	AnnounceWithdrawn    = "withdrawn"
	AnnounceRead         = "read"
	// AnnounceSeveral are several of these, in order.
	AnnounceSeveral = "several"
)

// Announcement is one message of the LIVE stream.
type Announcement struct {
	Kind      string `json:"kind"`
	Workspace string `json:"w"`
	// User is whose message it is, for who may see it.
	User string `json:"u,omitempty"`
	// Users are those whose part of a message moved that several have sent, "" where
	// it is nobody's; nil where that is not known, or one has sent it.
	Users []string `json:"us,omitempty"`
	// Event is the full event, for AnnounceEvent and AnnounceChanged.
	Event *Event `json:"event,omitempty"`
	// State is the message's, for AnnounceState and for every send.
	State *State `json:"state,omitempty"`
	// Gone is the id of what was removed, for AnnounceGone.
	Gone *ID `json:"gone,omitempty"`
	// To is whose sockets alone are told, and Note what they are told beside the event,
	// for the three kinds about notifications.
	To   string          `json:"to,omitempty"`
	Note json.RawMessage `json:"note,omitempty"`
	// Each are the announcements of AnnounceSeveral, all of its workspace.
	Each []Announcement `json:"-"`
	// Trace is the trace that the announcement belongs to. It travels beside
	// it, since readers compare announcements without.
	Trace string `json:"-"`
}
