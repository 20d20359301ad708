package forward_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/deliver"
	"tidings/event"
	"tidings/notify"
)

// windowDays is for how long replies come in before and after a change of the clock.
var windowDays = 4

// nightly are quiet hours of each day.
func nightly(from, until string) *notify.Quiet {
	q := &notify.Quiet{Days: make(map[time.Weekday][]notify.Range)}
	for day := time.Sunday; day <= time.Saturday; day++ {
		q.Days[day] = []notify.Range{{From: from, Until: until}}
	}
	return q
}

// person is somebody who is told of replies in a chat, by hours of their own.
type person struct {
	user string
	// zones are where they are, in turns of a day.
	zones  []string
	digest *notify.Digest
	from   time.Time
}

// change has a person's settings changed.
func (n *notifier) change(user string, change func(*notify.Settings)) {
	n.t.Helper()
	_, err := notify.NewBooks(n.states, n.clock).ChangeSettings(n.t.Context(), "w", user, func(s *notify.Settings) error {
		change(s)
		return nil
	})
	require.NoError(n.t, err)
	n.pass(3 * time.Second) // another process knows it after two
}

// lives has replies come in for a person, at random, over some days, and checks that
// nothing comes while it is quiet where they are.
func (n *notifier) lives(p person) {
	ctx := n.t.Context()
	_, err := n.directory.PutUser(ctx, "w", p.user, account.MemberRequest{Name: p.user, Emails: []string{p.user + "@acme.test"}})
	require.NoError(n.t, err)
	n.pass(p.from.Sub(n.clock()))
	n.change(p.user, func(s *notify.Settings) {
		s.Chat, s.Zone, s.Digest, s.Quiet = "now", p.zones[0], p.digest, nightly("18:30", "08:00")
		s.Cells = notify.Cells{notify.Mine: {"reply": {Often: notify.Every, Channels: []notify.Channel{notify.InPage, notify.Chat}}}}
	})
	r := rand.New(rand.NewPCG(uint64(p.from.Unix()), 1))
	zone, came := 0, 0
	for i := 0; n.clock().Before(p.from.AddDate(0, 0, windowDays)); i++ {
		if now := int(n.clock().Sub(p.from).Hours() / 24); now != zone {
			zone = now
			n.change(p.user, func(s *notify.Settings) { s.Zone = p.zones[zone%len(p.zones)] })
		}
		n.pass(time.Duration(r.IntN(120)) * time.Minute)
		for range r.IntN(3) {
			came++
			at := n.clock().Unix()
			e := event.Event{
				ID: event.NewID(at, "w", "test", true, fmt.Appendf(nil, "%s-%d", p.user, came)), Workspace: "w", Type: event.Reply, Time: at,
				Message: p.user + "-mail", User: p.user, Recipient: &event.Person{Email: "lee@dox.test"}, Source: "test", Verdict: event.Verdict{Is: event.Human},
			}
			n.events = append(n.events, e)
			require.NoError(n.t, n.engine.Handle(ctx, []event.Trigger{{Kind: event.AnnounceEvent, Event: e}}))
		}
		n.looks(p, p.zones[zone%len(p.zones)])
	}
	for range 3 * 24 {
		n.pass(time.Hour)
		n.looks(p, p.zones[zone%len(p.zones)])
	}
}

func (n *notifier) looks(p person, in string) {
	zone, err := time.LoadLocation(in)
	require.NoError(n.t, err)
	before := len(n.got)
	n.look()
	if now := n.clock().In(zone).Format("15:04"); now >= "18:30" || now < "08:00" {
		require.Len(n.t, n.got, before, "%s: something came at %s", p.user, now)
	}
}

// Over both changes of the clock, and for somebody who flies, a window of quiet hours or of a
// digest is one delivery that comes once and not while it is quiet; together they tell of
// all that was held, each once.
func TestWindowsOverTheChangesOfTheClock(t *testing.T) {
	n := newNotifier(t)
	n.mu.Lock()
	n.now = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	n.mu.Unlock()
	n.start()
	lisbon, newYork, lordHowe := "Europe/Lisbon", "America/New_York", "Australia/Lord_Howe"
	daily, hourly := &notify.Digest{Daily: "08:00"}, &notify.Digest{Every: "1h"}
	at := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 9, 0, 0, 0, time.UTC) }
	for _, p := range []person{
		{"new-york-in-spring", []string{newYork}, nil, at(3, 7)},
		{"lisbon-in-spring", []string{lisbon}, daily, at(3, 28)},
		{"lord-howe-in-autumn", []string{lordHowe}, hourly, at(4, 4)},
		{"flies", []string{lisbon, newYork, lordHowe, newYork}, nil, at(5, 6)},
		{"flies-with-a-digest", []string{newYork, lordHowe, lisbon}, daily, at(6, 3)},
		{"lord-howe-in-spring", []string{lordHowe}, daily, at(10, 3)},
		{"lisbon-in-autumn", []string{lisbon}, hourly, at(10, 24)},
		{"new-york-in-autumn", []string{newYork}, daily, at(10, 31)},
	} {
		t.Run(p.user, func(t *testing.T) {
			n.t = t
			n.events, n.got, n.lines = nil, make(map[string]int), make(map[string]int)
			n.lives(p)
			all, _ := n.decided(p.user + "-mail")
			require.Len(t, all, len(n.events))
			held, alone := make(map[int64]int), 0
			for after, more := "", true; more; {
				page, next, err := n.store.Page(t.Context(), "w", notify.Filter{User: p.user}, after, 100)
				require.NoError(t, err)
				for _, d := range page {
					require.True(t, d.Tells())
					if d.Window == 0 {
						alone++
					} else {
						held[d.Window]++
					}
				}
				after, more = next, next != ""
			}
			require.NotEmpty(t, held)
			for after, more := "", true; more; {
				page, next, err := n.outbox.List(t.Context(), "w", deliver.Filter{}, after, 100)
				require.NoError(t, err)
				for _, d := range page {
					if d.For != p.user {
						continue
					}
					require.Equal(t, deliver.Sent, d.State)
					require.Equal(t, 1, n.got[d.WebhookID()[len("msg_"):]])
					if d.Window == 0 {
						alone--
						continue
					}
					require.Equal(t, held[d.Window], n.lines[d.ID], "it tells of what was held")
					delete(held, d.Window)
				}
				after, more = next, next != ""
			}
			require.Empty(t, held, "each window is one delivery")
			require.Zero(t, alone)
		})
	}
}

// What is held until the morning of a zone that its person has left waits for the morning
// where they are; what a VIP did does not.
func TestWhatIsHeldWaitsForTheHoursOfToday(t *testing.T) {
	n := newNoted(t)
	change := func(zone string, vips ...string) {
		_, err := n.Books.ChangeSettings(t.Context(), "w", "u_ana", func(s *notify.Settings) error {
			s.Zone, s.Quiet, s.VIPs = zone, nightly("18:30", "08:00"), vips
			return nil
		})
		require.NoError(t, err)
	}
	change("Europe/Lisbon")
	n.now = time.Date(2026, 11, 18, 23, 0, 0, 0, time.UTC)
	morning := time.Date(2026, 11, 19, 8, 0, 0, 0, time.UTC)
	n.tell(t, "one", morning)
	window := n.kept(t)[0]
	later := func(at time.Time) time.Time {
		n.now = at
		content, why, err := n.Content(t.Context(), window)
		require.NoError(t, err)
		require.Empty(t, why)
		require.Equal(t, "One notification", content.Sentence)
		return content.Later.UTC()
	}
	require.Zero(t, later(morning))
	change("America/New_York")
	there := morning.Add(5 * time.Hour)
	require.Equal(t, there, later(morning))
	require.Zero(t, later(there))
	change("America/New_York", "dox.test")
	require.Zero(t, later(morning))
}
