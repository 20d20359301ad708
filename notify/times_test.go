package notify

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSpans(t *testing.T) {
	friday := time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"36h": friday.Add(36 * time.Hour), "3d": friday.AddDate(0, 0, 3), "1 w": friday.AddDate(0, 0, 7), "30 minutes": friday.Add(30 * time.Minute),
		"1 working day": friday.AddDate(0, 0, 3), "5 working days": friday.AddDate(0, 0, 7),
	} {
		require.Equal(t, want, spanOf(text).after(friday), text)
	}
	for _, text := range []string{"", "d", "-3d", "3 parsecs", "99999h", "0.5d"} {
		require.Zero(t, spanOf(text), text)
	}
}

// The first second whose span ends later than a time: it is right, over both changes of
// the clock too.
func TestASpanBeginsWhereItsEndIsLater(t *testing.T) {
	zones := []string{"Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "UTC"}
	rapid.Check(t, func(rt *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(rt, "zone"))
		require.NoError(rt, err)
		later := time.Unix(rapid.Int64Range(1.79e9, 1.83e9).Draw(rt, "later"), 0).In(zone)
		s := spanOf(rapid.SampledFrom([]string{"3h", "1d", "5 working days", "1 working day", "12 working days"}).Draw(rt, "span"))
		first := s.begins(later).In(zone)
		require.True(rt, s.after(first).After(later))
		require.False(rt, s.after(first.Add(-time.Second)).After(later))
	})
}
