package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// whole is an event with everything that an event can have.
func whole() event.Event {
	agent, automated := "", true
	return named(event.Event{
		Type: event.Meeting, User: "u_ana", Subject: "Demo", Body: "line one\n\"two\" — ü", Kind: "k", Title: "Title",
		Link: "https://acme.example/?a=b&c=d", File: "deck.pdf", Recipient: &event.Person{Email: "jo@acme.example", Name: "Jo"},
		Meeting: &event.Appointment{Title: "Kick-off", Start: 1_800_000_000, Answer: "maybe"},
		Bounce:  &event.BounceDetail{Kind: "hard", Detail: "550 5.1.1"},
		Client:  &event.Client{IP: "192.0.2.1", UserAgent: &agent, Automated: &automated},
		Verdict: event.Verdict{Is: event.Human, Rule: "none", By: "person", Version: 3},
	}, "whole")
}

func testCreate(t *testing.T, x indexTest) {
	e := whole()
	require.Equal(t, []bool{true}, x.create(t, e))
	hits, err := x.Search(context.Background(), feed.Search{Workspace: workspace, Weeks: allWeeks, Limit: 10})
	require.NoError(t, err)
	require.Len(t, hits, 1)
	require.Equal(t, e, hits[0].Event)
	require.Equal(t, e.Time, hits[0].Key.Seconds)

	missing := named(event.Event{}, "never written")
	got, err := x.Get(context.Background(), workspace, []event.ID{missing.ID, e.ID, event.NewID(0, "", "", true, nil)})
	require.NoError(t, err)
	require.Equal(t, []event.Event{e}, got)

	outcomes, err := x.Create(context.Background(), nil)
	require.NoError(t, err)
	require.Empty(t, outcomes)
}

func testRepetition(t *testing.T, x indexTest) {
	first := named(event.Event{Subject: "first"}, "same")
	second := first
	second.Subject = "second"
	other := named(event.Event{Subject: "other"}, "other")
	require.Equal(t, []bool{true, false, true}, x.create(t, first, second, other))
	require.Equal(t, []bool{false, false}, x.create(t, other, second))
	got, err := x.Get(context.Background(), workspace, []event.ID{first.ID})
	require.NoError(t, err)
	require.Equal(t, []event.Event{first}, got)
	require.Equal(t, newestFirst([]event.Event{first, other}), x.search(t, feed.Search{Workspace: workspace}))
	require.Empty(t, x.search(t, feed.Search{Workspace: workspace, Query: query.Query{Where: word("second")}}))
}

func testPoison(t *testing.T, x indexTest) {
	good, after := named(event.Event{}, "good"), named(event.Event{}, "after")
	elsewhen := named(event.Event{}, "elsewhen")
	elsewhen.Time++
	nobody := named(event.Event{Type: event.Send}, "nobody")
	nobody.Recipient, nobody.Recipients = nil, nil
	nowhere := named(event.Event{}, "nowhere")
	nowhere.Workspace = ""
	outcomes, err := x.Create(context.Background(), []event.Event{good, {}, elsewhen, nobody, nowhere, after})
	require.NoError(t, err)
	x.refresh(t)
	for i, outcome := range outcomes {
		if i == 0 || i == len(outcomes)-1 {
			require.NoError(t, outcome.Err)
			require.True(t, outcome.Created)
			continue
		}
		require.ErrorIs(t, outcome.Err, event.ErrInvalid, "event %d", i)
		require.False(t, outcome.Created)
	}
	require.Equal(t, newestFirst([]event.Event{good, after}), x.search(t, feed.Search{Workspace: workspace}))
}

// testNobody holds events that do not say who: about nobody, and by one of several.
func testNobody(t *testing.T, x indexTest) {
	nobody := named(event.Event{Type: event.Bounce, Subject: "pricing"}, "nobody")
	nobody.Recipient = nil
	oneOf := named(event.Event{Type: event.Open, Subject: "pricing", Recipients: []event.Person{
		{Email: "jo@acme.example", Name: "Jo"}, {Email: "kim@acme.example"},
	}}, "one of two")
	oneOf.Recipient = nil
	require.Equal(t, []bool{true, true}, x.create(t, nobody, oneOf))
	require.Equal(t, newestFirst([]event.Event{nobody, oneOf}),
		x.search(t, feed.Search{Workspace: workspace, Query: query.Query{Where: word("pricing")}}))
	got, err := x.Get(context.Background(), workspace, []event.ID{oneOf.ID})
	require.NoError(t, err)
	require.Equal(t, []event.Event{oneOf}, got)
}

func testRewrite(t *testing.T, x indexTest) {
	pending := named(event.Event{Type: event.Click, Link: "https://docs.example/deck", Verdict: event.Verdict{Is: event.Human}}, "early")
	stays := named(event.Event{Type: event.Click, Subject: "Roadmap"}, "stays")
	x.create(t, pending, stays)
	completed := pending
	completed.Subject, completed.User = "Pricing proposals", "u_ana"
	absent := named(event.Event{Subject: "absent"}, "absent")
	for range 2 { // rewriting is repeated freely
		require.NoError(t, x.Rewrite(context.Background(), []event.Event{completed, absent}))
	}
	x.refresh(t)
	found := func(where query.Expr) []event.ID {
		return x.search(t, feed.Search{Workspace: workspace, Query: query.Query{Where: where}})
	}
	require.Equal(t, []event.ID{pending.ID}, found(word("proposal")))
	require.Equal(t, []event.ID{pending.ID}, found(query.Keyword{Field: query.FieldUser, Values: []string{"u_ana"}}))
	require.Equal(t, []event.ID{pending.ID}, found(word("deck")))
	require.Empty(t, found(word("absent")))

	judged := completed
	judged.Subject, judged.Verdict = "Budget", event.Verdict{Is: event.Machine, By: "person"}
	require.NoError(t, x.Rewrite(context.Background(), []event.Event{judged}))
	x.refresh(t)
	require.Empty(t, found(word("proposal")))
	require.Empty(t, found(word("budget")), "automated events are hidden")
	require.Equal(t, []event.ID{stays.ID}, found(nil))
	all := feed.Search{Workspace: workspace, Query: query.Query{Automated: query.AutomatedShow}}
	require.Len(t, x.search(t, all), 2)
	got, err := x.Get(context.Background(), workspace, []event.ID{pending.ID, absent.ID})
	require.NoError(t, err)
	require.Equal(t, []event.Event{judged}, got)

	foreign := judged
	foreign.Workspace, foreign.Subject = "w-other", "stolen"
	require.NoError(t, x.Rewrite(context.Background(), []event.Event{foreign}))
	x.refresh(t)
	got, err = x.Get(context.Background(), workspace, []event.ID{pending.ID})
	require.NoError(t, err)
	require.Equal(t, []event.Event{judged}, got)
}

// testConcurrency has writers of overlapping batches and readers at once: each
// event is created by exactly one, and a reader never sees one vanish.
func testConcurrency(t *testing.T, x indexTest) {
	events := append(opens(120, allWeeks[3].Start(), 1), opens(120, allWeeks[1].Start(), 1)...)
	const writers = 4
	created := make([]int, writers)
	var writing, reading sync.WaitGroup
	for writer := range writers {
		writing.Go(func() {
			for at := 0; at < len(events); at += 20 {
				batch := slices.Clone(events[at : at+20])
				if writer%2 == 1 {
					slices.Reverse(batch)
				}
				outcomes, err := x.Create(context.Background(), batch)
				if err != nil {
					t.Errorf("creating: %v", err)
					return
				}
				for _, outcome := range outcomes {
					if outcome.Err != nil {
						t.Errorf("creating: %v", outcome.Err)
					}
					if outcome.Created {
						created[writer]++
					}
				}
			}
		})
	}
	done := make(chan struct{})
	for range 3 {
		reading.Go(func() {
			seen := 0
			for {
				hits, err := x.Search(context.Background(), feed.Search{Workspace: workspace, Weeks: allWeeks, Limit: 1000})
				if err != nil || len(hits) < seen {
					t.Errorf("searching: %d hits after %d: %v", len(hits), seen, err)
					return
				}
				seen = len(hits)
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	x.refresh(t)
	total := 0
	for _, n := range created {
		total += n
	}
	require.Equal(t, len(events), total)
	require.Equal(t, newestFirst(events), x.search(t, feed.Search{Workspace: workspace}))
}

// testTenants gives two workspaces the same events.
func testTenants(t *testing.T, x indexTest) {
	var mine, theirs []event.Event
	for i := range 20 {
		e := event.Event{
			Type: event.Click, User: "u_ana", Message: "m-1", Subject: "Pricing", Time: firstWeek.Start() + int64(i),
			Link: "https://acme.example", Source: "api",
		}
		e.Workspace = "w-a"
		mine = append(mine, named(e, fmt.Sprint(i)))
		e.Workspace = "w-b"
		theirs = append(theirs, named(e, fmt.Sprint(i)))
	}
	x.create(t, append(slices.Clone(mine), theirs...)...)
	for _, where := range []query.Expr{
		nil, word("pricing"),
		query.Not{Expr: word("absent")},
		query.Words{Form: query.FormPrefix, Terms: []string{"p"}},
		query.Words{Form: query.FormPhrase, Terms: []string{"jo", "reyes"}},
		query.Keyword{Field: query.FieldUser, Values: []string{"u_ana"}},
		query.Keyword{Field: query.FieldRecipient, Values: []string{"jo@acme.example"}},
	} {
		require.Equal(t, newestFirst(mine), x.search(t, feed.Search{Workspace: "w-a", Query: query.Query{Where: where}}))
		require.Empty(t, x.search(t, feed.Search{Workspace: "w-c", Query: query.Query{Where: where}}))
		require.Empty(t, x.search(t, feed.Search{Workspace: "w-", Query: query.Query{Where: where}}))
	}
	got, err := x.Get(context.Background(), "w-b", []event.ID{mine[0].ID, theirs[0].ID})
	require.NoError(t, err)
	require.Equal(t, []event.Event{theirs[0]}, got)
}

func testReopen(t *testing.T, x indexTest) {
	x.harness.NoReopening.check(t)
	events := append(opens(30, allWeeks[3].Start(), 60), opens(30, allWeeks[0].Start(), 60)...)
	x.create(t, events...)
	changed := events[3]
	changed.Subject = "Changed"
	require.NoError(t, x.Rewrite(context.Background(), []event.Event{changed}))
	require.NoError(t, x.Close())
	again := x
	again.Index = x.harness.Open(t, x.path)
	defer func() { require.NoError(t, again.Close()) }()
	again.refresh(t)
	require.Equal(t, newestFirst(events), again.search(t, feed.Search{Workspace: workspace}))
	require.Equal(t, []event.ID{changed.ID}, again.search(t, feed.Search{Workspace: workspace, Query: query.Query{Where: word("changed")}}))
	require.Equal(t, make([]bool, len(events)), again.create(t, events...))
	later := opens(1, time.Now().Unix(), 0)
	require.Equal(t, []bool{true}, again.create(t, later...))
}
