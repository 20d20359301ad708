package sqlite_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/deliver"
	"tidings/store/sqlite"
	"tidings/store/storetest"
)

func TestOutbox(t *testing.T) {
	storetest.RunOutbox(t, storetest.OutboxHarness{Open: func(t testing.TB) deliver.Outbox {
		outbox, err := sqlite.OpenOutbox(t.TempDir() + "/deliveries.db")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, outbox.Close()) })
		return outbox
	}})
}

// Of those that are written together, each hears that it was not.
func TestWhatCannotBeResolvedIsSaidToEach(t *testing.T) {
	outbox, err := sqlite.OpenOutbox(t.TempDir() + "/deliveries.db")
	require.NoError(t, err)
	now := time.UnixMilli(1_795_000_000_000)
	var all []deliver.Delivery
	for n := range 20 {
		all = append(all, deliver.Delivery{ID: fmt.Sprint(n), Workspace: "w", Endpoint: "crm", At: now.UnixMilli(), Due: now.UnixMilli(), State: deliver.Waiting})
	}
	require.NoError(t, outbox.Add(t.Context(), all))
	key := deliver.EndpointKey{Workspace: "w", Endpoint: "crm"}
	claimed, err := outbox.Claim(t.Context(), []deliver.Want{{EndpointKey: key, Most: len(all)}}, now, now.Add(time.Minute))
	require.NoError(t, err)
	require.Len(t, claimed, len(all))
	require.NoError(t, outbox.Close())
	var resolving sync.WaitGroup
	for _, d := range claimed {
		resolving.Go(func() {
			if outbox.Resolve(t.Context(), d, d.Lease) == nil {
				t.Errorf("%s is said to be written", d.ID)
			}
		})
	}
	resolving.Wait()
}
