package hooks

import (
	"context"
	"encoding/base64"
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
func (p postmark) Verify(_ context.Context, r *Request, s Secrets, now time.Time) error {
	return p.VerifyHead(r, s, now)
}

// VerifyHead is all of it: Postmark signs nothing.
func (postmark) VerifyHead(r *Request, s Secrets, _ time.Time) error {
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
	Attachments []struct {
		Type    string `json:"ContentType"`
		Content string `json:"Content"`
	} `json:"Attachments"`
}

// Decode reads one event or mail.
func (postmark) Decode(r *Request) (Decoded, error) {
	all, err := elements(r.Body)
	if err != nil {
		return Decoded{}, err
	}
	var out Decoded
	for _, raw := range all {
		e, err := decode[postmarkEvent](raw)
		if err == nil && (e.Record == "" || e.Record == "Inbound") {
			err = e.inbound(&out, raw)
		} else if err == nil {
			events, unknown, failed := e.read(raw)
			if unknown != "" {
				out.unknownIn(unknown, raw)
			}
			out.add(raw, events...)
			err = failed
		}
		if err != nil {
			out.reject(err, raw)
		}
	}
	return out, nil
}

func (e postmarkEvent) read(jsontext.Value) ([]Event, string, error) {
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
		if in.Message == "" && (e.Record == "SubscriptionChange" || e.Record == "SpamComplaint") {
			in.Message = nobody("postmark", to) // about a person, and no mail
		}
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

// postmarkBounces are the kinds of bounces by Postmark's types; others are soft.
// What Postmark or the sender would not send says nothing of the address.
// https://postmarkapp.com/developer/api/bounce-api#bounce-types
var postmarkBounces = map[string]string{
	"HardBounce": event.BounceHard, "BadEmailAddress": event.BounceHard,
	"ManuallyDeactivated": event.BounceRejected, "Unconfirmed": event.BounceRejected, "VirusNotification": event.BounceRejected,
	"SMTPApiError": event.BounceRejected, "InboundError": event.BounceRejected, "DMARCPolicy": event.BounceRejected,
	"TemplateRenderingFailed": event.BounceRejected,
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
	default:
		kind, known := postmarkBounces[e.Type]
		if !known {
			kind = event.BounceSoft
		}
		in.Type, in.Bounce = event.Bounce, bounce(kind, why)
	}
	return in
}

func (e postmarkEvent) subscription(in event.Input) event.Input {
	switch {
	case !e.Suppress:
		return custom(in, "resubscribed", "sending is allowed again")
	case e.Why == "HardBounce":
		in.Type, in.Bounce = event.Bounce, bounce(event.BounceHard, "suppressed after a hard bounce")
	case e.Why == "SpamComplaint":
		in.Type = event.Complaint
	default:
		in.Type = event.Unsubscribe
	}
	return in
}

// inbound reads a mail that came in.
func (e postmarkEvent) inbound(out *Decoded, raw []byte) error {
	if e.FromFull == nil && e.From == "" && e.Raw == "" && e.Message == "" {
		return event.Invalid("FromFull", "is missing: this is neither an event with a RecordType nor a mail")
	}
	m, err := e.mail()
	if err != nil {
		return err
	}
	owner := address(e.To)
	if owner == "" && len(e.ToFull) > 0 {
		owner = strings.ToLower(e.ToFull[0].Email)
	}
	if owner == "" && len(m.To) > 0 {
		owner = m.To[0].Email
	}
	return out.mailTo(m, owner, e.Message, raw, raw)
}

// mail is the mail as it came, or put together of what Postmark took apart.
func (e postmarkEvent) mail() (m mailbox.Mail, err error) {
	if e.Raw != "" {
		if m, err = mailbox.ParseMail([]byte(e.Raw)); err != nil {
			return m, err
		}
	} else {
		parts := mailbox.Parts{Text: e.Text, HTML: e.HTML, Header: []mailbox.Field{{Name: "Subject", Value: e.Subject}}}
		for _, header := range e.Headers {
			parts.Header = append(parts.Header, mailbox.Field{Name: header.Name, Value: header.Value})
		}
		for _, a := range e.Attachments {
			if data, err := base64.StdEncoding.DecodeString(a.Content); err == nil && forPrograms(a.Type) && len(data) <= maxFile {
				parts.Attachments = append(parts.Attachments, mailbox.Attachment{Type: a.Type, Data: data})
			}
		}
		m = mailbox.ParseParts(parts)
	}
	if at := mailbox.ParseDate(e.Date); !at.IsZero() {
		m.Time = at
	}
	m.Subject = firstOf(e.Subject, m.Subject)
	if e.FromFull != nil {
		m.From = person(e.FromFull.Email, e.FromFull.Name)
	} else if m.From.Email == "" {
		m.From = person(e.From, "")
	}
	if len(m.To) == 0 {
		for _, to := range e.ToFull {
			m.To = append(m.To, person(to.Email, to.Name))
		}
	}
	m.Body = firstOf(e.Stripped, e.Text, m.Body, mailbox.PlainText(e.HTML))
	return m, nil
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
