package notify

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Quiet hours by the wall clock, over both changes of it.
func TestQuietHoursOverTheChangesOfTheClock(t *testing.T) {
	nightly := func(from, until string) *Quiet {
		q := &Quiet{Days: make(map[time.Weekday][]Range)}
		for day := time.Sunday; day <= time.Saturday; day++ {
			q.Days[day] = []Range{{from, until}}
		}
		return q
	}
	for _, tc := range []struct{ name, zone, from, until, now, end string }{
		{"spring in Lisbon", "Europe/Lisbon", "18:30", "08:00", "2026-03-28T23:00:00Z", "2026-03-29T07:00:00Z"},
		{"autumn in Lisbon", "Europe/Lisbon", "18:30", "08:00", "2026-10-24T20:00:00Z", "2026-10-25T08:00:00Z"},
		{"an end in the gap in New York", "America/New_York", "22:00", "02:30", "2026-03-08T05:00:00Z", "2026-03-08T07:00:00Z"},
		{"an end that comes twice in New York", "America/New_York", "22:00", "01:30", "2026-11-01T03:00:00Z", "2026-11-01T05:30:00Z"},
		{"a gap of half an hour on Lord Howe", "Australia/Lord_Howe", "22:00", "02:15", "2026-10-03T14:00:00Z", "2026-10-03T15:30:00Z"},
		{"half an hour that comes twice on Lord Howe", "Australia/Lord_Howe", "22:00", "01:45", "2026-04-04T13:00:00Z", "2026-04-04T14:45:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			zone, err := time.LoadLocation(tc.zone)
			require.NoError(t, err)
			now, err := time.Parse(time.RFC3339, tc.now)
			require.NoError(t, err)
			end, quiet := nightly(tc.from, tc.until).until(now.In(zone))
			require.True(t, quiet)
			require.Equal(t, tc.end, end.UTC().Format(time.RFC3339))
		})
	}
}

func TestWindowsOfWhatLeaves(t *testing.T) {
	now := time.Date(2026, 11, 18, 10, 20, 0, 0, time.UTC)
	night := &Quiet{Days: map[time.Weekday][]Range{time.Wednesday: {{"10:00", "12:30"}}}}
	for _, tc := range []struct {
		name string
		s    Settings
		left int
		want string
	}{
		{"at once", Settings{}, 0, ""},
		{"an hour that has had enough", Settings{}, mostLeaving, "11:00"},
		{"quiet hours", Settings{Quiet: night}, mostLeaving, "12:30"},
		{"each hour", Settings{Digest: &Digest{Every: "1h"}}, 0, "11:00"},
		{"each day", Settings{Digest: &Digest{Daily: "10:30"}}, 0, "10:30"},
		{"each day, which is quiet", Settings{Quiet: night, Digest: &Digest{Daily: "10:30"}}, 0, "12:30"},
		{"tomorrow", Settings{Digest: &Digest{Daily: "10:00"}}, 0, "10:00"},
	} {
		got := ""
		if end := tc.s.window(tc.left, now); end != 0 {
			require.Greater(t, end, now.Unix())
			got = time.Unix(end, 0).UTC().Format(clock)
		}
		require.Equal(t, tc.want, got, tc.name)
	}
}
