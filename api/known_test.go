package api_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/api"
	"tidings/event"
)

type knownIDs map[event.ID]bool

func (k knownIDs) Known(_ context.Context, _ string, ids []event.ID) (map[event.ID]bool, error) {
	found := make(map[event.ID]bool)
	for _, id := range ids {
		if k[id] {
			found[id] = true
		}
	}
	return found, nil
}

func TestKnownEventsAreLeftOut(t *testing.T) {
	known := knownIDs{}
	s := newSite(t, func(c *api.Config) { c.Known = known })
	key := s.key("acme", account.RoleIngest, "")
	body := marshal(t, []any{open(map[string]any{"id": "e-1"}), open(map[string]any{"id": "e-2"})})
	post := func(query string) api.Receipt {
		var receipt api.Receipt
		s.do(call{method: http.MethodPost, path: "/v1/events?ids=1" + query, body: body, key: key}).is(http.StatusAccepted).json(&receipt)
		return receipt
	}
	first := post("&skip_known=true")
	require.Equal(t, 2, first.Accepted)
	require.Zero(t, first.Known)

	known[first.IDs[0]] = true
	second := post("&skip_known=true")
	require.Equal(t, 1, second.Known)
	require.Len(t, s.intake.all(), 3, "the other one is taken in again")

	known[first.IDs[1]] = true
	require.Equal(t, 2, post("&skip_known=true").Known)
	require.Len(t, s.intake.all(), 3)
	require.Zero(t, post("").Known)
	require.Len(t, s.intake.all(), 5, "without it all are taken")
}
