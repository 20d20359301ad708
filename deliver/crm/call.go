package crm

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"tidings/outbound"
)

// reply is what a vendor answered.
type reply struct {
	status int
	header http.Header
	body   []byte
	// private says that what it says is not to be shown.
	private bool
}

// call sends a body as JSON, nil for none. A failure is one of the way there: whether
// the call took effect is not known.
func (c *Client) call(ctx context.Context, method, address string, header http.Header, body any) (reply, *Failure) {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return reply{}, &Failure{Text: "the call cannot be written", Final: true}
		}
		header.Set("Content-Type", "application/json")
	}
	return c.send(ctx, method, address, header, raw)
}

func (c *Client) send(ctx context.Context, method, address string, header http.Header, body []byte) (reply, *Failure) {
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return reply{}, &Failure{Text: "the address cannot be called", Final: true, All: true}
	}
	r.Header = header
	r.Header.Set("User-Agent", "Tidings")
	r.Header.Set("Accept", "application/json")
	answer, err := c.out.Do(r, outbound.MaxAnswer)
	if err != nil {
		return reply{}, &Failure{Text: err.Error(), All: true}
	}
	return reply{answer.Status, answer.Header, answer.Body, answer.Private}, nil
}

// read decodes an answer.
func (r reply) read(into any) *Failure {
	if err := json.Unmarshal(r.body, into); err != nil {
		return &Failure{Status: r.status, Text: "the answer cannot be read", All: true}
	}
	return nil
}

// after reads Retry-After: seconds, or a date (RFC 9110, 10.2.3).
func (r reply) after() time.Duration {
	text := r.header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// account is the failure that a status says about the account or the vendor, nil where
// it is about what was sent: a secret that is not taken, a limit, an outage. None of
// these is final: somebody mends it, or it passes.
func (r reply) account(code, text string) *Failure {
	switch {
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden,
		r.status == http.StatusTooManyRequests, r.status == http.StatusLocked, r.status >= 500, r.status == http.StatusRequestTimeout:
		f := r.failure(code, text)
		f.All, f.After = true, r.after()
		return f
	}
	return nil
}

func (r reply) failure(code, text string) *Failure {
	return &Failure{Status: r.status, Code: cut(code), Text: cut(text), Private: r.private}
}
