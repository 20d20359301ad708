package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/api"
)

// BenchmarkAudit measures what the audit log adds: to a page of 50 that the operator reads,
// over a reader that takes the time of a real one (2 ms), 100 times a second, and to a
// change. The log runs as in a server.
//
//	go test ./api -run - -bench Audit -benchtime 3000x
func BenchmarkAudit(b *testing.B) {
	for _, c := range []struct{ name, method, path, body string }{
		{"page", http.MethodGet, "/v1/feed?limit=50&q=opened", ""},
		{"write", http.MethodPut, "/v1/users/u_ana", `{"name":"Ana"}`},
	} {
		for _, on := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/audit=%v", c.name, on), func(b *testing.B) {
				s := newSite(b, func(config *api.Config) {
					config.Clock = time.Now
					if !on {
						config.Audit = nil
					}
				})
				for i := range 50 {
					s.feed.events = append(s.feed.events, stored("acme", fmt.Sprintf("u_%d", i%10), fmt.Sprint(i)))
				}
				handler := s.server.Operator() // who has no limits
				ctx := b.Context()
				if on {
					go func() { _ = s.audit.Run(ctx) }()
				}
				took := make([]time.Duration, 0, b.N)
				for b.Loop() {
					request := httptest.NewRequestWithContext(ctx, c.method, c.path, strings.NewReader(c.body))
					request.Header.Set("Tidings-Workspace", "acme")
					request.Header.Set("Content-Type", "application/json")
					answer := httptest.NewRecorder()
					began := time.Now()
					if c.name == "page" {
						for time.Since(began) < 2*time.Millisecond { // as long as the index works
						}
					}
					handler.ServeHTTP(answer, request)
					took = append(took, time.Since(began))
					require.Equal(b, http.StatusOK, answer.Code, answer.Body)
					if c.name == "page" {
						time.Sleep(10*time.Millisecond - time.Since(began))
					}
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			})
		}
	}
}
