package bench

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// TestAStormLeavesOneDocumentEach is the bounded form of bench storm: each
// event 46 times, shuffled.
func TestAStormLeavesOneDocumentEach(t *testing.T) {
	var out bytes.Buffer
	storm := Storm{Data: filepath.Join(t.TempDir(), "storm"), Seed: 7, Events: 40, Times: 46, Senders: 3, Batch: 50}
	require.NoError(t, storm.Run(t.Context(), Env{Out: &out, Log: slog.New(slog.DiscardHandler)}))
	require.Contains(t, out.String(), "46 times, shuffled) | 1840:")
	require.Regexp(t, `must be 0.50 or more\) \| \d+\.\d\d \|`, out.String())
	require.Contains(t, out.String(), "one document each")
}

// The check itself must be able to fail.
func TestTheModelOfAStormToldFromOtherStates(t *testing.T) {
	storm := newStorm(len(stormKinds), time.Now().Unix())
	require.Len(t, storm.messages, 1)
	message := storm.messages["m-0"]
	require.ErrorContains(t, message.compare(event.State{}), "recipient")

	one, two := event.KeyOf("p0-0@acme.example"), event.KeyOf("p1-0@acme.example")
	state := event.State{
		Recipients: map[event.RecipientKey]event.Person{one: {}, two: {}},
		First:      map[event.Mark]map[event.RecipientKey]int64{},
	}
	require.ErrorContains(t, message.compare(state), "not map")
	state.First[event.MarkMachineOpened] = map[event.RecipientKey]int64{one: message.first["open"][one]}
	state.First[event.MarkDelivered] = message.first["delivered"]
	state.First[event.MarkBounced] = message.first["bounce"]
	require.ErrorContains(t, message.compare(state), "0 clicks, not 2")
	state.Clicks = map[event.RecipientKey][]event.Clicked{one: make([]event.Clicked, 2)}
	require.NoError(t, message.compare(state))
	state.Recipients[event.KeyOf("someone@else.example")] = event.Person{}
	require.ErrorContains(t, message.compare(state), "3 recipients")
}
