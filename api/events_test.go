package api_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
)

func gzipped(t testing.TB, plain []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(plain)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return packed.Bytes()
}

func zstandard(t testing.TB, plain []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer w.Close()
	return w.EncodeAll(plain, nil)
}

func marshal(t testing.TB, value any) []byte {
	t.Helper()
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	return raw
}

func TestEventsAreTakenInEveryForm(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleIngest, "")
	one, two := open(nil), open(map[string]any{"id": "evt-2"})
	lines := append(append(marshal(t, one), "\n\r\n"...), marshal(t, two)...)
	many := marshal(t, []any{one, two})
	ndjson := map[string]string{"Content-Type": "application/x-ndjson"}
	for name, c := range map[string]struct {
		body   []byte
		header map[string]string
		want   int
	}{
		"an object":           {marshal(t, one), nil, 1},
		"an array":            {many, nil, 2},
		"a spaced array":      {[]byte(" [ " + string(marshal(t, one)) + " ,\n" + string(marshal(t, two)) + " ]\n "), nil, 2},
		"lines":               {lines, ndjson, 2},
		"gzip":                {gzipped(t, many), map[string]string{"Content-Encoding": "gzip"}, 2},
		"zstd":                {zstandard(t, many), map[string]string{"Content-Encoding": "zstd"}, 2},
		"gzip lines":          {gzipped(t, lines), map[string]string{"Content-Encoding": "gzip", "Content-Type": "application/x-ndjson"}, 2},
		"a charset":           {many, map[string]string{"Content-Type": `application/json; charset="UTF-8"`}, 2},
		"an encoding of none": {many, map[string]string{"Content-Encoding": "identity"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t)
			var receipt api.Receipt
			s.do(call{method: "POST", path: "/v1/events", body: c.body, key: key, header: c.header}).is(202).json(&receipt)
			require.Equal(t, c.want, receipt.Accepted)
			require.Empty(t, receipt.Rejected)
			require.NotNil(t, receipt.Rejected, "lists are never null")
		})
	}
	first := s.intake.all()[0]
	require.Equal(t, "acme", first.Workspace)
	require.Equal(t, "api", first.Source)
	require.Equal(t, noon.Add(-150*time.Minute), first.At())
	require.Equal(t, "jo@acme.example", first.Recipient.Email)
}

func TestEachBadEventIsNamedAndSpoilsNoOther(t *testing.T) {
	bad := open(map[string]any{"type": "send", "recipient": nil, "recipients": []any{
		map[string]any{"email": "jo@acme.example"}, map[string]any{"email": "nowhere"},
	}})
	late := open(map[string]any{"id": "evt-3", "time": "2026-11-16T14:00:00Z"})
	typo := open(map[string]any{"id": "evt-4", "recipent": 1})
	good := open(map[string]any{"id": "evt-5"})
	want := []api.Rejected{
		{Index: 1, Detail: `recipients[1].email: "nowhere" is not a mail address`},
		{Index: 2, Detail: "time: is more than an hour ahead of this server's clock"},
		{Index: 3, Detail: "recipent: is not a known field (names are compared with their case)"},
		{Index: 4, Detail: "is a text; an event is a JSON object"},
	}
	body := marshal(t, []any{open(nil), bad, late, typo, "what", good})
	var lines bytes.Buffer
	for _, e := range []any{open(nil), bad, late, typo, "what", good} {
		lines.Write(append(marshal(t, e), '\n'))
	}
	for name, c := range map[string]call{
		"array": {body: body},
		"lines": {body: lines.Bytes(), header: map[string]string{"Content-Type": "application/x-ndjson"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			c.method, c.path, c.key = "POST", "/v1/events?ids=1", s.key("acme", account.RoleIngest, "")
			var receipt api.Receipt
			s.do(c).is(202).json(&receipt)
			require.Equal(t, 2, receipt.Accepted)
			require.Equal(t, want, receipt.Rejected)
			published := s.intake.all()
			require.Equal(t, []event.ID{published[0].ID, published[1].ID}, receipt.IDs)
			require.NotEqual(t, receipt.IDs[0], receipt.IDs[1])
		})
	}
}

func TestABadLineAloneIsRejected(t *testing.T) {
	s := newSite(t)
	good := string(marshal(t, open(nil)))
	body := strings.Join([]string{good, `{"type":"open",`, "\xff\xfe", good + good, `{"id":"a","id":"b"}`, "null", good}, "\n")
	var receipt api.Receipt
	s.do(call{
		method: "POST", path: "/v1/events", body: body, key: s.key("acme", account.RoleIngest, ""),
		header: map[string]string{"Content-Type": "application/x-ndjson"},
	}).is(202).json(&receipt)
	require.Equal(t, 2, receipt.Accepted)
	var rejected []int
	for _, r := range receipt.Rejected {
		rejected = append(rejected, r.Index)
	}
	require.Equal(t, []int{1, 2, 3, 4, 5}, rejected)
	require.Equal(t, "id: is given twice", receipt.Rejected[3].Detail)
}

func TestNoneGoodNamesAtMostAHundred(t *testing.T) {
	s := newSite(t)
	var events []any
	for range 250 {
		events = append(events, open(map[string]any{"message": nil}))
	}
	p := s.do(call{method: "POST", path: "/v1/events", body: events, key: s.key("acme", account.RoleIngest, "")}).problem(400)
	require.Len(t, p.Errors, 100)
	require.Equal(t, "events[99].message", p.Errors[99].Location)
	require.Empty(t, s.intake.all())
}

func TestWhatTheQueueSaysIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		after  string
	}{
		"backlog":     {&event.TooMuch{What: "the backlog is over its bound", After: 1500 * time.Millisecond}, 429, "2"},
		"unavailable": {fmt.Errorf("fsync: %w", event.ErrUnavailable), 503, "1"},
		"unforeseen":  {errors.New("secret detail of /var/lib"), 500, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.intake.err = c.err
			a := s.do(call{method: "POST", path: "/v1/events", body: open(nil), key: s.key("acme", account.RoleIngest, "")})
			p := a.problem(c.status)
			require.Equal(t, c.after, a.header.Get("Retry-After"))
			require.NotContains(t, string(a.body), "/var/lib")
			require.NotContains(t, string(a.body), "fsync")
			if c.status == 500 {
				require.NotEmpty(t, p.Reference)
				require.Contains(t, s.log.String(), "reference="+p.Reference)
				require.Contains(t, s.log.String(), "secret detail of /var/lib")
			}
		})
	}
}

func TestLanes(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleIngest, "")
	s.do(call{method: "POST", path: "/v1/events", body: open(nil), key: key}).is(202)
	s.do(call{method: "POST", path: "/v1/events?lane=bulk", body: open(nil), key: key}).is(202)
	require.Equal(t, []event.Lane{event.LaneLive, event.LaneBulk}, s.intake.lanes)
}

func TestPooledBuffersAreNotShared(t *testing.T) {
	// The strings of an event must not point into a body's buffer, which the
	// next request overwrites.
	s := newSite(t)
	key := s.key("acme", account.RoleIngest, "")
	for i := range 50 {
		subject := strings.Repeat(string(rune('a'+i%26)), 200)
		body := marshal(t, []any{open(map[string]any{"id": fmt.Sprint(i), "type": "reply", "subject": subject})})
		s.do(call{method: "POST", path: "/v1/events", body: body, key: key}).is(202)
	}
	for i, e := range s.intake.all() {
		require.Equal(t, strings.Repeat(string(rune('a'+i%26)), 200), e.Subject)
	}
}
