package mongo

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tidings/event"
	"tidings/store/mongo/mongotest"
)

// Between the read of an indexer and its write another one may learn of a second
// sender: whatever the change, it is made anew then.
func TestAChangeMeetsAMessageThatHasBecomeShared(t *testing.T) {
	s, err := Open(t.Context(), Config{URL: mongotest.Start(t).URL(t)})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	jo, li := event.Person{Email: "jo@acme.example"}, event.Person{Email: "li@acme.example"}
	send := func(user string, to event.Person) event.Change {
		return event.ChangeOf(event.Event{Workspace: "acme", Message: "m", Type: event.Send, Time: 1, User: user, Recipients: []event.Person{to}})
	}
	opened := event.ChangeOf(event.Event{Workspace: "acme", Message: "m", Type: event.Open, Time: 2, Recipient: &jo})
	_, err = s.Apply(t.Context(), []event.Change{send("u_ana", jo), send("u_ben", li)}, nil)
	require.NoError(t, err)

	for _, late := range []event.Change{opened, send("u_ana", jo)} {
		write := mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(guard(late)).SetUpdate(update(document{}, late))
		collided, err := writeOnce(t.Context(), s.messages, []mongo.WriteModel{write})
		require.NoError(t, err)
		require.Equal(t, []int{0}, collided)
	}
	states, err := s.Apply(t.Context(), []event.Change{opened}, nil)
	require.NoError(t, err)
	require.Equal(t, map[event.RecipientKey]int64{event.KeyOf(jo.Email): 2}, states[0].First[event.MarkOpened])
}
