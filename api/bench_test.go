package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/event"
)

// bodyOf is a batch of n events of about a kilobyte, a quarter of them sends.
func bodyOf(n int, separator string) []byte {
	var all []string
	for i := range n {
		people := fmt.Sprintf(`"recipient":{"email":"jo%d@acme.example","name":"Jo Reyes"}`, i)
		kind := "open"
		if i%4 == 0 {
			kind = "send"
			people = fmt.Sprintf(`"recipients":[{"email":"jo%d@acme.example","name":"Jo Reyes"},{"email":"sam%d@globex.example"}]`, i, i)
		}
		all = append(all, fmt.Sprintf(`{"id":"evt-%d","type":"%s","time":"2026-11-16T09:30:00Z","message":"m-%d","user":"u_ana",%s,`+
			`"subject":"Pricing proposal for the third quarter","body":"%s","client":{"ip":"192.0.2.7","user_agent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"},"source":"api"}`,
			i, kind, i/4, people, strings.Repeat("lorem ipsum ", 50)))
	}
	return []byte(strings.Join(all, separator))
}

func BenchmarkReadEvents(b *testing.B) {
	limits := event.Limits{Now: time.Date(2026, time.November, 16, 12, 0, 0, 0, time.UTC)}
	for name, read := range map[string]func(*reader) error{
		"array": func() func(*reader) error {
			body := []byte("[" + string(bodyOf(1000, ",")) + "]")
			return func(r *reader) error { return r.readJSON(body) }
		}(),
		"lines": func() func(*reader) error {
			body := bodyOf(1000, "\n")
			return func(r *reader) error { return r.readLines(body) }
		}(),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := newReader("acme", limits)
				if err := read(r); err != nil || len(r.batch.good) != 1000 {
					b.Fatal(err, len(r.batch.good), r.batch.rejected)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "events/s")
		})
	}
}
