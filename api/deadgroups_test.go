package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
)

// bury makes dead letters of a workspace that failed with an error.
func (s *site) bury(workspace, failure string, n int) (ids []string) {
	for i := range n {
		id := event.NewID(noon.Unix()+int64(i), workspace, "api", true, fmt.Append(nil, failure, i)).String()
		s.letters.add(workspace, event.DeadLetter{
			ID: id, At: noon.Add(time.Duration(i) * time.Minute), Event: json.RawMessage(`{}`),
			Attempts: []event.Attempt{{At: noon, Error: "something else"}, {At: noon, Error: fmt.Sprintf(failure, i)}},
		})
		ids = append(ids, id)
	}
	return ids
}

func TestDeadLettersAreGroupedByTheirReason(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	s.bury("acme", "create: field %d of jo@acme.example: mapping \"x\" failed", 3)
	s.bury("acme", "panic while indexing: %d", 250)
	s.bury("globex", "of another workspace %d", 1)
	var reasons struct {
		Items    []api.ReasonView
		Complete bool
	}
	s.get(key, "/v1/dead-letters/reasons").is(200).json(&reasons)
	require.True(t, reasons.Complete)
	require.Len(t, reasons.Items, 2)
	require.Equal(t, "panic while indexing: …", reasons.Items[0].Reason)
	require.Equal(t, 250, reasons.Items[0].Count)
	require.Equal(t, "create: field … of … mapping … failed", reasons.Items[1].Reason)
	require.Equal(t, noon, reasons.Items[1].First.UTC())
	require.Equal(t, noon.Add(2*time.Minute), reasons.Items[1].Last.UTC())
	s.get(key, "/v1/dead-letters/"+reasons.Items[1].Example).is(200)
}

func TestTheDeadLettersOfAReasonAreListedByPages(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	s.bury("acme", "panic %d", 250)
	wanted := s.bury("acme", "mapping %d", 3)
	s.bury("globex", "mapping %d", 1)
	var page api.DeadLetterPage
	list := func(query string) (ids []string) {
		t.Helper()
		s.get(key, "/v1/dead-letters?reason="+url.QueryEscape("mapping …")+query).is(200).json(&page)
		for _, letter := range page.Items {
			ids = append(ids, letter.ID)
		}
		return ids
	}
	first := list("&limit=2")
	require.Len(t, first, 2)
	rest := list("&limit=2&cursor=" + *page.Next)
	require.Nil(t, page.Next)
	require.ElementsMatch(t, wanted, append(first, rest...))
	s.get(key, "/v1/dead-letters?reason=another").is(200).json(&page)
	require.Empty(t, page.Items)
	require.NotNil(t, page.Items)
}

func TestSomeOfAReasonOrAllAreReplayedOrDropped(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	ids := s.bury("acme", "mapping %d", 5)
	s.bury("acme", "panic %d", 7)
	other := s.bury("globex", "mapping %d", 1)
	do := func(what string, choice any) (receipt api.DeadLetterReceipt) {
		t.Helper()
		s.do(call{method: "POST", path: "/v1/dead-letters/" + what, key: key, body: choice}).is(200).json(&receipt)
		return receipt
	}
	require.Equal(t, api.DeadLetterReceipt{Done: 2, Gone: 1}, do("replay", map[string]any{"ids": []string{ids[0], ids[1], other[0]}}))
	require.Equal(t, api.DeadLetterReceipt{Done: 3}, do("replay", map[string]any{"reason": "mapping …"}))
	require.Equal(t, api.DeadLetterReceipt{}, do("replay", map[string]any{"reason": "mapping …"}))
	require.Equal(t, api.DeadLetterReceipt{Done: 7}, do("drop", map[string]any{"all": true}))
	left, err := s.letters.DeadLetters(t.Context(), "globex", "", 10)
	require.NoError(t, err)
	require.Len(t, left, 1, "another workspace keeps its own")

	s.bury("acme", "panic %d", 1001)
	require.Equal(t, api.DeadLetterReceipt{Done: 1000, More: true}, do("drop", map[string]any{"all": true}))
	require.Equal(t, api.DeadLetterReceipt{Done: 1}, do("drop", map[string]any{"all": true}))
}

func TestAChoiceOfDeadLettersIsOneThing(t *testing.T) {
	s := newSite(t)
	key := s.key("acme", account.RoleAdmin, "")
	for body, field := range map[string]string{
		`{}`:                        "body",
		`{"all":true,"reason":"x"}`: "body",
		`{"ids":["17"]}`:            "body.ids[0]",
		`{"everything":true}`:       "body.everything",
	} {
		p := s.do(call{method: "POST", path: "/v1/dead-letters/replay", key: key, body: body}).problem(400)
		require.Equal(t, field, p.Errors[0].Location, body)
	}
}

// refusing are dead letters that cannot be replayed now.
type refusing struct{ *letters }

func (refusing) Replay(context.Context, string, string) error {
	return fmt.Errorf("away: %w", event.ErrUnavailable)
}

func TestAReplayThatCannotGoOnSaysSo(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.DeadLetters = refusing{c.DeadLetters.(*letters)} })
	s.bury("acme", "panic %d", 2)
	s.do(call{method: "POST", path: "/v1/dead-letters/replay", key: s.key("acme", account.RoleAdmin, ""), body: map[string]any{"all": true}}).problem(503)
	left, err := s.letters.DeadLetters(t.Context(), "acme", "", 10)
	require.NoError(t, err)
	require.Len(t, left, 2)
}
