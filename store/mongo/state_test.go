package mongo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/store/mongo"
	"tidings/store/mongo/mongotest"
	"tidings/store/storetest"
)

// stateHarness opens states on a server of the test's own.
func stateHarness(t *testing.T) storetest.StateHarness {
	urls := urlOf(t)
	return storetest.StateHarness{
		Open: func(t testing.TB, name string, config storetest.StateConfig) storetest.State {
			state, err := mongo.Open(context.Background(), mongo.Config{URL: urls(t, name), Grace: config.Grace, Now: config.Now})
			require.NoError(t, err)
			return state
		},
	}
}

func TestState(t *testing.T) { storetest.RunState(t, stateHarness(t)) }

func TestRecords(t *testing.T) {
	urls := urlOf(t)
	storetest.RunRecords(t, storetest.RecordsHarness{
		Open: func(t testing.TB, name string) storetest.Records {
			state, err := mongo.Open(context.Background(), mongo.Config{URL: urls(t, name)})
			require.NoError(t, err)
			return state
		},
	})
}

// urlOf gives each name in a suite a database of its own.
func urlOf(t *testing.T) func(t testing.TB, name string) string {
	server := mongotest.Start(t)
	urls := make(map[string]string)
	return func(t testing.TB, name string) string {
		if urls[name] == "" {
			urls[name] = server.URL(t)
		}
		return urls[name]
	}
}
