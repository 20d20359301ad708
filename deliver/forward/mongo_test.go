package forward_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/deliver"
	"tidings/notify"
	"tidings/store/mongo"
	"tidings/store/mongo/mongotest"
	"tidings/store/sqlite"
)

// openStores opens what notifications are kept in, empty: in SQLite, or where TestOnMongoDB says.
var openStores = openSQLite

func openSQLite(t testing.TB) (account.Records, notify.Store, deliver.Outbox) {
	dir := t.TempDir()
	states, err := sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	decisions, err := sqlite.OpenNotify(filepath.Join(dir, "notify.db"))
	require.NoError(t, err)
	outbox, err := sqlite.OpenOutbox(filepath.Join(dir, "deliveries.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, errors.Join(outbox.Close(), decisions.Close(), states.Close())) })
	return states, decisions, outbox
}

// What must hold of what leaves the house holds on MongoDB as on SQLite, in fewer cases.
func TestOnMongoDB(t *testing.T) {
	server := mongotest.Start(t)
	kills, days := usualKills, windowDays
	usualKills, windowDays = 8, 3
	openStores = func(t testing.TB) (account.Records, notify.Store, deliver.Outbox) {
		// No test is about how fast the server is.
		state, err := mongo.Open(t.Context(), mongo.Config{URL: server.URL(t), Timeout: 5 * time.Minute})
		require.NoError(t, err)
		decisions, err := state.Notify(t.Context())
		require.NoError(t, err)
		outbox, err := state.Outbox(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, state.Close()) })
		return state, decisions, outbox
	}
	t.Cleanup(func() { openStores, usualKills, windowDays = openSQLite, kills, days })
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{"kills between any two steps", TestKillsBetweenAnyTwoStepsLoseAndDoubleNothing},
		{"one mail", TestANotificationLeavesByMailOnce},
		{"a window", TestAWindowIsOneDelivery},
		{"windows over the changes of the clock", TestWindowsOverTheChangesOfTheClock},
		{"hours that changed", TestWhatIsHeldWaitsForTheHoursOfToday},
		{"what is true after all", TestAMailOfWhatIsTrueAfterAllComesOnce},
	} {
		t.Run(c.name, c.test)
	}
}
