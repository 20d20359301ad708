package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

// Excuse is why a store is not held to a part of a suite; "" is no excuse.
type Excuse string

func (e Excuse) check(t *testing.T) {
	t.Helper()
	if e != "" {
		t.Skipf("skipped: excused: %s", e)
	}
}

// IndexHarness opens the index under test.
type IndexHarness struct {
	// Open opens the index at path, a directory of the test's
	// own, and makes it when there is none. The same path is opened again
	// only after the first index was closed. The suite closes what it opens.
	Open func(t testing.TB, path string) Index
	// Refresh makes what was written visible; nil when it is at once.
	Refresh func(index Index) error
	// Queries is how many are asked of each generated set of events, 0 for 30.
	Queries int
	// NoWeeks excuses from Weeks, NoErasing from EventEraser, NoReopening from
	// finding everything again after Close.
	NoWeeks, NoErasing, NoReopening Excuse
}

// RunIndex runs the whole suite but for RunIndexModel.
func RunIndex(t *testing.T, h IndexHarness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, indexTest)
	}{
		{"a created event is found and read back whole", testCreate},
		{"a repeated event is left as it is", testRepetition},
		{"an event that can never be written does not hurt its neighbours", testPoison},
		{"an event about nobody, or by one of several, is kept", testNobody},
		{"events of one second have one order", testSameSecond},
		{"a page is newest first and stops at its limit", testPage},
		{"the oldest come first where that is asked", testOldest},
		{"weeks are searched as one", testWeeks},
		{"keyword fields compare whole values", testKeywords},
		{"words, phrases and prefixes", testWords},
		{"and, or, not", testBoolean},
		{"automated events are hidden, shown or alone", testAutomated},
		{"conditions on recipients are refused", testRecipientsRefused},
		{"a workspace sees its own", testTenants},
		{"a rewritten event is found by what it says now", testRewrite},
		{"readers and writers at once", testConcurrency},
		{"everything is there after reopening", testReopen},
		{"a sealed week reads the same and takes no writes", testSeal},
		{"a dropped week is gone", testDrop},
		{"a prepared week is there before its first event", testPrepare},
		{"the sends of a message are taken out of open and sealed weeks", testRemoveSends},
		{"an erased recipient is gone", testErase},
		{"erasing reaches sealed weeks", testEraseSealed},
		{"erasing finds an address as it was stored once", testEraseOldText},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, openIndex(t, h))
		})
	}
}

// indexTest is an open index with what the tests do to it.
type indexTest struct {
	Index
	harness IndexHarness
	path    string
}

// Get holds what an index says that it has to what it finds.
func (x indexTest) Get(ctx context.Context, workspace string, ids []event.ID) ([]event.Event, error) {
	found, err := x.Index.Get(ctx, workspace, ids)
	index, tells := x.Index.(feed.Presence)
	if err != nil || !tells {
		return found, err
	}
	has, err := index.Has(ctx, workspace, ids)
	for _, e := range found {
		if !has[e.ID] {
			return nil, fmt.Errorf("%s is there, and it is said that it is not", e.ID)
		}
	}
	if len(has) != len(found) {
		return nil, fmt.Errorf("%d of %d events are said to be there", len(has), len(found))
	}
	return found, err
}

func openIndex(t *testing.T, h IndexHarness) indexTest {
	x := indexTest{harness: h, path: t.TempDir()}
	x.Index = h.Open(t, x.path)
	open := x.Index
	t.Cleanup(func() {
		if open != nil {
			_ = open.Close()
		}
	})
	return x
}

func (x indexTest) refresh(t require.TestingT) {
	if x.harness.Refresh != nil {
		require.NoError(t, x.harness.Refresh(x.Index))
	}
}

// create writes events that must all be good, and reports which were new.
func (x indexTest) create(t require.TestingT, events ...event.Event) []bool {
	outcomes, err := x.Create(context.Background(), events)
	require.NoError(t, err)
	require.Len(t, outcomes, len(events))
	created := make([]bool, len(outcomes))
	for i, outcome := range outcomes {
		require.NoError(t, outcome.Err)
		created[i] = outcome.Created
	}
	x.refresh(t)
	return created
}

// search returns the ids that a search finds, in their order.
func (x indexTest) search(t require.TestingT, s feed.Search) []event.ID {
	if s.Limit == 0 {
		s.Limit = 10_000
	}
	if s.Weeks == nil {
		s.Weeks = allWeeks
	}
	hits, err := x.Search(context.Background(), s)
	require.NoError(t, err)
	return hitIDs(hits)
}

func hitIDs(hits []feed.Hit) []event.ID {
	ids := make([]event.ID, len(hits))
	for i, hit := range hits {
		ids[i] = hit.Event.ID
	}
	return ids
}
