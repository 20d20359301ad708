package query

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseTimes(t *testing.T) {
	at := func(text string) int64 {
		if text == "" {
			return 0
		}
		parsed, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return parsed.Unix()
	}
	tests := []struct{ text, from, until, chip string }{
		{"since:2026-03-05", "2026-03-05T00:00:00+01:00", "", "2026-03-05/.."},
		{"after:2026-03-05", "2026-03-06T00:00:00+01:00", "", "2026-03-06/.."},
		{"before:2026-03-05", "", "2026-03-05T00:00:00+01:00", "../2026-03-05"},
		{"on:2026-03-05", "2026-03-05T00:00:00+01:00", "2026-03-06T00:00:00+01:00", "2026-03-05/2026-03-06"},
		{"during:2026-03-05", "2026-03-05T00:00:00+01:00", "2026-03-06T00:00:00+01:00", "2026-03-05/2026-03-06"},
		{"on:2026-03-29", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", "2026-03-29/2026-03-30"},
		{"since:2026-03-05T23:30:00Z", "2026-03-05T23:30:00Z", "", "2026-03-06T00:30/.."},
		{"on:2026-03-05T23:30:00Z", "2026-03-06T00:00:00+01:00", "2026-03-07T00:00:00+01:00", "2026-03-06/2026-03-07"},
		{"before:2026-03-05t09:00:07+01:00", "", "2026-03-05T08:00:07Z", "../2026-03-05T09:00:07"},
		{`since:"2026-03-05"`, "2026-03-05T00:00:00+01:00", "", "2026-03-05/.."},
		{"newer_than:2d", "2026-11-19T10:30:00+01:00", "", "2026-11-19T10:30/.."},
		{"since:3h", "2026-11-21T07:30:00+01:00", "", "2026-11-21T07:30/.."},
		{"older_than:1w", "", "2026-11-14T10:30:00+01:00", "../2026-11-14T10:30"},
		{"before:1w", "", "2026-11-14T10:30:00+01:00", "../2026-11-14T10:30"},
		{"time:2026-11-09/2026-11-16", "2026-11-09T00:00:00+01:00", "2026-11-16T00:00:00+01:00", "2026-11-09/2026-11-16"},
		{"time:2026-11-18T09:00/2026-11-18T12:00", "2026-11-18T08:00:00Z", "2026-11-18T11:00:00Z", "2026-11-18T09:00/2026-11-18T12:00"},
		{"time:2026-11-16/..", "2026-11-16T00:00:00+01:00", "", "2026-11-16/.."},
		{"-since:2026-03-05", "", "2026-03-05T00:00:00+01:00", "2026-03-05/.."},
		{"-before:2026-03-05", "2026-03-05T00:00:00+01:00", "", "../2026-03-05"},
		{"newer_than:99999999999999999999w", "1970-01-01T00:00:00Z", "", "1970-01-01T01:00/.."},
		{"before:0001-01-01", "", "1970-01-01T00:00:01Z", "../1970-01-01T01:00"},
		{"since:9999-12-31", "9999-12-30T23:00:00Z", "", "9999-12-31/.."},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			r := Parse(test.text, options(t))
			require.Empty(t, r.Notes)
			require.Equal(t, Query{From: at(test.from), Until: at(test.until), Automated: AutomatedHide}, r.Query)
			require.Len(t, r.Chips, 1)
			require.Equal(t, "time", r.Chips[0].Field)
			require.Equal(t, test.chip, r.Chips[0].Value)
		})
	}
	t.Run("several narrow the time", func(t *testing.T) {
		q := Parse("since:2026-03-05 (before:2026-04-01 since:2026-03-07) before:2026-05-01", options(t)).Query
		require.Equal(t, Query{
			From: at("2026-03-07T00:00:00+01:00"), Until: at("2026-04-01T00:00:00+02:00"), Automated: AutomatedHide,
		}, q)
	})
	t.Run("UTC without a zone", func(t *testing.T) {
		require.Equal(t, at("2026-03-05T00:00:00Z"), Parse("since:2026-03-05", Options{}).Query.From)
	})
	day := Time{at("2026-03-05T00:00:00+01:00"), at("2026-03-06T00:00:00+01:00")}
	for text, want := range map[string]Expr{
		"-on:2026-03-05 x":                   And{Not{day}, stemmed("x")},
		"x OR on:2026-03-05":                 Or{stemmed("x"), day},
		"x OR -on:2026-03-05":                Or{stemmed("x"), Not{day}},
		"x OR -since:2026-03-05":             Or{stemmed("x"), Time{Until: day.From}},
		"x OR (y on:2026-03-05)":             Or{stemmed("x"), And{stemmed("y"), day}},
		"-(x OR on:2026-03-05)":              Not{Or{stemmed("x"), day}},
		"(on:2026-03-05 OR x) -(-y OR -(z))": And{Or{day, stemmed("x")}, Not{Or{Not{stemmed("y")}, Not{stemmed("z")}}}},
	} {
		t.Run("an alternative or an exception: "+text, func(t *testing.T) {
			r := Parse(text, options(t))
			require.Empty(t, r.Notes)
			require.Equal(t, Query{Automated: AutomatedHide, Where: want}, r.Query)
		})
	}
	t.Run("a choice is not where it would not apply to all", func(t *testing.T) {
		r := Parse("x -(-(y OR automated:show))", options(t))
		require.Len(t, r.Notes, 1)
		require.Equal(t, Query{Automated: AutomatedHide, Where: And{stemmed("x"), stemmed("y")}}, r.Query)
	})
}

// TestDaysOfZonesWhoseClocksChangeAtMidnight reads days that do not begin at
// midnight, or whose midnight comes twice.
func TestDaysOfZonesWhoseClocksChangeAtMidnight(t *testing.T) {
	for _, test := range []struct{ zone, text, chip, from, until string }{
		{"America/Santiago", "2026-09-06", "2026-09-06/2026-09-07", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"},
		{"America/Santiago", "on:2026-09-05", "2026-09-05/2026-09-06", "2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z"},
		{"America/Santiago", "since 2026-09-06", "2026-09-06/..", "2026-09-06T04:00:00Z", ""},
		{"America/Santiago", "yesterday", "2026-09-06/2026-09-07", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"},
		{"America/Santiago", "last week", "2026-08-31/2026-09-07", "2026-08-31T04:00:00Z", "2026-09-07T03:00:00Z"},
		{"Africa/Cairo", "on:2026-04-24", "2026-04-24/2026-04-25", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"},
		{"America/Havana", "on:2025-11-02", "2025-11-02/2025-11-03", "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z"},
		{"Asia/Beirut", "2026-03-29", "2026-03-29/2026-03-30", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"},
	} {
		t.Run(test.zone+" "+test.text, func(t *testing.T) {
			zone, err := time.LoadLocation(test.zone)
			require.NoError(t, err)
			opts := Options{Now: time.Date(2026, time.September, 7, 12, 0, 0, 0, zone), Zone: zone}
			r := Parse(test.text, opts)
			require.Equal(t, "time:"+test.chip, written(r.Chips))
			at := func(unix int64) string {
				if unix == 0 {
					return ""
				}
				return time.Unix(unix, 0).UTC().Format(time.RFC3339)
			}
			require.Equal(t, test.from, at(r.Query.From))
			require.Equal(t, test.until, at(r.Query.Until))
			checkParse(t, test.text, opts)
		})
	}
}

// A range that runs backwards is none: each of its ends is a time, and the reader is told
// that nothing can be in both.
func TestARangeThatRunsBackwardsIsTwoTimes(t *testing.T) {
	for text, want := range map[string]string{
		"opens from 2026-03-05 to 2026-03-01": "type:open time:2026-03-05/2026-03-06 time:2026-03-01/2026-03-02",
		"march 2026 to january 2026":          "time:2026-03-01/2026-04-01 time:2026-01-01/2026-02-01",
	} {
		r := Parse(text, options(t))
		require.Equal(t, want, written(r.Chips), text)
		require.Len(t, r.Notes, 1, text)
	}
}

// A quarter, month or day without a year that is ahead is the one of last year.
func TestWhatIsAheadThisYearIsLastYears(t *testing.T) {
	zone := options(t).Zone
	for text, want := range map[string]string{
		"opens in q4":                 "type:open time:2025-10-01/2026-01-01",
		"opens in the fourth quarter": "type:open time:2025-10-01/2026-01-01",
		"opens in the first quarter":  "type:open time:2026-01-01/2026-04-01",
		"opens in the second quarter": "type:open time:2026-04-01/2026-07-01",
		"opens in december":           "type:open time:2025-12-01/2026-01-01",
		"opens on june 1":             "type:open time:2025-06-01/2025-06-02",
	} {
		r := Parse(text, Options{Now: time.Date(2026, time.May, 10, 12, 0, 0, 0, zone), Zone: zone})
		require.Equal(t, want, written(r.Chips), text)
		require.Empty(t, r.Notes, text)
	}
}

// A day is cut at an hour alone, not at what only begins like one.
func TestADayIsCutAtAnHourAlone(t *testing.T) {
	for text, want := range map[string]string{
		"opens friday after 9":       "type:open time:2026-11-20T09:00/2026-11-21",
		"opens friday after pricing": "type:open time:2026-11-20/2026-11-21 words:after words:pricing",
		"opens friday after 25":      "type:open time:2026-11-20/2026-11-21 words:after words:25",
		"opens friday after 009":     "type:open time:2026-11-20/2026-11-21 words:after words:009",
	} {
		require.Equal(t, want, written(Parse(text, options(t)).Chips), text)
	}
}
