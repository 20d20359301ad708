package feed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

func zoneOf(t require.TestingT, name string) *time.Location {
	zone, err := time.LoadLocation(name)
	require.NoError(t, err)
	return zone
}

// starts are when the points of a series begin, as clocks of the zone show it.
func starts(s *Series, zone *time.Location) []string {
	var all []string
	for _, point := range s.Points {
		all = append(all, point.Start.In(zone).Format("Mon 2 15:04 MST"))
	}
	return all
}

func timeOf(zone *time.Location, text string) int64 {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		panic(err)
	}
	return t.Unix()
}

func TestIntervalsBeginWhereTheReadersClocksSaySo(t *testing.T) {
	for _, c := range []struct {
		name, zone  string
		interval    Interval
		from, until string
		want        []string
	}{
		{
			"days of a week in which clocks go forward", "Europe/Berlin", Daily, "2026-03-28 10:00", "2026-03-31 00:00",
			[]string{"Sat 28 00:00 CET", "Sun 29 00:00 CET", "Mon 30 00:00 CEST"},
		},
		{
			"days of a week in which clocks go back", "America/New_York", Daily, "2026-10-31 00:00", "2026-11-02 01:00",
			[]string{"Sat 31 00:00 EDT", "Sun 1 00:00 EDT", "Mon 2 00:00 EST"},
		},
		{
			"weeks around a change", "Europe/Berlin", Weekly, "2026-03-25 10:00", "2026-04-06 00:00",
			[]string{"Mon 23 00:00 CET", "Mon 30 00:00 CEST"},
		},
		{
			"the hours when one is missing", "Europe/Berlin", Hourly, "2026-03-29 01:10", "2026-03-29 05:00",
			[]string{"Sun 29 01:00 CET", "Sun 29 03:00 CEST", "Sun 29 04:00 CEST"},
		},
		{
			"the hours when one is there twice", "Europe/Berlin", Hourly, "2026-10-25 01:00", "2026-10-25 04:00",
			[]string{"Sun 25 01:00 CEST", "Sun 25 02:00 CEST", "Sun 25 02:00 CET", "Sun 25 03:00 CET"},
		},
		{
			"an hour that half of is missing", "Australia/Lord_Howe", Hourly, "2026-10-04 01:00", "2026-10-04 04:00",
			[]string{"Sun 4 01:00 +1030", "Sun 4 02:30 +11", "Sun 4 03:00 +11"},
		},
		{
			"a day without a midnight", "Africa/Cairo", Daily, "2026-04-23 05:00", "2026-04-25 00:00",
			[]string{"Thu 23 00:00 EET", "Fri 24 01:00 EEST"},
		},
		{
			"a day with two midnights", "America/Havana", Daily, "2026-10-31 05:00", "2026-11-02 00:00",
			[]string{"Sat 31 00:00 CDT", "Sun 1 00:00 CDT"},
		},
		{
			"days of a week that lacks one", "Pacific/Apia", Daily, "2011-12-28 05:00", "2012-01-01 00:00",
			[]string{"Wed 28 00:00 -10", "Thu 29 00:00 -10", "Sat 31 00:00 +14"},
		},
		{
			"a zone at three quarters of an hour", "Asia/Kathmandu", Hourly, "2026-03-01 05:20", "2026-03-01 07:00",
			[]string{"Sun 1 05:00 +0545", "Sun 1 06:00 +0545"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone := zoneOf(t, c.zone)
			series := seriesOf(nil, c.interval, period{timeOf(zone, c.from), timeOf(zone, c.until)}, zone, time.Monday)
			require.Equal(t, c.want, starts(series, zone))
		})
	}
}

func TestWeeksBeginOnTheReadersFirstDay(t *testing.T) {
	for day, want := range map[time.Weekday]string{
		time.Monday: "Mon 16 00:00 UTC", time.Sunday: "Sun 15 00:00 UTC", time.Saturday: "Sat 14 00:00 UTC",
	} {
		series := seriesOf(nil, Weekly, period{timeOf(time.UTC, "2026-11-18 12:00"), timeOf(time.UTC, "2026-11-19 12:00")}, time.UTC, day)
		require.Equal(t, []string{want}, starts(series, time.UTC))
	}
}

// Whatever the zone and the time, a series has every event once and its points
// follow one another, and so has the heatmap.
func TestNoEventFallsBetweenTwoPoints(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "Asia/Kathmandu", "Pacific/Apia", "America/Santiago"}
	rapid.Check(t, func(t *rapid.T) {
		zone := zoneOf(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		interval := rapid.SampledFrom([]Interval{Hourly, Daily, Weekly}).Draw(t, "interval")
		from := rapid.Int64Range(1_300_000_000, 1_900_000_000).Draw(t, "from")
		p := period{from, from + rapid.Int64Range(1, 20*24*3600).Draw(t, "length")}
		var times []Quarter
		events := 0
		for start := from - from%QuarterSeconds; start < p.until; start += QuarterSeconds * rapid.Int64Range(1, 200).Draw(t, "step") {
			quarter := Quarter{Start: start}
			quarter.Events.Add(event.Open, 1)
			times, events = append(times, quarter), events+1
		}
		series := seriesOf(times, interval, p, zone, time.Monday)
		sum := 0
		for i, point := range series.Points {
			sum += point.Events
			if i == 0 {
				require.LessOrEqual(t, point.Start.Unix(), from)
				continue
			}
			apart := point.Start.Sub(series.Points[i-1].Start)
			require.Positive(t, apart)
			require.LessOrEqual(t, apart, map[Interval]time.Duration{Hourly: time.Hour, Daily: 25 * time.Hour, Weekly: 8 * 24 * time.Hour}[interval])
		}
		require.Equal(t, events, sum)
		want := make([][]int, 7)
		for day := range want {
			want[day] = make([]int, 24)
		}
		for _, quarter := range times {
			at := time.Unix(quarter.Start, 0).In(zone)
			want[(at.Weekday()+6)%7][at.Hour()]++
		}
		require.Equal(t, want, heatmapOf(times, zone))
	})
}

func TestTheIntervalFollowsTheLengthOfTheTime(t *testing.T) {
	const day = 24 * 60 * 60
	for _, c := range []struct {
		asked Interval
		days  int64
		want  Interval
		wrong bool
	}{
		{"", 1, Hourly, false},
		{"", 30, Daily, false},
		{"", 364, Weekly, false},
		{"", 20_000, Weekly, false},
		{Hourly, 100, Hourly, false},
		{Hourly, 364, "", true},
		{Daily, 364, Daily, false},
		{Daily, 20_000, "", true},
		{Weekly, 20_000, Weekly, false},
		{"month", 1, "", true},
	} {
		got, err := c.asked.within(period{1000, 1000 + c.days*day})
		require.Equal(t, c.wrong, err != nil, "%v", c)
		require.Equal(t, c.want, got, "%v", c)
	}
}
