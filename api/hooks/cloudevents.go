package hooks

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
)

// cloudEvents is any sender of CloudEvents 1.0 over HTTP whose data is an event
// as the API takes it: structured, binary, or a batch. It signs as Standard
// Webhooks do, or sends the key as a bearer token, as CloudEvents' own rules for
// webhooks have it.
// https://github.com/cloudevents/spec
type cloudEvents struct{}

// Check wants keys.
func (cloudEvents) Check(s Secrets) *event.FieldError {
	if err := needKeys(s, "a token of at least 16 characters, or a signing secret whsec_…"); err != nil {
		return err
	}
	for _, key := range s.Keys {
		if len(key) < 16 {
			return event.Invalid("keys", "must each have at least 16 characters")
		}
	}
	return nil
}

// Verify checks the signature where there is one, and the token otherwise.
func (cloudEvents) Verify(_ context.Context, r *Request, s Secrets, now time.Time) error {
	if standardHeader(r, "Signature") != "" {
		return verifyStandard(r, s.Keys, now)
	}
	return verifyToken(r, s.Keys)
}

// VerifyHead is all of it where there is a token.
func (cloudEvents) VerifyHead(r *Request, s Secrets, now time.Time) error {
	if standardHeader(r, "Signature") != "" {
		return verifyStandardHead(r, now)
	}
	return verifyToken(r, s.Keys)
}

func verifyToken(r *Request, keys []string) error {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return Unsigned
	}
	found := false
	for _, key := range keys {
		// A signing secret is none to send along.
		found = (!strings.HasPrefix(key, "whsec_") && same(key, strings.TrimSpace(token))) || found
	}
	if !found {
		return Wrong
	}
	return nil
}

type cloudEvent struct {
	Version string         `json:"specversion"`
	ID      string         `json:"id"`
	Source  string         `json:"source"`
	Type    string         `json:"type"`
	Time    instant        `json:"time"`
	Data    jsontext.Value `json:"data"`
	Base64  []byte         `json:"data_base64"`
}

// Decode reads all three modes.
func (cloudEvents) Decode(r *Request) (Decoded, error) {
	switch r.mediaType() {
	case "application/cloudevents-batch+json", "application/cloudevents+json":
		return each(r.Body, cloudEvent.read)
	}
	if r.Header.Get("Ce-Specversion") == "" {
		return Decoded{}, event.Invalid("header.Content-Type", "must be of CloudEvents, or the ce- headers must be there")
	}
	e := cloudEvent{
		Version: r.Header.Get("Ce-Specversion"), ID: headerText(r, "Ce-Id"), Source: headerText(r, "Ce-Source"),
		Type: headerText(r, "Ce-Type"), Data: r.Body,
	}
	if at, err := time.Parse(time.RFC3339, headerText(r, "Ce-Time")); err == nil {
		e.Time = instant{at}
	}
	events, unknown, err := e.read(r.Body)
	if err != nil {
		return Decoded{}, err
	}
	var out Decoded
	if unknown != "" {
		out.unknownIn(unknown, r.Body)
	}
	out.add(r.Body, events...)
	return out, nil
}

// headerText is a header of the binary mode, percent-decoded.
func headerText(r *Request, name string) string {
	given := r.Header.Get(name)
	if text, err := url.PathUnescape(given); err == nil {
		return text
	}
	return given
}

func (e cloudEvent) read(jsontext.Value) ([]Event, string, error) {
	switch {
	case e.Version != "1.0":
		return nil, "", event.Invalid("specversion", "must be 1.0")
	case e.ID == "" || e.Source == "" || e.Type == "":
		return nil, "", event.Invalid("id", "and source and type are required")
	}
	if len(e.Base64) > 0 {
		e.Data = e.Base64
	}
	if !e.Data.IsValid() {
		return nil, "", event.Invalid("data", "must be a JSON object")
	}
	// Producers make ids unique within their source.
	return eventOf(e.Type, e.Time, key(e.Source, e.ID), e.Data)
}

// Sample is one open, structured.
func (cloudEvents) Sample() *Request {
	return &Request{Header: http.Header{"Content-Type": {"application/cloudevents+json"}}, Body: []byte(
		`{"specversion":"1.0","id":"sample-1","source":"/crm","type":"com.example.mail.open","time":"2025-11-16T09:30:00Z",` +
			`"data":{"message":"m-17","recipient":{"email":"jo@example.com"}}}`)}
}
