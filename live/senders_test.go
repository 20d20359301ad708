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

// Of several that one entry is for, each hears their own, and who resumes from any but the
// last hears the rest again.
func TestSeveralInOneEntryAreHeardByThemselves(t *testing.T) {
	rendered := 0
	hub := NewHub(Config{Render: func(a event.Announcement) ([]byte, error) {
		rendered++
		return a.Note, nil
	}})
	told := func(to, note string) event.Announcement {
		return event.Announcement{Kind: event.AnnounceNotification, Workspace: "w", To: to, Note: []byte(note), Trace: note}
	}
	said := event.Announcement{Kind: event.AnnounceSeveral, Workspace: "w", Each: []event.Announcement{
		told("ana", `{"n":1}`), told("ben", `{"n":2}`), told("ana", `{"n":3}`), told("cy", `{"n":4}`),
	}}
	item := &entry{Entry: entryOf(7, hub.config.Clock(), said)}
	item.views.Store(hub.viewsOf(item))
	hear := func(to string) (notes []string, at []uint64) {
		reader := newReader(hub, "w", []string{to})
		reader.at = Position{Sequence: 5}
		reader.subscriptions = []*subscription{{id: "n", to: to}, {id: "feed"}}
		for _, d := range reader.deliver(t.Context(), nil, item, 0) {
			require.Equal(t, "n", d.Subscription)
			require.Equal(t, event.AnnounceNotification, d.Kind)
			require.Equal(t, string(d.Body), d.Trace)
			notes, at = append(notes, string(d.Body)), append(at, d.At.Sequence)
		}
		return notes, at
	}
	for range 2 {
		notes, at := hear("ana")
		require.Equal(t, []string{`{"n":1}`, `{"n":3}`}, notes)
		require.Equal(t, []uint64{5, 7}, at)
	}
	notes, at := hear("ben")
	require.Equal(t, []string{`{"n":2}`}, notes)
	require.Equal(t, []uint64{7}, at)
	notes, _ = hear("dan")
	require.Empty(t, notes)
	require.Equal(t, 3, rendered, "each at most once, and only for who listens")
}
