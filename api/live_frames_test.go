package api

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/live"
)

func FuzzParseFrame(f *testing.F) {
	for _, seed := range []string{
		`{"op":"subscribe","id":"a","q":"opens from acme","since":"AQAAAAAAAAABb25l","tz":"Europe/Berlin"}`,
		`{"op":"subscribe","id":"a","filters":{"type":["open"],"user":["ana"],"recipient":[],"message":["m"],"automated":"hide"}}`,
		`{"op":"unsubscribe","id":"a"}`, `{"op":"unsubscribe","id":"a","q":"x"}`, `{"op":"subscribe","id":"\ud83d\ude00\u2028"}`,
		`{"op":"subscribe","id":"a","id":"b"}`, `{"op":7}`, `[]`, `null`, ``, `{`, "{\"id\":\"\xff\"}", `{"filters":null,"op":"subscribe","id":"a"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		frame, refused := parseFrame(raw)
		session := &liveSession{}
		answer := session.refused(frame.ID, problem(400, "x"))
		if refused != nil {
			require.Equal(t, 422, refused.Status)
			require.NotEmpty(t, refused.Detail)
			answer = session.refused(frame.ID, refused)
		} else {
			require.NotEmpty(t, frame.ID)
			require.Contains(t, []string{opSubscribe, opUnsubscribe}, frame.Op)
			require.LessOrEqual(t, len(frame.Q), maxLiveText)
			frame.Filters.filter()
		}
		// Whatever came in, what goes out is JSON and names the same id.
		var back struct{ Op, ID string }
		require.NoError(t, json.Unmarshal(answer, &back), "%s", answer)
		require.Equal(t, frame.ID, back.ID)
	})
}

func TestDeliveriesAreFrames(t *testing.T) {
	at := live.Position{Incarnation: "one", Sequence: 7}
	id := event.NewID(1, "w", "api", true, []byte("x"))
	quoted := at.String()
	cases := []struct {
		name       string
		delivery   live.Delivery
		highlights map[string][][2]int
		want       string
	}{
		{
			"event",
			live.Delivery{Kind: event.AnnounceEvent, Subscription: `a"<`, At: at, Body: []byte(`{"id":"x"}`)},
			nil,
			`{"op":"event","id":"a\"<","item":{"id":"x"},"at":"` + quoted + `"}`,
		},
		{
			"event with highlights",
			live.Delivery{Kind: event.AnnounceEvent, Subscription: "a", At: at, Body: []byte(`{"id":"x"}`)},
			map[string][][2]int{"subject": {{0, 7}}, "body": {{1, 2}, {3, 4}}},
			`{"op":"event","id":"a","item":{"id":"x","highlights":{"body":[[1,2],[3,4]],"subject":[[0,7]]}},"at":"` + quoted + `"}`,
		},
		{
			"state",
			live.Delivery{Kind: event.AnnounceState, At: at, Body: []byte(`{"message":"m","v":7}`)},
			nil,
			`{"op":"state","message":"m","v":7,"at":"` + quoted + `"}`,
		},
		{
			"changed",
			live.Delivery{Kind: event.AnnounceChanged, Subscription: "a", At: at, Body: []byte(`{"id":"x"}`)},
			nil,
			`{"op":"changed","id":"a","item":{"id":"x"},"at":"` + quoted + `"}`,
		},
		{
			"gone",
			live.Delivery{Kind: event.AnnounceGone, At: at, Gone: id},
			nil,
			`{"op":"gone","item":"` + id.String() + `","at":"` + quoted + `"}`,
		},
		{
			"gone from one",
			live.Delivery{Kind: event.AnnounceGone, Subscription: "a", At: at, Gone: id},
			nil,
			`{"op":"gone","id":"a","item":"` + id.String() + `","at":"` + quoted + `"}`,
		},
		{
			"reset",
			live.Delivery{Kind: live.KindReset, Subscription: "a"},
			nil,
			`{"op":"reset","id":"a","reason":"position_expired"}`,
		},
	}
	for _, tc := range cases {
		frame, err := appendDelivery(nil, tc.delivery, tc.highlights)
		require.NoError(t, err)
		require.Equal(t, tc.want, string(frame), tc.name)
	}
}
