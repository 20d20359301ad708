package deliver

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"tidings/deliver/webpush"
)

// WithdrawnType is the type of a delivery that takes an earlier one back on a device.
const WithdrawnType = "withdrawn"

const (
	// pushLife is how long a push service keeps what a device that is away has not got.
	pushLife = 24 * time.Hour
	// maxPush bounds what is pushed before it is encrypted, and pushTitle and pushLine its
	// parts, in bytes of UTF-8 at most four times as many.
	maxPush   = 3 << 10
	pushTitle = 200
	pushLine  = 400
	pushLines = 8
)

// PushTarget is what it takes to push to a device.
type PushTarget struct {
	Keys    webpush.Keys
	Key     *webpush.Key
	Subject string
}

// pushMessage is what the service worker of the page is told.
type pushMessage struct {
	// ID is the same for what replaces it.
	ID    string `json:"id"`
	Title string `json:"title"`
	Body  string `json:"body,omitempty"`
	// Path is what of the page a click shows.
	Path string `json:"path"`
	At   int64  `json:"at"`
	// Taken says that it takes back what was told, Test that somebody pressed a button.
	Taken bool `json:"taken,omitempty"`
	Test  bool `json:"test,omitempty"`
}

// topicOf is what a later message replaces an earlier one by.
func topicOf(d Delivery) string {
	if d.Decision != "" {
		return d.Decision
	}
	return d.ID
}

// pushText is a message as the service worker reads it.
func pushText(d Delivery, c Content) ([]byte, error) {
	message := pushMessage{ID: topicOf(d), Title: OneLine(c.Sentence, pushTitle), At: d.At, Taken: d.Type == WithdrawnType, Test: d.Type == TestType}
	if message.Path = "/notifications"; d.Message != "" && len(d.Message) <= pushLine {
		message.Path = PathOf(d.Message)
	}
	lines := c.Lines
	if len(lines) == 0 && c.Why != "" {
		lines = []string{c.Why}
	}
	for i, line := range lines[:min(len(lines), pushLines)] {
		if i > 0 {
			message.Body += "\n"
		}
		message.Body += OneLine(line, pushLine)
	}
	text, err := json.Marshal(message)
	if err == nil && len(text) > maxPush {
		message.Body = ""
		return json.Marshal(message)
	}
	return text, err
}

// push sends one: https://www.rfc-editor.org/rfc/rfc8030#section-5. 404 and 410 say that
// the browser has no such subscription any more.
func (s *Sender) push(ctx context.Context, e Endpoint, d Delivery, c Content) Outcome {
	now := s.Clock()
	text, err := pushText(d, c)
	if err != nil {
		return broken(now, err)
	}
	body, err := webpush.Encrypt(e.Target.Keys, text)
	if err != nil {
		return broken(now, err)
	}
	authorization, err := e.Target.Key.Authorization(e.URL, e.Target.Subject, now)
	if err != nil {
		return broken(now, err)
	}
	urgency := "normal"
	if d.Type == WithdrawnType {
		urgency = "low"
	}
	out := s.post(ctx, e.URL, http.Header{
		"Ttl": {strconv.Itoa(int(pushLife / time.Second))}, "Urgency": {urgency}, "Topic": {topicOf(d)},
		"Content-Encoding": {webpush.Encoding}, "Content-Type": {"application/octet-stream"}, "Authorization": {authorization},
	}, body)
	out.OK = out.Status >= 200 && out.Status < 300
	switch out.Status {
	case http.StatusNotFound, http.StatusGone:
		out.Gone = true
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestEntityTooLarge:
		out.Final = true
	}
	return out
}
