package feed_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

var (
	cy  = event.Person{Email: "cy@globex.example"}
	bea = event.Person{Email: "bea@acme.example"}
)

func (f *fixture) stats(request feed.StatsRequest) feed.Stats {
	if request.Workspace == "" {
		request.Workspace = "w"
	}
	stats, err := f.Stats(context.Background(), request)
	require.NoError(f.t, err)
	return stats
}

// did is an event of somebody about a message.
func did(kind event.Type, message string, at time.Time, who event.Person) event.Event {
	e := event.Event{
		Workspace: "w", Type: kind, Time: at.Unix(), Message: message, User: "u_ana", Recipient: &who, Source: "api",
	}
	e.ID = event.NewID(e.Time, "w", "api", true, fmt.Append(nil, kind, message, who.Email, at.Unix()))
	return e
}

// aMail is a send to three with what came of it: one opens twice and clicks, one
// bounces, a machine opens for the third, and a fourth opens what was passed on.
func aMail(sent time.Time) []event.Event {
	machine := did(event.Open, "m-1", sent.Add(time.Minute), cy)
	machine.Verdict = event.Verdict{Is: event.Machine}
	click := did(event.Click, "m-1", sent.Add(2*time.Hour), jo)
	click.Link = "https://acme.example/deck"
	return []event.Event{
		send("m-1", sent, jo, cy, bea),
		did(event.Open, "m-1", sent.Add(time.Hour), jo),
		did(event.Open, "m-1", sent.Add(26*time.Hour), jo),
		click,
		did(event.Bounce, "m-1", sent.Add(time.Second), bea),
		machine,
		did(event.Open, "m-1", sent.Add(3*time.Hour), event.Person{Email: "passed.on@acme.example"}),
	}
}

func TestARecipientCountsOnceAMessage(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(aMail(now.Add(-9 * 24 * time.Hour))...)
	f.put(did(event.Open, "m-1", now.Add(-time.Hour), jo)) // in another week
	f.put(did(event.Open, "m-0", now.Add(-time.Hour), jo)) // of a send that is not counted

	s := f.stats(feed.StatsRequest{})
	require.Equal(t, 8, s.Totals.Events)
	require.Equal(t, map[event.Type]int{event.Send: 1, event.Open: 5, event.Click: 1, event.Bounce: 1}, s.Totals.Types)
	require.Equal(t, &feed.Unique{Recipients: 3, Opens: 3, Clicks: 1, Bounces: 1}, s.Unique)
	half, none, third := 0.5, 0.0, 1.0/3
	require.Equal(t, &feed.Rates{
		Open:   feed.Rate{Rate: &half, Count: 1, Of: 2, Denominator: "delivered"},
		Click:  feed.Rate{Rate: &half, Count: 1, Of: 2, Denominator: "delivered"},
		Reply:  feed.Rate{Rate: &none, Count: 0, Of: 2, Denominator: "delivered"},
		Bounce: feed.Rate{Rate: &third, Count: 1, Of: 3, Denominator: "recipients"},
	}, s.Rates)
	share := 1.0 / 7
	require.Equal(t, &feed.AutomatedShare{Opens: 1, Of: 7, Share: &share}, s.Automated)
	require.Equal(t, []feed.Ranked{{Name: "https://acme.example/deck", Events: 1}}, s.Links)
	require.Equal(t, []feed.Ranked{{Name: "acme.example", Events: 8}, {Name: "globex.example", Events: 1}}, s.Domains)
	require.Equal(t, feed.Ranked{Name: "jo@acme.example", Events: 5}, s.Recipients[0])
	require.Equal(t, "m-1", s.Messages[0].Message)
	require.Equal(t, 7, s.Messages[0].Events)
	require.NotEmpty(t, s.Messages[0].Subject)
	require.Equal(t, []feed.UserEvents{{
		User: &feed.User{ID: "u_ana", Name: "Ana Moreira"}, Events: 8, Types: s.Totals.Types,
	}}, s.Users)
	require.False(t, s.Partial)
	require.Empty(t, s.Approximate)
	require.Equal(t, &feed.Totals{Types: map[event.Type]int{}}, s.Previous.Totals)
}

func TestStatisticsFollowTheQueryAndTheChoiceAboutMachines(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(aMail(now.Add(-3 * 24 * time.Hour))...)
	for _, c := range []struct {
		name    string
		request feed.StatsRequest
		// events the feed lists, and opens that machines made beside them
		events, machines int
	}{
		{"everything", feed.StatsRequest{}, 6, 1},
		{"machines shown", feed.StatsRequest{Filter: query.Filter{Automated: query.AutomatedShow}}, 7, 1},
		{"machines alone", feed.StatsRequest{Filter: query.Filter{Automated: query.AutomatedOnly}}, 1, 1},
		{"a type", feed.StatsRequest{Text: "type:open"}, 3, 1},
		{"a word", feed.StatsRequest{Text: "deck"}, 1, 0},
		{"a domain", feed.StatsRequest{Text: "domain:globex.example"}, 1, 1},
		{"a time", feed.StatsRequest{Filter: query.Filter{Since: now.Add(-49 * time.Hour).Unix()}}, 1, 0},
		{"a time for texts without one", feed.StatsRequest{Filter: query.Filter{Since: now.Unix(), UnlessTimed: true}}, 0, 0},
		{"the text's own time", feed.StatsRequest{Text: "newer_than:7d", Filter: query.Filter{Since: now.Unix(), UnlessTimed: true}}, 6, 1},
		{"the text's own time, as a filter of the rest", feed.StatsRequest{Text: "newer_than:7d", Filter: query.Filter{Since: now.Unix()}}, 0, 0},
		{"who has not opened", feed.StatsRequest{Text: "is:unopened"}, 1, 0},
		{"who has replied", feed.StatsRequest{Text: "is:replied"}, 0, 0},
		{"another's", feed.StatsRequest{Scope: feed.Scope{Users: []string{"u_ben"}}}, 0, 0},
		{"their own", feed.StatsRequest{Scope: feed.Scope{Users: []string{"u_ana"}}}, 6, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.t = t
			s := f.stats(c.request)
			page := f.page(feed.PageRequest{Scope: c.request.Scope, Text: c.request.Text, Filter: c.request.Filter})
			require.Equal(t, c.events, s.Totals.Events)
			require.Len(t, page.Items, s.Totals.Events)
			require.Equal(t, c.machines, s.Automated.Opens)
		})
	}
}

func TestOnlyWhatIsAskedForIsThere(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(aMail(now.Add(-3 * 24 * time.Hour))...)
	s := f.stats(feed.StatsRequest{Fields: []feed.StatsField{feed.FieldTotals, feed.FieldPrevious}})
	require.Equal(t, 6, s.Totals.Events)
	require.Nil(t, s.Unique)
	require.Nil(t, s.Series)
	require.Nil(t, s.Heatmap)
	require.Nil(t, s.Previous.Unique)
	require.Empty(t, s.Messages)
}

func TestAChangedWeekIsCountedAnew(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	events := aMail(now.Add(-9 * 24 * time.Hour))
	f.put(events...)
	opens := func() int { return f.stats(feed.StatsRequest{}).Totals.Types[event.Open] }
	require.Equal(t, 3, opens())
	f.put(did(event.Open, "m-1", now.Add(-8*24*time.Hour), bea))
	require.Equal(t, 4, opens(), "a late event")
	machine := events[1]
	machine.Verdict = event.Verdict{Is: event.Machine, By: "person"}
	require.NoError(t, f.store.Rewrite(context.Background(), []event.Event{machine}))
	require.Equal(t, 3, opens(), "a correction")
	_, _, err := f.store.EraseRecipient(context.Background(), "w", bea.Email)
	require.NoError(t, err)
	require.Equal(t, 2, opens(), "an erasure")
}

func TestTheTimeBeforeHasTheSameLength(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	week := 7 * 24 * time.Hour
	f.put(did(event.Open, "m-1", now.Add(-time.Hour), jo), did(event.Open, "m-1", now.Add(-week-time.Hour), jo),
		did(event.Open, "m-1", now.Add(-week-2*time.Hour), cy), did(event.Open, "m-1", now.Add(-2*week-time.Hour), cy))
	s := f.stats(feed.StatsRequest{Filter: query.Filter{Since: now.Add(-week).Unix(), Until: now.Unix()}})
	require.Equal(t, 1, s.Totals.Events)
	require.Equal(t, 2, s.Previous.Totals.Events)
	require.Equal(t, 2, s.Previous.Unique.Opens)
	require.Equal(t, now.Add(-week), s.Since)
	require.Equal(t, now, s.Until)
	require.Equal(t, now.Add(-2*week), s.Previous.Since)
	require.Equal(t, now.Add(-week), s.Previous.Until)
}

func TestStatisticsSayHowFarTheyCameInTheirTime(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	for i := range 10 {
		f.put(send(fmt.Sprintf("m-%d", i), now.Add(-time.Duration(i)*7*24*time.Hour), jo))
	}
	f.store.took = 900 * time.Millisecond
	s := f.stats(feed.StatsRequest{Text: "is:unopened", WeekStart: time.Monday})
	require.True(t, s.Partial)
	require.Equal(t, 3, s.Totals.Events, "three weeks in two seconds")
	require.Equal(t, event.WeekOf(now.Unix())-2, event.WeekOf(s.Reached.Unix()))
	require.Equal(t, s.Reached.Unix(), s.Series.Points[0].Start.Unix(), "nothing is shown of what was not counted")
}

func TestALateEventIsCountedInWeeksThatWereCached(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	weeksAgo := func(n int) time.Time { return now.Add(-time.Duration(n) * 7 * 24 * time.Hour) }
	for n := range 10 {
		message := fmt.Sprint("m-", n)
		f.put(send(message, weeksAgo(n), jo), did(event.Open, message, weeksAgo(n).Add(time.Hour), jo))
	}
	f.stats(feed.StatsRequest{})
	before := f.stats(feed.StatsRequest{})
	require.Equal(t, &feed.Totals{Events: 20, Types: map[event.Type]int{event.Send: 10, event.Open: 10}}, before.Totals)
	f.put(did(event.Click, "m-6", weeksAgo(6).Add(2*time.Hour), jo), did(event.Click, "m-6", now, jo))
	after := f.stats(feed.StatsRequest{})
	require.Equal(t, 22, after.Totals.Events)
	require.Equal(t, 1, after.Unique.Clicks, "once a message, in whichever weeks")
	require.Equal(t, "m-6", after.Messages[0].Message)
	require.Equal(t, 4, after.Messages[0].Events)
	require.Len(t, after.Messages, 10)
	require.Equal(t, []feed.Ranked{{Name: jo.Email, Events: 12}}, after.Recipients)
	require.Equal(t, 20, f.stats(feed.StatsRequest{Text: "-type:click"}).Totals.Events)
}

func TestRatesOfSendsAloneAreLookedUp(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(aMail(now.Add(-9 * 24 * time.Hour))...)
	for _, text := range []string{"type:send", "is:unopened", "to:jo", "-type:open", "is:opened -is:complained", "subject:proposal is:unopened", "to:jo is:unreplied"} {
		request := feed.StatsRequest{Filter: query.Filter{}}
		request.Text = text
		s := f.stats(request)
		require.Equal(t, 1, s.Rates.Open.Count, text)
		require.Equal(t, 2, s.Rates.Open.Of, text)
		require.Equal(t, 1, s.Rates.Click.Count, text)
		require.Equal(t, 1, s.Rates.Bounce.Count, text)
		require.Equal(t, 3, s.Rates.Bounce.Of, text)
	}
	request := feed.StatsRequest{Filter: query.Filter{Automated: query.AutomatedShow}}
	for _, text := range []string{"type:send", "is:unopened"} { // looked up, and read along
		request.Text = text
		require.Equal(t, 2, f.stats(request).Rates.Open.Count, text)
	}
	request = feed.StatsRequest{}
	request.Text = "type:open"
	require.Nil(t, f.stats(request).Rates.Open.Rate)
}

func TestTheMostActiveRecipientsAreThoseWhoAct(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	f.put(aMail(now.Add(-9 * 24 * time.Hour))...)
	for range 3 { // mails are no acts of those who get them
		f.put(send(fmt.Sprint("m-", time.Now().UnixNano()), now.Add(-time.Hour), bea, cy))
	}
	request := feed.StatsRequest{}
	request.Text = "automated:show"
	require.Equal(t, []feed.Ranked{{Name: jo.Email, Events: 3}, {Name: "passed.on@acme.example", Events: 1}}, f.stats(request).Recipients)
}

func TestPeriodsAreComparedByWeekday(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	day := func(month time.Month, n, hour int) time.Time { return time.Date(2026, month, n, hour, 0, 0, 0, berlin) }
	for _, c := range []struct {
		name                       string
		since, until, from, before time.Time
	}{
		{"three days", day(10, 5, 0), day(10, 8, 0), day(9, 28, 0), day(10, 1, 0)},
		{"a week over the change of clocks", day(10, 20, 0), day(10, 27, 0), day(10, 6, 0), day(10, 13, 0)},
		{"thirty days", day(9, 1, 0), day(10, 1, 0), day(7, 28, 0), day(8, 27, 0)},
		{"some hours", day(10, 5, 9), day(10, 5, 17), day(9, 28, 9), day(9, 28, 17)},
	} {
		request := feed.StatsRequest{Filter: query.Filter{Since: c.since.Unix(), Until: c.until.Unix()}, Fields: []feed.StatsField{feed.FieldPrevious}}
		request.Zone = berlin
		s := f.stats(request)
		require.Equal(t, c.from.UTC(), s.Previous.Since, c.name)
		require.Equal(t, c.before.UTC(), s.Previous.Until, c.name)
	}
}

func TestRejectedMailsAreToldAndRaiseNoRate(t *testing.T) {
	f := newFixture(t, t.TempDir())
	defer f.close()
	rejected := did(event.Bounce, "m-1", now.Add(-9*24*time.Hour).Add(2*time.Second), cy)
	rejected.Bounce = &event.BounceDetail{Kind: event.BounceRejected}
	f.put(append(aMail(now.Add(-9*24*time.Hour)), rejected)...)

	s := f.stats(feed.StatsRequest{})
	require.Equal(t, 2, s.Totals.Types[event.Bounce])
	require.Equal(t, 1, s.Totals.Rejected)
	require.Equal(t, 1, s.Unique.Bounces)
	require.Equal(t, 1, f.stats(feed.StatsRequest{Text: "bounce:rejected"}).Totals.Events)
}
