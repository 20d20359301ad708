package notify_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/notify"
)

// send is a mail of Ana's to Lee, and what is known of it.
func (o *office) send(message string, at time.Time) event.Event {
	e := event.Event{
		ID: event.NewID(at.Unix(), "w", "test", true, []byte("send-"+message)), Workspace: "w", Type: event.Send, Time: at.Unix(),
		Message: message, User: "u_ana", Recipients: []event.Person{{Email: "lee@dox.test"}, {Email: "max@dox.test"}}, Source: "test",
	}
	o.events = append(o.events, e)
	s := event.State{MessageKey: event.MessageKey{Workspace: "w", Message: message}, Sent: true, User: "u_ana", At: e.Time, Recipients: make(map[event.RecipientKey]event.Person)}
	for _, p := range e.Recipients {
		s.Recipients[event.KeyOf(p.Email)] = p
	}
	o.states[message] = s
	return e
}

// mark says that somebody did something with a message.
func (o *office) mark(message string, mark event.Mark, email string) {
	s := o.states[message]
	s = s.Clone()
	if s.First == nil {
		s.First = make(map[event.Mark]map[event.RecipientKey]int64)
	}
	if s.First[mark] == nil {
		s.First[mark] = make(map[event.RecipientKey]int64)
	}
	s.First[mark][event.KeyOf(email)] = o.now.Unix()
	o.states[message] = s
}

func (o *office) tick() {
	o.t.Helper()
	require.NoError(o.t, o.engine.Tick(context.Background()))
}

func (o *office) pass(d time.Duration) { o.now = o.now.Add(d) }

func messages(all []notify.Decision) (messages []string) {
	for _, d := range all {
		messages = append(messages, d.Message)
	}
	return messages
}

// The process was down over the time at which it was due, and is looked at many times.
func TestNobodyOpenedIsToldOnce(t *testing.T) {
	o := newOffice(t)
	o.send("before", o.now.Add(-100*time.Hour))
	o.rule("u_ana", "3d", notify.Ask{On: notify.OnAbsence, No: notify.NoOpen, After: "3d"})
	for _, message := range []string{"silent", "opened", "bounced", "half"} {
		o.send(message, o.now)
	}
	o.mark("opened", event.MarkOpened, "lee@dox.test")
	for _, email := range []string{"lee@dox.test", "max@dox.test"} {
		o.mark("bounced", event.MarkBounced, email)
	}
	o.mark("half", event.MarkBounced, "lee@dox.test")
	o.pass(72*time.Hour - time.Second)
	o.tick()
	require.Empty(t, o.bell("u_ana"))
	o.pass(5 * time.Hour)
	for range 3 {
		o.tick()
		o.pass(30 * time.Second)
	}
	bell := o.bell("u_ana")
	require.ElementsMatch(t, []string{"silent", "half"}, messages(bell))
	require.Equal(t, notify.KindUnopened, bell[0].Kind)
	require.Equal(t, "Nobody opened it within 3d.", bell[0].Found)
	require.Empty(t, o.bell("u_jo"))

	late := o.now.Add(-80 * time.Hour) // it comes after its time was over
	o.send("late", late)
	o.pass(2 * time.Hour)
	o.tick()
	require.Len(t, o.bell("u_ana"), 3)
}

func TestRemindIfNobodyAnswersByFriday(t *testing.T) {
	o := newOffice(t) // Wednesday, 10:00
	friday := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, message := range []string{"m", "answered"} {
		o.send(message, o.now)
		o.rule("u_ana", message, notify.Ask{On: notify.OnBy, At: friday.Unix(), Message: message, Person: "lee@dox.test", No: notify.NoReply})
	}
	o.mark("answered", event.MarkReplied, "lee@dox.test")
	o.mark("m", event.MarkReplied, "max@dox.test")
	o.tick()
	o.pass(friday.Sub(o.now) - time.Second)
	o.tick()
	require.Empty(t, o.bell("u_ana"))
	o.pass(42 * time.Minute)
	o.tick()
	o.tick()
	bell := o.bell("u_ana")
	require.Equal(t, []string{"m"}, messages(bell))
	require.Equal(t, "Nobody has answered it yet. It was due at Fri 12:00 and looked at at Fri 12:41.", bell[0].Found)
	require.Equal(t, []notify.Reason{notify.ReasonSchedule}, bell[0].Reasons)
}

func TestASearchIsAskedEachThursday(t *testing.T) {
	o := newOffice(t)
	_, err := o.books.ChangeSettings(context.Background(), "w", "u_ana", func(s *notify.Settings) error {
		s.Zone = "America/New_York"
		return nil
	})
	require.NoError(t, err)
	o.rule("u_ana", "thursday", notify.Ask{On: notify.OnBy, Weekly: &notify.Weekly{Day: time.Thursday, Time: "12:00"}, Q: "is:unopened"})
	o.send("a", o.now)
	o.send("b", o.now)
	o.pass(31 * time.Hour) // Thursday 17:00 UTC is noon in New York
	o.tick()
	bell := o.bell("u_ana")
	require.Len(t, bell, 1)
	require.Equal(t, "Your search finds 2.", bell[0].Found)
	o.pass(7 * 24 * time.Hour)
	o.tick()
	o.tick()
	require.Len(t, o.bell("u_ana"), 2)
}

func TestThreeOpensInAnHour(t *testing.T) {
	o := newOffice(t)
	_, err := o.books.ChangeSettings(context.Background(), "w", "u_ana", func(s *notify.Settings) error {
		s.Preset = notify.PresetQuiet
		return nil
	})
	require.NoError(t, err)
	o.rule("u_ana", "hot", notify.Ask{On: notify.OnCount, Count: 3, Within: "1h", Person: "lee@dox.test", Kinds: []notify.Kind{"open"}})
	var opens []event.Event
	for _, minutes := range []int{10, 100, 50, 130, 30} { // two in one hour and three in another, out of order
		opens = append(opens, o.open(minutes, event.Human))
	}
	for i, e := range opens {
		for range 2 {
			o.handle(event.AnnounceEvent, e)
		}
		require.Len(t, o.bell("u_ana"), i/4, "%d", i)
	}
	require.Equal(t, notify.KindCount, o.bell("u_ana")[0].Kind)
	for _, minutes := range []int{5, 3} {
		o.handle(event.AnnounceEvent, o.open(minutes, event.Human))
	}
	require.Len(t, o.bell("u_ana"), 1, "it was not quiet since")
	o.pass(3 * time.Hour)
	for _, minutes := range []int{9, 8, 7} {
		o.handle(event.AnnounceEvent, o.open(minutes, event.Human))
	}
	require.Len(t, o.bell("u_ana"), 2)
}

func TestBouncesAndSilenceAreToldWhenTheyBeginAndEnd(t *testing.T) {
	o := newOffice(t)
	o.rule("u_ana", "bounces", notify.Ask{On: notify.OnRate, Percent: 5, Within: "1h"})
	o.rule("u_ana", "silent", notify.Ask{On: notify.OnSilence, Source: "mailgun", Within: "2h"})
	look := func(counts map[event.Type]int) {
		o.counts = counts
		o.pass(6 * time.Minute)
		o.tick()
	}
	found := func() (all []string) {
		for _, d := range o.bell("u_ana") {
			all = append(all, d.Found)
		}
		return all
	}
	look(map[event.Type]int{event.Send: 99, event.Bounce: 50})
	look(map[event.Type]int{event.Send: 200, event.Bounce: 10})
	require.Empty(t, found())
	for range 3 {
		look(map[event.Type]int{event.Send: 200, event.Bounce: 11})
	}
	require.Equal(t, []string{"11 of 200 sends of the last 1h bounced, 5.5 %: your bound is 5 %."}, found())
	o.pass(2 * time.Hour)
	look(nil)
	look(nil)
	require.Equal(t, "Nothing came from the source mailgun for 2h.", found()[0])
	look(map[event.Type]int{event.Open: 1})
	require.Contains(t, found(), "The source mailgun sends again.")
	require.Contains(t, found(), "It is over: 0 of 0 sends of the last 1h bounced, 0.0 %: your bound is 5 %.")
}

func TestTimesOfRules(t *testing.T) {
	o := newOffice(t)
	for _, tc := range []struct {
		ask   notify.Ask
		field string
	}{
		{notify.Ask{On: notify.OnAbsence, No: "open", After: "soon"}, "after"},
		{notify.Ask{On: notify.OnAbsence, No: "open", After: "99 working days"}, "after"},
		{notify.Ask{On: notify.OnAbsence, After: "3d"}, "no"},
		{notify.Ask{On: notify.OnBy, Q: "acme"}, "at"},
		{notify.Ask{On: notify.OnBy, Message: "m", At: 1}, "no"},
		{notify.Ask{On: notify.OnBy, Q: "acme", Weekly: &notify.Weekly{Day: 9, Time: "09:00"}}, "weekly"},
		{notify.Ask{On: notify.OnCount, Q: "acme", Count: 1, Within: "1h"}, "count"},
		{notify.Ask{On: notify.OnCount, Q: "acme", Count: 3, Within: "1y"}, "within"},
		{notify.Ask{On: notify.OnRate, Within: "1h"}, "percent"},
		{notify.Ask{On: notify.OnSilence, Within: "1h"}, "source"},
		{notify.Ask{On: notify.OnRate, Percent: 5, Within: "1h", Once: true}, "once"},
		{notify.Ask{On: notify.OnBy, Q: "acme", At: 1, Once: true}, "once"},
	} {
		tc.ask.Cell = everyInPage
		var field *event.FieldError
		require.ErrorAs(t, o.engine.CheckRule(context.Background(), "w", notify.Rule{Name: "r", Owner: "u_ana", Ask: tc.ask}), &field, fmt.Sprintf("%+v", tc.ask))
		require.Equal(t, tc.field, field.Field)
	}
}

// What was decided just before a crash, or before what tells was away, is told at the
// next look, once.
func TestWhatWasNotToldBeforeACrashIsToldAfterIt(t *testing.T) {
	o := newOffice(t)
	ask := notify.Ask{On: notify.OnAbsence, No: notify.NoOpen, After: "3d", Cell: notify.Cell{Often: notify.Every, Channels: []notify.Channel{notify.InPage, notify.Mail}}}
	o.rule("u_ana", "3d", ask)
	m := &mortal{Store: o.store, deliveries: make(map[string]int)}
	config := o.engine.Config
	config.Store, config.Announcer, config.Outbox = m, m, m
	engine := notify.NewEngine(config)
	for _, after := range []bool{false, true} {
		for step := 0; ; step++ {
			m.left, m.after, m.kills, m.deliveries = step, after, 0, make(map[string]int)
			message := fmt.Sprintf("m_%t_%d", after, step)
			o.send(message, o.now)
			o.pass(73 * time.Hour)
			for range 4 {
				if err := engine.Tick(context.Background()); err != nil {
					require.ErrorIs(t, err, errKilled)
				}
				o.pass(30 * time.Second)
			}
			require.Len(t, m.deliveries, 1, "%s", message)
			for _, times := range m.deliveries {
				require.LessOrEqual(t, times, m.kills+1, message)
			}
			if m.kills == 0 {
				require.Greater(t, step, 2)
				break
			}
		}
	}
}

// A clock that was a year ahead and was put right holds nothing up.
func TestRulesDoNotWaitForAClockThatWasAhead(t *testing.T) {
	o := newOffice(t) // Wednesday, 10:00
	o.rule("u_ana", "3d", notify.Ask{On: notify.OnAbsence, No: notify.NoOpen, After: "3d"})
	o.rule("u_ana", "bounces", notify.Ask{On: notify.OnRate, Percent: 5, Within: "1h"})
	o.rule("u_ana", "thursday", notify.Ask{On: notify.OnBy, At: o.now.Add(70 * time.Hour).Unix(), Q: "is:unopened"})
	o.pass(10 * time.Minute)
	o.tick()
	right := o.now
	o.pass(20 * time.Hour)
	o.tick()
	o.now = right
	o.tick()
	o.send("silent", o.now)
	o.counts = map[event.Type]int{event.Send: 100, event.Bounce: 50}
	o.pass(6 * time.Minute)
	o.tick()
	require.Len(t, o.bell("u_ana"), 1, "the rate")
	o.pass(73 * time.Hour)
	o.tick()
	require.Len(t, o.bell("u_ana"), 3)
}

// A rule whose search is not understood any more is its owner's to mend, not the operator's.
func TestARuleThatIsNotUnderstoodAnyMoreStopsNoOther(t *testing.T) {
	o := newOffice(t)
	o.rule("u_ana", "absence", notify.Ask{On: notify.OnAbsence, No: notify.NoOpen, After: "3d", Q: "opened more than 3 times"})
	o.rule("u_ana", "3d", notify.Ask{On: notify.OnAbsence, No: notify.NoOpen, After: "3d"})
	o.send("silent", o.now)
	o.pass(73 * time.Hour)
	o.tick()
	require.Len(t, o.bell("u_ana"), 1)
}

func TestARuleOfATimeThatTellsOnceEnds(t *testing.T) {
	o := newOffice(t)
	o.rule("u_ana", "once", notify.Ask{On: notify.OnAbsence, No: notify.NoOpen, After: "3d", Once: true})
	o.send("a", o.now)
	o.send("b", o.now.Add(time.Minute))
	o.pass(73 * time.Hour)
	o.tick()
	o.tick()
	require.Len(t, o.bell("u_ana"), 1)
	o.send("c", o.now)
	o.pass(73 * time.Hour)
	o.tick()
	require.Len(t, o.bell("u_ana"), 1)
}

func TestAPreviewOfAbsenceLooksAtABoundedNumberOfSends(t *testing.T) {
	o := newOffice(t)
	for i := range 1001 {
		o.send(fmt.Sprint(i), o.now.Add(-time.Duration(i+1)*time.Minute))
	}
	p, err := o.engine.PreviewRule(context.Background(), "w", notify.Rule{Name: "p", Owner: "u_ana", Ask: notify.Ask{On: notify.OnAbsence, No: "open", After: "1m", Cell: everyInPage}})
	require.NoError(t, err)
	require.Equal(t, 1000, p.Count)
	require.True(t, p.More)
}

// What a rule of a time asks for may be older than the thousand newest that it could be about.
func TestARuleOfATimeLooksPastTheNewestThousand(t *testing.T) {
	o := newOffice(t)
	for i := range 3 {
		o.send(fmt.Sprintf("silent%d", i), o.now.Add(-time.Duration(90+i)*time.Minute))
	}
	for i := range 1100 {
		message := fmt.Sprintf("opened%d", i)
		o.send(message, o.now.Add(-time.Duration(i)*time.Second))
		for _, email := range []string{"lee@dox.test", "max@dox.test"} {
			o.mark(message, event.MarkOpened, email)
		}
	}
	o.rule("u_ana", "due", notify.Ask{On: notify.OnBy, At: o.now.Add(time.Minute).Unix(), Q: "is:unopened"})
	o.pass(time.Minute)
	o.tick()
	bell := o.bell("u_ana")
	require.Len(t, bell, 1)
	require.Equal(t, "Your search finds 3.", bell[0].Found)
}
