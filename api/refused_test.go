//go:build !race

package api_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
)

func TestMalformedRequestsAreRefusedByField(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	for group, cases := range map[string][]malformed{
		"events": eventsOfOneField(), "bodies": bodiesAsAWhole(t), "questions": questions(),
	} {
		for _, c := range cases {
			t.Run(group+"/"+c.name, func(t *testing.T) {
				s.in(t)
				c.call.key = key
				p := s.do(c.call).problem(c.status)
				require.NotEmpty(t, p.Errors, p.Detail)
				require.Equal(t, c.field, p.Errors[0].Location, p.Detail)
				require.NotEmpty(t, p.Errors[0].Message)
				require.Empty(t, s.intake.all(), "something was published")
				for _, internal := range []string{"json:", "jsontext", "Go ", "go struct", "event.", "goroutine"} {
					require.NotContains(t, p.Detail, internal)
				}
			})
		}
	}
	require.NotContains(t, s.log.String(), "panicked")
}

func TestABombCostsNoMemory(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleIngest, "")
	bomb := bytes.Repeat(gzipped(t, make([]byte, 1<<20)), 256) // members follow one another
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s.do(call{method: "POST", path: "/v1/events", body: bomb, key: key, header: map[string]string{"Content-Encoding": "gzip"}}).problem(413)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(80<<20), "a quarter of a gigabyte came out of %d bytes", len(bomb))
}

// A body counts by its size too, decompressed, also where nothing of it is good: who sends
// large ones again and again is refused before they are read.
func TestABodyOfEventsCountsByItsSize(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleIngest, "")
	post := func(body []byte) answer {
		return s.do(call{method: "POST", path: "/v1/events", key: key, body: body, header: map[string]string{"Content-Encoding": "gzip"}})
	}
	bomb := gzipped(t, []byte(`[{"type":"nothing","text":"`+strings.Repeat("x", 9<<20)+`"}]`))
	post(bomb).problem(400)
	good := gzipped(t, []byte(openText+strings.Repeat(" ", 9<<20)))
	require.Equal(t, `"events-credential";r=181566;t=1`, post(good).is(202).header.Get("RateLimit"))
	for range 19 {
		post(bomb).problem(400)
	}
	post(bomb).problem(429) // and was read, so that the next is not
	response, _ := s.raw("POST /v1/events HTTP/1.1\nHost: x\nAuthorization: Bearer " + key + "\nContent-Type: application/json\nContent-Length: 9000000\n\n")
	require.Equal(t, 429, response.StatusCode, "although nothing of the body has come")
	s.pass(time.Second)
	post(gzipped(t, []byte(openText))).is(202)
}

func TestTenThousandEventsAreTakenAtOnceAndNoMore(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleIngest, "")
	events := make([]string, 10_001)
	for i := range events {
		events[i] = string(marshal(t, open(map[string]any{"id": fmt.Sprint(i)})))
	}
	for name, c := range map[string]struct {
		all, one  []byte
		mediaType string
	}{
		"array": {[]byte("[" + strings.Join(events[:10_000], ",") + "]"), []byte("[" + strings.Join(events, ",") + "]"), "application/json"},
		"lines": {[]byte(strings.Join(events[:10_000], "\n")), []byte(strings.Join(events, "\n")), "application/x-ndjson"},
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t)
			header := map[string]string{"Content-Type": c.mediaType}
			before := len(s.intake.all())
			s.do(call{method: "POST", path: "/v1/events", body: c.all, key: key, header: header}).is(202)
			require.Len(t, s.intake.all(), before+10_000)
			s.do(call{method: "POST", path: "/v1/events", body: c.one, key: key, header: header}).problem(413)
			require.Len(t, s.intake.all(), before+10_000, "nothing of it is published")
		})
	}
}
