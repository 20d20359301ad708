package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/deliver"
	"tidings/event"
)

// OutboxHarness opens the outbox under test, empty.
type OutboxHarness struct {
	Open func(t testing.TB) deliver.Outbox
}

var outboxNow = time.UnixMilli(1_795_000_000_000)

func waiting(workspace, endpoint, id string, at int64) deliver.Delivery {
	at += outboxNow.UnixMilli()
	return deliver.Delivery{
		ID: id, Workspace: workspace, Endpoint: endpoint, Type: "open", Reason: "rule", At: at, Due: at, State: deliver.Waiting,
	}
}

func idsOf(list []deliver.Delivery) []string {
	ids := []string{}
	for _, d := range list {
		ids = append(ids, d.ID)
	}
	return ids
}

// RunOutbox runs the whole suite.
func RunOutbox(t *testing.T, h OutboxHarness) {
	ctx := context.Background()
	t.Run("what is there is left as it is", func(t *testing.T) {
		outbox := h.Open(t)
		first := waiting("w", "crm", "a", 0)
		require.NoError(t, outbox.Add(ctx, []deliver.Delivery{first}))
		again := first
		again.Reason = "another"
		other := waiting("v", "crm", "a", 0)
		require.NoError(t, outbox.Add(ctx, []deliver.Delivery{again, other}))
		require.NoError(t, outbox.Add(ctx, nil))
		list, next, err := outbox.List(ctx, "w", deliver.Filter{}, "", 10)
		require.NoError(t, err)
		require.Empty(t, next)
		require.Equal(t, []deliver.Delivery{first}, list)
	})
	t.Run("what is due is claimed once, the first due first", func(t *testing.T) {
		outbox := h.Open(t)
		later := waiting("w", "crm", "later", 60_000)
		require.NoError(t, outbox.Add(ctx, []deliver.Delivery{waiting("w", "crm", "b", -1), waiting("w", "crm", "a", -2), later, waiting("w", "slack", "c", 0)}))
		due, err := outbox.Due(ctx, outboxNow)
		require.NoError(t, err)
		require.ElementsMatch(t, []deliver.EndpointKey{{Workspace: "w", Endpoint: "crm"}, {Workspace: "w", Endpoint: "slack"}}, due)
		crm := deliver.EndpointKey{Workspace: "w", Endpoint: "crm"}
		lease := outboxNow.Add(time.Minute)
		claimed, err := outbox.Claim(ctx, []deliver.Want{{EndpointKey: crm, Most: 1}}, outboxNow, lease)
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, idsOf(claimed))
		require.Equal(t, lease.UnixMilli(), claimed[0].Lease)
		claimed, err = outbox.Claim(ctx, []deliver.Want{{EndpointKey: crm, Most: 10}}, outboxNow, lease)
		require.NoError(t, err)
		require.Equal(t, []string{"b"}, idsOf(claimed))
		due, err = outbox.Due(ctx, outboxNow)
		require.NoError(t, err)
		require.Len(t, due, 1)
		counts, err := outbox.Waiting(ctx, "w")
		require.NoError(t, err)
		require.Equal(t, map[string]int{"crm": 3, "slack": 1}, counts)
		// After the lease it comes back.
		claimed, err = outbox.Claim(ctx, []deliver.Want{{EndpointKey: crm, Most: 10}}, lease, lease.Add(time.Minute))
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b", "later"}, idsOf(claimed))
	})
	t.Run("of several endpoints each is claimed from at once", func(t *testing.T) {
		outbox := h.Open(t)
		require.NoError(t, outbox.Add(ctx, []deliver.Delivery{waiting("w", "crm", "a", -1), waiting("w", "crm", "b", 0), waiting("v", "crm", "c", 0), waiting("v", "slack", "d", 0)}))
		key := func(workspace, endpoint string) deliver.EndpointKey {
			return deliver.EndpointKey{Workspace: workspace, Endpoint: endpoint}
		}
		wants := []deliver.Want{{EndpointKey: key("w", "crm"), Most: 1}, {EndpointKey: key("v", "crm"), Most: 4}, {EndpointKey: key("v", "none"), Most: 4}}
		claimed, err := outbox.Claim(ctx, wants, outboxNow, outboxNow.Add(time.Minute))
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"a", "c"}, idsOf(claimed))
		claimed, err = outbox.Claim(ctx, nil, outboxNow, outboxNow.Add(time.Minute))
		require.NoError(t, err)
		require.Empty(t, claimed)
	})
	t.Run("only who has the lease resolves", func(t *testing.T) {
		outbox := h.Open(t)
		require.NoError(t, outbox.Add(ctx, []deliver.Delivery{waiting("w", "crm", "a", 0)}))
		crm := deliver.EndpointKey{Workspace: "w", Endpoint: "crm"}
		lease := outboxNow.Add(time.Minute)
		claimed, err := outbox.Claim(ctx, []deliver.Want{{EndpointKey: crm, Most: 1}}, outboxNow, lease)
		require.NoError(t, err)
		again, err := outbox.Claim(ctx, []deliver.Want{{EndpointKey: crm, Most: 1}}, lease, lease.Add(time.Minute))
		require.NoError(t, err)
		done := claimed[0]
		done.State, done.Lease, done.Ended = deliver.Sent, 0, outboxNow.UnixMilli()
		require.ErrorIs(t, outbox.Resolve(ctx, done, claimed[0].Lease), event.ErrConflict)
		require.NoError(t, outbox.Resolve(ctx, done, again[0].Lease))
		require.ErrorIs(t, outbox.Resolve(ctx, done, again[0].Lease), event.ErrConflict, "it waits no more")
		list, _, err := outbox.List(ctx, "w", deliver.Filter{State: deliver.Sent}, "", 10)
		require.NoError(t, err)
		require.Equal(t, []deliver.Delivery{done}, list)
		n, err := outbox.Expire(ctx, outboxNow.Add(time.Hour), 10)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
	t.Run("of several that claim at once one has each", func(t *testing.T) {
		outbox := h.Open(t)
		var all []deliver.Delivery
		for i := range 20 {
			all = append(all, waiting("w", "crm", fmt.Sprint("d", i), 0))
		}
		require.NoError(t, outbox.Add(ctx, all))
		var mu sync.Mutex
		seen := map[string]int{}
		var claiming sync.WaitGroup
		for range 4 {
			claiming.Go(func() {
				for range 30 {
					got, err := outbox.Claim(ctx, []deliver.Want{{EndpointKey: deliver.EndpointKey{Workspace: "w", Endpoint: "crm"}, Most: 2}}, outboxNow, outboxNow.Add(time.Minute))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for _, d := range got {
						seen[d.ID]++
					}
					left := len(seen) < 20
					mu.Unlock()
					if !left {
						return
					}
				}
			})
		}
		claiming.Wait()
		require.Len(t, seen, 20)
		for id, times := range seen {
			require.Equal(t, 1, times, id)
		}
	})
	t.Run("a list is newest first, by pages, and of what was asked for", func(t *testing.T) {
		outbox := h.Open(t)
		require.NoError(t, outbox.Add(ctx, []deliver.Delivery{
			waiting("w", "crm", "a", 1), waiting("w", "crm", "b", 2), waiting("w", "slack", "c", 2), waiting("w", "crm", "d", 3), waiting("v", "crm", "e", 9),
		}))
		var got []string
		after := ""
		for {
			page, next, err := outbox.List(ctx, "w", deliver.Filter{}, after, 2)
			require.NoError(t, err)
			got = append(got, idsOf(page)...)
			if after = next; after == "" {
				break
			}
		}
		require.Equal(t, []string{"d", "c", "b", "a"}, got)
		at := outboxNow.UnixMilli()
		for _, c := range []struct {
			filter deliver.Filter
			want   []string
		}{
			{deliver.Filter{Endpoint: "crm"}, []string{"d", "b", "a"}},
			{deliver.Filter{Since: at + 2, Until: at + 3}, []string{"c", "b"}},
			{deliver.Filter{IDs: []string{"a", "e", "d"}}, []string{"d", "a"}},
			{deliver.Filter{State: deliver.Failed}, []string{}},
		} {
			page, _, err := outbox.List(ctx, "w", c.filter, "", 10)
			require.NoError(t, err)
			require.Equal(t, c.want, idsOf(page))
		}
		_, _, err := outbox.List(ctx, "w", deliver.Filter{}, "nonsense", 2)
		require.ErrorIs(t, err, event.ErrInvalid)
	})
	t.Run("a change is of what was asked for", func(t *testing.T) {
		outbox := h.Open(t)
		require.NoError(t, outbox.Add(ctx, []deliver.Delivery{waiting("w", "crm", "a", 1), waiting("w", "crm", "b", 2), waiting("w", "slack", "c", 2)}))
		n, err := outbox.Change(ctx, "w", deliver.Filter{Endpoint: "crm"}, func(d *deliver.Delivery) bool {
			d.State, d.Why = deliver.Cancelled, "the endpoint was deleted"
			return d.ID != "b"
		})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		list, _, err := outbox.List(ctx, "w", deliver.Filter{State: deliver.Cancelled}, "", 10)
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, idsOf(list))
		counts, err := outbox.Waiting(ctx, "w")
		require.NoError(t, err)
		require.Equal(t, map[string]int{"crm": 1, "slack": 1}, counts)
	})
}
