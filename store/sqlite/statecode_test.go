package sqlite

import (
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
		for range rapid.IntRange(0, 3).Draw(t, "early") {
			s.Early = append(s.Early, event.NewID(1, "w", "s", true, rapid.SliceOf(rapid.Byte()).Draw(t, "key")))
		}
		return s
	})
}

func TestStateCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genState().Draw(t, "state")
		s.MessageKey = event.MessageKey{Workspace: "w", Message: "m"}
		raw := encodeState(s)
		decoded, err := decodeState(s.MessageKey, raw)
		require.NoError(t, err)
		require.Equal(t, s, decoded)
		require.Equal(t, raw, encodeState(decoded))
		for end := range raw {
			_, err := decodeState(s.MessageKey, raw[:end])
			require.Error(t, err, "cut at %d", end)
		}
	})
}

func FuzzDecodeState(f *testing.F) {
	person := event.Person{Email: "a@x.example", Name: "A"}
	s := event.State{
		Sent: true, User: "u", Subject: "s", At: 1_800_000_000, Version: 3,
		Recipients: map[event.RecipientKey]event.Person{event.KeyOf(person.Email): person},
		First:      map[event.Mark]map[event.RecipientKey]int64{event.MarkOpened: {event.KeyOf(person.Email): 1_800_000_060}},
		Early:      []event.ID{event.NewID(1, "w", "s", true, nil)},
	}
	f.Add(encodeState(s))
	f.Add(encodeState(event.State{}))
	f.Add([]byte{stateFormat, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
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
