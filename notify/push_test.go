package notify

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// Devices are told where there are some; a digest does not hold them, quiet hours do.
func TestDevicesAreToldAtOnceBesideADigest(t *testing.T) {
	now := time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)
	e := event.Event{
		ID: event.NewID(now.Unix(), "w", "test", true, []byte("e")), Workspace: "w", Type: event.Reply, Time: now.Unix(), Message: "m", User: "u_ana",
		Recipient: &event.Person{Email: "jo@dox.test"},
	}
	trigger, ok := event.TriggerOf(event.Announcement{Kind: event.AnnounceEvent, Event: &e})
	require.True(t, ok)
	given := Context{User: "u_ana", Visible: true, Scope: Mine, Fresh: Fresh}
	d := Decide(trigger, Settings{}, given, now)
	require.Equal(t, []Channel{InPage, Desktop}, d.Channels, "there is no device")
	require.False(t, d.Leaves())

	given.Devices = true
	d = Decide(trigger, Settings{}, given, now)
	require.Equal(t, []Channel{InPage, Desktop, Push}, d.Channels)
	require.True(t, d.alone())
	require.Equal(t, "Told in the page, on the desktop, on your devices.", d.Checks[len(d.Checks)-1].Found)

	both := Cells{Mine: {"reply": {Often: Every, Channels: []Channel{InPage, Push, Mail}}}}
	daily := Settings{Cells: both, Digest: &Digest{Daily: "20:00"}}
	d = Decide(trigger, daily, given, now)
	require.Equal(t, now.Add(8*time.Hour).Unix(), d.Window)
	require.Zero(t, d.PushWindow)
	require.True(t, d.alone(), "it counts among what leaves within this hour")
	given.Left = mostLeaving
	require.Equal(t, now.Add(time.Hour).Unix(), Decide(trigger, daily, given, now).PushWindow, "the rest of the hour goes together")

	given.Left = 0
	quiet := daily
	quiet.Quiet = &Quiet{Days: map[time.Weekday][]Range{time.Monday: {{From: "11:00", Until: "13:00"}}}}
	d = Decide(trigger, quiet, given, now)
	require.Equal(t, now.Add(time.Hour).Unix(), d.PushWindow)
	require.Equal(t, Notified, d.Outcome, "the page shows it at once")
	quiet.Cells = Cells{Mine: {"reply": {Often: Every, Channels: []Channel{Push}}}}
	require.Equal(t, Held, Decide(trigger, quiet, given, now).Outcome)

	given.Devices = false
	d = Decide(trigger, quiet, given, now)
	require.Equal(t, []any{Not, CheckChannel, "You have no device that is told."}, []any{d.Outcome, d.Check, d.Found})
}
