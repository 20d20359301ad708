package feed_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

// nudged is who is nudged, as "email: what", and who bounced behind a bar.
func nudged(t *testing.T, f *fixture, request feed.NudgeRequest) string {
	t.Helper()
	if request.Workspace == "" {
		request.Workspace = "w"
	}
	list, err := f.Nudges(t.Context(), request)
	require.NoError(t, err)
	require.False(t, list.Partial)
	var text string
	for _, n := range list.People {
		text += fmt.Sprintf("%s: %s %d, ", n.Email, n.Is, len(n.Messages))
	}
	text += "|"
	for _, n := range list.Bounced {
		text += fmt.Sprintf(" %s: %s", n.Email, n.Is)
	}
	return text
}

func TestNudgesAreForThoseWhoLetMailWait(t *testing.T) {
	days := func(n float64) time.Time { return now.Add(-time.Duration(n * 24 * float64(time.Hour))) }
	for name, test := range map[string]struct {
		events []event.Event
		want   string
	}{
		"nothing was done with it":  {[]event.Event{send("a", days(4), jo)}, "jo@acme.example: unopened 1, |"},
		"it is too new":             {[]event.Event{send("a", days(2), jo)}, "|"},
		"it is too old":             {[]event.Event{send("a", days(40), jo)}, "|"},
		"it was opened":             {[]event.Event{send("a", days(4), jo), did(event.Open, "a", days(3.5), jo)}, "jo@acme.example: unanswered 1, |"},
		"it was answered":           {[]event.Event{send("a", days(4), jo), did(event.Reply, "a", days(3.5), jo)}, "|"},
		"a later one was answered":  {[]event.Event{send("a", days(9), jo), send("b", days(5), jo), did(event.Reply, "b", days(4), jo)}, "|"},
		"an earlier one was, later": {[]event.Event{send("a", days(9), jo), send("b", days(5), jo), did(event.Reply, "a", days(4), jo)}, "|"},
		"an earlier one was":        {[]event.Event{send("a", days(9), jo), send("b", days(5), jo), did(event.Reply, "a", days(8), jo)}, "jo@acme.example: unopened 1, |"},
		"we wrote again since":      {[]event.Event{send("a", days(9), jo), send("b", days(1), jo)}, "|"},
		"two wait":                  {[]event.Event{send("a", days(9), jo), send("b", days(5), jo)}, "jo@acme.example: unopened 2, |"},
		"it came back":              {[]event.Event{send("a", days(4), jo, li), did(event.Bounce, "a", days(3.9), jo)}, "li@globex.example: unopened 1, | jo@acme.example: bounced"},
		"it came back just now":     {[]event.Event{send("a", days(1), jo), did(event.Bounce, "a", days(0.9), jo)}, "| jo@acme.example: bounced"},
		"one came back, then not":   {[]event.Event{send("a", days(9), jo), did(event.Bounce, "a", days(8.9), jo), send("b", days(5), jo), did(event.Delivery, "b", days(4.9), jo)}, "jo@acme.example: unopened 1, |"},
		"they reported it as spam":  {[]event.Event{send("a", days(9), jo), did(event.Complaint, "a", days(8), jo), send("b", days(5), jo)}, "|"},
		"they unsubscribed":         {[]event.Event{send("a", days(5), jo), did(event.Unsubscribe, "a", days(4), jo)}, "|"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, t.TempDir())
			defer f.close()
			f.put(test.events...)
			require.Equal(t, test.want, nudged(t, f, feed.NudgeRequest{}))
		})
	}
}

func TestAMachinesOpenIsNoOpenForANudge(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	opened := did(event.Open, "a", now.Add(-95*time.Hour), jo)
	opened.Verdict = event.Verdict{Is: event.Machine, Rule: "fetched"}
	f.put(send("a", now.Add(-4*24*time.Hour), jo), opened)
	require.Equal(t, "jo@acme.example: unopened 1, |", nudged(t, f, feed.NudgeRequest{}))
}

func TestNobodyIsNudgedAboutAMailing(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	var people []event.Person
	for i := range 51 {
		people = append(people, event.Person{Email: fmt.Sprintf("p%d@many.example", i)})
	}
	f.put(send("a", now.Add(-4*24*time.Hour), people...))
	require.Equal(t, "|", nudged(t, f, feed.NudgeRequest{}))
	// Who wants no more mail since is not nudged about another one either.
	f.put(send("b", now.Add(-5*24*time.Hour), people[:3]...))
	f.put(did(event.Unsubscribe, "a", now.Add(-80*time.Hour), people[0]), did(event.Complaint, "a", now.Add(-80*time.Hour), people[1]))
	require.Equal(t, "p2@many.example: unopened 1, |", nudged(t, f, feed.NudgeRequest{}))
}

func TestNudgesAreOfWhatTheReaderMaySee(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	his := send("b", now.Add(-5*24*time.Hour), jo, li)
	his.User = "u_ben"
	f.put(send("a", now.Add(-4*24*time.Hour), jo), his)
	require.Equal(t, "jo@acme.example: unopened 1, |", nudged(t, f, feed.NudgeRequest{Scope: reader("u_ana")}))
	require.Equal(t, "jo@acme.example: unopened 1, jo@acme.example: unopened 1, li@globex.example: unopened 1, |", nudged(t, f, feed.NudgeRequest{}))
	require.Equal(t, "jo@acme.example: unopened 1, |", nudged(t, f, feed.NudgeRequest{Only: []string{"u_ana"}}))
	require.Equal(t, "|", nudged(t, f, feed.NudgeRequest{Scope: reader("u_ana"), Only: []string{"u_ben"}}))
	require.Equal(t, "|", nudged(t, f, feed.NudgeRequest{Scope: feed.Scope{Workspace: "other"}}))
	require.Equal(t, "|", nudged(t, f, feed.NudgeRequest{Days: 6}))
}
