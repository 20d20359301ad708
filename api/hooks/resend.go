package hooks

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
	"tidings/mailbox"
)

// resend is Resend, which sends Standard Webhooks by Svix.
// https://resend.com/docs/dashboard/webhooks/event-types
type resend struct{}

// Check wants signing secrets.
func (resend) Check(s Secrets) *event.FieldError { return checkStandard(s) }

// Verify checks the signatures.
func (resend) Verify(_ context.Context, r *Request, s Secrets, now time.Time) error {
	return verifyStandard(r, s.Keys, now)
}

// VerifyHead wants a signature and when it was made.
func (resend) VerifyHead(r *Request, _ Secrets, now time.Time) error {
	return verifyStandardHead(r, now)
}

type resendBody struct {
	Type    string         `json:"type"`
	Created instant        `json:"created_at"`
	Data    jsontext.Value `json:"data"`
}

type resendMail struct {
	Email   string   `json:"email_id"`
	From    string   `json:"from"`
	To      []string `json:"to"`
	Subject string   `json:"subject"`
	Message string   `json:"message_id"`
	Bounce  struct {
		Type    string `json:"type"`
		Subtype string `json:"subType"`
		Message string `json:"message"`
	} `json:"bounce"`
	Tags   jsontext.Value `json:"tags"`
	Failed struct {
		Reason string `json:"reason"`
	} `json:"failed"`
	Suppressed struct {
		Message string `json:"message"`
		Type    string `json:"type"`
	} `json:"suppressed"`
	Open  resendReaction `json:"open"`
	Click resendReaction `json:"click"`
}

type resendReaction struct {
	IP    string  `json:"ipAddress"`
	Agent string  `json:"userAgent"`
	Link  string  `json:"link"`
	At    instant `json:"timestamp"`
}

// Decode reads one event.
func (resend) Decode(r *Request) (Decoded, error) {
	body, err := decode[resendBody](r.Body)
	if err != nil {
		return Decoded{}, err
	}
	if body.Type == "" {
		return Decoded{}, nameless("type")
	}
	if len(body.Data) == 0 {
		return Decoded{}, event.Invalid("data", "is missing")
	}
	mail, err := decode[resendMail](body.Data)
	if err != nil {
		return Decoded{}, err
	}
	var out Decoded
	events, known := mail.read(body, standardHeader(r, "Id"))
	if !known {
		out.unknownIn(body.Type, r.Body)
	}
	out.add(body.Data, events...)
	return out, nil
}

func (m resendMail) read(body resendBody, id string) ([]Event, bool) {
	in := event.Input{
		Time: body.Created.moment(), Message: shorten(m.Email, maxText), Subject: shorten(m.Subject, maxText),
	}
	if name := event.MessageName(m.Message); name != "" {
		in.Aliases = []string{shorten(name, maxAlias)}
	}
	switch body.Type {
	case "email.sent":
		in.Type = event.Send
		for _, to := range m.To {
			in.Recipients = append(in.Recipients, person(to, ""))
		}
		in.ID = key(firstOf(id, key(body.Type, m.Email, body.Created.exact())))
		return []Event{{Input: in, Owner: address(m.From)}}, true
	case "email.delivered":
		in.Type = event.Delivery
	case "email.delivery_delayed":
		in = custom(in, "deferred", "the delivery is delayed")
	case "email.opened":
		in.Type, in.Client = event.Open, client(m.Open.IP, m.Open.Agent, nil)
		in.Time = firstInstant(m.Open.At, body.Created).moment()
	case "email.clicked":
		in.Type, in.Link, in.Client = event.Click, shorten(m.Click.Link, maxLink), client(m.Click.IP, m.Click.Agent, nil)
		in.Time = firstInstant(m.Click.At, body.Created).moment()
	case "email.bounced":
		in.Type, in.Bounce = event.Bounce, bounce(amazonBounce(m.Bounce.Type, m.Bounce.Subtype), m.Bounce.Message)
	case "email.failed", "email.suppressed":
		in.Type, in.Kind, in.Bounce = event.Bounce, body.Type[len("email."):], bounce(event.BounceRejected, firstOf(m.Failed.Reason, m.Suppressed.Message, m.Suppressed.Type))
	case "email.complained":
		in.Type = event.Complaint
	case "email.received":
		return []Event{m.received(body)}, true
	default:
		return nil, false
	}
	return m.about(in, body, id), true
}

// recipientTag is the tag by which a sender may say whom a mail to several with
// separate tracking is for.
const recipientTag = "recipient"

// oneOf is what one of several did, of whom the vendor does not say which.
func oneOf(in event.Input, people []string) event.Input {
	for _, to := range people {
		in.Candidates = append(in.Candidates, person(to, ""))
	}
	return in
}

// about makes the event for each recipient.
func (m resendMail) about(in event.Input, body resendBody, id string) []Event {
	if len(m.To) == 0 {
		in.ID = key(firstOf(id, key(body.Type, m.Email, body.Created.exact())))
		return []Event{{Input: in, Owner: address(m.From)}} // it is about nobody
	}
	people := m.To
	if in.Type == event.Open || in.Type == event.Click {
		// Of a mail to several, Resend does not say who.
		if tagged := Lookup(m.Tags, recipientTag); tagged != "" {
			people = []string{tagged}
		}
		if len(people) > 1 {
			in.ID = key(firstOf(id, key(body.Type, m.Email, body.Created.exact())))
			return []Event{{Input: oneOf(in, people), Owner: address(m.From)}}
		}
	}
	var all []Event
	for _, to := range people {
		one := in
		one.ID = key(firstOf(id, key(body.Type, m.Email, body.Created.exact())), address(to))
		one.Recipient = personOf(to, "")
		all = append(all, Event{Input: one, Owner: address(m.From)})
	}
	return all
}

// received is a mail that came in; Resend tells of it without its text.
func (m resendMail) received(body resendBody) Event {
	mail := mailbox.Mail{
		ID: mailbox.ParseMessageID(m.Message), Time: body.Created.Time, From: person(m.From, ""), Subject: m.Subject,
	}
	for _, to := range m.To {
		mail.To = append(mail.To, person(to, ""))
	}
	return replyEvent(mail, m.Email)
}

// Sample is one click.
func (resend) Sample() *Request {
	return &Request{Header: http.Header{"Content-Type": {"application/json"}, "Svix-Id": {"msg_sample"}}, Body: []byte(
		`{"type":"email.clicked","created_at":"2025-11-16T09:30:01.25Z","data":{"email_id":"56761188-7520-42d8-8898-ff6fc54ce618",` +
			`"from":"Ana <ana@example.org>","to":["jo@example.com"],"subject":"Pricing","click":{"ipAddress":"192.0.2.1",` +
			`"link":"https://example.com/pricing","timestamp":"2025-11-16T09:30:00.25Z","userAgent":"Mozilla/5.0"}}}`)}
}
