package notify_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/notify"
)

// A provider delivers each event 46 times within 29 hours, in no order; an open turns out to
// be a machine's, and then a person's after all.
func TestEachTriggerComesFortySixTimesWithinTwentyNineHours(t *testing.T) {
	o := newOffice(t)
	older, newer := o.open(20, event.Human), o.open(10, event.Human)
	reply := o.open(5, event.Human)
	reply.Type = event.Reply
	o.events[2] = reply
	const times = 46
	r := rand.New(rand.NewPCG(1, 0x34366461))
	several := func(kind string, events ...event.Event) {
		var all []event.Event
		for _, e := range events {
			for range times {
				all = append(all, e)
			}
		}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, e := range all {
			o.handle(kind, e)
			o.pass(29 * time.Hour / times / 9)
		}
	}
	told := func() (told []event.ID) {
		for _, e := range []event.Event{older, newer} {
			if o.log("u_ana", e).Tells() {
				told = append(told, e.ID)
			}
		}
		return told
	}
	o.handle(event.AnnounceEvent, newer) // the older one comes after it
	several(event.AnnounceEvent, older, newer, reply)
	require.Equal(t, []event.ID{newer.ID}, told())
	require.Equal(t, newer.ID, o.log("u_ana", older).Other)
	require.Len(t, o.bell("u_ana"), 2)

	machine := newer
	machine.Verdict.Is = event.Machine
	o.events[1] = machine
	several(event.AnnounceChanged, machine)
	require.Equal(t, notify.Withdrawn, o.log("u_ana", newer).Outcome)
	require.Equal(t, []event.ID{older.ID}, told(), "the next by a person")

	o.events[1] = newer
	several(event.AnnounceChanged, newer)
	require.Equal(t, []event.ID{older.ID}, told(), "one is told, whatever comes again")
	page, _, err := o.store.Page(context.Background(), "w", notify.Filter{}, "", 100)
	require.NoError(t, err)
	require.Len(t, page, 3, "each is decided once")
}

// What one process changes, another decides by after a second, whoever is asked in
// whichever order; nobody ever goes back.
func TestNobodyDecidesBySettingsOfTwoSecondsAgo(t *testing.T) {
	o := newOffice(t)
	clock := func() time.Time { return o.now }
	rapid.Check(t, func(rt *rapid.T) {
		processes := []*notify.Books{notify.NewBooks(o.records, clock), notify.NewBooks(o.records, clock)}
		type commit struct {
			at  time.Time
			rev int64
		}
		before, err := processes[0].Settings(context.Background(), "w", "u_ana")
		require.NoError(rt, err)
		commits := []commit{{o.now.Add(-time.Hour), before.Rev}}
		seen := make([]int64, len(processes))
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			which := rapid.IntRange(0, 1).Draw(rt, "process")
			switch rapid.IntRange(0, 2).Draw(rt, "what") {
			case 0:
				s, err := processes[which].ChangeSettings(context.Background(), "w", "u_ana", func(s *notify.Settings) error {
					s.Preset = notify.PresetAll
					return nil
				})
				require.NoError(rt, err)
				commits = append(commits, commit{o.now, s.Rev})
			case 1:
				o.pass(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "ms")) * time.Millisecond)
			default:
				book, err := processes[which].Load(context.Background(), "w")
				require.NoError(rt, err)
				rev, must := book.Settings["u_ana"].Rev, int64(0)
				for _, c := range commits {
					if o.now.Sub(c.at) >= 2*time.Second {
						must = c.rev
					}
				}
				require.GreaterOrEqual(rt, rev, must)
				require.LessOrEqual(rt, rev, commits[len(commits)-1].rev)
				require.GreaterOrEqual(rt, rev, seen[which])
				seen[which] = rev
			}
		}
		o.pass(2 * time.Second)
		for _, process := range processes {
			book, err := process.Load(context.Background(), "w")
			require.NoError(rt, err)
			stored, err := process.Settings(context.Background(), "w", "u_ana")
			require.NoError(rt, err)
			require.Equal(rt, stored, book.Settings["u_ana"])
		}
	})
}
