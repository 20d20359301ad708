package deliver

import (
	"encoding/json"
	"net/url"
	"time"
)

// Content is what a delivery says, as of the decision: the same at each try.
type Content struct {
	// Sentence says in one line what happened.
	Sentence string
	Subject  string
	// Lines are what it tells of together, each in one line; nil for one thing.
	Lines []string
	// Person is who did it with their address, and Owner whose mail it is.
	Person, Email, Owner string
	Time                 time.Time
	// Link leads to the page, never to a recipient's link.
	Link string
	// Why says for whom and by which rule it is sent.
	Why string
	// Unsubscribe is an https address that ends such mail with one POST, or "".
	Unsubscribe string
	// Item is the event as a page shows it, for webhooks.
	Item json.RawMessage
	// Later is when it may be said, since it may not be now; zero for now.
	Later time.Time
}

// PathOf is where the page shows a message.
func PathOf(message string) string { return "/?open=" + url.QueryEscape(message) }

// Outcome is what came of one try.
type Outcome struct {
	Try
	// OK says that the other side took it, Final that no other try can change anything,
	// Gone that it wants nothing any more.
	OK, Final, Gone bool
	// Done are the steps in a CRM that were done, now or before.
	Done map[string]string
	// After is how long the other side wants to be left alone.
	After time.Duration
}
