package hooks

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tidings/event"
)

// standard is any sender of Standard Webhooks whose data is an event as the API
// takes it.
// https://www.standardwebhooks.com
type standard struct{}

// Check wants secrets (whsec_…) or public keys (whpk_…).
func (standard) Check(s Secrets) *event.FieldError { return checkStandard(s) }

// Verify checks the signatures that the request carries against each key.
func (standard) Verify(_ context.Context, r *Request, s Secrets, now time.Time) error {
	return verifyStandard(r, s.Keys, now)
}

// VerifyHead wants a signature and when it was made.
func (standard) VerifyHead(r *Request, _ Secrets, now time.Time) error {
	return verifyStandardHead(r, now)
}

func checkStandard(s Secrets) *event.FieldError {
	if err := needKeys(s, "the signing secret, whsec_…"); err != nil {
		return err
	}
	for _, key := range s.Keys {
		if secret, public := standardKey(key); len(secret) == 0 && public == nil {
			return event.Invalid("keys", "must be whsec_ or whpk_, followed by base64")
		}
	}
	return nil
}

// standardKey reads a key: a shared secret, or a public one of Ed25519.
func standardKey(text string) (secret []byte, public ed25519.PublicKey) {
	if coded, ok := strings.CutPrefix(text, "whpk_"); ok {
		raw, err := base64.StdEncoding.DecodeString(coded)
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return nil, nil
		}
		return nil, raw
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	if err != nil {
		return nil, nil
	}
	return raw, nil
}

// standardHeader is a header by its name in the standard, or by Svix's own.
func standardHeader(r *Request, name string) string {
	return firstOf(r.Header.Get("Webhook-"+name), r.Header.Get("Svix-"+name))
}

// verifyStandard checks a request of Standard Webhooks. It may carry several
// signatures, and the source may have several keys, while one is replaced.
func verifyStandard(r *Request, keys []string, now time.Time) error {
	if err := verifyStandardHead(r, now); err != nil {
		return err
	}
	signed := []byte(standardHeader(r, "Id") + "." + standardHeader(r, "Timestamp") + ".")
	return verifyStandardSignature(keys, standardHeader(r, "Signature"), signed, r.Body)
}

func verifyStandardHead(r *Request, now time.Time) error {
	timestamp := standardHeader(r, "Timestamp")
	if standardHeader(r, "Id") == "" || timestamp == "" || standardHeader(r, "Signature") == "" {
		return Unsigned
	}
	return freshSeconds(timestamp, now, skew)
}

func verifyStandardSignature(keys []string, given string, parts ...[]byte) error {
	texts := strings.Fields(given)
	for _, text := range texts[:min(len(texts), maxSignatures)] {
		version, coded, _ := strings.Cut(text, ",")
		signature, err := base64.StdEncoding.DecodeString(coded)
		if err != nil || len(signature) == 0 {
			continue
		}
		for _, key := range keys {
			if fitsStandard(key, version, signature, parts) {
				return nil
			}
		}
	}
	return Wrong
}

// fitsStandard reports whether a signature of a version is a key's.
func fitsStandard(key, version string, signature []byte, parts [][]byte) bool {
	secret, public := standardKey(key)
	switch {
	case version == "v1" && len(secret) > 0 && len(signature) == sha256.Size:
		return anyKey([]string{string(secret)}, signature, parts...)
	case version == "v1a" && public != nil && len(signature) == ed25519.SignatureSize:
		return ed25519.Verify(public, bytes.Join(parts, nil), signature)
	}
	return false
}

type standardBody struct {
	Type      string         `json:"type"`
	Timestamp instant        `json:"timestamp"`
	Data      jsontext.Value `json:"data"`
}

// Decode reads one event.
func (standard) Decode(r *Request) (Decoded, error) {
	body, err := decode[standardBody](r.Body)
	if err != nil {
		return Decoded{}, err
	}
	events, unknown, err := eventOf(body.Type, body.Timestamp, standardHeader(r, "Id"), body.Data)
	if err != nil {
		return Decoded{}, err
	}
	var out Decoded
	if unknown != "" {
		out.unknownIn(unknown, r.Body)
	}
	out.add(body.Data, events...)
	return out, nil
}

// eventOf reads an event of our own in somebody's envelope. Its type is the last
// word of the envelope's, such as com.acme.mail.open, and its time and key are
// the envelope's where it has none itself.
func eventOf(name string, at instant, id string, data jsontext.Value) ([]Event, string, error) {
	kind := event.Type(name[strings.LastIndexByte(name, '.')+1:])
	if name == "" {
		return nil, "", nameless("type")
	}
	if !kind.Valid() {
		return nil, name, nil
	}
	if data.Kind() != jsontext.KindBeginObject {
		return nil, "", event.Invalid("data", "must be an event, a JSON object")
	}
	var in event.Input
	if err := jsonv2.Unmarshal(data, &in, jsonv2.RejectUnknownMembers(true)); err != nil {
		return nil, "", invalid(err)
	}
	in.Type, in.Source = kind, ""
	if in.Time == nil {
		in.Time = at.moment()
	}
	if in.ID == "" && id != "" {
		in.ID = key(id)
	}
	return []Event{{Input: in}}, "", nil
}

// Sample is one open.
func (standard) Sample() *Request {
	return &Request{Header: http.Header{"Content-Type": {"application/json"}, "Webhook-Id": {"msg_sample"}}, Body: []byte(
		`{"type":"mail.open","timestamp":"2025-11-16T09:30:00Z","data":{"message":"m-17","recipient":{"email":"jo@example.com"}}}`)}
}
