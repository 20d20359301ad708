package api_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"tidings/account"
)

// BenchmarkRequest is what the contract costs beside the feed and the queue:
// routing, who is asking, their teams, their settings, and the answer.
func BenchmarkRequest(b *testing.B) {
	s := newSite(b)
	admin := s.key("acme", account.RoleAdmin, "")
	for i := range 5 {
		body := fmt.Sprintf(`{"name":"Team %d","members":["u_ana","u_bo","u_%d"]}`, i, i)
		s.do(call{method: "PUT", path: fmt.Sprintf("/v1/teams/%d", i), body: body, key: admin}).is(200)
	}
	s.feed.events = append(s.feed.events, stored("acme", "u_ana", "1"))
	for name, c := range map[string]struct {
		method, path, body, key string
		status                  int
	}{
		"page":      {"GET", "/v1/feed?q=opens", "", s.key("acme", account.RoleRead, "u_ana"), 200},
		"one event": {"POST", "/v1/events", string(marshal(b, open(nil))), s.key("acme", account.RoleIngest, ""), 202},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
				request.Header.Set("Authorization", "Bearer "+c.key)
				request.Header.Set("Content-Type", "application/json")
				answer := httptest.NewRecorder()
				s.server.ServeHTTP(answer, request)
				if answer.Code != c.status {
					b.Fatal(answer.Code, answer.Body)
				}
			}
			s.feed.asked = nil
		})
	}
}
