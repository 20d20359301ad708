package notify_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/notify"
)

func share(percent float64) *float64 {
	rate := percent / 100
	return &rate
}

func during(d time.Duration) *time.Duration { return &d }

// A week whose clocks go back is told by the days of its owner, once, and a server that
// was down for three weeks tells the last.
func TestFiguresAreToldEachWeek(t *testing.T) {
	o := newOffice(t) // Wednesday, 18 November 2026, 10:00
	o.now = time.Date(2026, 10, 28, 10, 0, 0, 0, time.UTC)
	_, err := o.books.ChangeSettings(t.Context(), "w", "u_ana", func(s *notify.Settings) error {
		s.Zone = "Europe/Berlin"
		return nil
	})
	require.NoError(t, err)
	o.rule("u_ana", "Sales", notify.Ask{On: notify.OnReport, Weekly: &notify.Weekly{Day: time.Thursday, Time: "08:00"}, Q: "pricing is:unopened"})
	o.figures = notify.Figures{
		Sends: 420, Recipients: 431, SendsBefore: 400, Open: notify.Change{Now: share(45.2), Before: share(41)},
		Click: notify.Change{Now: share(5), Before: share(6)}, Reply: notify.Change{Now: share(12)}, Bounce: notify.Change{Now: share(1), Before: share(1.2)},
		Theirs: during(3 * time.Hour), Ours: during(90 * time.Minute),
	}
	o.tick()
	require.Empty(t, o.bell("u_ana"), "it is Wednesday")
	o.pass(21 * time.Hour) // Thursday, 08:00 in Berlin
	for range 3 {
		o.tick()
		o.pass(time.Minute)
	}
	require.Equal(t, []string{"u_ana of [u_ana u_jo]: pricing is:unopened, 2026-10-22T00:00:00+02:00 to 2026-10-29T00:00:00+01:00"}, o.reported)
	bell := o.bell("u_ana")
	require.Len(t, bell, 1)
	require.Equal(t, notify.KindReport, bell[0].Kind)
	require.Equal(t, []string{"Sales"}, bell[0].Rules)
	require.Equal(t, `Thu 22 Oct – Wed 28 Oct: 420 sends to 431 recipients, 5% more than the week before.
45% opened, 4 points more than the week before.
5% clicked, 1 point fewer than the week before.
12% replied.
1% bounced, as the week before.
They answered in 3 hours, at the median.
We answered them in 90 minutes, at the median.`, bell[0].Found)

	o.figures = notify.Figures{Partial: true}
	o.pass(3 * 7 * 24 * time.Hour)
	o.tick()
	o.tick()
	require.Len(t, o.reported, 2)
	bell = o.bell("u_ana")
	require.Equal(t, "Thu 12 Nov – Wed 18 Nov: 0 sends to 0 recipients.\nNot everything could be counted in time: there is more than this.", bell[0].Found)
	require.True(t, notify.KindReport.Stops(), "its mails can be unsubscribed from")
}

func TestAReportWantsATimeOfTheWeek(t *testing.T) {
	cell := notify.Cell{Often: notify.Every, Channels: []notify.Channel{notify.Mail}}
	weekly := &notify.Weekly{Day: time.Monday, Time: "08:00"}
	for name, test := range map[string]struct {
		ask   notify.Ask
		field string
	}{
		"all mail":       {notify.Ask{On: notify.OnReport, Weekly: weekly, Cell: cell}, ""},
		"no time":        {notify.Ask{On: notify.OnReport, Cell: cell}, "weekly"},
		"no such time":   {notify.Ask{On: notify.OnReport, Weekly: &notify.Weekly{Time: "25:00"}, Cell: cell}, "weekly"},
		"once":           {notify.Ask{On: notify.OnReport, Weekly: weekly, Once: true, Cell: cell}, "once"},
		"without a cell": {notify.Ask{On: notify.OnReport, Weekly: weekly}, "do"},
	} {
		t.Run(name, func(t *testing.T) {
			err := notify.Rule{Name: "figures", Owner: "u_ana", Ask: test.ask}.Check()
			if test.field == "" {
				require.Nil(t, err)
				return
			}
			require.Equal(t, test.field, err.Field)
		})
	}
}

// Where clocks change at midnight a day begins at one.
func TestAReportIsOfWholeDays(t *testing.T) {
	santiago, err := time.LoadLocation("America/Santiago")
	require.NoError(t, err)
	for due, want := range map[string]string{
		"2026-09-06T08:00": "2026-08-30 00:00 to 2026-09-06 01:00",
		"2026-09-13T08:00": "2026-09-06 01:00 to 2026-09-13 00:00",
		"2026-11-16T08:00": "2026-11-09 00:00 to 2026-11-16 00:00",
	} {
		at, err := time.ParseInLocation("2006-01-02T15:04", due, santiago)
		require.NoError(t, err)
		from, until := notify.ReportOf(at)
		require.Equal(t, want, from.Format("2006-01-02 15:04")+" to "+until.Format("2006-01-02 15:04"))
	}
}
