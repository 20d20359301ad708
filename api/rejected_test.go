package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
)

func TestWhatIsSignedButMalformedIsKeptAndCanBeTriedAgain(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "meetings", calendlySource())
	far := strings.Replace(meeting, "2026-11-16T09:30:00.25Z", "2026-11-18T09:30:00Z", 1)
	s.booked(path, calendlyKey, far).is(204)
	require.Empty(t, s.intake.all(), "it is not queued")
	var rejected struct{ Items []api.RejectedView }
	s.get(key, "/v1/sources/meetings/rejected").is(200).json(&rejected)
	require.Len(t, rejected.Items, 1)
	one := rejected.Items[0]
	require.Contains(t, one.Reason, "time: is more than an hour ahead")
	require.NotContains(t, one.Payload, "jo@")
	require.NotContains(t, one.Payload, "Jo@")
	require.Contains(t, one.Payload, "…@acme.example")
	require.True(t, one.Replayable)
	require.Contains(t, string(s.get("", "/metrics").body), `tidings_hook_events_total{outcome="rejected",provider="calendly"} 1`)

	again := "/v1/sources/meetings/rejected/" + one.ID + "/replay"
	require.Contains(t, s.do(call{method: "POST", path: again, key: key}).problem(422).Detail, "ahead")
	s.pass(48 * time.Hour)
	s.intake.err = fmt.Errorf("away: %w", event.ErrUnavailable)
	s.do(call{method: "POST", path: again, key: key}).problem(503)
	s.intake.err = nil
	s.do(call{method: "POST", path: again, key: key}).is(204)
	require.Len(t, s.intake.all(), 1)
	s.do(call{method: "POST", path: again, key: key}).problem(404)
}

func TestRejectedRequestsAreTriedAgainTogether(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "meetings", calendlySource())
	for i := range 3 {
		s.booked(path, calendlyKey, strings.ReplaceAll(strings.Replace(meeting, "2026-11-16T09:30:00.25Z", "2026-11-18T09:30:00Z", 1), "i1", fmt.Sprint("i", i))).is(204)
	}
	s.booked(path, calendlyKey, `{"event":7}`).is(204)
	s.pass(48 * time.Hour)
	var receipt api.ReplayReceipt
	s.do(call{method: "POST", path: "/v1/sources/meetings/rejected/replay", key: key}).is(200).json(&receipt)
	require.Equal(t, api.ReplayReceipt{Replayed: 3, Failed: 1}, receipt)
	require.Len(t, s.intake.all(), 3)
	var rejected struct{ Items []api.RejectedView }
	s.get(key, "/v1/sources/meetings/rejected").is(200).json(&rejected)
	require.Len(t, rejected.Items, 1)
	s.do(call{method: "DELETE", path: "/v1/sources/meetings/rejected/" + rejected.Items[0].ID, key: key}).is(204)
	s.do(call{method: "DELETE", path: "/v1/sources/meetings/rejected/" + rejected.Items[0].ID, key: key}).problem(404)
}

// A clock that is behind makes every event early: none of them is thrown away.
func TestWhatIsOnlyTooEarlyIsNotThrownAway(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "meetings", calendlySource())
	body := func(i int) string {
		return strings.ReplaceAll(strings.Replace(meeting, "2026-11-16T09:30:00.25Z", "2026-11-18T09:30:00Z", 1), "i1", fmt.Sprint("i", i))
	}
	refused := 0
	for i := range 150 {
		if answer := s.booked(path, calendlyKey, body(i)); answer.status == 503 {
			refused++
		}
	}
	require.Empty(t, s.intake.all())
	var rejected struct{ Items []api.RejectedView }
	s.get(key, "/v1/sources/meetings/rejected").is(200).json(&rejected)
	require.Equal(t, 150, refused+len(rejected.Items), "each is kept, or comes again")
	require.NotEmpty(t, rejected.Items)
	s.pass(48 * time.Hour)
	var receipt api.ReplayReceipt
	s.do(call{method: "POST", path: "/v1/sources/meetings/rejected/replay", key: key}).is(200).json(&receipt)
	require.Equal(t, len(rejected.Items), receipt.Replayed)
}

func TestRejectedRequestsAreBounded(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "meetings", calendlySource())
	other := s.source(key, "meetings-too", calendlySource())
	s.booked(other, calendlyKey, `{"event":7}`).is(204)
	for i := range 505 {
		s.booked(path, calendlyKey, fmt.Sprintf(`{"event":7,"n":%d}`, i)).is(204)
	}
	var rejected struct{ Items []api.RejectedView }
	s.get(key, "/v1/sources/meetings/rejected").is(200).json(&rejected)
	require.Len(t, rejected.Items, 500)
	require.Contains(t, rejected.Items[0].Payload, `"n":504`, "newest first")
	require.Contains(t, rejected.Items[499].Payload, `"n":5`)
	s.get(key, "/v1/sources/meetings-too/rejected").is(200).json(&rejected)
	require.Len(t, rejected.Items, 1, "another source is not its neighbour's bound")

	large := `{"event":7,"x":"` + strings.Repeat("x", 300<<10) + `"}`
	s.booked(path, calendlyKey, large).is(204)
	s.get(key, "/v1/sources/meetings/rejected").is(200).json(&rejected)
	require.False(t, rejected.Items[0].Replayable)
	s.do(call{method: "POST", path: "/v1/sources/meetings/rejected/" + rejected.Items[0].ID + "/replay", key: key}).problem(422)

	s.pass(31 * 24 * time.Hour)
	s.get(key, "/v1/sources/meetings/rejected").is(200).json(&rejected)
	require.Empty(t, rejected.Items, "they are kept for 30 days")
	s.booked(path, calendlyKey, `{"event":7}`).is(204)
	records, err := s.records.List(t.Context(), "acme", "hook-rejected")
	require.NoError(t, err)
	require.Len(t, records, 2, "the old ones are gone, but for the other source's")
	s.do(call{method: "DELETE", path: "/v1/sources/meetings-too", key: key}).is(204)
	records, err = s.records.List(t.Context(), "acme", "hook-rejected")
	require.NoError(t, err)
	require.Len(t, records, 1)
}

func TestAnErasedPersonIsInNoPayload(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	path := s.source(key, "meetings", calendlySource())
	for _, who := range []string{"jo@acme.example", "li@acme.example", `jo\u0040acme.example`} {
		s.booked(path, calendlyKey, `{"event":7,"payload":{"email":"`+who+`"}}`).is(204)
	}
	s.do(call{method: "DELETE", path: "/v1/people/Jo@acme.example", key: key}).is(200)
	records, err := s.records.List(t.Context(), "acme", "hook-rejected")
	require.NoError(t, err)
	require.Len(t, records, 1, "what cannot be searched goes too")
	var kept struct{ Items []json.RawMessage }
	s.get(key, "/v1/sources/meetings/payloads").is(200).json(&kept)
	require.Empty(t, kept.Items)
}
