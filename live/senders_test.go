package live

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/query"
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

// Events, corrections and states that one entry has are delivered as those of an entry each,
// but for their positions.
func TestSeveralEventsInOneEntryAreDeliveredAsAlone(t *testing.T) {
	hub := NewHub(Config{Render: func(a event.Announcement) ([]byte, error) { return json.Marshal(a) }})
	var all []event.Announcement
	for i := range 40 {
		e := event.Event{ID: event.ID{15: byte(i)}, Workspace: "w", Type: []event.Type{event.Open, event.Click, event.Send}[i%3], User: []string{"u_ana", "u_ben"}[i%2], Message: fmt.Sprint("m", i/4)}
		a := event.Announcement{Kind: event.AnnounceEvent, Workspace: "w", User: e.User, Event: &e}
		switch i % 7 {
		case 3:
			a.Kind = event.AnnounceChanged
		case 4:
			a = event.Announcement{Kind: event.AnnounceState, Workspace: "w", User: e.User, State: &event.State{MessageKey: keyOf(&a), Sent: true}}
		case 5:
			a = event.Announcement{Kind: event.AnnounceGone, Workspace: "w", User: e.User, Gone: &e.ID}
		}
		all = append(all, a)
	}
	read := func(users []string, entries ...event.Announcement) (out []Delivery, shows []Delivery) {
		reader := newReader(hub, "w", users)
		reader.hub.ring = newRing(hub.config, 4)
		reader.attach(hub.ring.history("w"))
		for i, a := range entries {
			item := &entry{Entry: entryOf(uint64(5+i), hub.config.Clock(), a)}
			hub.ring.add(item)
		}
		_, err := reader.Subscribe("opens", query.Query{Where: query.Keyword{Field: query.FieldType, Values: []string{"open"}}}, Position{Sequence: 4}.String())
		require.NoError(t, err)
		_, err = reader.Subscribe("all", query.Query{}, Position{Sequence: 4}.String())
		require.NoError(t, err)
		for {
			more, err := reader.Next(t.Context())
			require.NoError(t, err)
			if len(more) == 0 {
				break
			}
			require.Equal(t, uint64(5+len(entries)-1), hub.ring.last)
			out = append(out, more...)
		}
		shows, err = reader.Shows([]string{"m1", "m6"}, Position{Sequence: 4}.String())
		require.NoError(t, err)
		return out, shows
	}
	for _, users := range [][]string{nil, {"u_ana"}} {
		alone, shownAlone := read(users, all...)
		several, shownSeveral := read(users, event.Announcement{Kind: event.AnnounceSeveral, Workspace: "w", Each: all[:25]},
			event.Announcement{Kind: event.AnnounceSeveral, Workspace: "w", Each: all[25:]})
		require.NotEmpty(t, alone)
		require.NotEmpty(t, shownAlone)
		require.Len(t, several, len(alone))
		last := uint64(0)
		for i, d := range several {
			require.GreaterOrEqual(t, d.At.Sequence, last)
			last, d.At = d.At.Sequence, alone[i].At
			require.Equal(t, alone[i], d)
		}
		require.Equal(t, uint64(6), last, "who has all resumes behind all")
		for i, d := range shownSeveral {
			d.At = shownAlone[i].At
			require.Equal(t, shownAlone[i], d)
		}
		require.Len(t, shownSeveral, len(shownAlone))
	}
}
