package deliver_test

import (
	"flag"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/deliver"
	"tidings/store/mongo"
	"tidings/store/mongo/mongotest"
	"tidings/store/sqlite"
)

// openOutbox opens an outbox with nothing in it: in SQLite, or where TestOnMongoDB says.
var openOutbox = openSQLite

func openSQLite(t testing.TB) deliver.Outbox {
	outbox, err := sqlite.OpenOutbox(filepath.Join(t.TempDir(), "deliveries.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, outbox.Close()) })
	return outbox
}

// What must hold of deliveries holds on MongoDB as on SQLite, in fewer cases.
func TestOnMongoDB(t *testing.T) {
	server := mongotest.Start(t)
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	require.NoError(t, checks.Set("3"))
	openOutbox = func(t testing.TB) deliver.Outbox {
		// No test is about how fast the server is.
		state, err := mongo.Open(t.Context(), mongo.Config{URL: server.URL(t), Timeout: 5 * time.Minute})
		require.NoError(t, err)
		outbox, err := state.Outbox(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, state.Close()) })
		return outbox
	}
	t.Cleanup(func() {
		openOutbox = openSQLite
		require.NoError(t, checks.Set(before))
	})
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{"HubSpot", TestHubSpotHasEachOnce},
		{"Salesforce", TestSalesforceHasEachOnce},
		{"many go together", TestManyGoTogether},
		{"kills", TestKillsLoseNothingAndDoubleLittle},
		{"a dead endpoint", TestADeadEndpointHoldsUpNobody},
		{"schedule", TestTriesFollowTheScheduleToTheLast},
		{"what may not be sent any more", TestNothingIsSentThatMayNotBeSentAnyMore},
	} {
		t.Run(c.name, c.test)
	}
}
