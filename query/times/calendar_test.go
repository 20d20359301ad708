package times

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// midnightZones have set their clocks at midnight, or left a day out.
var midnightZones = []string{
	"America/Santiago", "America/Havana", "Africa/Cairo", "Asia/Beirut", "America/Asuncion", "America/Sao_Paulo",
	"Asia/Amman", "Asia/Gaza", "Asia/Tehran", "Pacific/Apia", "Atlantic/Azores", "Europe/Berlin", "Australia/Lord_Howe", "UTC",
}

func inZone(t *testing.T, name string) *time.Location {
	zone, err := time.LoadLocation(name)
	require.NoError(t, err)
	return zone
}

// TestDaysBeginWhereTheyDo steps through the days about each change of the clock, in
// twenty years, and looks for the first moment of each.
func TestDaysBeginWhereTheyDo(t *testing.T) {
	for _, name := range midnightZones {
		t.Run(name, func(t *testing.T) {
			zone := inZone(t, name)
			at := time.Date(2007, time.January, 1, 12, 0, 0, 0, zone)
			checkFirstMoments(t, at, at.AddDate(0, 0, 10))
			for end := at.AddDate(21, 0, 0); ; {
				_, change := at.ZoneBounds()
				if change.IsZero() || change.After(end) {
					return
				}
				whole := change.Truncate(15 * time.Minute)
				checkFirstMoments(t, whole.Add(-3*24*time.Hour), whole.Add(3*24*time.Hour))
				at = change
			}
		})
	}
}

// checkFirstMoments looks at every quarter of an hour from a time to another.
func checkFirstMoments(t *testing.T, at, end time.Time) {
	begun := false
	for ; at.Before(end); at = at.Add(15 * time.Minute) {
		before := at.Add(-15 * time.Minute)
		if sameDay(at, before) || !dateOnly(at).After(dateOnly(before)) {
			continue
		}
		require.Equal(t, at, StartOfDay(at), "the first moment of a day")
		require.Equal(t, at, StartOfDay(at.Add(9*time.Hour)))
		begun = true
	}
	require.True(t, begun)
}

func dateOnly(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func TestDaysFollowOneAnother(t *testing.T) {
	for _, name := range midnightZones {
		t.Run(name, func(t *testing.T) {
			day := DayStart(2007, time.January, 1, inZone(t, name))
			for day.Year() < 2028 {
				next := AddDays(day, 1)
				require.True(t, next.After(day), "%s after %s", next, day)
				require.Equal(t, next, StartOfDay(next))
				require.LessOrEqual(t, next.Sub(day), 25*time.Hour)
				day = next
			}
		})
	}
}

func TestCalendar(t *testing.T) {
	santiago, cairo, havana, apia := inZone(t, "America/Santiago"), inZone(t, "Africa/Cairo"), inZone(t, "America/Havana"), inZone(t, "Pacific/Apia")
	for name, test := range map[string]struct {
		got  time.Time
		want string
	}{
		"no midnight":           {DayStart(2026, time.September, 6, santiago), "2026-09-06T01:00:00-03:00"},
		"the day before it":     {DayStart(2026, time.September, 5, santiago), "2026-09-05T00:00:00-04:00"},
		"a day after it":        {AddDays(DayStart(2026, time.September, 6, santiago), 1), "2026-09-07T00:00:00-03:00"},
		"up to it":              {AddDays(DayStart(2026, time.September, 5, santiago), 1), "2026-09-06T01:00:00-03:00"},
		"none in Cairo":         {DayStart(2026, time.April, 24, cairo), "2026-04-24T01:00:00+03:00"},
		"two midnights":         {DayStart(2026, time.November, 1, havana), "2026-11-01T00:00:00-04:00"},
		"the week of it":        {StartOfWeek(DayStart(2026, time.September, 9, santiago), time.Sunday), "2026-09-06T01:00:00-03:00"},
		"a day that never was":  {DayStart(2011, time.December, 30, apia), "2011-12-31T00:00:00+14:00"},
		"a time of day is kept": {AddDays(time.Date(2026, time.September, 5, 9, 30, 0, 0, santiago), 1), "2026-09-06T09:30:00-03:00"},
		"days out of range":     {DayStart(2026, time.March, 0, time.UTC), "2026-02-28T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, test.got.Format(time.RFC3339)) })
	}
}
