package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// RunCounter runs the suite of an index that is a feed.Aggregator too, but for RunIndexModel.
func RunCounter(t *testing.T, h IndexHarness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, counterTest)
	}{
		{"counts of weeks add up, and pairs count once over all of them", testCountMerge},
		{"parts that are not asked for are not brought", testCountParts},
		{"a week or a workspace that does not exist counts nothing", testCountNothing},
		{"a workspace counts its own", testCountTenants},
		{"conditions on recipients are not counted without their statuses", testCountRecipientsRefused},
		{"whatever changes a count gives its week another revision", testCountRevisions},
		{"many pairs are counted exactly, or about right and said to be so", testCountManyPairs},
		{"an erased recipient counts no more", testCountErased},
		{"a sealed week counts the same", testCountSealed},
		{"counts while others write only grow", testCountConcurrency},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := openIndex(t, h)
			counter, ok := x.Index.(feed.Aggregator)
			require.True(t, ok, "the index does not count")
			test.run(t, counterTest{x, counter})
		})
	}
}

// allParts is everything that can be counted.
const allParts = feed.PartTimes | feed.PartPairs | feed.PartUsers |
	feed.PartRecipients | feed.PartDomains | feed.PartLinks | feed.PartMessages

type counterTest struct {
	indexTest
	counter feed.Aggregator
}

// count is everything of one week, in a fixed order.
func (x counterTest) count(t require.TestingT, workspace string, q query.Query, week event.Week) feed.Aggregate {
	aggregate, err := x.counter.Aggregate(context.Background(), feed.AggregateRequest{Workspace: workspace, Query: q, Week: week, Parts: allParts})
	require.NoError(t, err)
	return ordered(aggregate)
}

// all is everything of all weeks.
func (x counterTest) all(t require.TestingT, workspace string, q query.Query) feed.Aggregate {
	aggregates := make([]feed.Aggregate, len(allWeeks))
	for i, week := range allWeeks {
		aggregates[i] = x.count(t, workspace, q, week)
	}
	return ordered(feed.MergeAggregates(aggregates))
}

func (x counterTest) revision(t *testing.T, week event.Week) string {
	revisions, err := x.counter.Revisions(context.Background(), workspace, allWeeks)
	require.NoError(t, err)
	return revisions[week]
}

// ordered puts an aggregate into one order, and empty lists to nil.
func ordered(aggregate feed.Aggregate) feed.Aggregate {
	for _, ranking := range []*feed.Ranking{&aggregate.Recipients, &aggregate.Domains, &aggregate.Links, &aggregate.Messages} {
		if ranking.Counts = ranking.Sorted(); len(ranking.Counts) == 0 {
			ranking.Counts = nil
		}
	}
	aggregate.Users = slices.SortedFunc(slices.Values(aggregate.Users), func(a, b feed.UserCount) int {
		return cmp.Compare(a.User, b.User)
	})
	if len(aggregate.Users) == 0 {
		aggregate.Users = nil
	}
	if len(aggregate.Times) == 0 {
		aggregate.Times = nil
	}
	pairs := make(map[event.Type]feed.Pairs)
	for kind, set := range aggregate.Pairs {
		if len(set.Smallest) > 0 {
			pairs[kind] = set
		}
	}
	aggregate.Pairs = pairs
	return aggregate
}

// counted is what should be counted of events.
func counted(q query.Query, events []event.Event) feed.Aggregate {
	counting := feed.NewAggregateBuilder(q.Automated, allParts)
	whatever := q
	whatever.Automated = query.AutomatedShow
	for _, e := range events {
		if whatever.Match(query.NewDocument(e), nil) {
			counting.Add(e)
		}
	}
	return ordered(counting.Aggregate())
}

func testCountMatch(t *testing.T, x counterTest) {
	var cases atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		workspace := fmt.Sprintf("w-%d", cases.Add(1))
		events := rapid.SliceOfNDistinct(genEvent(workspace), 1, 25, func(e event.Event) event.ID { return e.ID }).Draw(t, "events")
		half := rapid.IntRange(0, len(events)).Draw(t, "half")
		x.create(t, events[:half]...)
		x.all(t, workspace, query.Query{}) // and count on from there
		x.create(t, events[half:]...)
		for range x.harness.queries() {
			q := genQuery().Draw(t, "query")
			aggregate := x.all(t, workspace, q)
			require.Equal(t, counted(q, events), aggregate, "query %#v", q)
			found := x.walk(t, feed.Search{Workspace: workspace, Query: q, Weeks: allWeeks, Limit: 1000})
			require.Equal(t, len(found), aggregate.Events.Sum())
		}
	})
}

func testCountMerge(t *testing.T, x counterTest) {
	jo, ana := &event.Person{Email: "jo@acme.example"}, &event.Person{Email: "ana@globex.example"}
	old, young := allWeeks[1].Start(), allWeeks[0].Start()
	x.create(t,
		named(event.Event{Type: event.Send, Time: old, Recipients: []event.Person{*jo, *ana}}, "send"),
		named(event.Event{Time: old + 899, Recipient: jo}, "1"),
		named(event.Event{Time: old + 900, Recipient: jo}, "2"),
		named(event.Event{Time: young, Recipient: jo}, "3"),
		named(event.Event{Time: young, Recipient: ana}, "4"),
		named(event.Event{Time: young, Recipient: ana, Message: "m-2", Verdict: event.Verdict{Is: event.Machine}}, "5"),
	)
	aggregate := x.all(t, workspace, query.Query{})
	require.Equal(t, 4, aggregate.Events.Of(event.Open))
	require.Equal(t, 1, aggregate.Automated.Of(event.Open))
	opened, exact := aggregate.Pairs[event.Open].Len()
	require.Equal(t, 2, opened)
	require.True(t, exact)
	require.Equal(t, []int64{old, old + 900, young}, []int64{aggregate.Times[0].Start, aggregate.Times[1].Start, aggregate.Times[2].Start})
	require.Equal(t, []feed.NameCount{{Name: "jo@acme.example", Events: 4}, {Name: "ana@globex.example", Events: 2}}, aggregate.Recipients.Counts)
	require.Equal(t, []feed.NameCount{{Name: "m-1", Events: 5}}, aggregate.Messages.Counts)
}

func testCountParts(t *testing.T, x counterTest) {
	x.create(t, named(event.Event{Type: event.Click, Link: "https://acme.example"}, "click"))
	aggregate, err := x.counter.Aggregate(context.Background(), feed.AggregateRequest{Workspace: workspace, Week: firstWeek})
	require.NoError(t, err)
	var only feed.Aggregate
	only.Events.Add(event.Click, 1)
	require.Equal(t, ordered(only), ordered(aggregate))
}

func testCountNothing(t *testing.T, x counterTest) {
	require.Equal(t, ordered(feed.Aggregate{}), x.count(t, workspace, query.Query{}, firstWeek))
	x.create(t, opens(1, firstWeek.Start(), 0)...)
	require.Equal(t, ordered(feed.Aggregate{}), x.count(t, "w-nobody", query.Query{}, firstWeek))
	require.Equal(t, ordered(feed.Aggregate{}), x.count(t, workspace, query.Query{}, firstWeek+1))
}

func testCountTenants(t *testing.T, x counterTest) {
	theirs := event.Event{Workspace: "w-globex", User: "u_cy", Message: "m-theirs", Recipient: &event.Person{Email: "cy@globex.example"}}
	x.create(t, named(event.Event{}, "ours"), named(theirs, "theirs"))
	aggregate := x.all(t, workspace, query.Query{})
	require.Equal(t, counted(query.Query{}, []event.Event{named(event.Event{}, "ours")}), aggregate)
}

func testCountRecipientsRefused(t *testing.T, x counterTest) {
	for _, where := range []query.Expr{
		query.Recipients{Is: query.IsUnopened},
		query.Not{Expr: query.Recipients{Is: query.IsClicked}},
		query.And{query.Types(event.Send), query.Recipients{Is: query.IsUnopened}},
	} {
		_, err := x.counter.Aggregate(context.Background(), feed.AggregateRequest{
			Workspace: workspace, Week: firstWeek, Query: query.Query{Where: where},
		})
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
}

func testCountRevisions(t *testing.T, x counterTest) {
	ctx, week := context.Background(), allWeeks[3]
	seen := make(map[string]string) // revision to what was counted
	look := func() int {
		revision, aggregate := x.revision(t, week), x.count(t, workspace, query.Query{}, week)
		content := fmt.Sprintf("%+v", aggregate)
		if revision != "" { // a week without one is counted each time
			if before, known := seen[revision]; known {
				require.Equal(t, before, content, "one revision, two counts")
			}
			seen[revision] = content
		}
		return aggregate.Events.Sum()
	}
	require.Equal(t, 0, look())
	events := opens(3, week.Start(), 10)
	x.create(t, events[:2]...)
	require.Equal(t, 2, look())
	require.Equal(t, 2, look())
	x.create(t, events...)
	require.Equal(t, 3, look())
	overridden := events[0]
	overridden.Verdict = event.Verdict{Is: event.Machine}
	require.NoError(t, x.Rewrite(ctx, []event.Event{overridden}))
	x.refresh(t)
	require.Equal(t, 2, look())
	renamed := events[1]
	renamed.User = "u_ana"
	require.NoError(t, x.Rewrite(ctx, []event.Event{renamed}))
	x.refresh(t)
	require.Equal(t, 2, look())
	x.create(t, opens(1, allWeeks[0].Start(), 0)...)
	require.Equal(t, 2, look())
}

// manyPairs is more than an index may be asked to return at once.
const manyPairs = 3000

func testCountManyPairs(t *testing.T, x counterTest) {
	week := allWeeks[3]
	var events []event.Event
	for i := range manyPairs {
		person := event.Person{Email: fmt.Sprintf("p%d@acme.example", i%(manyPairs/2))}
		message := fmt.Sprintf("m-%d", i%(manyPairs/2))
		events = append(events, named(event.Event{Time: week.Start() + int64(i), Recipient: &person, Message: message}, fmt.Sprint(i)))
	}
	x.create(t, events...)
	aggregate := x.count(t, workspace, query.Query{}, week)
	require.Equal(t, manyPairs, aggregate.Events.Of(event.Open))
	n, exact := aggregate.Pairs[event.Open].Len()
	if exact {
		require.Equal(t, manyPairs/2, n)
	} else {
		require.InEpsilon(t, manyPairs/2, n, 0.1)
	}
	require.True(t, slices.IsSorted(aggregate.Pairs[event.Open].Smallest))
}

func testCountErased(t *testing.T, x counterTest) {
	eraser, ctx := x.eraser(t), context.Background()
	jo, ana := event.Person{Email: "jo@acme.example"}, event.Person{Email: "ana@globex.example"}
	send := named(event.Event{Type: event.Send, Recipients: []event.Person{jo, ana}}, "send")
	x.create(t, send, named(event.Event{Recipient: &jo}, "1"), named(event.Event{Recipient: &ana}, "2"))
	require.Equal(t, 3, x.all(t, workspace, query.Query{}).Events.Sum())
	before := x.revision(t, firstWeek)
	_, _, err := eraser.EraseRecipient(ctx, workspace, jo.Email)
	require.NoError(t, err)
	x.refresh(t)
	aggregate := x.all(t, workspace, query.Query{})
	require.Equal(t, []feed.NameCount{{Name: ana.Email, Events: 2}}, aggregate.Recipients.Counts)
	sent, _ := aggregate.Pairs[event.Send].Len()
	require.Equal(t, 1, sent)
	if before != "" {
		require.NotEqual(t, before, x.revision(t, firstWeek))
	}
}

func testCountSealed(t *testing.T, x counterTest) {
	weeks, ctx := x.weeks(t), context.Background()
	week := allWeeks[3]
	events := append(opens(20, week.Start(), 1000), named(event.Event{Type: event.Send, Time: week.Start() + 5, User: "u_ana"}, "send"))
	x.create(t, events...)
	require.NoError(t, weeks.Seal(ctx, week))
	questions := []query.Query{
		{},
		{Where: query.Keyword{Field: query.FieldUser, Values: []string{"u_ana"}}},
		{Where: word("jo"), From: week.Start() + 3},
	}
	same := func(x counterTest) {
		for _, q := range questions {
			require.Equal(t, counted(q, events), x.count(t, workspace, q, week))
		}
	}
	same(x)
	require.NoError(t, weeks.Unseal(ctx, week))
	same(x)
	late := opens(1, week.Start()+7, 0)[0]
	x.create(t, late)
	events = append(events, late)
	same(x)
	require.NoError(t, weeks.Seal(ctx, week))
	same(x)
	if x.harness.NoErasing == "" {
		_, _, err := x.eraser(t).EraseRecipient(ctx, workspace, "jo@acme.example")
		require.NoError(t, err)
		x.refresh(t)
		events = nil
		same(x)
	}
	if x.harness.NoReopening == "" {
		require.NoError(t, x.Close())
		again := x.harness.Open(t, x.path)
		same(counterTest{indexTest{again, x.harness, x.path}, again.(feed.Aggregator)})
		require.NoError(t, again.Close())
	}
}

func testCountConcurrency(t *testing.T, x counterTest) {
	const batches, each = 20, 10
	var working sync.WaitGroup
	done := make(chan struct{})
	working.Go(func() {
		defer close(done)
		for i := range batches {
			outcomes, err := x.Create(context.Background(), opens(each, firstWeek.Start()+int64(i), 3600))
			if err != nil || len(outcomes) != each {
				t.Errorf("creating: %v", err)
				return
			}
		}
	})
	working.Go(func() {
		for before := 0; ; {
			aggregate, err := x.counter.Aggregate(context.Background(), feed.AggregateRequest{Workspace: workspace, Week: firstWeek, Parts: allParts})
			if n := aggregate.Events.Sum(); err != nil || n < before {
				t.Errorf("counted %d after %d: %v", n, before, err)
				return
			} else {
				before = n
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	working.Wait()
	x.refresh(t)
	require.Equal(t, batches*each, x.all(t, workspace, query.Query{}).Events.Sum())
}
