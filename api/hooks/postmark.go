package hooks

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
	"tidings/mailbox"
)

// postmark is Postmark: one event a request, and mails that come in. It does not
// sign; it sends basic authentication, from published addresses.
// https://postmarkapp.com/developer/webhooks/webhooks-overview
type postmark struct{}

// Check wants basic authentication, addresses, or both.
func (postmark) Check(s Secrets) *event.FieldError {
	if len(s.Basic) == 0 && len(s.Addresses) == 0 {
		return event.Invalid("basic", "is required: the user:password that the webhook's address carries (or addresses)")
	}
	if err := unused(s, false, true, true); err != nil {
		return err
	}
	return checkSizes(s)
}

// Verify checks all that the source asks for.
func (postmark) Verify(_ context.Context, r *Request, s Secrets, _ time.Time) error {
	if len(s.Addresses) > 0 {
		if err := verifyAddress(r, s.Addresses); err != nil {
			return err
		}
	}
	if len(s.Basic) > 0 {
		return verifyBasic(r, s.Basic)
	}
	if len(s.Addresses) == 0 {
		return Unsigned
	}
	return nil
}

type postmarkPerson struct {
	Email string `json:"Email"`
	Name  string `json:"Name"`
}

type postmarkEvent struct {
	Record    string `json:"RecordType"`
	ID        int64  `json:"ID"`
	Type      string `json:"Type"`
	Message   string `json:"MessageID"`
	Recipient string `json:"Recipient"`
	Email     string `json:"Email"`
	From      string `json:"From"`
	Subject   string `json:"Subject"`
	Details   string `json:"Details"`
	// Description is what the type of a bounce means.
	Description string `json:"Description"`
	Link        string `json:"OriginalLink"`
	Agent       string `json:"UserAgent"`
	Geo         struct {
		IP string `json:"IP"`
	} `json:"Geo"`
	Bounced   instant `json:"BouncedAt"`
	Received  instant `json:"ReceivedAt"`
	Delivered instant `json:"DeliveredAt"`
	Changed   instant `json:"ChangedAt"`
	Suppress  bool    `json:"SuppressSending"`
	Why       string  `json:"SuppressionReason"`

	// What follows belongs to mails that come in.
	FromFull *postmarkPerson  `json:"FromFull"`
	ToFull   []postmarkPerson `json:"ToFull"`
	To       string           `json:"OriginalRecipient"`
	Date     string           `json:"Date"`
	Stripped string           `json:"StrippedTextReply"`
	Text     string           `json:"TextBody"`
	HTML     string           `json:"HtmlBody"`
	Raw      string           `json:"RawEmail"`
	Headers  []struct {
		Name  string `json:"Name"`
		Value string `json:"Value"`
	} `json:"Headers"`
}

// Decode reads one event or mail.
func (postmark) Decode(r *Request) (Decoded, error) {
	return each(r.Body, postmarkEvent.read)
}

func (e postmarkEvent) read(jsontext.Value) ([]Event, string, error) {
	if e.Record == "" || e.Record == "Inbound" {
		return e.inbound()
	}
	at := firstInstant(e.Bounced, e.Received, e.Delivered, e.Changed)
	in := event.Input{
		Time: at.moment(), Message: shorten(e.Message, maxText), Subject: shorten(e.Subject, maxText),
		ID: key(e.Record, e.Message, strings.ToLower(firstOf(e.Recipient, e.Email)), at.exact(), e.Link),
	}
	if e.ID != 0 {
		in.ID = key(e.Record, strconv.FormatInt(e.ID, 10))
	}
	if to := firstOf(e.Recipient, e.Email); to != "" {
		in.Recipient = personOf(to, "")
	}
	switch e.Record {
	case "Delivery":
		in.Type = event.Delivery
	case "Open":
		in.Type, in.Client = event.Open, client(e.Geo.IP, e.Agent, nil)
	case "Click":
		in.Type, in.Link, in.Client = event.Click, shorten(e.Link, maxLink), client(e.Geo.IP, e.Agent, nil)
	case "SpamComplaint":
		in.Type = event.Complaint
	case "Bounce":
		in = e.bounced(in)
	case "SubscriptionChange":
		in = e.subscription(in)
	default:
		return nil, e.Record, nil
	}
	return []Event{{Input: in, Owner: address(e.From)}}, "", nil
}

// bounced tells apart what Postmark reports as bounces.
// https://postmarkapp.com/developer/api/bounce-api#bounce-types
func (e postmarkEvent) bounced(in event.Input) event.Input {
	why := firstOf(e.Details, e.Description)
	switch e.Type {
	case "Unsubscribe":
		in.Type = event.Unsubscribe
	case "SpamComplaint":
		in.Type = event.Complaint
	case "Transient":
		return custom(in, "deferred", why)
	case "AutoResponder", "Subscribe", "AddressChange", "OpenRelayTest", "ChallengeVerification":
		return custom(in, "answered-by-machine", firstOf(e.Description, e.Type))
	case "HardBounce", "BadEmailAddress", "ManuallyDeactivated":
		in.Type, in.Bounce = event.Bounce, bounce(true, why)
	default:
		in.Type, in.Bounce = event.Bounce, bounce(false, why)
	}
	return in
}

func (e postmarkEvent) subscription(in event.Input) event.Input {
	switch {
	case !e.Suppress:
		return custom(in, "resubscribed", "sending is allowed again")
	case e.Why == "HardBounce":
		in.Type, in.Bounce = event.Bounce, bounce(true, "suppressed after a hard bounce")
	case e.Why == "SpamComplaint":
		in.Type = event.Complaint
	default:
		in.Type = event.Unsubscribe
	}
	return in
}

// inbound reads a mail that came in.
func (e postmarkEvent) inbound() ([]Event, string, error) {
	if e.FromFull == nil && e.Raw == "" {
		return nil, "", event.Invalid("FromFull", "is missing: this is neither an event with a RecordType nor a mail")
	}
	var m mailbox.Mail
	if e.Raw != "" {
		var err error
		if m, err = mailbox.ParseMail([]byte(e.Raw)); err != nil {
			return nil, "", err
		}
	}
	if at := mailbox.ParseDate(e.Date); !at.IsZero() {
		m.Time = at
	}
	m.Subject = firstOf(e.Subject, m.Subject)
	if e.FromFull != nil {
		m.From = person(e.FromFull.Email, e.FromFull.Name)
	}
	for _, header := range e.Headers {
		switch strings.ToLower(header.Name) {
		case "message-id":
			m.ID = firstOf(m.ID, mailbox.ParseMessageID(header.Value))
		case "in-reply-to":
			m.ReplyTo = firstOf(m.ReplyTo, mailbox.ParseMessageID(header.Value))
		}
	}
	m.Body = firstOf(e.Stripped, e.Text, m.Body, mailbox.PlainText(e.HTML))
	reply := replyEvent(m, e.Message)
	if len(e.ToFull) > 0 {
		reply.Owner = strings.ToLower(e.ToFull[0].Email)
	}
	reply.Owner = firstOf(address(e.To), reply.Owner)
	return []Event{reply}, "", nil
}

func firstInstant(all ...instant) instant {
	for _, at := range all {
		if !at.IsZero() {
			return at
		}
	}
	return instant{}
}

// Sample is one delivery.
func (postmark) Sample() *Request {
	return &Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(
		`{"RecordType":"Delivery","MessageID":"883953f4-6105-42a2-a16a-77a8eac79483","Recipient":"jo@example.com",` +
			`"DeliveredAt":"2025-11-16T09:30:00.25Z","Details":"250 OK"}`)}
}
