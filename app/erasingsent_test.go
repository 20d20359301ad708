package app

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/deliver"
	"tidings/event"
	"tidings/store/mongo/mongotest"
)

// A person is erased while what tells of them is held, is tried again, waits for a digest,
// and had its last try: none of it is sent, nor when it is sent again, and nothing names them.
func TestNothingOfAnErasedPersonIsSent(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { nothingOfAnErasedPersonIsSent(t, Stores{}) })
	t.Run("MongoDB", func(t *testing.T) {
		nothingOfAnErasedPersonIsSent(t, Stores{State: mongotest.Start(t).URL(t)})
	})
}

func nothingOfAnErasedPersonIsSent(t *testing.T, stores Stores) {
	t.Helper()
	var called atomic.Int64
	outside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	defer outside.Close()
	data := t.TempDir()
	settings := Settings{Data: data, Stores: stores, OutboundAllow: []string{strings.TrimPrefix(outside.URL, "http://")}}
	a, err := Open(t.Context(), settings, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	e, stop := serving(t, a)
	now := time.Now()
	e.post(aSend("m-1", "u_ana", now.Add(-time.Minute), goneEmail))
	reply := anOpen("m-1", goneEmail, "Zebulon Quixwort", now)
	reply["type"], reply["id"] = "reply", "r1"
	e.post(reply)
	var page struct {
		Items []struct {
			ID   event.ID
			Type event.Type
		}
	}
	require.NoError(t, json.Unmarshal(e.must(http.MethodGet, "/v1/feed", nil), &page))
	require.Equal(t, event.Reply, page.Items[0].Type)
	// What happened before an endpoint was made is not sent: these are put there by hand.
	e.must(http.MethodPut, "/v1/endpoints/crm", map[string]any{"kind": "webhook", "url": outside.URL, "search": "replies"})
	refused := []deliver.Try{{At: now.UnixMilli(), Status: 500, Answer: "no lead " + goneEmail}}
	later := now.Add(20 * time.Hour).UnixMilli()
	of := func(d deliver.Delivery) deliver.Delivery {
		d.Workspace, d.Event, d.Message, d.Type, d.Reason, d.At = "acme", page.Items[0].ID, "m-1", "reply", "search", now.UnixMilli()
		return d
	}
	all := []deliver.Delivery{
		of(deliver.Delivery{ID: "held", Endpoint: "crm", State: deliver.Waiting, Due: later}),
		of(deliver.Delivery{ID: "retried", Endpoint: "crm", State: deliver.Waiting, Due: later, Tried: 1, Begun: now.UnixMilli(), Tries: refused}),
		of(deliver.Delivery{ID: "digest", Endpoint: "crm", State: deliver.Waiting, Due: later, For: "u_ana", Window: now.Add(20 * time.Hour).Unix()}),
		of(deliver.Delivery{ID: "dead", Endpoint: "crm", State: deliver.Failed, Ended: now.UnixMilli(), Tried: 8, Tries: refused}),
	}
	require.NoError(t, a.outbox.Add(t.Context(), all))
	require.NotEmpty(t, filesNaming(t, data, goneEmail))

	e.erase(goneEmail)
	e.night()
	require.Empty(t, filesNaming(t, data, goneEmail, goneName, "vanishing.example"))
	states := func() map[string]deliver.State {
		found := make(map[string]deliver.State)
		_, err := a.outbox.Change(t.Context(), "acme", deliver.Filter{}, func(d *deliver.Delivery) bool {
			found[d.ID] = d.State
			return false
		})
		require.NoError(t, err)
		return found
	}
	require.Len(t, states(), len(all))
	_, err = a.outbox.Change(t.Context(), "acme", deliver.Filter{}, func(d *deliver.Delivery) bool {
		d.Due = 1
		d.Again(1) // somebody sends again what has ended
		return true
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		for _, state := range states() {
			if state != deliver.Cancelled {
				return false
			}
		}
		return true
	}, time.Minute, 10*time.Millisecond)
	require.Zero(t, called.Load())
	kept, _, err := a.outbox.List(t.Context(), "acme", deliver.Filter{}, "", 100)
	require.NoError(t, err)
	text, err := json.Marshal(kept)
	require.NoError(t, err)
	require.Len(t, kept, len(all))
	require.NotContains(t, string(text), goneEmail)
	stop()
	require.Empty(t, filesNaming(t, data, goneEmail, goneName, "vanishing.example"))
}
