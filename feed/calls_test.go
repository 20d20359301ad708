package feed_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

// called is who is to be called, a line each: email: reason; reason.
func called(t *testing.T, f *fixture, request feed.CallRequest) string {
	t.Helper()
	if request.Workspace == "" {
		request.Workspace = "w"
	}
	list, err := f.Calls(t.Context(), request)
	require.NoError(t, err)
	require.False(t, list.Partial)
	var lines []string
	for _, call := range list.People {
		var why []string
		for _, reason := range call.Reasons {
			why = append(why, reason.Words)
		}
		lines = append(lines, call.Email+": "+strings.Join(why, "; "))
	}
	return strings.Join(lines, "\n")
}

func ago(d time.Duration) time.Time { return now.Add(-d) }

// pricing is a send to some people and what each did with it.
func pricing(acts ...event.Event) []event.Event {
	for i := range acts {
		acts[i].Subject = "Pricing"
	}
	return acts
}

// habit is an act on each of so many days, ending so long ago.
func habit(who event.Person, days int, end time.Duration) (events []event.Event) {
	for i := range days {
		events = append(events, did(event.Open, "old", ago(end+time.Duration(i)*24*time.Hour), who))
	}
	return events
}

func TestWhoToCall(t *testing.T) {
	const day, minute = 24 * time.Hour, time.Minute
	three := pricing(did(event.Open, "a", ago(10*minute), jo), did(event.Open, "a", ago(20*minute), jo), did(event.Open, "a", ago(30*minute), jo))
	for name, test := range map[string]struct {
		events []event.Event
		want   string
	}{
		"one who opens as always": {append(habit(jo, 20, 4*day), three[0]), ""},
		"one who opens again and again, after three weeks": {
			append(habit(jo, 2, 22*day), three...),
			"jo@acme.example: opened “Pricing” three times in 20 minutes; for the first time in three weeks; did 3 things in a day, usually 1",
		},
		"one who does so for the first time": {three, "jo@acme.example: opened “Pricing” three times in 20 minutes; nothing from them in the eight weeks before"},
		"one who does more than usual": {
			append(habit(jo, 20, 4*day), three...),
			"jo@acme.example: opened “Pricing” three times in 20 minutes; did 3 things in a day, usually 1",
		},
		"one who replied, and waits": {
			append(habit(jo, 5, 4*day), pricing(did(event.Reply, "a", ago(2*time.Hour), jo))...),
			"jo@acme.example: replied to “Pricing” and waits for an answer",
		},
		"one who replied, and was answered": {
			append(habit(jo, 5, 4*day), did(event.Reply, "a", ago(2*time.Hour), jo), send("b", ago(time.Hour), jo)), "",
		},
		"one who was long ago": {append(habit(jo, 5, 4*day), pricing(did(event.Click, "a", ago(60*time.Hour), jo))...), ""},
		"the one who replied before the one who clicked": {
			append(append(habit(jo, 5, 4*day), habit(li, 5, 4*day)...),
				pricing(did(event.Click, "a", ago(minute), li), did(event.Click, "a", ago(2*minute), li), did(event.Reply, "a", ago(minute), jo))...),
			"jo@acme.example: replied to “Pricing” and waits for an answer\nli@globex.example: clicked in “Pricing” twice in 1 minute",
		},
		"opens within a minute are one": {
			append(habit(jo, 20, 4*day), did(event.Open, "a", ago(minute), jo), did(event.Open, "a", ago(minute+10*time.Second), jo), did(event.Open, "a", ago(minute+20*time.Second), jo)), "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, t.TempDir())
			defer f.close()
			f.put(test.events...)
			require.Equal(t, test.want, called(t, f, feed.CallRequest{}))
		})
	}
}

// How much others did hides nobody's habit.
func TestAHabitIsReadBesideThoseOfBusierPeople(t *testing.T) {
	const day, minute = 24 * time.Hour, time.Minute
	f := newFixture(t, t.TempDir())
	defer f.close()
	busy := make([]event.Event, 1001)
	for i := range busy {
		busy[i] = did(event.Open, fmt.Sprint("busy ", i%10), ago(4*day+time.Duration(i)*minute), li)
	}
	f.put(busy...)
	f.put(habit(jo, 2, 22*day)...)
	f.put(pricing(did(event.Click, "a", ago(minute), jo), did(event.Click, "a", ago(2*minute), li))...)
	require.Equal(t, "jo@acme.example: clicked in “Pricing”; for the first time in three weeks", called(t, f, feed.CallRequest{}))
}

// Whatever machines do, neither who is called nor why changes.
func TestMachinesCallNobody(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	for i, kind := range []event.Type{event.Open, event.Click, event.Download} {
		for n := range 9 {
			e := did(kind, "a", ago(time.Duration(10*i+n)*time.Minute+time.Minute), jo)
			e.Verdict = event.Verdict{Is: event.Machine, Rule: "fetched"}
			f.put(e)
		}
	}
	require.Empty(t, called(t, f, feed.CallRequest{}))
	for n := range 9 {
		e := did(event.Open, "old", ago(time.Duration(n+4)*24*time.Hour), jo)
		e.Verdict = event.Verdict{Is: event.Machine, Rule: "fetched"}
		f.put(e)
	}
	f.put(did(event.Open, "a", ago(time.Second), jo), did(event.Open, "a", ago(150*time.Second), jo))
	require.Contains(t, called(t, f, feed.CallRequest{}), "nothing from them in the eight weeks before")
}

func TestCallsAreOfWhatTheReaderMaySee(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	for i, user := range []string{"u_ana", "u_ben"} {
		e := did(event.Reply, fmt.Sprint("m", i), ago(time.Hour), jo)
		e.User = user
		f.put(e)
	}
	count := func(request feed.CallRequest) int { return strings.Count(called(t, f, request), "jo@") }
	require.Equal(t, 2, count(feed.CallRequest{}))
	require.Equal(t, 1, count(feed.CallRequest{Scope: reader("u_ana")}))
	require.Equal(t, 1, count(feed.CallRequest{Only: []string{"u_ben"}}))
	require.Equal(t, 0, count(feed.CallRequest{Scope: reader("u_ana"), Only: []string{"u_ben"}}))
	require.Equal(t, 0, count(feed.CallRequest{Scope: feed.Scope{Workspace: "other"}}))
}
