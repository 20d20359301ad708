package forward_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/account"
	"tidings/deliver"
	"tidings/deliver/forward"
	"tidings/event"
	"tidings/notify"
)

// noted is what notifications are delivered from, with events in memory.
type noted struct {
	*forward.Notes
	decisions notify.Store
	outbox    deliver.Outbox
	events    []event.Event
	now       time.Time
}

func (n *noted) Get(_ context.Context, _ string, ids []event.ID) (found []event.Event, _ error) {
	for _, e := range n.events {
		for _, id := range ids {
			if e.ID == id {
				found = append(found, e)
			}
		}
	}
	return found, nil
}

func newNoted(t *testing.T) *noted {
	t.Helper()
	states, decisions, outbox := openStores(t)
	n := &noted{decisions: decisions, outbox: outbox, now: time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return n.now }
	directory := account.NewDirectory(states, clock)
	_, err := directory.PutUser(t.Context(), "w", "u_ana", account.MemberRequest{Name: "Ana", Emails: []string{"ana@acme.test"}})
	require.NoError(t, err)
	n.Notes = &forward.Notes{
		Settle:    forward.Settle,
		Decisions: decisions, Books: notify.NewBooks(states, clock), People: directory, Events: n, Names: directory, Outbox: outbox, Clock: clock,
	}
	return n
}

// tell decides that Ana is told of an open by mail, now or at the end of a window.
func (n *noted) tell(t *testing.T, id string, window time.Time) notify.Decision {
	t.Helper()
	e := event.Event{
		ID: event.NewID(n.now.Unix(), "w", "test", true, []byte(id)), Workspace: "w", Type: event.Open, Time: n.now.Unix(), Message: "m", User: "u_ana",
		Subject: id, Recipient: &event.Person{Email: "lee@dox.test", Name: "Lee"},
	}
	n.events = append(n.events, e)
	d := notify.Decision{
		ID: id, Workspace: "w", User: "u_ana", Event: e.ID, Kind: "open", Outcome: notify.Notified, Reasons: []notify.Reason{notify.ReasonYours},
		Channels: []notify.Channel{notify.InPage, notify.Mail}, At: n.now.UnixMilli(), Found: "You are told.", Version: 1,
	}
	if !window.IsZero() {
		d.Window = window.Unix()
	}
	require.NoError(t, n.decisions.Add(t.Context(), []notify.Decision{d}))
	for range 2 {
		require.NoError(t, n.Deliver(t.Context(), []notify.Decision{d}))
	}
	return d
}

func (n *noted) kept(t *testing.T) []deliver.Delivery {
	t.Helper()
	list, _, err := n.outbox.List(t.Context(), "w", deliver.Filter{}, "", 100)
	require.NoError(t, err)
	return list
}

func TestANotificationLeavesByMailOnce(t *testing.T) {
	n := newNoted(t)
	d := n.tell(t, "one", time.Time{})
	kept := n.kept(t)
	require.Len(t, kept, 1)
	require.Equal(t, deliver.MailOf("u_ana"), kept[0].Endpoint)
	require.Equal(t, n.now.Add(20*time.Second).UnixMilli(), kept[0].Due, "scanners are found out in that time")
	content, why, err := n.Content(t.Context(), kept[0])
	require.NoError(t, err)
	require.Empty(t, why)
	require.Equal(t, "Lee opened “one”", content.Sentence)

	d.Outcome, d.Version = notify.Withdrawn, 2
	done, err := n.decisions.Replace(t.Context(), d)
	require.NoError(t, err)
	require.True(t, done)
	_, why, err = n.Content(t.Context(), kept[0])
	require.NoError(t, err)
	require.NotEmpty(t, why)
	require.NoError(t, n.Cancel(t.Context(), d))
	require.Equal(t, deliver.Cancelled, n.kept(t)[0].State)
}

// What is held for one window is one delivery, of what was not seen in the page and not
// withdrawn meanwhile.
func TestAWindowIsOneDelivery(t *testing.T) {
	n := newNoted(t)
	morning := time.Date(2026, 11, 19, 8, 0, 0, 0, time.UTC)
	n.tell(t, "seen", morning)
	for _, id := range []string{"one", "two"} {
		n.now = n.now.Add(time.Minute)
		n.tell(t, id, morning)
	}
	n.tell(t, "other", morning.AddDate(0, 0, 1))
	require.NoError(t, n.decisions.Read(t.Context(), "w", "u_ana", []string{"seen"}))
	kept := n.kept(t)
	require.Len(t, kept, 2)
	var window deliver.Delivery
	for _, one := range kept {
		if one.Window == morning.Unix() {
			window = one
		}
	}
	require.Equal(t, morning.UnixMilli(), window.Due)
	content, why, err := n.Content(t.Context(), window)
	require.NoError(t, err)
	require.Empty(t, why)
	require.Equal(t, "2 notifications", content.Sentence)
	require.Equal(t, []string{"Lee opened “one”", "Lee opened “two”"}, content.Lines)

	n.events = nil // erased
	_, why, err = n.Content(t.Context(), window)
	require.NoError(t, err)
	require.NotEmpty(t, why)
}

// What was muted while it was held is not told, unless the workspace locks its kind.
func TestADigestLeavesOutWhatWasMutedMeanwhile(t *testing.T) {
	n := newNoted(t)
	morning := time.Date(2026, 11, 19, 8, 0, 0, 0, time.UTC)
	n.tell(t, "one", morning)
	n.tell(t, "two", morning)
	n.events[1].Message, n.events[1].Recipient = "other", &event.Person{Email: "kim@dox.test", Name: "Kim"}
	window := n.kept(t)[0]
	mute := func(mutes ...notify.Mute) (lines []string, why string) {
		t.Helper()
		_, err := n.Books.ChangeSettings(t.Context(), "w", "u_ana", func(s *notify.Settings) error {
			s.Mutes = mutes
			return nil
		})
		require.NoError(t, err)
		content, why, err := n.Content(t.Context(), window)
		require.NoError(t, err)
		return content.Lines, why
	}
	for _, m := range []notify.Mute{{What: notify.MuteMessage, ID: "m"}, {What: notify.MutePerson, ID: "lee@dox.test"}} {
		lines, _ := mute(m)
		require.Equal(t, []string{"Kim opened “two”"}, lines, m.What)
	}
	lines, _ := mute(notify.Mute{What: notify.MuteAll, Until: n.now.Unix()})
	require.Len(t, lines, 2, "it has ended")
	for _, m := range []notify.Mute{{What: notify.MuteDomain, ID: "dox.test"}, {What: notify.MuteKind, ID: "open"}, {What: notify.MuteAll}} {
		lines, why := mute(m)
		require.Empty(t, lines, m.What)
		require.NotEmpty(t, why, m.What)
	}
	_, err := n.Books.ChangeDefaults(t.Context(), "w", func(d *notify.Defaults) error {
		d.Lock([]notify.Kind{"open"}, "u_admin")
		return nil
	})
	require.NoError(t, err)
	lines, _ = mute(notify.Mute{What: notify.MuteAll})
	require.Len(t, lines, 2, "the workspace locks opens")
}

// A window that held very much is told of by its newest.
func TestADigestLooksAtABoundedNumber(t *testing.T) {
	n := newNoted(t)
	window := n.now.Add(time.Hour)
	d := n.tell(t, "one", window)
	var more []notify.Decision
	for i := range 1200 {
		d.ID, d.At = fmt.Sprint("d", i), n.now.UnixMilli()
		more = append(more, d)
	}
	require.NoError(t, n.decisions.Add(t.Context(), more))
	content, why, err := n.Content(t.Context(), n.kept(t)[0])
	require.NoError(t, err)
	require.Empty(t, why)
	require.Equal(t, "The newest 1000 notifications", content.Sentence)
	require.Len(t, content.Lines, 51)
	require.Equal(t, "and 950 more", content.Lines[50])
}

// Who unsubscribed gets no more mails of the kind, also those that waited, and neither
// another kind nor the page is less for it.
func TestWhoUnsubscribedGetsNoMail(t *testing.T) {
	n := newNoted(t)
	n.Unsubscribe = func(_ context.Context, workspace, user string, kind notify.Kind) (string, error) {
		return "https://t.example/t/n/" + workspace + "-" + user + "-" + string(kind), nil
	}
	stop := func(kind notify.Kind, stop bool) {
		_, err := n.Books.ChangeSettings(t.Context(), "w", "u_ana", func(s *notify.Settings) error {
			s.Stop(kind, stop)
			return nil
		})
		require.NoError(t, err)
	}
	n.tell(t, "one", time.Time{})
	waiting := n.kept(t)[0]
	content, _, err := n.Content(t.Context(), waiting)
	require.NoError(t, err)
	require.Equal(t, "https://t.example/t/n/w-u_ana-open", content.Unsubscribe)

	stop("click", true)
	_, why, err := n.Content(t.Context(), waiting)
	require.NoError(t, err)
	require.Empty(t, why, "of another kind")
	stop("open", true)
	_, why, err = n.Content(t.Context(), waiting)
	require.NoError(t, err)
	require.Equal(t, "they unsubscribed from mails of this kind", why)
	stop("open", false)

	morning := n.now.Add(12 * time.Hour)
	n.tell(t, "two", morning)
	digest := n.kept(t)
	require.Len(t, digest, 2)
	for _, d := range digest {
		if d.Window == 0 {
			continue
		}
		content, _, err = n.Content(t.Context(), d)
		require.NoError(t, err)
		require.Equal(t, "https://t.example/t/n/w-u_ana-digest", content.Unsubscribe)
	}
	stop(notify.KindDigest, true)
	n.tell(t, "three", morning.AddDate(0, 0, 1))
	require.Len(t, n.kept(t), 2, "no digest is made any more")
	n.tell(t, "four", time.Time{})
	require.Len(t, n.kept(t), 3, "what goes by itself does")
}

func TestFiguresOfTheWeekLeadToTheirStatistics(t *testing.T) {
	n := newNoted(t)
	n.Page = "https://tidings.example"
	_, err := n.Books.PutRule(t.Context(), "w", notify.Rule{Name: "Sales & co", Owner: "u_ana", Ask: notify.Ask{
		On: notify.OnReport, Q: "from:me pricing", Weekly: &notify.Weekly{Day: time.Monday, Time: "08:00"}, Enabled: true,
		Cell: notify.Cell{Often: notify.Every, Channels: []notify.Channel{notify.Mail}},
	}})
	require.NoError(t, err)
	d := notify.Decision{
		ID: "report", Workspace: "w", User: "u_ana", Kind: notify.KindReport, Outcome: notify.Notified, Rules: []string{"Sales & co"},
		Channels: []notify.Channel{notify.Mail}, At: n.now.UnixMilli(), Found: "Mon 9 Nov – Sun 15 Nov: 1 send to 1 recipient.\n45% opened.", Version: 1,
	}
	require.NoError(t, n.decisions.Add(t.Context(), []notify.Decision{d}))
	require.NoError(t, n.Deliver(t.Context(), []notify.Decision{d}))
	n.Unsubscribe = func(_ context.Context, _, _ string, kind notify.Kind) (string, error) {
		return "https://stop.example/" + string(kind), nil
	}
	content, why, err := n.Content(t.Context(), n.kept(t)[0])
	require.NoError(t, err)
	require.Empty(t, why)
	require.Equal(t, "Figures of the week: Sales & co", content.Sentence)
	require.Equal(t, []string{"Mon 9 Nov – Sun 15 Nov: 1 send to 1 recipient.", "45% opened."}, content.Lines)
	require.Equal(t, "https://tidings.example/stats?name=Sales+%26+co&period=2026-11-09..2026-11-15&q=from%3Ame+pricing", content.Link)
	require.Equal(t, "https://stop.example/report", content.Unsubscribe)

	require.NoError(t, n.Books.DeleteRule(t.Context(), "w", "u_ana", "Sales & co"))
	content, _, err = n.Content(t.Context(), n.kept(t)[0])
	require.NoError(t, err)
	require.Equal(t, "https://tidings.example/stats", content.Link)
}
