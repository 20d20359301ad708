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

// Who is done takes nobody's place: a list is as long as it may be of those to be shown,
// however many of the others come before them.
func TestWhoIsDoneTakesNobodysPlace(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	person := func(i int) event.Person { return event.Person{Email: fmt.Sprintf("done%03d@acme.example", i)} }
	var events []event.Event
	for i := 0; i < 600; i += 50 { // mails to 50, which are no mailing
		var people []event.Person
		for j := range 50 {
			people = append(people, person(i+j))
		}
		events = append(events, send(fmt.Sprintf("m%d", i), now.Add(-4*24*time.Hour), people...))
	}
	for i := range 150 { // who answers is called first
		events = append(events, did(event.Reply, fmt.Sprintf("r%d", i), now.Add(-time.Hour), person(600+i)))
	}
	events = append(events, send("late", now.Add(-9*24*time.Hour), jo), did(event.Reply, "early", now.Add(-30*time.Hour), li))
	f.put(events...)

	open := func(_, email string, _ time.Time) bool { return !strings.HasPrefix(email, "done") }
	list, err := f.Nudges(t.Context(), feed.NudgeRequest{Scope: feed.Scope{Workspace: "w"}, Shown: open})
	require.NoError(t, err)
	require.Len(t, list.People, 501)
	require.Equal(t, jo.Email, list.People[500].Email)
	calls, err := f.Calls(t.Context(), feed.CallRequest{Scope: feed.Scope{Workspace: "w"}, Shown: open})
	require.NoError(t, err)
	require.Len(t, calls.People, 51)
	require.Equal(t, li.Email, calls.People[50].Email)
}
