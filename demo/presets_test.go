package demo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/demo"
	"tidings/event"
	"tidings/notify"
)

// A week of the demo under each preset: how many notifications a person gets in a day,
// and that no reply, answer to an invitation or bounce of their own mail is missed.
func TestPresetsMissNothingImportant(t *testing.T) {
	now := time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)
	office := demo.New(1, now)
	var events []event.Event
	owners := make(map[string]string) // by message
	for input := range office.History(now.AddDate(0, 0, -28), now) {
		e, err := input.Event("w", "demo", event.Limits{Now: now})
		require.NoError(t, err)
		if e.Type == event.Send {
			owners[e.Message] = e.User
		}
		if e.User == "" {
			e.User = owners[e.Message]
		}
		if e.At().After(now.AddDate(0, 0, -7)) && e.User != "" {
			events = append(events, e)
		}
	}
	require.NotEmpty(t, events)
	users := make(map[string]bool)
	for _, e := range events {
		users[e.User] = true
	}
	before := 0.0
	for _, preset := range []string{notify.PresetQuiet, notify.PresetNormal, notify.PresetAll} {
		told := 0
		for user := range users {
			var own []event.Event
			for _, e := range events {
				if e.User == user {
					own = append(own, e)
				}
			}
			decided, err := notify.Rehearse(notify.Rehearsal{User: user, Settings: notify.Settings{Preset: preset}}, own)
			require.NoError(t, err)
			for _, d := range decided {
				if d.Tells() {
					told++
				}
				important := d.Kind == "reply" || d.Kind == "meeting" || d.Kind == "bounce"
				require.True(t, !important || d.Tells(), "%s: %+v", preset, d)
			}
		}
		perDay := float64(told) / float64(len(users)) / 7
		t.Logf("%s: %.1f notifications a person a day", preset, perDay)
		require.GreaterOrEqual(t, perDay, before)
		before = perDay
	}
	require.Less(t, before, 200.0)
}
