package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
)

// StateConfig is what a suite asks a state store to be opened with.
type StateConfig struct {
	// Grace is how long after completion a state expires.
	Grace time.Duration
	// Now is the clock.
	Now func() time.Time
}

// StateHarness opens the state store under test.
type StateHarness struct {
	// Open opens the store at a path; see IndexHarness.Open.
	Open func(t testing.TB, path string, config StateConfig) State
	// NoReopening excuses from finding everything again after Close.
	NoReopening Excuse
}

// RunState runs the whole suite but for RunStateModel.
func RunState(t *testing.T, h StateHarness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, stateTest)
	}{
		{"concurrent writers end in the model's state", testStateWriters},
		{"a change without effect changes nothing", testNoEffect},
		{"unknown messages are absent", testAbsent},
		{"a replaced state is what was written, unless it moved", testReplace},
		{"a name of a message leads to it and goes with it", testNames},
		{"a complete state expires after its grace", testExpiry},
		{"a later recipient unsets the expiry", testLaterRecipient},
		{"a late repetition does not bring back that nobody opened", testDone},
		{"a reduced message is listed until it is purged, and again when its send comes again", testFinished},
		{"a message that is not complete any more is not finished", testFinishedReopened},
		{"what is older than the retention is forgotten", testForget},
		{"unlisted weeks are listed again with their next event", testUnlist},
		{"pending ids are kept until completed", testPending},
		{"incomplete sends are listed newest first", testIncomplete},
		{"the catalogue lists weeks newest first", testCatalogue},
		{"an erased recipient is in no state", testEraseState},
		{"erased people are known by address and workspace", testErased},
		{"what was stored before addresses had one text is found, put together and erased", testOldKeys},
		{"states, weeks and erasures are there after reopening", testReopenState},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, openState(t, h)) })
	}
}

// stateTest is an open state store whose clock the test sets.
type stateTest struct {
	State
	harness StateHarness
	path    string
	clock   *time.Time
}

// grace is how long the suite's stores keep complete states.
const grace = time.Hour

func openState(t *testing.T, h StateHarness) stateTest {
	now := time.Date(2026, time.December, 20, 12, 0, 0, 0, time.UTC)
	x := stateTest{harness: h, path: t.TempDir() + "/state", clock: &now}
	x.State = h.Open(t, x.path, x.config())
	open := x.State
	t.Cleanup(func() { _ = open.Close() })
	return x
}

func (x stateTest) config() StateConfig {
	return StateConfig{Grace: grace, Now: func() time.Time { return *x.clock }}
}

// apply makes the changes of events in one call, merged by message, and returns
// the states after them.
func (x stateTest) apply(t require.TestingT, events ...event.Event) map[event.MessageKey]event.State {
	var changes []event.Change
	at := make(map[event.MessageKey]int)
	for _, e := range events {
		change := event.ChangeOf(e)
		if i, known := at[change.MessageKey]; known {
			changes[i].Merge(change)
			continue
		}
		at[change.MessageKey] = len(changes)
		changes = append(changes, change)
	}
	states, err := x.Apply(context.Background(), changes, weeksOf(events))
	require.NoError(t, err)
	require.Len(t, states, len(changes))
	after := make(map[event.MessageKey]event.State, len(states))
	for i, state := range states {
		require.Equal(t, changes[i].MessageKey, state.MessageKey)
		after[state.MessageKey] = state
	}
	return after
}

func weeksOf(events []event.Event) []indexer.WorkspaceWeek {
	var weeks []indexer.WorkspaceWeek
	seen := make(map[indexer.WorkspaceWeek]bool)
	for _, e := range events {
		week := indexer.WorkspaceWeek{Workspace: e.Workspace, Week: e.Week()}
		if !seen[week] {
			seen[week] = true
			weeks = append(weeks, week)
		}
	}
	return weeks
}

// read reads one state that must exist, both ways.
func (x stateTest) read(t require.TestingT, message string) event.State {
	key := event.MessageKey{Workspace: workspace, Message: message}
	states, err := x.Read(context.Background(), []event.MessageKey{key})
	require.NoError(t, err)
	require.Contains(t, states, key)
	of, err := x.Of(context.Background(), workspace, []string{message})
	require.NoError(t, err)
	require.Equal(t, states[key], of[message])
	return states[key]
}
