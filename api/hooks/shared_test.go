package hooks

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

var update = flag.Bool("update", false, "write golden files")

// shared is a file of the data that lies beside the repository.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", name))
	if os.IsNotExist(err) {
		t.Skip("skipped: no shared data")
	}
	require.NoError(t, err)
	return raw
}

// capture is one request as somebody else's test suite made it, with what that
// suite makes of it.
type capture struct {
	ID          string            `json:"id"`
	Kind        string            `json:"kind"`
	ContentType string            `json:"content_type"`
	Headers     map[string]string `json:"headers"`
	Keys        map[string]any    `json:"test_keys"`
	Verifies    *bool             `json:"signature_verifies"`
	Status      *int              `json:"http_status_returned"`
	Body        string            `json:"body"`
	Base64      string            `json:"body_base64"`
	Expected    []captured        `json:"expected_events"`
}

// captured is an event as that suite sees it.
type captured struct {
	Type      string  `json:"event_type"`
	Timestamp *string `json:"timestamp"`
	Message   *string `json:"message_id"`
	Recipient *string `json:"recipient"`
	Link      *string `json:"click_url"`
	Agent     *string `json:"user_agent"`
	Inbound   *struct {
		From *struct {
			Address string `json:"addr_spec"`
		} `json:"from"`
		Date    *string `json:"date"`
		ID      *string `json:"message_id"`
		Subject *string `json:"subject"`
	} `json:"message"`
}

func captures(t testing.TB, name string) []capture {
	t.Helper()
	var all []capture
	lines := bufio.NewScanner(strings.NewReader(string(shared(t, "webhooks/"+name+".jsonl"))))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c capture
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		all = append(all, c)
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, all)
	return all
}

func (c capture) request(t testing.TB) *Request {
	r := &Request{Header: http.Header{}, Body: []byte(c.Body)}
	if c.Base64 != "" {
		raw, err := base64.StdEncoding.DecodeString(c.Base64)
		require.NoError(t, err)
		r.Body = raw
	}
	r.Header.Set("Content-Type", c.ContentType)
	for name, value := range c.Headers {
		r.Header.Set(name, value)
	}
	return r
}

// name is the request's name without its suite's.
func (c capture) name() string { return c.ID[strings.LastIndexByte(c.ID, '.')+1:] }

// expectedTypes are our types for theirs.
var expectedTypes = map[string]event.Type{
	"queued": event.Send, "sent": event.Send, "rejected": event.Bounce, "failed": event.Bounce, "bounced": event.Bounce,
	"deferred": event.Custom, "autoresponded": event.Custom, "subscribed": event.Custom,
	"delivered": event.Delivery, "opened": event.Open, "clicked": event.Click,
	"complained": event.Complaint, "unsubscribed": event.Unsubscribe, "inbound": event.Reply,
}

// explanation says why a difference is right. The first that fits is printed;
// one that none fits fails the test.
type explanation struct {
	provider, field string
	fits            func(c capture, theirs, ours string) bool
	because         string
}

func always(capture, string, string) bool { return true }

func without(field string) func(capture, string, string) bool {
	return func(c capture, _, ours string) bool { return strings.HasPrefix(ours, "refused: "+field) }
}

var explanations = []explanation{
	{"", "event", without("recipient"), "the request names nobody, and an event is about somebody: kept among the rejected"},
	{"", "event", without("message"), "the request names no message, and an event is about one: kept among the rejected"},
	{"", "event", without("time"), "the request says no time, and the time of arrival would make a second event of a repetition: kept among the rejected"},
	{"sendgrid", "event", without("headers"), "the form has no header and so no date: kept among the rejected"},
	{"sendgrid", "event", without("mail"), "the raw mail is empty: kept among the rejected"},
	{"postmark", "event", without("FromFull"), "the mail names no sender: kept among the rejected"},
	{"sendgrid", "message", always, "opens and clicks have no smtp-id, so a message is what SendGrid calls it (X-Message-Id)"},
	{"mailgun", "time", inbound, "the date that the mail itself has"},
	{"postmark", "event", func(_ capture, theirs, _ string) bool { return theirs == "none" }, "their suite keeps events and mails on two addresses; here one takes both"},
	{"mailgun", "event", func(_ capture, theirs, _ string) bool { return theirs == "none" }, "a mail that is not as a route forwards it: its text counts all the same"},
	{"ses", "recipient", onS3, "the mail lies in Amazon S3, from where nothing is fetched: it counts by what the notification says"},
	{"ses", "subject", onS3, "as above"},
	{"ses", "message", onS3, "as above"},
	{"ses", "time", always, "the event's own time, and not that of the envelope of SNS around it"},
}

func onS3(c capture, _, _ string) bool { return strings.Contains(c.ID, "_s3") }

func inbound(c capture, _, _ string) bool { return c.Kind == "inbound" }

// explain returns why a difference is right.
func explain(provider string, c capture, field, theirs, ours string) string {
	for _, e := range explanations {
		if (e.provider == "" || e.provider == provider) && e.field == field && e.fits(c, theirs, ours) {
			return e.because
		}
	}
	return ""
}

// compare lists what differs, one line each.
func compare(t *testing.T, provider string, c capture, ours []Event, refused []string, unknown []Unknown) (lines []string) {
	differ := func(field, theirs, mine string) {
		if theirs == mine {
			return
		}
		because := explain(provider, c, field, theirs, mine)
		if because == "" {
			t.Errorf("%s: %s: unexplained: theirs %q, ours %q", c.ID, field, theirs, mine)
		}
		lines = append(lines, fmt.Sprintf("%s: %s: theirs %s, ours %s: %s", c.name(), field, theirs, mine, because))
	}
	if len(c.Expected) == 0 && len(ours) > 0 {
		differ("event", "none", string(ours[0].Type))
		return lines
	}
	if len(ours) == 0 && len(c.Expected) > 0 {
		mine := "unknown:"
		for _, u := range unknown {
			mine += " " + u.Name
		}
		if len(refused) > 0 {
			mine = "refused: " + refused[0]
		}
		for _, e := range c.Expected {
			differ("event", e.Type, mine)
		}
		return lines
	}
	if len(ours) != len(c.Expected) {
		differ("count", fmt.Sprint(len(c.Expected)), fmt.Sprint(len(ours)))
		return lines
	}
	for i, want := range c.Expected {
		got := ours[i]
		if own := Lookup(got.Payload, "anymail_id"); own != "" {
			got.Message = own // as message_field of a source has it
		}
		differ("type", string(expectedTypes[want.Type]), string(got.Type))
		if want.Timestamp != nil {
			at, err := time.Parse(time.RFC3339, *want.Timestamp)
			require.NoError(t, err)
			differ("time", at.UTC().Format(time.RFC3339), timeOf(got))
		}
		if mail := want.Inbound; mail != nil {
			from := ""
			if mail.From != nil {
				from = mail.From.Address
			}
			differ("recipient", strings.ToLower(from), recipientOf(got))
			differ("subject", text(mail.Subject), got.Subject)
			if mail.ID != nil {
				differ("message", strings.Trim(*mail.ID, "<>"), got.Message)
			}
			continue
		}
		differ("recipient", strings.ToLower(text(want.Recipient)), strings.ToLower(recipientOf(got)))
		differ("message", strings.Trim(text(want.Message), "<>"), got.Message)
		differ("link", text(want.Link), got.Link)
		if got.Client != nil {
			differ("agent", text(want.Agent), text(got.Client.UserAgent))
		}
	}
	return lines
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func timeOf(e Event) string {
	if e.Time == nil {
		return "none"
	}
	return time.Unix(int64(*e.Time), 0).UTC().Format(time.RFC3339)
}

func recipientOf(e Event) string {
	if len(e.Recipients) > 0 {
		return e.Recipients[0].Email
	}
	if e.Recipient == nil {
		return ""
	}
	return e.Recipient.Email
}

// goodEvents validates what was decoded, as the server does.
func goodEvents(d Decoded, now time.Time) (good []Event, refused []string) {
	for _, fault := range d.Rejected {
		refused = append(refused, fault.Reason)
	}
	for _, e := range d.Events {
		if e.Untimed {
			e.Time = momentOf(now)
		}
		if _, err := e.Input.Event("acme", "mail", event.Limits{Now: now, Lenient: true}); err != nil {
			refused = append(refused, err.Error())
			continue
		}
		good = append(good, e)
	}
	return good, refused
}

var today = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

func TestCapturedRequestsBecomeTheExpectedEvents(t *testing.T) {
	var report strings.Builder
	for _, pair := range [][2]string{{"sendgrid", "sendgrid"}, {"mailgun", "mailgun"}, {"postmark", "postmark"}, {"ses", "amazon_ses"}} {
		provider, ok := New(nil, nil).Provider(pair[0])
		require.True(t, ok)
		all, same, decodable := captures(t, pair[1]), 0, 0
		var lines []string
		for _, c := range all {
			if c.Status != nil && *c.Status == http.StatusBadRequest {
				continue // refused before it is decoded: see the signatures
			}
			decodable++
			d, err := provider.Decode(c.request(t))
			if err != nil {
				d.Rejected = append(d.Rejected, Fault{Reason: err.Error()})
			}
			good, refused := goodEvents(d, today)
			differences := compare(t, pair[0], c, good, refused, d.Unknown)
			if len(differences) == 0 {
				same++
			}
			lines = append(lines, differences...)
		}
		fmt.Fprintf(&report, "%s: %d of %d requests become the same events\n", pair[0], same, decodable)
		for _, line := range lines {
			fmt.Fprintf(&report, "  %s\n", line)
		}
	}
	golden(t, "captured.golden", report.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run with -update")
	require.Equal(t, string(want), got)
}
