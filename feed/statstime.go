package feed

import (
	"time"

	"tidings/event"
	"tidings/query/times"
)

// Interval is the length of a series' steps.
type Interval string

// The intervals.
const (
	Hourly Interval = "hour"
	Daily  Interval = "day"
	Weekly Interval = "week"
)

// mostPoints bounds a series: four months of hours, eight years of days.
const mostPoints = 3000

// within is the interval for a time, chosen by its length where none was.
func (i Interval) within(p period) (Interval, error) {
	const day = 24 * 60 * 60
	length := p.until - p.from
	steps := map[Interval]int64{Hourly: 60 * 60, Daily: day, Weekly: 7 * day}
	switch {
	case i == "" && length <= 3*day:
		return Hourly, nil
	case i == "" && length <= 120*day:
		return Daily, nil
	case i == "":
		return Weekly, nil
	case steps[i] == 0:
		return "", event.Invalid("interval", "is not one of hour, day, week")
	case i != Weekly && length/steps[i] > mostPoints:
		return "", event.Invalid("interval", "gives too many points for this time: choose a longer one, or a later since")
	}
	return i, nil
}

// seriesOf spreads counts over the intervals of a time, those without any among
// them. What senders' clocks put behind it makes it longer.
func seriesOf(times []Quarter, interval Interval, p period, zone *time.Location, weekStart time.Weekday) *Series {
	series := &Series{Interval: interval, Points: []Point{}}
	until := p.until
	if len(times) > 0 {
		until = max(until, times[len(times)-1].Start+1)
	}
	start := interval.begin(time.Unix(p.from, 0).In(zone), weekStart)
	for start.Unix() < until {
		next := interval.next(start)
		var counts ByType
		for len(times) > 0 && times[0].Start < next.Unix() {
			counts.addAll(&times[0].Events)
			times = times[1:]
		}
		series.Points = append(series.Points, Point{start.UTC(), counts.Sum(), typeCounts(counts)})
		start = next
	}
	return series
}

// begin is the beginning of the interval that holds t.
func (i Interval) begin(t time.Time, weekStart time.Weekday) time.Time {
	switch i {
	case Hourly:
		begin := t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second)
		// An hour may be cut in two where the zone moves by half of one.
		if from, _ := t.ZoneBounds(); begin.Before(from) {
			return from
		}
		return begin
	case Weekly:
		return times.StartOfWeek(t, weekStart)
	}
	return times.StartOfDay(t)
}

// next is the beginning of the interval behind the one that begins at t.
func (i Interval) next(t time.Time) time.Time {
	switch i {
	case Hourly:
		next := t.Add(time.Hour - time.Duration(t.Minute())*time.Minute)
		if _, until := t.ZoneBounds(); !until.IsZero() && until.Before(next) {
			return until
		}
		return next
	case Weekly:
		return times.AddDays(times.StartOfDay(t), 7)
	}
	return times.AddDays(times.StartOfDay(t), 1)
}

// heatmapOf is the events by weekday, Monday first, and hour of the day.
func heatmapOf(times []Quarter, zone *time.Location) [][]int {
	heat := make([][]int, 7)
	for day := range heat {
		heat[day] = make([]int, 24)
	}
	var offset int64
	var until time.Time
	for i := range times {
		start := time.Unix(times[i].Start, 0).In(zone)
		if i == 0 || !until.IsZero() && !start.Before(until) {
			_, seconds := start.Zone()
			offset = int64(seconds)
			_, until = start.ZoneBounds()
		}
		// Unix time began at midnight on a Thursday.
		hours := (times[i].Start + offset) / (60 * 60)
		heat[(hours/24+3)%7][hours%24] += times[i].Events.Sum()
	}
	return heat
}
