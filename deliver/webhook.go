package deliver

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tidings/outbound"
)

// maxWebhook bounds a body.
const maxWebhook = 64 << 10

// webhookBody is what is sent. Members are only ever added.
type webhookBody struct {
	Type      string      `json:"type"`
	Timestamp string      `json:"timestamp"`
	Data      webhookData `json:"data"`
}

type webhookData struct {
	Item     json.RawMessage `json:"item,omitempty"`
	Sentence string          `json:"sentence"`
	Lines    []string        `json:"lines,omitempty"`
	Rule     string          `json:"rule,omitempty"`
	Reason   string          `json:"reason"`
	Delivery string          `json:"delivery"`
	Link     string          `json:"link,omitempty"`
}

// webhookText is the body of a delivery: the same bytes at each try, unless the event
// itself was corrected.
func webhookText(d Delivery, c Content) ([]byte, error) {
	body := webhookBody{
		Type: d.Type, Timestamp: time.UnixMilli(d.At).UTC().Format(time.RFC3339),
		Data: webhookData{Item: c.Item, Sentence: c.Sentence, Lines: c.Lines, Rule: d.Rule, Reason: d.Reason, Delivery: d.ID, Link: c.Link},
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("write a webhook: %w", err)
	}
	if len(text) > maxWebhook {
		body.Data.Item = nil
		return json.Marshal(body)
	}
	return text, nil
}

// sign is the webhook-signature header: one signature a secret.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func sign(secrets []string, id string, at time.Time, body []byte) (string, error) {
	var signatures []string
	for _, text := range secrets {
		secret, err := secretBytes(text)
		if err != nil {
			return "", err
		}
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "%s.%d.", id, at.Unix())
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(signatures, " "), nil
}

// webhook sends one.
func (s *Sender) webhook(ctx context.Context, e Endpoint, d Delivery, c Content) Outcome {
	body, err := webhookText(d, c)
	now := s.Clock()
	if err != nil {
		return broken(now, err)
	}
	signature, err := sign(e.active(now), d.WebhookID(), now, body)
	if err != nil {
		return broken(now, err)
	}
	header := http.Header{
		"Webhook-Id": {d.WebhookID()}, "Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)}, "Webhook-Signature": {signature},
		// What is made of this delivery and comes back as an event fires no rule.
		"X-Tidings-Delivery": {d.ID}, "X-Tidings-Reason": {d.Reason},
	}
	if d.Replay {
		header["X-Tidings-Replay"] = []string{"true"}
	}
	out := s.post(ctx, e.URL, header, body)
	out.OK = out.Status >= 200 && out.Status < 300
	out.Gone = out.Status == http.StatusGone
	return out
}

// broken is what cannot be sent at all.
func broken(now time.Time, err error) Outcome {
	return Outcome{Try: Try{At: millis(now), Error: err.Error()}, Final: true}
}

// post sends JSON, unless the header says otherwise, and says what came back; whether that is good is for its caller.
func (s *Sender) post(ctx context.Context, url string, header http.Header, body []byte) Outcome {
	now := s.Clock()
	out := Outcome{Try: Try{At: millis(now)}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return broken(now, errors.New("the address cannot be called"))
	}
	if r.Header = header; header == nil {
		r.Header = http.Header{}
	}
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("User-Agent", "Tidings")
	answer, err := s.Out.Do(r, KeepAnswer)
	out.Took = s.Clock().Sub(now).Milliseconds()
	if err != nil {
		out.Error = err.Error()
		out.Final = errors.Is(err, outbound.ErrURL)
		return out
	}
	out.Status = answer.Status
	if !answer.Private {
		out.Answer = printable(answer.Body)
	}
	if answer.Status == http.StatusTooManyRequests || answer.Status == http.StatusServiceUnavailable {
		out.After = retryAfter(answer.Header, now)
	}
	return out
}

// printable is what of an answer may be shown.
func printable(body []byte) string {
	text := strings.ToValidUTF8(string(body), "\uFFFD")
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}
