package hooks

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
	"tidings/mailbox"
)

// sendgrid is Twilio SendGrid: the event webhook, in batches signed with ECDSA,
// and inbound parse, a form that is signed in the same way or carries basic
// authentication.
// https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
type sendgrid struct{}

const (
	sendgridSignature = "X-Twilio-Email-Event-Webhook-Signature"
	sendgridTimestamp = "X-Twilio-Email-Event-Webhook-Timestamp"
	// sendgridWindow is how long SendGrid tries a batch, and a little more:
	// nothing says that it signs each try anew.
	sendgridWindow = 25 * time.Hour
)

// Check wants public keys, basic authentication for inbound parse, or both.
func (sendgrid) Check(s Secrets) *event.FieldError {
	if len(s.Keys) == 0 && len(s.Basic) == 0 {
		return event.Invalid("keys", "is required: the verification key of the signed event webhook (or basic for inbound parse)")
	}
	for _, key := range s.Keys {
		if _, err := ecdsaKey(key); err != nil {
			return err
		}
	}
	if err := unused(s, true, true, false); err != nil {
		return err
	}
	return checkSizes(s)
}

// Verify checks the signature. A mail of inbound parse without one needs the
// basic authentication of the source.
func (sendgrid) Verify(_ context.Context, r *Request, s Secrets, now time.Time) error {
	signature := r.Header.Get(sendgridSignature)
	if signature == "" {
		return verifySendgridMail(r, s)
	}
	timestamp := r.Header.Get(sendgridTimestamp)
	if err := verifyECDSA(s.Keys, signature, []byte(timestamp), r.Body); err != nil {
		return err
	}
	return freshSeconds(timestamp, now, sendgridWindow)
}

// VerifyHead is all of it for a mail, and wants a fresh time for events.
func (sendgrid) VerifyHead(r *Request, s Secrets, now time.Time) error {
	if r.Header.Get(sendgridSignature) == "" {
		return verifySendgridMail(r, s)
	}
	return freshSeconds(r.Header.Get(sendgridTimestamp), now, sendgridWindow)
}

func verifySendgridMail(r *Request, s Secrets) error {
	if len(s.Basic) == 0 || !isForm(r.mediaType()) {
		return Unsigned
	}
	return verifyBasic(r, s.Basic)
}

// ecdsaKey reads a public key: PEM, or the base64 that SendGrid shows.
func ecdsaKey(text string) (*ecdsa.PublicKey, *event.FieldError) {
	wrong := event.Invalid("keys", "must be ECDSA public keys on P-256, in base64 or PEM")
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else {
		var err error
		if der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err != nil {
			return nil, wrong
		}
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, wrong
	}
	public, ok := parsed.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, wrong
	}
	return public, nil
}

func verifyECDSA(keys []string, signature string, parts ...[]byte) error {
	der, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return Wrong
	}
	hash := sha256.New()
	for _, part := range parts {
		hash.Write(part)
	}
	sum := hash.Sum(nil)
	for _, text := range keys {
		if public, err := ecdsaKey(text); err == nil && ecdsa.VerifyASN1(public, sum, der) {
			return nil
		}
	}
	return Wrong
}

type sendgridEvent struct {
	Event     string  `json:"event"`
	Email     string  `json:"email"`
	Timestamp instant `json:"timestamp"`
	ID        string  `json:"sg_event_id"`
	Message   string  `json:"sg_message_id"`
	SMTP      string  `json:"smtp-id"`
	Type      string  `json:"type"`
	Status    string  `json:"status"`
	Reason    string  `json:"reason"`
	Response  string  `json:"response"`
	URL       string  `json:"url"`
	IP        string  `json:"ip"`
	Agent     string  `json:"useragent"`
	// Machine is set on opens by Apple's mail privacy protection.
	Machine *bool `json:"sg_machine_open"`
	// Group is the unsubscribe group, SingleSend the campaign.
	Group          int64  `json:"asm_group_id"`
	SingleSendName string `json:"singlesend_name"`
}

// Decode reads a batch of events, or a mail of inbound parse.
func (s sendgrid) Decode(r *Request) (Decoded, error) {
	if isForm(r.mediaType()) {
		return s.inbound(r)
	}
	return each(r.Body, sendgridEvent.read)
}

func (e sendgridEvent) read(jsontext.Value) ([]Event, string, error) {
	in := event.Input{
		Time: e.Timestamp.moment(), Message: e.message(), Recipient: personOf(e.Email, ""),
		ID: key(firstOf(e.ID, key(e.parts()...))),
	}
	if name := event.MessageName(e.SMTP); name != "" {
		in.Aliases = []string{shorten(name, maxAlias)}
	}
	switch e.Event {
	case "processed":
		in.Type, in.Recipients, in.Recipient = event.Send, []event.Person{*in.Recipient}, nil
		in.Subject = shorten(e.SingleSendName, maxText)
	case "delivered":
		in.Type = event.Delivery
	case "open":
		in.Type, in.Client = event.Open, client(e.IP, e.Agent, e.Machine)
	case "click":
		in.Type, in.Link, in.Client = event.Click, shorten(e.URL, maxLink), client(e.IP, e.Agent, nil)
	case "bounce":
		in.Type, in.Bounce = event.Bounce, bounce(e.bounced(), e.Reason)
	case "dropped":
		in.Type, in.Kind, in.Bounce = event.Bounce, "dropped", bounce(e.dropped(), e.Reason)
	case "deferred":
		in = custom(in, "deferred", firstOf(e.Response, e.Reason))
	case "spamreport":
		in.Type = event.Complaint
	case "unsubscribe":
		in.Type = event.Unsubscribe
	case "group_unsubscribe":
		in.Type, in.Kind, in.Title = event.Unsubscribe, "group", e.group()
	case "group_resubscribe":
		in = custom(in, "resubscribed", e.group())
	case "":
		return nil, "", nameless("event")
	default:
		return nil, e.Event, nil
	}
	return []Event{{Input: in}}, "", nil
}

// sendgridBounces are the kinds of bounces by SendGrid's types; others are hard.
// https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
var sendgridBounces = map[string]string{"": event.BounceHard, "bounce": event.BounceHard, "blocked": event.BounceSoft}

// bounced is what a bounce says of the address: a status of 4 may pass.
func (e sendgridEvent) bounced() string {
	if strings.HasPrefix(strings.TrimSpace(e.Status), "4.") {
		return event.BounceSoft
	}
	return firstOf(sendgridBounces[strings.ToLower(e.Type)], event.BounceHard)
}

// dropped is why SendGrid did not send: everything but an address that is none
// is its own or the sender's decision.
func (e sendgridEvent) dropped() string {
	if strings.HasPrefix(strings.ToLower(e.Reason), "invalid") && !strings.Contains(strings.ToLower(e.Reason), "header") {
		return event.BounceHard
	}
	return event.BounceRejected
}

// parts are what an event without an id is known by: changes of several groups
// may come in one second.
func (e sendgridEvent) parts() []string {
	parts := []string{e.Event, e.Message, e.Email, e.Timestamp.exact(), e.URL}
	if strings.HasPrefix(e.Event, "group_") {
		parts = append(parts, strconv.FormatInt(e.Group, 10))
	}
	return parts
}

func (e sendgridEvent) group() string { return "group " + strconv.FormatInt(e.Group, 10) }

// message is what SendGrid called the message when it took it (X-Message-Id):
// the event's id of the message up to the name of the server that handled it.
// Opens and clicks have no smtp-id, so that is only the last resort.
func (e sendgridEvent) message() string {
	name := e.Message
	for _, server := range []string{".filter", ".recvd"} {
		if at := strings.Index(name, server); at > 0 {
			return shorten(name[:at], maxText)
		}
	}
	if !strings.HasPrefix(name, "filter") && name != "" {
		name, _, _ = strings.Cut(name, ".")
		return shorten(name, maxText)
	}
	if e.SMTP != "" {
		return shorten(mailbox.MessageOf(strings.Trim(e.SMTP, "<> ")), maxText)
	}
	if name == "" && e.Email != "" {
		return nobody("sendgrid", e.Email)
	}
	return shorten(name, maxText)
}

// inbound reads a mail of inbound parse, taken apart or raw.
func (sendgrid) inbound(r *Request) (Decoded, error) {
	fields, err := readForm(r)
	if err != nil {
		return Decoded{}, err
	}
	fields.recode(fields.get("charsets"))
	m, err := parsedMail(fields.get("email"), fields.get("headers"), fields.get("text"), fields.get("html"), formFiles(r))
	if err != nil {
		return Decoded{}, err
	}
	var out Decoded
	return out, out.mail(m, "", fields.payload(), r.Body)
}

// Sample is one click.
func (sendgrid) Sample() *Request {
	return &Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(
		`[{"event":"click","email":"jo@example.com","timestamp":1763285400,"sg_event_id":"c2FtcGxl",` +
			`"sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0","url":"https://example.com/pricing",` +
			`"ip":"192.0.2.1","useragent":"Mozilla/5.0"}]`)}
}
