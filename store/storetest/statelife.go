package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
)

var (
	jo  = event.Person{Email: "jo@acme.example", Name: "Jo"}
	kim = event.Person{Email: "kim@acme.example", Name: "Kim"}
)

// sendTo is a send of a message; the same people at the same time are the same
// event.
func sendTo(message string, at int64, people ...event.Person) event.Event {
	return named(event.Event{Type: event.Send, Message: message, Time: at, User: "u_ana", Subject: "Pricing", Recipients: people},
		fmt.Sprint("send", message, people))
}

func didTo(kind event.Type, message string, at int64, person event.Person) event.Event {
	return named(event.Event{Type: kind, Message: message, Time: at, Recipient: &person}, fmt.Sprint(kind, message, person))
}

func testNoEffect(t *testing.T, x stateTest) {
	send := sendTo("m-1", 1000, jo)
	open := didTo(event.Open, "m-1", 2000, jo)
	x.apply(t, send, open)
	before := x.read(t, "m-1")
	*x.clock = x.clock.Add(time.Minute)
	for range 3 {
		states := x.apply(t, open, send)
		require.Equal(t, before, states[before.MessageKey])
	}
	require.Equal(t, before, x.read(t, "m-1"))
	later := didTo(event.Open, "m-1", 3000, jo)
	x.apply(t, later)
	require.Equal(t, before.Version, x.read(t, "m-1").Version, "a later open is not the first")
	states := x.apply(t, didTo(event.Open, "m-1", 1500, jo))
	require.Greater(t, states[before.MessageKey].Version, before.Version)
	empty, err := x.Apply(context.Background(), nil, nil)
	require.NoError(t, err)
	require.Empty(t, empty)
}

func testAbsent(t *testing.T, x stateTest) {
	x.apply(t, sendTo("m-1", 1000, jo))
	of, err := x.Of(context.Background(), workspace, []string{"m-2", "M-1", ""})
	require.NoError(t, err)
	require.Empty(t, of)
	of, err = x.Of(context.Background(), "w-other", []string{"m-1"})
	require.NoError(t, err)
	require.Empty(t, of)
	read, err := x.Read(context.Background(), []event.MessageKey{{Workspace: "w-other", Message: "m-1"}})
	require.NoError(t, err)
	require.Empty(t, read)
}

func testExpiry(t *testing.T, x stateTest) {
	ctx := context.Background()
	x.apply(t, sendTo("m-1", 1000, jo, kim), didTo(event.Open, "m-1", 2000, jo), didTo(event.Click, "m-1", 2500, jo))
	require.Zero(t, x.read(t, "m-1").Expire)
	x.apply(t, didTo(event.Open, "m-1", 3000, kim), didTo(event.Open, "m-2", 3000, kim))
	complete := x.read(t, "m-1")
	require.Equal(t, x.clock.Add(grace).Unix(), complete.Expire)
	require.Zero(t, x.read(t, "m-2").Expire, "its send is not known")

	reduced, err := x.Expire(ctx, x.clock.Add(grace-time.Second))
	require.NoError(t, err)
	require.Zero(t, reduced)
	require.Equal(t, complete, x.read(t, "m-1"))
	reduced, err = x.Expire(ctx, x.clock.Add(grace))
	require.NoError(t, err)
	require.Equal(t, 1, reduced)
	done := x.read(t, "m-1")
	require.True(t, done.Done)
	require.True(t, done.Complete())
	require.Empty(t, done.Unopened())
	require.Zero(t, done.Expire)
	require.Greater(t, done.Version, complete.Version)
	require.Empty(t, done.First[event.MarkOpened])
	require.Equal(t, map[event.RecipientKey]int64{event.KeyOf(jo.Email): 2500}, done.First[event.MarkClicked])
	require.Equal(t, complete.Recipients, done.Recipients)
	reduced, err = x.Expire(ctx, x.clock.Add(10*grace))
	require.NoError(t, err)
	require.Zero(t, reduced)
}

func testLaterRecipient(t *testing.T, x stateTest) {
	ctx := context.Background()
	x.apply(t, sendTo("m-1", 1000, jo), didTo(event.Open, "m-1", 2000, jo))
	require.NotZero(t, x.read(t, "m-1").Expire)
	x.apply(t, sendTo("m-1", 1001, kim))
	require.Zero(t, x.read(t, "m-1").Expire)
	reduced, err := x.Expire(ctx, x.clock.Add(10*grace))
	require.NoError(t, err)
	require.Zero(t, reduced)
	*x.clock = x.clock.Add(grace)
	x.apply(t, didTo(event.Reply, "m-1", 4000, kim))
	require.Equal(t, x.clock.Add(grace).Unix(), x.read(t, "m-1").Expire)
}

func testDone(t *testing.T, x stateTest) {
	ctx := context.Background()
	send, open := sendTo("m-1", 1000, jo), didTo(event.Open, "m-1", 2000, jo)
	x.apply(t, send, open)
	_, err := x.Expire(ctx, x.clock.Add(2*grace))
	require.NoError(t, err)
	done := x.read(t, "m-1")
	require.True(t, done.Done)

	for _, again := range []event.Event{send, open, didTo(event.Delivery, "m-1", 1001, jo), send} {
		x.apply(t, again)
		now := x.read(t, "m-1")
		require.True(t, now.Done)
		require.Empty(t, now.Unopened())
		require.Zero(t, now.Expire)
	}
	sends, err := x.Incomplete(ctx, workspace, 0, "", 10)
	require.NoError(t, err)
	require.Empty(t, sends)

	x.apply(t, sendTo("m-1", 1002, kim))
	reopened := x.read(t, "m-1")
	require.False(t, reopened.Done)
	require.Equal(t, []event.RecipientKey{event.KeyOf(kim.Email)}, reopened.Unopened())
	require.Zero(t, reopened.Expire)
	x.apply(t, didTo(event.Open, "m-1", 5000, kim))
	require.NotZero(t, x.read(t, "m-1").Expire)
}

func testPending(t *testing.T, x stateTest) {
	ctx := context.Background()
	key := event.MessageKey{Workspace: workspace, Message: "m-1"}
	var pending []event.ID
	for i := range 5 {
		pending = append(pending, event.NewID(int64(100+i), workspace, "api", true, []byte{byte(i)}))
	}
	for _, ids := range [][]event.ID{{pending[4], pending[0]}, {pending[2]}, {pending[0], pending[3], pending[1]}} {
		_, err := x.Apply(ctx, []event.Change{{MessageKey: key, Pending: ids}}, nil)
		require.NoError(t, err)
	}
	require.Equal(t, pending, x.read(t, "m-1").Pending)
	states := x.apply(t, sendTo("m-1", 1000, jo))
	require.Equal(t, pending, states[key].Pending, "the send is told whom to complete")
	absent := event.NewID(1, workspace, "api", true, nil)
	for range 2 {
		require.NoError(t, x.Completed(ctx, key, []event.ID{pending[1], absent, pending[4]}))
	}
	require.Equal(t, []event.ID{pending[0], pending[2], pending[3]}, x.read(t, "m-1").Pending)
	require.NoError(t, x.Completed(ctx, key, pending))
	require.Empty(t, x.read(t, "m-1").Pending)
	require.NoError(t, x.Completed(ctx, event.MessageKey{Workspace: "w-other", Message: "m-1"}, pending))
}

func testIncomplete(t *testing.T, x stateTest) {
	var expected []string
	for i := range 25 {
		message := fmt.Sprintf("m-%02d", i)
		x.apply(t, sendTo(message, int64(1000+i/3), jo)) // three a second
		if i%5 == 0 {
			x.apply(t, didTo(event.Open, message, 2000, jo))
		} else {
			expected = append(expected, message)
		}
	}
	x.apply(t, didTo(event.Open, "not sent", 2000, jo))
	slices.Reverse(expected)
	var found []string
	var last event.State
	for {
		states, err := x.Incomplete(context.Background(), workspace, last.At, last.Message, 4)
		require.NoError(t, err)
		for _, state := range states {
			require.NotEmpty(t, state.Unopened())
			found = append(found, state.Message)
		}
		if len(states) < 4 {
			break
		}
		last = states[3]
	}
	require.Equal(t, expected, found)
	others, err := x.Incomplete(context.Background(), "w-other", 0, "", 10)
	require.NoError(t, err)
	require.Empty(t, others)
}

func testCatalogue(t *testing.T, x stateTest) {
	ctx := context.Background()
	mark := func(workspace string, weeks ...event.Week) {
		var marks []indexer.WorkspaceWeek
		for _, week := range weeks {
			marks = append(marks, indexer.WorkspaceWeek{Workspace: workspace, Week: week})
		}
		_, err := x.Apply(ctx, nil, marks)
		require.NoError(t, err)
	}
	mark("w-a", 10, 30, 20)
	mark("w-a", 20, 40, 40)
	mark("w-b", 5)
	for workspace, expected := range map[string][]event.Week{"w-a": {40, 30, 20, 10}, "w-b": {5}, "w-c": nil} {
		weeks, err := x.Weeks(ctx, workspace)
		require.NoError(t, err)
		require.Equal(t, expected, weeks, workspace)
	}
}

func testEraseState(t *testing.T, x stateTest) {
	ctx := context.Background()
	x.apply(t,
		sendTo("both", 1000, jo, kim), didTo(event.Bounce, "both", 2000, jo), didTo(event.Click, "both", 2000, kim),
		sendTo("alone", 1000, jo), didTo(event.Reply, "alone", 2000, jo),
		didTo(event.Open, "unsent", 2000, jo), didTo(event.Open, "mixed", 2000, jo), didTo(event.Open, "mixed", 2000, kim),
		sendTo("others", 1000, kim),
	)
	foreign := sendTo("both", 1000, jo)
	foreign.Workspace = "w-other"
	x.apply(t, foreign)
	before := x.read(t, "both")
	touched, err := x.EraseRecipient(ctx, workspace, "JO@acme.example")
	require.NoError(t, err)
	var names []string
	for _, state := range touched {
		names = append(names, state.Message)
		require.NotContains(t, state.Recipients, event.KeyOf(jo.Email))
		for _, firsts := range state.First {
			require.NotContains(t, firsts, event.KeyOf(jo.Email))
		}
	}
	require.ElementsMatch(t, []string{"both", "alone", "unsent", "mixed"}, names)

	both := x.read(t, "both")
	require.Equal(t, map[event.RecipientKey]event.Person{event.KeyOf(kim.Email): kim}, both.Recipients)
	require.Greater(t, both.Version, before.Version)
	require.True(t, both.Complete())
	require.NotZero(t, both.Expire, "everyone who is left has opened")
	require.Len(t, x.read(t, "mixed").First[event.MarkOpened], 1)
	left, err := x.Of(ctx, workspace, []string{"alone", "unsent", "others"})
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing is left of the others")
	of, err := x.Of(ctx, "w-other", []string{"both"})
	require.NoError(t, err)
	require.Contains(t, of["both"].Recipients, event.KeyOf(jo.Email))

	touched, err = x.EraseRecipient(ctx, workspace, jo.Email)
	require.NoError(t, err)
	require.Empty(t, touched)
	x.apply(t, sendTo("alone", 1000, kim))
	require.Len(t, x.read(t, "alone").Recipients, 1)
}

func testErased(t *testing.T, x stateTest) {
	ctx := context.Background()
	for range 2 {
		require.NoError(t, x.MarkErased(ctx, workspace, "Jo@Acme.example", 0))
	}
	require.NoError(t, x.MarkErased(ctx, "w-third", "kim@acme.example", 0))
	both := []string{"jo@acme.example", "kim@acme.example"}
	erased, err := x.Erased(ctx, map[string][]string{workspace: both, "w-other": both, "w-third": both, "w-empty": nil})
	require.NoError(t, err)
	now := x.clock.Unix()
	require.Equal(t, map[string]map[string]int64{
		workspace: {"jo@acme.example": now}, "w-third": {"kim@acme.example": now},
	}, erased)
	for _, until := range []int64{now + 60, 0} { // what was barred stays so
		require.NoError(t, x.MarkErased(ctx, workspace, "jo@acme.example", until))
		erased, err = x.Erased(ctx, map[string][]string{workspace: both})
		require.NoError(t, err)
		require.Equal(t, now+60, erased[workspace]["jo@acme.example"])
	}
	erased, err = x.Erased(ctx, nil)
	require.NoError(t, err)
	require.Empty(t, erased)
}

func testReopenState(t *testing.T, x stateTest) {
	x.harness.NoReopening.check(t)
	ctx := context.Background()
	x.apply(t, sendTo("m-1", firstWeek.Start(), jo, kim), didTo(event.Open, "m-1", firstWeek.End(), jo))
	require.NoError(t, x.MarkErased(ctx, workspace, "gone@acme.example", 0))
	before := x.read(t, "m-1")
	require.NoError(t, x.Close())

	again := x
	again.State = x.harness.Open(t, x.path, x.config())
	defer func() { require.NoError(t, again.Close()) }()
	require.Equal(t, before, again.read(t, "m-1"))
	weeks, err := again.Weeks(ctx, workspace)
	require.NoError(t, err)
	require.Equal(t, []event.Week{firstWeek + 1, firstWeek}, weeks)
	erased, err := again.Erased(ctx, map[string][]string{workspace: {"gone@acme.example"}})
	require.NoError(t, err)
	require.Contains(t, erased[workspace], "gone@acme.example")
	again.apply(t, didTo(event.Open, "m-1", firstWeek.End(), kim))
	require.NotZero(t, again.read(t, "m-1").Expire)
	touched, err := again.EraseRecipient(ctx, workspace, jo.Email)
	require.NoError(t, err)
	require.Len(t, touched, 1)
}

// testOldKeys looks at states from before addresses had one text. A recipient's key was
// that of the lower-case text as it came then; it is found, put together with what comes
// under today's, and erased.
func testOldKeys(t *testing.T, x stateTest) {
	const today = "jo@bücher.example"
	for i, old := range []string{"jo@xn--bcher-kva.example", "jo@bücher.example.", "jo@xn--bcher-kva.example."} {
		t.Run(old, func(t *testing.T) {
			ctx := context.Background()
			message := func(name string) event.MessageKey {
				return event.MessageKey{Workspace: workspace, Message: fmt.Sprint(name, i)}
			}
			key := event.TextKey(old)
			require.NotEqual(t, event.KeyOf(today), key)
			jo := event.Person{Email: old, Name: "Jo"}
			sent := event.Change{
				MessageKey: message("sent"), Sent: true, User: "u_ana", At: 1000,
				Recipients: map[event.RecipientKey]event.Person{key: jo, event.KeyOf(kim.Email): kim},
				First:      map[event.Mark]map[event.RecipientKey]int64{event.MarkClicked: {key: 5000}},
			}
			both := sent
			both.MessageKey = message("both")
			unsent := event.Change{
				MessageKey: message("unsent"),
				First:      map[event.Mark]map[event.RecipientKey]int64{event.MarkReplied: {key: 2000}},
			}
			_, err := x.Apply(ctx, []event.Change{sent, both, unsent}, nil)
			require.NoError(t, err)
			opened := didTo(event.Open, sent.Message, 3000, event.Person{Email: today})
			clicked := didTo(event.Click, sent.Message, 4000, event.Person{Email: today})
			again := sendTo(both.Message, 1000, event.Person{Email: today})
			x.apply(t, opened, clicked, again)

			state := x.read(t, sent.Message)
			require.Equal(t, map[event.RecipientKey]event.Person{
				event.KeyOf(today): {Email: today, Name: "Jo"}, event.KeyOf(kim.Email): kim,
			}, state.Recipients)
			require.Equal(t, []event.RecipientKey{event.KeyOf(kim.Email)}, state.Unopened())
			require.Equal(t, map[event.RecipientKey]int64{event.KeyOf(today): 4000}, state.First[event.MarkClicked])
			require.Len(t, x.read(t, both.Message).Recipients, 2, "sent again under today's text")

			touched, err := x.EraseRecipient(ctx, workspace, today)
			require.NoError(t, err)
			require.Len(t, touched, 3)
			left, err := x.Of(ctx, workspace, []string{sent.Message, both.Message, unsent.Message})
			require.NoError(t, err)
			require.Len(t, left, 2, "nothing is left of what only they did")
			for _, state := range left {
				require.False(t, state.Names(key) || state.Names(event.KeyOf(today)))
			}
		})
	}
	// Who was erased then stays erased.
	ctx := context.Background()
	require.NoError(t, x.MarkErased(ctx, workspace, "li@xn--bcher-kva.example", 0))
	erased, err := x.Erased(ctx, map[string][]string{workspace: {"li@bücher.example", today}})
	require.NoError(t, err)
	require.Contains(t, erased[workspace], "li@bücher.example")
	require.Len(t, erased[workspace], 1)
}
