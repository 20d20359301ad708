package event_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

// sentBy is who has sent the message to a person, read from its events.
func sentBy(events []event.Event, email string) []string {
	var users []string
	for _, e := range events {
		named := slices.ContainsFunc(e.Recipients, func(p event.Person) bool { return p.Email == email })
		if e.Type == event.Send && named && e.User != "" && !slices.Contains(users, e.User) {
			users = append(users, e.User)
		}
	}
	slices.Sort(users)
	return users
}

func TestEachRecipientHasTheSendersWhoWroteToThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(anyEvent), 1, 12).Draw(t, "events")
		s := fold(events)
		if !s.Shared() {
			return
		}
		for _, person := range persons {
			require.ElementsMatch(t, sentBy(events, person.Email), s.SendersOf(event.KeyOf(person.Email)))
		}
	})
}

// theirs are the events that a reader who may see some users knows of a message
// that several have sent: their sends, and what the recipients of these did.
func theirs(events []event.Event, users []string) []event.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e event.Event) bool {
		if e.Type == event.Send {
			return !slices.Contains(users, e.User)
		}
		return !slices.ContainsFunc(sentBy(events, e.Recipient.Email), func(user string) bool { return slices.Contains(users, user) })
	})
}

func TestAReaderSeesOfAMessageWhatTheirSendersSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(anyEvent), 1, 12).Draw(t, "events")
		users := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"u_ana", "u_ben", "u_cy"}), 0, 3, rapid.ID).Draw(t, "reader's")
		s := fold(events)
		seen, any := s.SeenBy(func(user string) bool { return slices.Contains(users, user) })
		if !s.Shared() {
			require.Equal(t, slices.Contains(users, s.User), any)
			return
		}
		want := fold(theirs(events, users))
		require.Equal(t, want.Sent, any)
		if any {
			seen.MessageKey = event.MessageKey{}
			require.Empty(t, cmp.Diff(want, unversioned(seen), cmpopts.EquateEmpty()))
		}
	})
}

func TestAPartsVersionRisesWithThatPartAlone(t *testing.T) {
	jo, ana, li := persons[0], persons[1], persons[2]
	from := func(user string, people ...event.Person) event.Event {
		return event.Event{Type: event.Send, Time: 1000, User: user, Subject: "Of " + user, Recipients: people}
	}
	s := fold([]event.Event{from("u_ana", jo), from("u_ben", ana, li)})
	mine := func(user string) event.State {
		seen, ok := s.SeenBy(func(u string) bool { return u == user })
		require.True(t, ok)
		return seen
	}
	annBefore, benBefore := mine("u_ana").Version, mine("u_ben").Version
	before := s.Clone()
	require.True(t, s.Apply(event.ChangeOf(by(event.Open, li, 1100, event.Human))))
	require.Equal(t, annBefore, mine("u_ana").Version)
	require.Greater(t, mine("u_ben").Version, benBefore)
	require.Equal(t, []string{"u_ben"}, s.Moved(before))
	require.Equal(t, "Of u_ana", mine("u_ana").Subject)
	require.Len(t, mine("u_ana").Recipients, 1)

	s.Forget(event.KeyOf(jo.Email))
	require.False(t, s.Shared(), "the last recipient of hers is gone")
	require.Equal(t, "u_ben", s.User)
	require.Equal(t, "Of u_ben", s.Subject)
	require.Len(t, s.Recipients, 2)
}

func TestAnEventTakesItsRecipientsSender(t *testing.T) {
	jo, ana, li := persons[0], persons[1], persons[2]
	s := fold([]event.Event{
		{Type: event.Send, Time: 1, User: "u_ana", Subject: "A", Recipients: []event.Person{jo, li}},
		{Type: event.Send, Time: 2, User: "u_ben", Subject: "B", Recipients: []event.Person{ana, li}},
	})
	for _, test := range []struct {
		name          string
		e             event.Event
		user, subject string
	}{
		{"hers", event.Event{Recipient: &jo}, "u_ana", "A"},
		{"his", event.Event{Recipient: &ana}, "u_ben", "B"},
		{"both wrote", event.Event{Recipient: &li}, "u_ana", "A"},
		{"both wrote, and it says who", event.Event{Recipient: &li, User: "u_ben"}, "u_ben", "B"},
		{"nobody wrote", event.Event{Recipient: &event.Person{Email: "x@y.example"}}, "", ""},
		{"one of his", event.Event{Recipients: []event.Person{ana, li}}, "u_ben", "B"},
		{"one of both", event.Event{Recipients: []event.Person{ana, jo}}, "", ""},
		{"about nobody", event.Event{}, "", ""},
	} {
		user, subject := s.Owner(test.e)
		require.Equal(t, []string{test.user, test.subject}, []string{user, subject}, test.name)
	}
}

func TestAReadersVersionRisesWithWhatTheySee(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(anyEvent), 1, 12).Draw(t, "events")
		users := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"", "u_ana", "u_ben", "u_cy"}), 1, 4, rapid.ID).Draw(t, "reader's")
		gone := rapid.SampledFrom(persons).Draw(t, "erased")
		may := func(user string) bool { return slices.Contains(users, user) }
		var s event.State
		step := func(do func()) {
			before, saw := s.SeenBy(may)
			before = before.Clone()
			do()
			after, sees := s.SeenBy(may)
			if !saw || !sees {
				return
			}
			require.GreaterOrEqual(t, after.Version, before.Version)
			if cmp.Diff(unversioned(before), unversioned(after), cmpopts.EquateEmpty()) != "" {
				require.Greater(t, after.Version, before.Version)
			}
		}
		for _, e := range events {
			step(func() { s.Apply(event.ChangeOf(e)) })
		}
		step(func() { s.Forget(event.KeyOf(gone.Email)) })
	})
}

func TestAPartWhoseMarkIsTakenAwayHasMoved(t *testing.T) {
	jo, ana := persons[0], persons[1]
	s := fold([]event.Event{
		{Type: event.Send, Time: 1000, User: "u_ana", Subject: "A", Recipients: []event.Person{jo}},
		{Type: event.Send, Time: 1000, User: "u_ben", Subject: "B", Recipients: []event.Person{ana}},
	})
	his, hers := by(event.Click, ana, 1100, event.Human), by(event.Click, jo, 1100, event.Human)
	s.Apply(event.ChangeOf(hers))
	s.Apply(event.ChangeOf(his))
	hers.Verdict.Is = event.Machine
	next, differs := s.Corrected([]event.Event{hers, his})
	require.True(t, differs)
	require.NotContains(t, next.First[event.MarkClicked], event.KeyOf(jo.Email))
	require.Equal(t, []string{"u_ana"}, next.Moved(s), "he is told of nothing")
}

func TestFoundSendersRaiseTheVersion(t *testing.T) {
	jo, ana := persons[0], persons[1]
	sends := fold([]event.Event{
		{Type: event.Send, Time: 1000, User: "u_ana", Recipients: []event.Person{jo}},
		{Type: event.Send, Time: 1000, User: "u_ben", Recipients: []event.Person{ana}},
	})
	for _, user := range []string{"u_ana", "u_ben"} {
		stored := event.State{Sent: true, User: user, At: 1000, Recipients: sends.Recipients, Version: 7}
		next, differs := stored.Resent(sends)
		require.True(t, differs)
		seen, _ := next.SeenBy(func(u string) bool { return u == user })
		require.Greater(t, seen.Version, stored.Version, "who saw everything is told of less")
	}
}

func TestAPartThatIsForgottenRaisesTheOthers(t *testing.T) {
	jo, ana, li := persons[0], persons[1], persons[2]
	var s event.State
	for _, e := range []event.Event{
		{Type: event.Send, Time: 1000, Recipients: []event.Person{jo}},
		{Type: event.Send, Time: 1000, User: "u_ana", Recipients: []event.Person{jo}},
		{Type: event.Send, Time: 1000, User: "u_ben", Recipients: []event.Person{ana, li}},
	} {
		s.Apply(event.ChangeOf(e))
	}
	notBens := func(user string) bool { return user != "u_ben" }
	before, _ := s.SeenBy(notBens)
	require.Len(t, before.Parts, 2)
	s.Forget(event.KeyOf(ana.Email))
	after, _ := s.SeenBy(notBens)
	require.Empty(t, after.Parts, "the send without a user has no recipient of its own")
	require.Greater(t, after.Version, before.Version)
}

// However many users use a message's id, and in whatever order, what is kept is bounded
// and the same.
func TestThePartsOfAMessageAreBounded(t *testing.T) {
	var events []event.Event
	for i := range event.MaxParts + 50 {
		user := fmt.Sprintf("u_%04d", i)
		events = append(events, event.Event{
			ID: event.NewID(1000, "w", "api", true, []byte(user)), Workspace: "w", Type: event.Send, Time: 1000, Message: "m", Source: "api",
			User: user, Subject: "Of " + user, Recipients: []event.Person{{Email: fmt.Sprintf("jo%d@acme.example", i%20)}},
		})
	}
	want := fold(events)
	require.Len(t, want.Parts, event.MaxParts)
	slices.Reverse(events)
	got := fold(events)
	require.Equal(t, slices.Sorted(maps.Keys(want.Parts)), slices.Sorted(maps.Keys(got.Parts)))
	require.Equal(t, want.Recipients, got.Recipients)
	seen, any := got.SeenBy(func(user string) bool { return user == "u_0007" })
	require.True(t, any)
	require.Equal(t, "Of u_0007", seen.Subject)
	_, any = got.SeenBy(func(user string) bool { return user == fmt.Sprintf("u_%04d", event.MaxParts+1) })
	require.False(t, any)
}
