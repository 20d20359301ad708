package mongo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/deliver"
	"tidings/store/mongo"
	"tidings/store/mongo/mongotest"
	"tidings/store/storetest"
)

func TestOutbox(t *testing.T) {
	server := mongotest.Start(t)
	storetest.RunOutbox(t, storetest.OutboxHarness{Open: func(t testing.TB) deliver.Outbox {
		state, err := mongo.Open(context.Background(), mongo.Config{URL: server.URL(t)})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, state.Close()) })
		outbox, err := state.Outbox(context.Background())
		require.NoError(t, err)
		return outbox
	}})
}
