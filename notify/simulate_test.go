package notify_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/notify"
)

// A simulation with the settings that were in force is what the log has: the same events
// are told, whatever the settings, mutes and rules.
func TestASimulationIsTheLog(t *testing.T) {
	o := newOffice(t)
	week := 0
	rapid.Check(t, func(rt *rapid.T) {
		week++
		user := fmt.Sprintf("u_%d", week)
		message := func(i int) string { return fmt.Sprintf("m_%d_%d", week, i) }
		settings := notify.Settings{Preset: rapid.SampledFrom([]string{"", "quiet", "normal", "all"}).Draw(rt, "preset")}
		if rapid.Bool().Draw(rt, "muted") {
			settings.Mutes = []notify.Mute{{What: notify.MuteMessage, ID: message(0)}}
		}
		if often := rapid.SampledFrom([]notify.Often{"", notify.Every, notify.FirstPerMessage, notify.FirstPerDomain}).Draw(rt, "opens"); often != "" {
			settings.Cells = notify.Cells{notify.Mine: {"open": {Often: often, Channels: []notify.Channel{notify.InPage}}}}
		}
		_, err := o.books.ChangeSettings(context.Background(), "w", user, func(s *notify.Settings) error {
			*s = settings
			return nil
		})
		require.NoError(rt, err)
		o.events = nil
		begin := o.now
		for i := range rapid.IntRange(1, 12).Draw(rt, "events") {
			o.pass(time.Duration(rapid.IntRange(1, 600).Draw(rt, "minutes")) * time.Minute)
			e := o.open(0, rapid.SampledFrom([]string{event.Human, event.Machine}).Draw(rt, "by"))
			e.User, e.Message = user, message(rapid.IntRange(0, 2).Draw(rt, "message"))
			e.Type = rapid.SampledFrom([]event.Type{event.Open, event.Reply, event.Click, event.Bounce}).Draw(rt, "type")
			e.Recipient = &event.Person{Email: rapid.SampledFrom([]string{"lee@dox.test", "max@dox.test"}).Draw(rt, "person")}
			e.ID = event.NewID(e.Time, "w", "test", true, fmt.Appendf(nil, "%s-%d", user, i))
			o.events[len(o.events)-1] = e
			o.handle(event.AnnounceEvent, e)
		}
		decided, err := notify.Rehearse(notify.Rehearsal{User: user, Settings: settings}, o.events)
		require.NoError(rt, err)
		for i, d := range decided {
			require.Equal(rt, o.log(user, o.events[i]).Tells(), d.Tells(), "%d: %+v", i, d)
		}
		s, err := o.engine.Simulate(context.Background(), "w", user, settings, begin)
		require.NoError(rt, err)
		require.Equal(rt, s.Now, s.Then)
		require.Empty(rt, s.Gained)
		require.Empty(rt, s.Lost)
		o.pass(time.Hour)
	})
}
