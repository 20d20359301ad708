package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

func (x indexTest) weeks(t *testing.T) Weeks {
	x.harness.NoWeeks.check(t)
	weeks, ok := x.Index.(Weeks)
	require.True(t, ok, "the index has no weeks, and its harness no excuse")
	return weeks
}

func (x indexTest) eraser(t *testing.T) EventEraser {
	x.harness.NoErasing.check(t)
	eraser, ok := x.Index.(EventEraser)
	require.True(t, ok, "the index does not erase, and its harness has no excuse")
	return eraser
}

// infos are what an index says of its weeks, newest first, but for their size.
func infos(t *testing.T, weeks Weeks) []event.WeekInfo {
	all, err := weeks.WeekInfos(context.Background())
	require.NoError(t, err)
	for i := range all {
		require.Positive(t, all[i].Bytes)
		all[i].Bytes = 0
	}
	return all
}

func testSeal(t *testing.T, x indexTest) {
	weeks, ctx := x.weeks(t), context.Background()
	old, young := opens(40, allWeeks[3].Start(), 10), opens(10, allWeeks[0].Start(), 10)
	for _, e := range old { // one by one, so that there is something to merge
		x.create(t, e)
	}
	x.create(t, young...)
	order := newestFirst(append(old, young...))
	require.NoError(t, weeks.Seal(ctx, allWeeks[3]))
	require.NoError(t, weeks.Seal(ctx, allWeeks[3]), "sealing is repeated freely")
	require.NoError(t, weeks.Seal(ctx, allWeeks[2]), "there is no such week")
	require.Equal(t, []event.WeekInfo{
		{Week: allWeeks[0], Events: 10},
		{Week: allWeeks[3], Events: 40, Sealed: true},
	}, infos(t, weeks))
	require.Equal(t, order, x.search(t, feed.Search{Workspace: workspace}))

	late := opens(1, allWeeks[3].Start()+5, 0)[0]
	neighbour := opens(1, allWeeks[0].Start()+5, 0)[0]
	outcomes, err := x.Create(ctx, []event.Event{late, neighbour, old[0]})
	require.NoError(t, err)
	requireBlocked(t, allWeeks[3], outcomes[0].Err)
	require.NoError(t, outcomes[1].Err)
	requireBlocked(t, allWeeks[3], outcomes[2].Err)
	changed := old[1]
	changed.Subject = "Changed"
	requireBlocked(t, allWeeks[3], x.Rewrite(ctx, []event.Event{changed}))

	require.NoError(t, weeks.Unseal(ctx, allWeeks[3]))
	require.NoError(t, weeks.Unseal(ctx, allWeeks[3]), "unsealing is repeated freely")
	require.Equal(t, []bool{true, false}, x.create(t, late, old[0]))
	require.NoError(t, x.Rewrite(ctx, []event.Event{changed}))
	require.NoError(t, weeks.Seal(ctx, allWeeks[3]))
	require.Equal(t, newestFirst(append(append(old, young...), late, neighbour)), x.search(t, feed.Search{Workspace: workspace}))
	require.Equal(t, []event.ID{changed.ID}, x.search(t, feed.Search{Workspace: workspace, Query: query.Query{Where: word("changed")}}))

	if x.harness.NoReopening == "" {
		require.NoError(t, x.Close())
		again := x.harness.Open(t, x.path)
		require.Equal(t, 41, int(infos(t, again.(Weeks))[1].Events))
		require.True(t, infos(t, again.(Weeks))[1].Sealed)
		require.NoError(t, again.Close())
	}
}

// requireBlocked holds an error to naming the week that takes no writes.
func requireBlocked(t *testing.T, week event.Week, err error) {
	t.Helper()
	require.ErrorIs(t, err, event.ErrUnavailable)
	blocked, ok := errors.AsType[*event.WeekBlocked](err)
	require.True(t, ok, "%v is not a WeekBlocked", err)
	require.Equal(t, week, blocked.Week)
}

func testDrop(t *testing.T, x indexTest) {
	weeks, ctx := x.weeks(t), context.Background()
	sealed, open, stays := opens(5, allWeeks[3].Start(), 10), opens(5, allWeeks[2].Start(), 10), opens(5, allWeeks[0].Start(), 10)
	x.create(t, append(append(append([]event.Event{}, sealed...), open...), stays...)...)
	require.NoError(t, weeks.Seal(ctx, allWeeks[3]))
	for _, week := range []event.Week{allWeeks[3], allWeeks[2], allWeeks[2], allWeeks[1]} {
		require.NoError(t, weeks.Drop(ctx, week))
	}
	require.Equal(t, []event.WeekInfo{{Week: allWeeks[0], Events: 5}}, infos(t, weeks))
	require.Equal(t, newestFirst(stays), x.search(t, feed.Search{Workspace: workspace}))
	got, err := x.Get(ctx, workspace, []event.ID{sealed[0].ID, open[0].ID, stays[0].ID})
	require.NoError(t, err)
	require.Equal(t, []event.Event{stays[0]}, got)
	require.Equal(t, []bool{true}, x.create(t, open[0]), "the week is made again")
	require.Equal(t, newestFirst(append(stays, open[0])), x.search(t, feed.Search{Workspace: workspace}))
}

func testPrepare(t *testing.T, x indexTest) {
	weeks, ctx := x.weeks(t), context.Background()
	x.create(t, opens(3, allWeeks[1].Start(), 1)...)
	require.NoError(t, weeks.Prepare(ctx, allWeeks[0]))
	require.NoError(t, weeks.Prepare(ctx, allWeeks[0]), "preparing is repeated freely")
	require.NoError(t, weeks.Prepare(ctx, allWeeks[1]), "a week that is there stays as it is")
	require.Equal(t, []event.WeekInfo{{Week: allWeeks[0]}, {Week: allWeeks[1], Events: 3}}, infos(t, weeks))
	require.Equal(t, []bool{true}, x.create(t, opens(1, allWeeks[0].Start(), 1)...))
	require.NoError(t, weeks.Seal(ctx, allWeeks[1]))
	require.NoError(t, weeks.Prepare(ctx, allWeeks[1]))
	require.True(t, infos(t, weeks)[1].Sealed)
}

func testRemoveSends(t *testing.T, x indexTest) {
	weeks, ctx := x.weeks(t), context.Background()
	at := allWeeks[2].Start() + 60
	first, second := sendTo("m-1", at, jo), sendTo("m-1", at+60, kim)
	opened, other := didTo(event.Open, "m-1", at+90, jo), sendTo("m-2", at, jo)
	foreign := named(event.Event{Workspace: "w-other", Type: event.Send, Message: "m-1", Time: at, Recipients: []event.Person{jo}}, "foreign")
	all := []event.Event{first, second, opened, other, foreign}
	x.create(t, all...)
	twice := event.MessageKey{Workspace: workspace, Message: "m-1"}
	gone := []event.MessageKey{twice, {Workspace: workspace, Message: "m-none"}, twice}
	remove := func(week event.Week) int {
		n, err := weeks.RemoveSends(ctx, week, gone)
		require.NoError(t, err)
		x.refresh(t)
		return n
	}
	require.Zero(t, remove(allWeeks[3]), "there is no such week")
	require.Equal(t, 2, remove(allWeeks[2]))
	require.Zero(t, remove(allWeeks[2]), "removing is repeated freely")
	left := newestFirst([]event.Event{opened, other})
	require.Equal(t, left, x.search(t, feed.Search{Workspace: workspace}))
	require.Equal(t, []event.ID{foreign.ID}, x.search(t, feed.Search{Workspace: "w-other"}))

	require.Equal(t, []bool{true}, x.create(t, first), "it may come again")
	require.NoError(t, weeks.Seal(ctx, allWeeks[2]))
	require.Equal(t, 1, remove(allWeeks[2]))
	require.Equal(t, left, x.search(t, feed.Search{Workspace: workspace}))
	require.Equal(t, []event.WeekInfo{{Week: allWeeks[2], Events: 3, Sealed: true}}, infos(t, weeks))
}

func testErase(t *testing.T, x indexTest) { eraseWith(t, x, false) }

// testEraseOldText erases somebody whose address was stored in texts that come in no more.
func testEraseOldText(t *testing.T, x indexTest) {
	ctx := context.Background()
	var all []event.Event
	for i, email := range []string{"jo@xn--bcher-kva.example", "jo@bücher.example.", "jo@xn--bcher-kva.example.", "jo@bücher.example"} {
		all = append(all, named(event.Event{Recipient: &event.Person{Email: email}, Time: allWeeks[i%len(allWeeks)].Start()}, fmt.Sprint("old", i)))
	}
	kim := event.Person{Email: "kim@bücher.example"}
	send := named(event.Event{Type: event.Send, Recipients: []event.Person{{Email: "jo@xn--bcher-kva.example"}, kim}}, "both")
	x.create(t, append(all, send)...)
	deleted, rewritten, err := x.eraser(t).EraseRecipient(ctx, workspace, "Jo@Bücher.example")
	require.NoError(t, err)
	x.refresh(t)
	require.Len(t, deleted, len(all))
	send.Recipients = []event.Person{kim}
	require.Equal(t, []event.Event{send}, rewritten)
	require.Equal(t, []event.ID{send.ID}, x.search(t, feed.Search{Workspace: workspace}))
}

func testEraseSealed(t *testing.T, x indexTest) { eraseWith(t, x, true) }

func eraseWith(t *testing.T, x indexTest, sealed bool) {
	eraser, ctx := x.eraser(t), context.Background()
	gone, kim := event.Person{Email: "jo@acme.example", Name: "Jo Xylander"}, event.Person{Email: "kim@acme.example", Name: "Kim"}
	both := named(event.Event{Type: event.Send, Subject: "To both", Recipients: []event.Person{gone, kim}}, "both")
	alone := named(event.Event{Type: event.Send, Subject: "Alone", Recipients: []event.Person{gone}, Time: allWeeks[0].Start()}, "alone")
	open := named(event.Event{Recipient: &gone, Body: "xyzzy"}, "open")
	bot := named(event.Event{Recipient: &gone, Verdict: event.Verdict{Is: event.Machine}}, "bot")
	stays := named(event.Event{Recipient: &kim, Subject: "about jo xylander"}, "stays")
	foreign := named(event.Event{Workspace: "w-other", Recipient: &gone}, "foreign")
	x.create(t, both, alone, open, bot, stays, foreign)
	if sealed {
		for _, week := range allWeeks {
			require.NoError(t, x.weeks(t).Seal(ctx, week))
		}
	}
	deleted, rewritten, err := eraser.EraseRecipient(ctx, workspace, "Jo@acme.example")
	require.NoError(t, err)
	x.refresh(t)
	require.ElementsMatch(t, []event.ID{alone.ID, open.ID, bot.ID}, deleted)
	both.Recipients = []event.Person{kim}
	require.Equal(t, []event.Event{both}, rewritten)

	left := query.Query{Automated: query.AutomatedShow}
	found := func(where query.Expr) []event.ID {
		left.Where = where
		return x.search(t, feed.Search{Workspace: workspace, Query: left})
	}
	require.Equal(t, newestFirst([]event.Event{both, stays}), found(nil))
	require.Equal(t, []event.ID{stays.ID}, found(word("xylander")))
	require.Empty(t, found(query.Keyword{Field: query.FieldRecipient, Values: []string{gone.Email}}))
	require.Empty(t, found(word("xyzzy")))
	got, err := x.Get(ctx, workspace, []event.ID{both.ID, open.ID})
	require.NoError(t, err)
	require.Equal(t, []event.Event{both}, got)
	require.Equal(t, []event.ID{foreign.ID}, x.search(t, feed.Search{Workspace: "w-other"}))
	if sealed {
		for _, info := range infos(t, x.weeks(t)) {
			require.True(t, info.Sealed)
		}
	}

	deleted, rewritten, err = eraser.EraseRecipient(ctx, workspace, gone.Email)
	require.NoError(t, err)
	require.Empty(t, deleted)
	require.Empty(t, rewritten)
}
