package deliver

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"tidings/event"
)

// State is how far a delivery has come.
type State string

// The states.
const (
	// Waiting is due at a time, for its first try or another.
	Waiting State = "waiting"
	// Sent was taken by the other side.
	Sent State = "sent"
	// Failed had its last try, or an answer that no other try can change.
	Failed State = "failed"
	// Cancelled is not to be sent any more; Why says why.
	Cancelled State = "cancelled"
)

// Bounds of what is kept.
const (
	// MaxTries is how many of a delivery's tries are kept, the newest.
	MaxTries = 20
	// KeepAnswer is how many bytes of an answer are kept.
	KeepAnswer = 1 << 10
	// KeepFor is how long a delivery is kept after its end.
	KeepFor = 30 * 24 * time.Hour
	// MaxWaiting is how many may wait for an endpoint: what would come on top is not made.
	MaxWaiting = 100_000
)

// TestType is the type of a test delivery.
const TestType = "test"

// Delivery is one message to one endpoint. What it says is rendered from its event at each
// try and is not kept.
type Delivery struct {
	// ID is the same for the same cause (see ID), in any process, any number of times.
	ID        string `json:"id"`
	Workspace string `json:"w"`
	Endpoint  string `json:"endpoint"`
	// Event is what it tells of; zero for a test.
	Event   event.ID `json:"event,omitzero"`
	Message string   `json:"message,omitempty"`
	// Type is what happened, as receivers know it: open, click, test.
	Type   string `json:"type"`
	Rule   string `json:"rule,omitempty"`
	Reason string `json:"reason"`
	// For is whose rights count, "" for the workspace's.
	For string `json:"for,omitempty"`
	// Decision is what it tells of, and Window the end of the time whose decisions it
	// tells of together, in Unix seconds; where For is set, one of them.
	Decision string `json:"decision,omitempty"`
	Window   int64  `json:"window,omitempty"`
	// At is when it was decided, in Unix milliseconds, as all times here.
	At int64 `json:"at"`
	// Due is when the next try may be made, and Lease until when one is being made.
	Due   int64 `json:"due"`
	Lease int64 `json:"lease,omitempty"`
	State State `json:"state"`
	// Tried is how often it was tried since Begun, and Tries the newest of all of them.
	Tried int   `json:"tried,omitempty"`
	Begun int64 `json:"begun,omitempty"`
	Tries []Try `json:"tries,omitempty"`
	// Replay says that somebody sent it again: it counts for no endpoint's health.
	Replay bool `json:"replay,omitempty"`
	// Ended is when it left Waiting.
	Ended int64 `json:"ended,omitempty"`
	// Done are the steps in a CRM that were done, with the record that each came to.
	Done map[string]string `json:"done,omitempty"`
	Why  string            `json:"why,omitempty"`
}

// Try is one attempt to deliver.
type Try struct {
	At     int64  `json:"at"`
	Took   int64  `json:"took"` // milliseconds
	Status int    `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
	// Answer is what came back, cut to KeepAnswer; never of a private host.
	Answer string `json:"answer,omitempty"`
}

// WebhookID is what receivers tell repetitions by.
func (d Delivery) WebhookID() string { return "msg_" + d.ID }

// ID is the id of what follows from a cause for an endpoint: 26 letters and digits of a hash.
func ID(workspace, cause, subject, endpoint string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{workspace, cause, subject, endpoint}, "\x00")))
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))[:26]
}

func millis(t time.Time) int64 { return t.UnixMilli() }

// record adds a try, the oldest beyond MaxTries out first.
func (d *Delivery) record(t Try) {
	d.Tries = append(d.Tries, t)
	if len(d.Tries) > MaxTries {
		d.Tries = d.Tries[len(d.Tries)-MaxTries:]
	}
}

// end takes a delivery out of Waiting.
func (d *Delivery) end(state State, why string, now time.Time) {
	d.State, d.Why, d.Ended, d.Lease = state, why, millis(now), 0
}

// Again makes a delivery that ended wait once more, as a replay; false for one that
// waits already.
func (d *Delivery) Again(now int64) bool {
	if d.State == Waiting {
		return false
	}
	d.State, d.Due, d.Tried, d.Begun, d.Ended, d.Lease, d.Why, d.Replay = Waiting, now, 0, 0, 0, 0, "", true
	d.Done = nil // What was made may be gone: each step looks again.
	return true
}
