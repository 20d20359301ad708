package hooks

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
)

// ses is Amazon SES through Amazon SNS: event publishing, feedback
// notifications, and mails that it receives. The keys of a source are the
// topics that it may come from: the signature says that Amazon sent a message,
// not whose topic it is.
// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
type ses struct{ sns *snsVerifier }

func newSES(client *http.Client) ses { return ses{newSNSVerifier(client)} }

// Check wants topics.
func (ses) Check(s Secrets) *event.FieldError {
	if err := needKeys(s, "the ARN of the SNS topic, such as arn:aws:sns:eu-west-1:123456789012:mail"); err != nil {
		return err
	}
	for _, topic := range s.Keys {
		if parts := strings.Split(topic, ":"); len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" {
			return event.Invalid("keys", "must be ARNs of SNS topics")
		}
	}
	return nil
}

// Verify checks Amazon's signature and the topic.
func (p ses) Verify(ctx context.Context, r *Request, s Secrets, now time.Time) error {
	m, err := readSNS(r.Body)
	if err != nil {
		return Unsigned
	}
	return p.sns.verify(ctx, m, s.Keys, now)
}

type sesPeople []sesPerson

type sesPerson struct {
	Email      string `json:"emailAddress"`
	Diagnostic string `json:"diagnosticCode"`
}

type sesEvent struct {
	// Event publishing calls it the one, feedback notifications the other.
	EventType        string  `json:"eventType"`
	NotificationType string  `json:"notificationType"`
	Mail             sesMail `json:"mail"`
	Bounce           struct {
		Type       string    `json:"bounceType"`
		Subtype    string    `json:"bounceSubType"`
		Recipients sesPeople `json:"bouncedRecipients"`
		Timestamp  instant   `json:"timestamp"`
	} `json:"bounce"`
	Complaint struct {
		Subtype    string    `json:"complaintSubType"`
		Feedback   string    `json:"complaintFeedbackType"`
		Recipients sesPeople `json:"complainedRecipients"`
		Timestamp  instant   `json:"timestamp"`
	} `json:"complaint"`
	Delivery struct {
		Recipients []string `json:"recipients"`
		Timestamp  instant  `json:"timestamp"`
	} `json:"delivery"`
	Open  sesReaction `json:"open"`
	Click sesReaction `json:"click"`
	Delay struct {
		Recipients sesPeople `json:"delayedRecipients"`
		Type       string    `json:"delayType"`
		Timestamp  instant   `json:"timestamp"`
	} `json:"deliveryDelay"`
	Reject struct {
		Reason string `json:"reason"`
	} `json:"reject"`
	Failure struct {
		Message string `json:"errorMessage"`
	} `json:"failure"`
	Subscription struct {
		Timestamp instant `json:"timestamp"`
		New       struct {
			All    bool       `json:"unsubscribeAll"`
			Topics []sesTopic `json:"topicSubscriptionStatus"`
		} `json:"newTopicPreferences"`
	} `json:"subscription"`
	Receipt struct {
		Action struct {
			Encoding string `json:"encoding"`
		} `json:"action"`
	} `json:"receipt"`
	Content string `json:"content"`
	// sent is the envelope's time, for events without one of their own.
	sent instant
}

// sesReaction is an open or a click.
type sesReaction struct {
	IP        string  `json:"ipAddress"`
	Agent     string  `json:"userAgent"`
	Link      string  `json:"link"`
	Timestamp instant `json:"timestamp"`
}

type sesTopic struct {
	Status string `json:"subscriptionStatus"`
}

// sesBridge is the envelope of Amazon EventBridge, where a rule sends what it gets
// on to the topic.
// https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html
type sesBridge struct {
	Source string         `json:"source"`
	Time   string         `json:"time"`
	Detail jsontext.Value `json:"detail"`
}

// Decode reads one message of SNS, or the bare record within.
func (p ses) Decode(r *Request) (Decoded, error) {
	envelope, err := readSNS(r.Body)
	if err != nil {
		return Decoded{}, err
	}
	record := []byte(envelope.Message)
	switch envelope.Type {
	case "SubscriptionConfirmation":
		if _, ok := amazonURL(envelope.SubscribeURL); !ok {
			return Decoded{}, event.Invalid("SubscribeURL", "is not an address of Amazon SNS")
		}
		return Decoded{Finish: p.sns.confirm(envelope.SubscribeURL)}, nil
	case "UnsubscribeConfirmation":
		return Decoded{Unknown: []Unknown{{Name: "UnsubscribeConfirmation", Payload: r.Body}}}, nil
	case "Notification":
	case "":
		record = r.Body
	default:
		return Decoded{Unknown: []Unknown{{firstOf(shorten(envelope.Type, 100), "(an unreadable name)"), r.Body}}}, nil
	}
	if strings.HasPrefix(envelope.Message, "Successfully validated SNS topic") {
		return Decoded{}, nil
	}
	bridge, err := decode[sesBridge](record)
	if err != nil {
		return Decoded{}, err
	}
	if bridge.Source == "aws.ses" && bridge.Detail.Kind() == jsontext.KindBeginObject {
		record, envelope.Timestamp = bridge.Detail, firstOf(bridge.Time, envelope.Timestamp)
	}
	e, err := decode[sesEvent](record)
	if err != nil {
		return Decoded{}, err
	}
	if at, err := time.Parse(time.RFC3339, envelope.Timestamp); err == nil {
		e.sent = instant{at}
	}
	var out Decoded
	if firstOf(e.EventType, e.NotificationType) == "Received" {
		return out, e.received(&out, record, r.Body)
	}
	events, unknown, err := e.read(record)
	if err != nil {
		return Decoded{}, err
	}
	if unknown != "" {
		out.unknownIn(unknown, r.Body)
	}
	out.add(record, events...)
	return out, nil
}

// read makes the events of a record: one for each person that it is about.
func (e sesEvent) read(jsontext.Value) ([]Event, string, error) {
	name := firstOf(e.EventType, e.NotificationType)
	switch name {
	case "Send":
		in := e.input(name, firstInstant(e.Mail.Timestamp, e.sent), "")
		in.Type = event.Send
		for _, to := range e.Mail.Destination {
			in.Recipients = append(in.Recipients, person(to, ""))
		}
		return e.events(in), "", nil
	case "Delivery":
		return e.about(name, event.Input{Type: event.Delivery}, e.Delivery.Timestamp, e.Delivery.Recipients), "", nil
	case "Open", "Click":
		return e.reacted(name)
	case "Bounce":
		return e.bounced(), "", nil
	case "Complaint":
		return e.complained(name), "", nil
	case "Reject":
		in := event.Input{Type: event.Bounce, Kind: "rejected", Bounce: bounce(event.BounceRejected, e.Reject.Reason)}
		return e.about(name, in, e.Mail.Timestamp, e.Mail.Destination), "", nil
	case "Rendering Failure":
		in := event.Input{Type: event.Bounce, Kind: "rendering-failure", Bounce: bounce(event.BounceRejected, e.Failure.Message)}
		return e.about(name, in, e.Mail.Timestamp, e.Mail.Destination), "", nil
	case "DeliveryDelay":
		in := custom(event.Input{}, "deferred", e.Delay.Type)
		return e.about(name, in, e.Delay.Timestamp, e.Delay.Recipients.emails()), "", nil
	case "Subscription":
		return e.about(name, e.subscription(), e.Subscription.Timestamp, e.Mail.Destination), "", nil
	case "AmazonSnsSubscriptionSucceeded":
		return nil, "", nil
	}
	if name == "" {
		return nil, "", nameless("eventType")
	}
	return nil, name, nil
}

func (e sesEvent) input(name string, at instant, about string) event.Input {
	return event.Input{
		ID: key(e.Mail.Message, name, at.exact(), about), Time: at.moment(),
		Message: shorten(e.Mail.Message, maxText), Subject: shorten(e.Mail.Common.Subject, maxText), Aliases: e.Mail.names(),
	}
}

func (e sesEvent) events(all ...event.Input) []Event {
	owner := e.Mail.Source
	if len(e.Mail.Common.From) > 0 {
		owner = e.Mail.Common.From[0]
	}
	out := make([]Event, len(all))
	for i, in := range all {
		out[i] = Event{Input: in, Owner: address(owner)}
	}
	return out
}

// about makes the same event for each of some people.
func (e sesEvent) about(name string, what event.Input, at instant, people []string) []Event {
	var all []event.Input
	for _, email := range people {
		in := e.input(name, firstInstant(at, e.sent, e.Mail.Timestamp), strings.ToLower(email))
		in.Type, in.Kind, in.Title, in.Bounce = what.Type, what.Kind, what.Title, what.Bounce
		in.Recipient = personOf(email, "")
		all = append(all, in)
	}
	return e.events(all...)
}

// amazonBounce is the kind of a bounce by Amazon's types, which Resend passes on.
// https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-types
func amazonBounce(kind, subtype string) string {
	switch {
	case strings.Contains(strings.ToLower(subtype), "suppress"):
		return event.BounceRejected
	case strings.EqualFold(kind, "Permanent"):
		return event.BounceHard
	}
	return event.BounceSoft // Transient, and Undetermined
}

// complained is a complaint. Some mailbox providers do not say whose it is: then
// it is the only recipient's, or nobody's. Of an address on the account's own
// list there was no complaint now: the mail was not sent. Nor is there one in a report
// that says that a mail is no spam (RFC 6430) or forged (RFC 6591).
func (e sesEvent) complained(name string) []Event {
	switch strings.ToLower(e.Complaint.Feedback) {
	case "not-spam", "auth-failure":
		return nil
	}
	what, people := event.Input{Type: event.Complaint}, e.Complaint.Recipients.emails()
	if strings.Contains(e.Complaint.Subtype, "SuppressionList") {
		what = event.Input{Type: event.Bounce, Kind: "suppressed", Bounce: bounce(event.BounceRejected, e.Complaint.Subtype)}
	}
	if len(people) == 0 {
		people = e.Mail.Destination
	}
	if len(people) == 1 || len(people) > 0 && len(e.Complaint.Recipients) > 0 {
		return e.about(name, what, e.Complaint.Timestamp, people)
	}
	in := e.input(name, firstInstant(e.Complaint.Timestamp, e.sent, e.Mail.Timestamp), "")
	in.Type, in.Kind, in.Bounce = what.Type, what.Kind, what.Bounce
	return e.events(in)
}

func (e sesEvent) bounced() []Event {
	if len(e.Bounce.Recipients) == 0 {
		e.Bounce.Recipients = sesPeople{}
		for _, to := range e.Mail.Destination {
			e.Bounce.Recipients = append(e.Bounce.Recipients, sesPerson{Email: to})
		}
	}
	var all []Event
	for _, to := range e.Bounce.Recipients {
		why := firstOf(to.Diagnostic, e.Bounce.Type+": "+e.Bounce.Subtype)
		in := event.Input{Type: event.Bounce, Bounce: bounce(amazonBounce(e.Bounce.Type, e.Bounce.Subtype), why)}
		all = append(all, e.about("Bounce", in, e.Bounce.Timestamp, []string{to.Email})...)
	}
	return all
}

// reacted is an open or a click. Of a mail to several SES does not say whose.
func (e sesEvent) reacted(name string) ([]Event, string, error) {
	what, kind := e.Open, event.Open
	if name == "Click" {
		what, kind = e.Click, event.Click
	}
	people, about := e.Mail.Destination, ""
	if tagged := Lookup(e.Mail.Tags, recipientTag); tagged != "" {
		people = []string{tagged}
	}
	if len(people) == 1 {
		about = strings.ToLower(people[0])
	}
	in := e.input(name, firstInstant(what.Timestamp, e.sent), about+"/"+what.Link)
	in.Type, in.Link = kind, shorten(what.Link, maxLink)
	if len(people) == 1 {
		in.Recipient = personOf(people[0], "")
	} else {
		in = oneOf(in, people)
	}
	in.Client = client(what.IP, what.Agent, nil)
	return e.events(in), "", nil
}

func (e sesEvent) subscription() event.Input {
	out := e.Subscription.New.All ||
		slices.ContainsFunc(e.Subscription.New.Topics, func(t sesTopic) bool { return t.Status == "OptOut" })
	if out {
		return event.Input{Type: event.Unsubscribe}
	}
	return custom(event.Input{}, "resubscribed", "subscribed to all topics")
}

func (p sesPeople) emails() []string {
	all := make([]string, len(p))
	for i := range p {
		all[i] = p[i].Email
	}
	return all
}

// Sample is one open, as SES publishes it.
func (ses) Sample() *Request {
	return &Request{Header: http.Header{"Content-Type": {"text/plain; charset=UTF-8"}}, Body: []byte(
		`{"eventType":"Open","mail":{"timestamp":"2025-11-16T09:29:00Z","messageId":"0100sample-000000",` +
			`"source":"ana@example.org","destination":["jo@example.com"],"commonHeaders":{"subject":"Pricing"}},` +
			`"open":{"ipAddress":"192.0.2.1","timestamp":"2025-11-16T09:30:00.25Z","userAgent":"Mozilla/5.0"}}`)}
}
