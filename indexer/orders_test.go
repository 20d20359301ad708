//go:build !race

package indexer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/indexer"
	"tidings/store/sqlite"
	"tidings/verdict"
)

// indexAll indexes what waits in batches of at most so many, with up to so many crashes, and
// calls behind after each batch, where there is one.
func (s stores) indexAll(t *rapid.T, q *queue, l *listener, mostCrashes, mostBatch int, behind func()) {
	crashes := rapid.IntRange(0, mostCrashes).Draw(t, "crashes")
	for q.waiting() > 0 {
		config := s.config(q, l)
		if crashes > 0 {
			crashes--
			config.Between = crashAfter(rapid.SampledFrom(steps).Draw(t, "crash after"))
		}
		require.NoError(t, handle(indexer.New(config), q.take(rapid.IntRange(1, mostBatch).Draw(t, "batch"))))
		q.redeliver()
		if behind != nil {
			behind()
		}
	}
}

func TestEveryEventIsThereOnceWhateverTheOrderTheRepetitionAndTheCrash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(anyEvent), 1, 25).Draw(t, "events")
		given := rapid.Permutation(append(events, events[:len(events)/2]...)).Draw(t, "given")
		s, closeStores := openStores(t)
		defer closeStores()
		q, l := newQueue(given...), &listener{}

		s.indexAll(t, q, l, 4, 10, nil)
		require.Empty(t, q.failed)
		checkAgainstModel(t, s, l, events)
	})
}

func TestAMailIsOneMessageInWhateverOrderItsNamesAreTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(namedEvent), 1, 14).Draw(t, "events")
		given := rapid.Permutation(append(events, events[:len(events)/2]...)).Draw(t, "given")
		s, closeStores := openStores(t)
		defer closeStores()
		q, l := newQueue(given...), &listener{}
		s.indexAll(t, q, l, 3, 5, nil)
		require.Empty(t, q.failed)
		s.reevaluator(l).quiet(t, s)
		checkNames(t, s, events)
	})
}

func TestAMailThroughEachProviderIsOneMessageInAllOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(throughProviders))).Draw(t, "provider")
		p := throughProviders[name]
		events := p.eventsOf(t, name)
		s, closeStores := openStores(t)
		defer closeStores()
		q, l := newQueue(rapid.Permutation(events).Draw(t, "order")...), &listener{}
		x := indexer.New(s.config(q, l))
		for q.waiting() > 0 {
			require.NoError(t, x.Handle(context.Background(), q.take(rapid.IntRange(1, 3).Draw(t, "batch"))))
		}
		require.Empty(t, q.failed)
		s.reevaluator(l).quiet(t, s)
		reader := feed.NewReader(feed.Config{
			Index: s.index, States: s.state, Catalogue: s.state, Directory: nobody{},
			Clock: func() time.Time { return time.Unix(start+86400, 0) },
		})
		scope, ids := feed.Scope{Workspace: "w"}, make(map[string]bool)
		for _, called := range []string{"offer-17", p.vendors, p.messageID} {
			view, err := reader.Message(context.Background(), scope, called, "")
			require.NoError(t, err, called)
			ids[view.Message] = true
			require.Equal(t, "Offer", view.Subject)
			require.Len(t, view.Recipients, 1)
			require.NotNil(t, view.Recipients[0].Replied)
			page, err := reader.Timeline(context.Background(), scope, called, "", 50)
			require.NoError(t, err)
			require.Len(t, page.Items, len(events))
		}
		require.Len(t, ids, 1, "it is one message")
	})
}

func TestEventsAreOfTheirPersonsSenderWhateverTheOrderTheRepetitionAndTheCrash(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	cases := 0
	rapid.Check(t, func(t *rapid.T) {
		cases++
		events := rapid.SliceOfN(rapid.Custom(campaignEvent(fmt.Sprint("w-", cases))), 2, 12).Draw(t, "events")
		given := rapid.Permutation(append(events, events[:len(events)/2]...)).Draw(t, "given")
		q, l := newQueue(given...), &listener{}
		s.indexAll(t, q, l, 2, 6, nil)
		s.reevaluator(l).quiet(t, s)
		checkSenders(t, s, events)
	})
}

func TestVerdictsFollowFromTheEventsWhateverTheOrderTheRepetitionAndTheCrash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(nearEvent), 1, 20).Draw(t, "events")
		given := rapid.Permutation(append(events, events[:len(events)/2]...)).Draw(t, "given")
		s, closeStores := openStores(t)
		defer closeStores()
		q, l := newQueue(given...), &listener{}
		c := s.reevaluator(l)
		s.indexAll(t, q, l, 3, 6, func() {
			if rapid.Bool().Draw(t, "pass") {
				require.NoError(t, c.Pass(context.Background()))
			}
		})
		s.reevaluator(l).quiet(t, s)
		checkJudged(t, s, events, nil)
	})
}

func TestWhatAPersonSaidOutlastsEveryRepetition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(nearEvent), 1, 12).Draw(t, "events")
		s, closeStores := openStores(t)
		defer closeStores()
		l := &listener{}
		drain := func(given []event.Event) {
			q := newQueue(given...)
			for q.waiting() > 0 {
				require.NoError(t, indexer.New(s.config(q, l)).Handle(context.Background(), q.take(4)))
			}
		}
		first := rapid.IntRange(1, len(events)).Draw(t, "before")
		drain(events[:first])
		c := s.reevaluator(l)
		overrides := make(map[event.ID]string)
		for _, e := range events[:first] {
			if !verdict.Judged(e.Type) || !rapid.Bool().Draw(t, "overridden") {
				continue
			}
			is := rapid.SampledFrom([]string{event.Human, event.Machine, ""}).Draw(t, "is")
			override := &event.Override{Is: is, Reason: "I know.", User: "u_ana"}
			if is == "" {
				override = nil
				delete(overrides, e.ID)
			} else {
				overrides[e.ID] = is
			}
			waits, err := c.Override(context.Background(), e, override)
			require.NoError(t, err)
			require.False(t, waits)
		}
		checkJudgedAtOnce(t, s, overrides)
		drain(rapid.Permutation(events).Draw(t, "again"))
		c.now = c.now.Add(time.Hour)
		c.quiet(t, s)
		checkJudged(t, s, events, overrides)
	})
}

// TestErasureInAnyOrder mixes what happens, what happens again or late, erasures, nights
// and crashes: what happened to a person until their erasure is gone and stays out, and
// everything else is there.
func TestErasureInAnyOrder(t *testing.T) {
	fewerChecks(t, "30")
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "erasing")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		m := &erasureModel{queue: newQueue(), heard: &listener{}, now: start, until: map[string]int64{}, given: map[event.ID]event.Event{}}
		index, err := sqlite.OpenIndex(filepath.Join(dir, "weeks"), sqlite.IndexConfig{})
		require.NoError(t, err)
		state, err := sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{Now: func() time.Time { return time.Unix(m.now, 0) }})
		require.NoError(t, err)
		defer func() { require.NoError(t, errors.Join(index.Close(), state.Close())) }()
		m.stores = stores{index, state, newPending()}
		t.Repeat(map[string]func(*rapid.T){
			"happens": m.happens,
			"index":   m.index,
			"later":   func(t *rapid.T) { m.now += rapid.Int64Range(1, 900).Draw(t, "later by") },
			"erase":   m.erase,
			"night":   m.night,
		})
		m.check(t)
	})
}
