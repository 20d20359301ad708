package query

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// TestStatesOfAPerson asks two recipients of one mail, of which one has done what
// the other has not.
func TestStatesOfAPerson(t *testing.T) {
	al := event.Person{Email: "al@acme.example", Name: "Al Stone"}
	bo := event.Person{Email: "bo@globex.example", Name: "Bo Chen"}
	send := event.Event{Type: event.Send, Time: noon, Recipients: []event.Person{al, bo}, Subject: "Pricing"}
	stateOf := func(acts ...event.Event) *event.State {
		s := &event.State{}
		s.Apply(event.ChangeOf(send))
		for _, act := range acts {
			s.Apply(event.ChangeOf(act))
		}
		return s
	}
	act := func(typ event.Type, who event.Person, at int64) event.Event {
		return event.Event{Type: typ, Time: at, Recipient: &who}
	}
	const hour, day = 3600, 86400
	// Al has opened on the next day and replied; Bo has done nothing.
	half := stateOf(act(event.Open, al, noon+day), act(event.Reply, al, noon+day+hour))
	// Al has opened and Bo has clicked.
	both := stateOf(act(event.Open, al, noon+hour), act(event.Click, bo, noon+2*hour))
	tests := []struct {
		text  string
		state *event.State
		want  bool
	}{
		{"is:unopened to:al@acme.example", half, false},
		{"is:unopened to:bo@globex.example", half, true},
		{"to:bo is:unopened", half, true},
		{"to:al is:unopened", half, false},
		{`to:"al stone" is:opened`, half, true},
		{"is:opened domain:globex.example", half, false},
		{"is:opened domain:acme.example", half, true},
		{"is:opened domain:nowhere.example", half, false},
		{"-is:opened domain:globex.example", half, true},
		{"-is:opened domain:acme.example", half, false},
		{"-is:opened", half, false},
		{"-is:clicked", half, true},
		{"is:unreplied to:bo", half, true},
		{"is:unreplied to:al", half, false},
		{"is:unreplied", half, false},
		{"-is:replied to:bo", half, true},
		{"to:al OR to:bo is:unopened", half, true},
		{"is:unopened -to:bo", half, false},
		{"is:unopened -to:al", half, true},
		{"to:al (is:unopened OR is:clicked)", half, false},
		{"to:bo (is:unopened OR is:clicked)", half, true},
		{"is:opened -is:replied", half, false},
		{"is:opened is:unreplied", half, false},
		{"is:opened -is:replied", both, true},
		{"is:opened is:clicked", both, true},
		{"is:opened is:clicked to:al", both, false},
		{"is:opened -is:clicked", both, true},
		{"is:opened -is:clicked to:bo", both, false},
		{"is:clicked OR is:replied -is:opened", both, false},
		{"is:opened OR is:clicked -is:replied to:al", both, true},
		{"is:opened (is:clicked OR is:replied)", both, true},
		{"is:opened (is:clicked OR is:replied) to:al", both, false},
		{"is:unopened is:opened", half, false},
		{"is:bounced to:al", half, false},
		{"opened:2025-11-25 to:al", half, true},
		{"opened:2025-11-24 to:al", half, false},
		{"opened:2025-11-24/2025-11-26 -is:replied", half, false},
		{"opened:2025-11-24", both, true},
		{"-opened:2025-11-24", both, false},
		{"is:opened pricing", both, true},
		{"is:opened invoice", both, false},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			q := Parse(test.text, options(t)).Query
			require.Equal(t, test.want, q.Match(NewDocument(send), test.state))
			weak, exact := q.Candidates()
			require.False(t, exact)
			found := weak.Match(NewDocument(send), nil)
			require.Equal(t, test.want, found && q.Confirm(send, test.state))
			click := event.Event{Type: event.Click, Time: noon, Recipient: &al, Subject: "Pricing"}
			require.False(t, q.Match(NewDocument(click), test.state), "sends alone have such a state")
			checkParse(t, test.text, options(t))
		})
	}
	t.Run("everybody has opened and the times were let go", func(t *testing.T) {
		done := stateOf(act(event.Open, al, noon+hour), act(event.Open, bo, noon+hour))
		done.Finish()
		require.True(t, Parse("is:opened to:al", options(t)).Query.Match(NewDocument(send), done))
		require.False(t, Parse("is:unopened to:al", options(t)).Query.Match(NewDocument(send), done))
		require.False(t, Parse("opened:2025-11-24 to:al", options(t)).Query.Match(NewDocument(send), done))
	})
}

func TestAsksPerson(t *testing.T) {
	for text, want := range map[string]bool{
		"is:unopened": false, "type:open to:al": false, "-is:opened": false, "unopened:>3d pricing": false,
		"is:unopened to:al": true, "is:opened is:clicked": true, "opened:2025-11-24": true, "x OR (is:opened domain:acme.example)": true,
	} {
		q := Parse(text, options(t)).Query
		require.Equal(t, want, q.AsksPerson(), text)
	}
}
