package event

import (
	"encoding/json"
	"time"
)

// Lane is how urgently an event is indexed.
type Lane string

// The lanes. Bulk never delays live.
const (
	LaneLive Lane = "live"
	LaneBulk Lane = "bulk"
)

// DeadLetter is one event that failed for good. ID is the event's own.
type DeadLetter struct {
	ID       string
	At       time.Time
	Event    json.RawMessage
	Attempts []Attempt
}

// Attempt is one failure in a dead letter's history.
type Attempt struct {
	At    time.Time `json:"at"`
	Error string    `json:"error"`
}
