package mongo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/notify"
	"tidings/store/mongo"
	"tidings/store/mongo/mongotest"
	"tidings/store/storetest"
)

func TestNotify(t *testing.T) {
	server := mongotest.Start(t)
	storetest.RunNotify(t, storetest.NotifyHarness{Open: func(t testing.TB) notify.Store {
		state, err := mongo.Open(context.Background(), mongo.Config{URL: server.URL(t)})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, state.Close()) })
		store, err := state.Notify(context.Background())
		require.NoError(t, err)
		return store
	}})
}
