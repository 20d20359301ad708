package hooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"tidings/event"
)

// calendly is Calendly: meetings that people book and call off.
// https://developer.calendly.com/api-docs
type calendly struct{}

// Check wants the signing key of the webhook subscription.
func (calendly) Check(s Secrets) *event.FieldError {
	return needKeys(s, "the signing key of the webhook subscription")
}

// Verify checks a header such as t=1492774577,v1=5257a8….
func (calendly) Verify(_ context.Context, r *Request, s Secrets, now time.Time) error {
	timestamp, signatures, err := calendlySigned(r, now)
	if err != nil {
		return err
	}
	for _, signature := range signatures {
		if anyKey(s.Keys, signature, []byte(timestamp+"."), r.Body) {
			return nil
		}
	}
	return Wrong
}

// VerifyHead wants the header.
func (calendly) VerifyHead(r *Request, _ Secrets, now time.Time) error {
	_, _, err := calendlySigned(r, now)
	return err
}

func calendlySigned(r *Request, now time.Time) (timestamp string, signatures [][]byte, err error) {
	for _, part := range strings.Split(r.Header.Get("Calendly-Webhook-Signature"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			timestamp = value
		case "v1":
			if raw, err := hex.DecodeString(value); err == nil && len(raw) == sha256.Size && len(signatures) < maxSignatures {
				signatures = append(signatures, raw)
			}
		}
	}
	switch {
	case timestamp == "":
		return "", nil, Unsigned
	case len(signatures) == 0:
		return "", nil, Wrong
	}
	return timestamp, signatures, freshSeconds(timestamp, now, skew)
}

type calendlyBody struct {
	Event   string  `json:"event"`
	Created instant `json:"created_at"`
	Payload struct {
		URI   string `json:"uri"`
		Email string `json:"email"`
		Name  string `json:"name"`
		// Event is the meeting, in the version that is sent today.
		Event struct {
			URI         string  `json:"uri"`
			Name        string  `json:"name"`
			Start       instant `json:"start_time"`
			Memberships []struct {
				Email string `json:"user_email"`
			} `json:"event_memberships"`
		} `json:"scheduled_event"`
		// Invitee is who a no-show is about.
		Invitee     jsonText `json:"invitee"`
		Rescheduled bool     `json:"rescheduled"`
		Cancelled   struct {
			Reason string `json:"reason"`
		} `json:"cancellation"`
	} `json:"payload"`
}

// Decode reads one event.
func (calendly) Decode(r *Request) (Decoded, error) {
	body, err := decode[calendlyBody](r.Body)
	if err != nil {
		return Decoded{}, err
	}
	if body.Event == "" {
		return Decoded{}, nameless("event")
	}
	var out Decoded
	e, known := body.event()
	if !known {
		out.unknownIn(body.Event, r.Body)
		return out, nil
	}
	out.add(r.Body, e)
	return out, nil
}

func (b calendlyBody) event() (Event, bool) {
	p := b.Payload
	in := event.Input{
		Type: event.Meeting, Time: b.Created.moment(), Message: "calendly/" + lastPart(firstOf(p.Event.URI, p.URI)),
		ID: key(b.Event, lastPart(firstOf(p.URI, string(p.Invitee))), b.Created.exact()), Recipient: personOf(p.Email, p.Name),
	}
	meeting := &event.AppointmentInput{Title: shorten(p.Event.Name, maxText), Start: p.Event.Start.moment()}
	switch b.Event {
	case "invitee.created":
		meeting.Answer = "yes"
		in.Meeting = meeting
	case "invitee.canceled":
		meeting.Answer = "no"
		in.Meeting, in.Kind = meeting, "canceled"
		in.Title = shorten(p.Cancelled.Reason, maxText)
		if p.Rescheduled {
			in.Kind = "rescheduled"
		}
	case "invitee_no_show.created":
		in = custom(in, "no-show", "did not come to "+firstOf(p.Event.Name, "the meeting"))
	default:
		return Event{}, false
	}
	owner := ""
	if len(p.Event.Memberships) > 0 {
		owner = strings.ToLower(p.Event.Memberships[0].Email)
	}
	return Event{Input: in, Owner: owner}, true
}

// lastPart is the id at the end of an address.
func lastPart(uri string) string { return uri[strings.LastIndexByte(uri, '/')+1:] }

// jsonText is a text, or empty where something else stands.
type jsonText string

// UnmarshalJSON takes texts alone.
func (t *jsonText) UnmarshalJSON(raw []byte) error {
	text, err := decode[string](raw)
	if err == nil {
		*t = jsonText(text)
	}
	return nil
}

// Sample is a meeting that was booked.
func (calendly) Sample() *Request {
	return &Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(
		`{"event":"invitee.created","created_at":"2025-11-16T09:30:00.25Z","payload":{"uri":"https://api.calendly.com/scheduled_events/e1/invitees/i1",` +
			`"email":"jo@example.com","name":"Jo Reyes","scheduled_event":{"uri":"https://api.calendly.com/scheduled_events/e1",` +
			`"name":"Intro","start_time":"2025-11-20T15:00:00Z","event_memberships":[{"user_email":"ana@example.org"}]}}}`)}
}
