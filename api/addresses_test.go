package api_test

import (
	"net/url"
	"strings"
	"testing"

	"tidings/account"
)

// TestWhatEventsAcceptCanBeErased takes each address in and erases it, measures
// it or not, and finds it in filters.
func TestWhatEventsAcceptCanBeErased(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	for _, email := range []string{
		"nobody@x.test", "a..b@docomo.test", `"jo smith"@ql.example`, "jo@bücher.example", "jo@xn--bcher-kva.example", "jo@dot.example.",
		"jo+tag@x.example", "jo/smith@x.example", "100%@x.example",
	} {
		t.Run(email, func(t *testing.T) {
			s.in(t)
			s.do(call{method: "POST", path: "/v1/events", key: key, body: map[string]any{
				"type": "open", "time": "2026-11-16T09:30:00Z", "message": "<m>", "recipient": map[string]any{"email": email},
			}}).is(202)
			for _, path := range []string{url.PathEscape(email), strings.ReplaceAll(url.QueryEscape(email), "+", "%20")} {
				s.do(call{method: "DELETE", path: "/v1/people/" + path, key: key}).is(200)
			}
			s.do(call{method: "PUT", path: "/v1/people/" + url.PathEscape(email) + "/tracking", key: key, body: map[string]any{"tracked": false}}).is(200)
			s.get(key, "/v1/feed?recipient="+url.QueryEscape(email)).is(200)
		})
	}
}
