package hooks

import (
	"context"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tidings/api/hooks/mapping"
	"tidings/event"
	"tidings/mailbox"
)

// mailgun is Mailgun: events of its v3 webhooks, those of the older forms, and
// mails that a route stores or forwards.
// https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/
//
// Its signature covers a timestamp and a one-time token, but not the body. So a
// token that comes again with another body is refused: who has seen one request
// cannot make up others with it, at this process or another.
type mailgun struct{ tokens *tokens }

const (
	// mailgunWindow is how long Mailgun tries a request (eight hours), and more.
	mailgunWindow = 12 * time.Hour
	// tokensKept bounds how many tokens are remembered.
	tokensKept = 200_000
)

func newMailgun(claims Claims) mailgun { return mailgun{newTokens(tokensKept, claims)} }

// Check wants the webhook signing key.
func (mailgun) Check(s Secrets) *event.FieldError {
	return needKeys(s, "the HTTP webhook signing key of the account")
}

type mailgunSignature struct {
	Timestamp string `json:"timestamp"`
	Token     string `json:"token"`
	Signature string `json:"signature"`
}

type mailgunBody struct {
	Signature mailgunSignature `json:"signature"`
	Event     jsontext.Value   `json:"event-data"`
}

// Verify checks the signature within the body, and that its token is used once.
func (p mailgun) Verify(ctx context.Context, r *Request, s Secrets, now time.Time) error {
	given, err := mailgunSigned(r)
	if err != nil || given.Signature == "" || given.Token == "" {
		return Unsigned
	}
	signature, err := hex.DecodeString(given.Signature)
	if err != nil || !anyKey(s.Keys, signature, []byte(given.Timestamp), []byte(given.Token)) {
		return Wrong
	}
	if err := freshSeconds(given.Timestamp, now, mailgunWindow); err != nil {
		return err
	}
	return p.tokens.check(ctx, given.Token, contents(r))
}

// Acknowledge notes that the request's token is used, now that its events are durable.
func (p mailgun) Acknowledge(ctx context.Context, r *Request) error {
	given, err := mailgunSigned(r)
	if err != nil {
		return Unsigned
	}
	return p.tokens.use(ctx, given.Token, contents(r))
}

// mailgunSigned is where a request carries its signature. In a form that
// repeats a name, a sender's own variable came first.
func mailgunSigned(r *Request) (mailgunSignature, error) {
	if !isForm(r.mediaType()) {
		if err := mapping.CheckTokens(r.Body); err != nil {
			return mailgunSignature{}, err
		}
		var body mailgunBody
		err := jsonv2.Unmarshal(r.Body, &body, unique())
		return body.Signature, err
	}
	fields, err := readForm(r)
	return mailgunSignature{fields.last("timestamp"), fields.last("token"), fields.last("signature")}, err
}

type mailgunEvent struct {
	Event     string  `json:"event"`
	ID        string  `json:"id"`
	Timestamp instant `json:"timestamp"`
	Recipient string  `json:"recipient"`
	Severity  string  `json:"severity"`
	Reason    string  `json:"reason"`
	URL       string  `json:"url"`
	IP        string  `json:"ip"`
	Message   struct {
		Headers struct {
			ID      string `json:"message-id"`
			To      string `json:"to"`
			From    string `json:"from"`
			Subject string `json:"subject"`
		} `json:"headers"`
	} `json:"message"`
	Client struct {
		Agent string `json:"user-agent"`
		IP    string `json:"ip"`
		// Bot names the machine that opened or clicked, where Mailgun knows one.
		Bot string `json:"bot"`
	} `json:"client-info"`
	Status struct {
		Code        string `json:"code"`
		Enhanced    string `json:"enhanced-code"`
		Message     string `json:"message"`
		Description string `json:"description"`
	} `json:"delivery-status"`
	Reject struct {
		Reason string `json:"reason"`
	} `json:"reject"`
	// token is the signature's, for events without an id.
	token string
}

// Decode reads a v3 event, an event of the older forms, or a mail.
func (p mailgun) Decode(r *Request) (Decoded, error) {
	if isForm(r.mediaType()) {
		return p.form(r)
	}
	body, err := decode[mailgunBody](r.Body)
	if err != nil {
		return Decoded{}, err
	}
	if len(body.Event) == 0 {
		return Decoded{}, event.Invalid("event-data", "is missing")
	}
	e, err := decode[mailgunEvent](body.Event)
	if err != nil {
		return Decoded{}, err
	}
	e.token = body.Signature.Token
	return e.decoded(body.Event)
}

func (e mailgunEvent) decoded(payload []byte) (Decoded, error) {
	if e.Event == "" {
		return Decoded{}, nameless("event")
	}
	var out Decoded
	in, known := e.input()
	if !known {
		out.unknownIn(e.Event, nil)
		return out, nil
	}
	out.add(payload, Event{Input: in, Owner: address(e.Message.Headers.From)})
	return out, nil
}

func (e mailgunEvent) input() (event.Input, bool) {
	headers := e.Message.Headers
	in := event.Input{
		ID: key(firstOf(e.ID, e.token)), Time: e.Timestamp.moment(),
		Message: shorten(mailbox.ParseMessageID(headers.ID), maxText), Subject: shorten(headers.Subject, maxText),
	}
	if to := firstOf(e.Recipient, headers.To); to != "" {
		in.Recipient = personOf(to, "")
	}
	why := firstOf(e.Status.Message, e.Status.Description, e.Reject.Reason, e.Reason)
	switch e.Event {
	case "accepted":
		in.Type = event.Send
		if in.Recipient != nil {
			in.Recipients, in.Recipient = []event.Person{*in.Recipient}, nil
		}
	case "delivered":
		in.Type = event.Delivery
	case "opened", "clicked":
		in.Type, in.Client = event.Open, client(firstOf(e.IP, e.Client.IP), e.Client.Agent, e.automated())
		if e.Event == "clicked" {
			in.Type, in.Link = event.Click, shorten(e.URL, maxLink)
		}
	case "failed":
		if e.Severity == "temporary" {
			return custom(in, "deferred", why), true
		}
		in.Type, in.Bounce = event.Bounce, bounce(e.kind(), why)
	case "bounced":
		in.Type, in.Bounce = event.Bounce, bounce(event.BounceHard, why)
	case "rejected", "dropped":
		in.Type, in.Kind, in.Bounce = event.Bounce, e.Event, bounce(e.kind(), why)
	case "complained":
		in.Type = event.Complaint
	case "unsubscribed":
		in.Type = event.Unsubscribe
	case "stored":
		in.Type, in.Recipient = event.Reply, personOf(headers.From, "")
	default:
		return in, false
	}
	if in.Message == "" && in.Recipient != nil && (in.Type == event.Complaint || in.Type == event.Unsubscribe) {
		in.Message = nobody("mailgun", in.Recipient.Email)
	}
	return in, true
}

// mailgunReasons are the kinds of failures for good, by Mailgun's reasons; others
// are hard. What is suppressed was not even tried.
// https://documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure/
var mailgunReasons = map[string]string{
	"suppress-bounce": event.BounceRejected, "suppress-complaint": event.BounceRejected, "suppress-unsubscribe": event.BounceRejected,
	"old": event.BounceSoft, "greylisted": event.BounceSoft, "generic": event.BounceHard, "bounce": event.BounceHard, "hardfail": event.BounceHard,
}

// kind is what a failure says of the address.
func (e mailgunEvent) kind() string {
	if e.Event == "rejected" {
		return event.BounceRejected
	}
	kind := firstOf(mailgunReasons[strings.ToLower(e.Reason)], event.BounceHard)
	// What a server answered last may pass, though Mailgun has given up.
	if kind == event.BounceHard && strings.HasPrefix(firstOf(e.Status.Enhanced, e.Status.Code), "4") {
		return event.BounceSoft
	}
	return kind
}

// automated is Mailgun's word on a machine, nil when it says nothing.
func (e mailgunEvent) automated() *bool {
	if e.Client.Bot == "" {
		return nil
	}
	yes := true
	return &yes
}

// form reads an event of the older forms, or a mail of a route.
func (mailgun) form(r *Request) (Decoded, error) {
	fields, err := readForm(r)
	if err != nil {
		return Decoded{}, err
	}
	token := fields.last("token")
	if name := fields.get("event"); name != "" && fields.get("from") == "" {
		e := mailgunEvent{
			Event: name, Recipient: fields.get("recipient"), URL: fields.get("url"), IP: fields.get("ip"),
			Reason: firstOf(fields.get("error"), fields.get("description"), fields.get("reason"), fields.get("notification")), token: token,
		}
		e.Client.Agent = fields.get("user-agent")
		e.Message.Headers.ID = firstOf(fields.get("Message-Id"), fields.get("message-id"), headerOf(fields.get("message-headers"), "Message-Id"))
		e.Message.Headers.Subject = headerOf(fields.get("message-headers"), "Subject")
		e.Message.Headers.From = headerOf(fields.get("message-headers"), "From")
		e.Timestamp = instant{mapping.Instant(fields.last("timestamp"))}
		return e.decoded(fields.payload())
	}
	m, err := fields.stored(formFiles(r))
	if err != nil {
		return Decoded{}, err
	}
	owner := address(fields.get("recipient"))
	if owner == "" && len(m.To) > 0 {
		owner = m.To[0].Email
	}
	var out Decoded
	return out, out.mailTo(m, owner, "", fields.payload(), r.Body)
}

// stored is the mail of a route: raw, or taken apart. What the person wrote
// themself is Mailgun's stripped text.
func (f form) stored(files []mailbox.Attachment) (mailbox.Mail, error) {
	if raw := f.get("body-mime"); raw != "" {
		return mailbox.ParseMail([]byte(raw))
	}
	headers := f.get("message-headers")
	if headers == "" {
		return mailbox.Mail{}, event.Invalid("message-headers", "is missing: this is neither an event nor a mail")
	}
	m := mailbox.ParseParts(mailbox.Parts{
		Header: pairsOf(headers), Text: f.get("body-plain"), HTML: f.get("body-html"), Attachments: files,
	})
	if from := mailbox.ParseAddresses(f.get("from")); m.From.Email == "" && len(from) > 0 {
		m.From = from[0]
	}
	m.ID = firstOf(m.ID, mailbox.ParseMessageID(f.get("Message-Id")))
	m.ReplyTo = firstOf(m.ReplyTo, mailbox.ParseMessageID(f.get("In-Reply-To")))
	if len(m.To) == 0 {
		m.To = mailbox.ParseAddresses(f.get("recipient"))
	}
	m.Subject = firstOf(f.get("subject"), m.Subject)
	m.Body = firstOf(f.get("stripped-text"), m.Body)
	if m.Time.IsZero() {
		// The signature's time is the same at each try.
		m.Time = mapping.Instant(f.last("timestamp"))
	}
	return m, nil
}

// last is the last value of a name.
func (f form) last(name string) string {
	if values := f[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// pairsOf are the headers of Mailgun's JSON list of pairs.
func pairsOf(list string) []mailbox.Field {
	var pairs [][]string
	if jsonv2.Unmarshal([]byte(list), &pairs, tolerant()) != nil {
		return nil
	}
	var fields []mailbox.Field
	for _, pair := range pairs {
		if len(pair) == 2 {
			fields = append(fields, mailbox.Field{Name: pair[0], Value: pair[1]})
		}
	}
	return fields
}

// headerOf finds a header in Mailgun's JSON list of pairs.
func headerOf(list, name string) string {
	var pairs [][]jsontext.Value
	if jsonv2.Unmarshal([]byte(list), &pairs, lenient()) != nil {
		return ""
	}
	for _, pair := range pairs {
		var found, value string
		if len(pair) == 2 && jsonv2.Unmarshal(pair[0], &found) == nil && http.CanonicalHeaderKey(found) == http.CanonicalHeaderKey(name) &&
			jsonv2.Unmarshal(pair[1], &value, lenient()) == nil {
			return value
		}
	}
	return ""
}

// Sample is one open.
func (mailgun) Sample() *Request {
	return &Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(
		`{"signature":{"timestamp":"1763285400","token":"c2FtcGxl","signature":""},"event-data":{"event":"opened",` +
			`"id":"c2FtcGxl","timestamp":1763285400.25,"recipient":"jo@example.com","ip":"192.0.2.1",` +
			`"message":{"headers":{"message-id":"20251116.1@example.org","subject":"Pricing"}},` +
			`"client-info":{"user-agent":"Mozilla/5.0"}}}`)}
}
