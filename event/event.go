package event

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tidings/quotes"
)

// Type is what happened.
type Type string

// The types an event can have. Custom carries a Kind and a Title of the
// sender's own, for what a CRM or an applicant tracker says.
const (
	Send        Type = "send"
	Delivery    Type = "delivery"
	Open        Type = "open"
	Click       Type = "click"
	Download    Type = "download"
	Reply       Type = "reply"
	Meeting     Type = "meeting"
	Bounce      Type = "bounce"
	Complaint   Type = "complaint"
	Unsubscribe Type = "unsubscribe"
	Custom      Type = "custom"
)

// Types lists every type, in the order in which people read them.
var Types = []Type{
	Send, Delivery, Open, Click, Download, Reply,
	Meeting, Bounce, Complaint, Unsubscribe, Custom,
}

// Valid reports whether t is one of Types.
func (t Type) Valid() bool {
	for _, known := range Types {
		if t == known {
			return true
		}
	}
	return false
}

// Event is one thing that happened, as it is stored: immutable but for its
// verdict (overridden), its subject, user and name (it came before its send) and its
// message's name (it came before another name of the message was told).
// The JSON form is the stored document, in every store and in the queue.
type Event struct {
	ID        ID     `json:"id"`
	Workspace string `json:"w"`
	Type      Type   `json:"type"`
	// Time is Unix seconds, the sender's own, never the time of arrival.
	Time    int64  `json:"t"`
	Message string `json:"message"`
	// Original is the message as the event's source named it, where the message
	// turned out to be known under another name.
	Original string `json:"original,omitempty"`
	// Aliases are other names of the message that this event tells: a vendor's
	// id beside the Message-ID that the mail was sent with. At most MaxAliases.
	Aliases []string `json:"aliases,omitempty"`
	// User is whose message it is.
	User string `json:"user,omitempty"`
	// Recipient is who acted, or was acted on. It is nil on sends, and on events
	// of vendors that do not say who.
	Recipient *Person `json:"recipient,omitempty"`
	// Recipients are a send's, 1 to 1,000 of them. On an open or a click without a
	// Recipient they are the candidates: one of them did it, and it marks nobody.
	Recipients []Person `json:"recipients,omitempty"`
	Subject    string   `json:"subject,omitempty"`
	// Body is whole: of a reply with what it quotes.
	Body string `json:"body,omitempty"`
	// OwnWords are a reply's body without what it quotes and without a signature,
	// empty where that is all of it. They are told once, when the event is indexed, and
	// are what is indexed and shown.
	OwnWords string        `json:"own,omitempty"`
	Kind     string        `json:"kind,omitempty"`
	Title    string        `json:"title,omitempty"`
	Link     string        `json:"link,omitempty"`
	File     string        `json:"file,omitempty"`
	Meeting  *Appointment  `json:"meeting,omitempty"`
	Bounce   *BounceDetail `json:"bounce,omitempty"`
	Client   *Client       `json:"client,omitempty"`
	Source   string        `json:"source"`
	Verdict  Verdict       `json:"verdict,omitzero"`
}

// Person is one party to a mail.
type Person struct {
	// Email is canonical (see package address): people are told apart by it.
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
	// Written is the address as it came, for display; empty where that is
	// Email. It is set by Input.Event alone.
	Written string `json:"written,omitempty"`
}

// Appointment is what a meeting event is about.
type Appointment struct {
	Title string `json:"title,omitempty"`
	// Start is Unix seconds, 0 when not given.
	Start int64 `json:"start,omitempty"`
	// Answer is "yes", "no", "maybe" or "".
	Answer string `json:"answer,omitempty"`
}

// The kinds of bounces.
const (
	// BounceHard is an address that takes no mail.
	BounceHard = "hard"
	// BounceSoft is a mail that was not taken, for a reason that may pass.
	BounceSoft = "soft"
	// BounceRejected is a mail that the sender's side would not send: the address
	// is suppressed, the quota is used up, the template is broken, it looks like
	// spam. It says nothing of the address and raises no rate of bounces.
	BounceRejected = "rejected"
)

// BounceDetail says why a mail came back.
type BounceDetail struct {
	// Kind is BounceHard, BounceSoft, BounceRejected, or "" where nothing says.
	Kind   string `json:"kind,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Client is raw evidence of what made an event, kept as it came.
type Client struct {
	IP string `json:"ip,omitempty"`
	// UserAgent is nil when none was given, which differs from one sent empty.
	UserAgent *string `json:"user_agent,omitempty"`
	// Automated is the provider's own flag, nil when it has none.
	Automated *bool `json:"automated,omitempty"`
	// Method is the request's, "" when it is not known.
	Method string `json:"method,omitempty"`
	// Headers are the request's that tell a machine from a person, by their
	// name in lower case.
	Headers map[string]string `json:"headers,omitempty"`
}

// Kinds of actor that a verdict names.
const (
	Human   = "human"
	Machine = "machine"
	Unknown = "unknown"
)

// Verdict says whether a person or a machine made an event, and which rule of
// which version said so. It is the zero Verdict until the event is judged.
type Verdict struct {
	Is   string `json:"is"`
	Rule string `json:"rule,omitempty"`
	// By is "rule", "provider" or "person".
	By      string `json:"by,omitempty"`
	Version int    `json:"v,omitempty"`
	// Reason and User are a person's: why they overrode the rules, and who
	// they are.
	Reason string `json:"reason,omitempty"`
	User   string `json:"user,omitempty"`
}

// Unsent reports whether the event is a bounce by the sender's side.
func (e Event) Unsent() bool {
	return e.Type == Bounce && e.Bounce != nil && e.Bounce.Kind == BounceRejected
}

// Counted reports whether the event is one of its message and recipient in
// unique figures and rates: a bounce that says nothing of the address is not, nor
// is what one of several may have done.
func (e Event) Counted() bool { return !e.Unsent() && (e.Type == Send || e.Recipient != nil) }

// TellOwnWords finds the own words of a reply; there are none where its body has nothing
// else but white space. It is done once, when the event is indexed, and so not for
// events that are known already.
func (e *Event) TellOwnWords() {
	if e.Type != Reply || e.OwnWords != "" {
		return
	}
	if own := quotes.Own(e.Body); !slices.Equal(strings.Fields(own), strings.Fields(e.Body)) {
		e.OwnWords = own
	}
}

// OwnBody is the text that is indexed and shown: of a reply, its own words.
func (e Event) OwnBody() string {
	if e.OwnWords != "" {
		return e.OwnWords
	}
	return e.Body
}

// Automated reports whether the event is hidden from people unless they ask:
// an open or a click that a machine made.
func (e Event) Automated() bool {
	return (e.Type == Open || e.Type == Click) && e.Verdict.Is == Machine
}

// RecipientEmail is the address of the recipient, "" where nobody is named.
func (e Event) RecipientEmail() string {
	if e.Recipient == nil {
		return ""
	}
	return e.Recipient.Email
}

// Week is the week the event is stored in.
func (e Event) Week() Week { return WeekOf(e.Time) }

// At is the event's time in UTC.
func (e Event) At() time.Time { return time.Unix(e.Time, 0).UTC() }

// Storable says why an event can never be in an index, or nothing.
func (e Event) Storable() error {
	problem := ""
	switch {
	case e.Workspace == "":
		problem = "has no workspace"
	case e.ID.IsZero() || e.ID.Seconds() != e.Time:
		problem = "has an id of another time"
	case !e.Type.Valid():
		problem = "has no known type"
	case e.Type == Send && len(e.Recipients) == 0:
		problem = "is a send to nobody"
	default:
		return nil
	}
	return fmt.Errorf("%w: event %s %s", ErrInvalid, e.ID, problem)
}
