package sqlite

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

// genState makes states, with people who are named by other keys than their
// addresses', marks of people who are no recipients, and times let go.
func genState() *rapid.Generator[event.State] {
	address := rapid.SampledFrom([]string{"a@x.example", "b@x.example", "ü@x.example", ""})
	key := rapid.Map(address, event.KeyOf)
	return rapid.Custom(func(t *rapid.T) event.State {
		s := event.State{
			Sent: rapid.Bool().Draw(t, "sent"), Done: rapid.Bool().Draw(t, "done"),
			User: rapid.String().Draw(t, "user"), Subject: rapid.String().Draw(t, "subject"),
			At: rapid.Int64().Draw(t, "at"), Version: rapid.Int64().Draw(t, "version"), Expire: rapid.Int64().Draw(t, "expire"),
		}
		switch rapid.IntRange(0, 3).Draw(t, "names") {
		case 0:
			s.To = "another"
		case 1:
			s.Aliases = []string{"a", "b@c"}
		}
		people := rapid.MapOfN(key, rapid.Custom(func(t *rapid.T) event.Person {
			return event.Person{Email: address.Draw(t, "email"), Name: rapid.String().Draw(t, "name")}
		}), 0, 3).Draw(t, "people")
		if len(people) > 0 {
			s.Recipients = people
		}
		firsts := rapid.MapOfN(key, rapid.OneOf(rapid.Just(int64(0)), rapid.Int64()), 1, 3)
		first := rapid.MapOfN(rapid.SampledFrom([]event.Mark{event.MarkOpened, event.MarkClicked, "z"}), firsts, 0, 3).Draw(t, "first")
		if len(first) > 0 {
			s.First = first
		}
		id := rapid.Map(rapid.SliceOf(rapid.Byte()), func(key []byte) event.ID { return event.NewID(1, "w", "s", true, key) })
		for range rapid.IntRange(0, 3).Draw(t, "pending") {
			s.Pending = append(s.Pending, id.Draw(t, "id"))
		}
		click := rapid.Custom(func(t *rapid.T) event.Clicked {
			return event.Clicked{ID: id.Draw(t, "click"), Link: rapid.Uint32().Draw(t, "link")}
		})
		if clicks := rapid.MapOfN(key, rapid.SliceOfN(click, 1, 3), 0, 2).Draw(t, "clicks"); len(clicks) > 0 {
			s.Clicks = clicks
		}
		override := rapid.Custom(func(t *rapid.T) event.Override {
			return event.Override{Is: event.Human, Reason: rapid.String().Draw(t, "reason"), User: rapid.String().Draw(t, "by")}
		})
		if overrides := rapid.MapOfN(key, rapid.MapOfN(id, override, 1, 2), 0, 2).Draw(t, "overridden"); len(overrides) > 0 {
			s.Overrides = overrides
		}
		genSenders(t, key, &s)
		return s
	})
}

// genSenders lets several users have sent some of the states.
func genSenders(t *rapid.T, key *rapid.Generator[event.RecipientKey], s *event.State) {
	part := rapid.Custom(func(t *rapid.T) event.Part {
		return event.Part{Subject: rapid.String().Draw(t, "its subject"), At: rapid.Int64().Draw(t, "its time"), Version: rapid.Int64().Draw(t, "its version")}
	})
	parts := rapid.MapOfN(rapid.SampledFrom([]string{"", "u_1", "u_2", "u_3"}), part, 0, 3).Draw(t, "parts")
	if len(parts) < 2 {
		return
	}
	s.Parts = parts
	users := rapid.SliceOfNDistinct(rapid.SampledFrom(slices.Sorted(maps.Keys(parts))), 0, 2, rapid.ID[string])
	if senders := rapid.MapOfN(key, users, 0, 2).Draw(t, "senders"); len(senders) > 0 {
		s.Senders = senders
	}
}

func FuzzDecodeState(f *testing.F) {
	person := event.Person{Email: "a@x.example", Name: "A"}
	s := event.State{
		Sent: true, User: "u", Subject: "s", At: 1_800_000_000, Version: 3,
		Recipients: map[event.RecipientKey]event.Person{event.KeyOf(person.Email): person},
		First:      map[event.Mark]map[event.RecipientKey]int64{event.MarkOpened: {event.KeyOf(person.Email): 1_800_000_060}},
		Pending:    []event.ID{event.NewID(1, "w", "s", true, nil)},
	}
	f.Add(encodeState(s))
	s.Clicks = map[event.RecipientKey][]event.Clicked{event.KeyOf(person.Email): {{ID: s.Pending[0], Link: 7}}}
	s.Overrides = map[event.RecipientKey]map[event.ID]event.Override{"somebody else": {s.Pending[0]: {Is: event.Human, Reason: "me"}}}
	f.Add(encodeState(s))
	s.Parts = map[string]event.Part{"u": {Subject: "s", At: 1_800_000_000, Version: 1}, "v": {At: 1_800_000_001}}
	s.Senders = map[event.RecipientKey][]string{event.KeyOf(person.Email): {"u", "v"}, "somebody else": {}}
	f.Add(encodeState(s))
	f.Add(encodeState(event.State{}))
	f.Add([]byte{statePlain, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		decoded, err := decodeState(event.MessageKey{}, raw)
		if err != nil {
			require.ErrorIs(t, err, errState)
			return
		}
		again, err := decodeState(event.MessageKey{}, encodeState(decoded))
		require.NoError(t, err)
		require.Equal(t, decoded, again)
	})
}
