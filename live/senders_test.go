package live

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

func TestTheStateOfASharedMessageIsToldToEachInPart(t *testing.T) {
	jo, li := event.Person{Email: "jo@acme.example"}, event.Person{Email: "li@globex.example"}
	from := func(user string, person event.Person) event.Change {
		return event.ChangeOf(event.Event{Workspace: "w", Message: "m", Type: event.Send, Time: 1, User: user, Recipients: []event.Person{person}})
	}
	state := event.State{MessageKey: event.MessageKey{Workspace: "w", Message: "m"}}
	state.Apply(from("u_ana", jo))
	state.Apply(from("u_ben", li))
	before := state.Clone()
	state.Apply(event.ChangeOf(event.Event{Workspace: "w", Message: "m", Type: event.Open, Time: 2, Recipient: &li}))

	var rendered []event.State
	hub := NewHub(Config{Render: func(a event.Announcement) ([]byte, error) {
		rendered = append(rendered, *a.State)
		return []byte("{}"), nil
	}})
	tell := func(users []string, told []string) []event.State {
		rendered = nil
		said := event.Announcement{Kind: event.AnnounceState, Workspace: "w", User: state.User, State: &state, Users: told}
		item := &entry{Entry: entryOf(1, hub.config.Clock(), said)}
		item.views.Store(hub.viewsOf(item))
		reader := newReader(hub, "w", users)
		reader.shown.add("m")
		out := reader.deliver(t.Context(), nil, item, 0)
		require.Len(t, out, len(rendered))
		return rendered
	}
	moved := state.Moved(before)
	require.Equal(t, []string{"u_ben"}, moved)
	require.Empty(t, tell([]string{"u_ana"}, moved), "nothing of hers has moved")
	require.Empty(t, tell([]string{"u_cy"}, nil))
	for _, users := range [][]string{{"u_ben"}, {"u_ben", "u_cy"}} {
		told := tell(users, moved)
		require.Len(t, told, 1)
		require.Len(t, told[0].Recipients, 1)
		require.Contains(t, told[0].Recipients, event.KeyOf(li.Email))
		require.Contains(t, told[0].First[event.MarkOpened], event.KeyOf(li.Email))
	}
	told := tell([]string{"u_ana"}, nil)
	require.Len(t, told, 1, "what moved is not known")
	require.Empty(t, told[0].First)
	require.Contains(t, told[0].Recipients, event.KeyOf(jo.Email))
	require.Len(t, tell([]string{"u_ana", "u_ben"}, moved)[0].Recipients, 2)
	require.Len(t, tell(nil, moved)[0].Recipients, 2)
}
