package notify_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/notify"
	"tidings/store/mongo"
	"tidings/store/mongo/mongotest"
)

// operationTime bounds an operation. A write of a thousand decisions takes this server seconds,
// and on a busy machine longer than the 10 s that the product allows: then a rule is looked at
// again 30 s later, and goes on behind what was kept. No test is about how fast the machine is.
const operationTime = 5 * time.Minute

// What must hold of decisions however they come holds on MongoDB as on SQLite, in fewer
// cases of each kind.
func TestOnMongoDB(t *testing.T) {
	server := mongotest.Start(t)
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	require.NoError(t, checks.Set("5"))
	limits := dueLimits
	dueLimits = notify.Limits{Person: 30, NotTold: 60} // this server takes seconds for a thousand
	t.Cleanup(func() {
		require.NoError(t, checks.Set(before))
		dueLimits = limits
	})
	openStores = func(t testing.TB, _ string) (account.Records, notify.Store) {
		state, err := mongo.Open(context.Background(), mongo.Config{URL: server.URL(t), Timeout: operationTime})
		require.NoError(t, err)
		store, err := state.Notify(context.Background())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, state.Close()) })
		return state, store
	}
	t.Cleanup(func() { openStores = openSQLite })
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{"each trigger 46 times within 29 hours", TestEachTriggerComesFortySixTimesWithinTwentyNineHours},
		{"a scanner's open is withdrawn", TestAScannersOpenIsWithdrawnAndTheNextIsTold},
		{"settings of two seconds ago", TestNobodyDecidesBySettingsOfTwoSecondsAgo},
		{"an open before its send", TestWhatBecomesKnownLaterIsDecidedAnew},
		{"down when it was due", TestNobodyOpenedIsToldOnce},
		{"a clock that is off", TestAClockIsAnHourOff},
		{"many are due at once", TestThousandsAreDueInOneMinute},
		{"a send that comes late", TestASendThatComesLateIsStillMissed},
		{"opened just before", TestWhatWasOpenedJustBeforeIsNotMissed},
		{"two look at once", TestTwoLookAtOnce},
		{"a crash before telling", TestWhatWasNotToldBeforeACrashIsToldAfterIt},
		{"a kill between any two steps", TestAKillBetweenAnyTwoStepsLosesAndDoublesNothing},
		{"erasing reaches what rules are called", TestErasingAPersonReachesWhatRulesAreCalled},
		{"who may see nothing any more", TestWhoMaySeeNothingAnyMoreIsToldOfNothing},
		{"a simulation is the log", TestASimulationIsTheLog},
		{"decisions of the model", TestDecisionsAreThoseOfTheModel},
	} {
		t.Run(c.name, c.test)
	}
}
