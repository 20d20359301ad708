package event_test

import (
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

func anyID(t *rapid.T, label string) event.ID {
	seconds := rapid.Int64Range(0, 1<<32-1).Draw(t, label+" seconds")
	key := rapid.SliceOf(rapid.Byte()).Draw(t, label+" key")
	return event.NewID(seconds, "w", "api", true, key)
}

func TestTextOrderOfIDsIsTimeOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyID(t, "a"), anyID(t, "b")
		switch {
		case a.Seconds() < b.Seconds():
			require.Less(t, a.String(), b.String())
		case a.Seconds() == b.Seconds() && a.Tie() < b.Tie():
			require.Less(t, a.String(), b.String())
		case a == b:
			require.Equal(t, a.String(), b.String())
		}
	})
}

func TestAnIDIsReadBackFromItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := anyID(t, "id")
		require.Len(t, id.String(), 26)
		read, err := event.ParseID(id.String())
		require.NoError(t, err)
		require.Equal(t, id, read)
	})
}

func TestWhatIsNoIDIsRefused(t *testing.T) {
	good := event.NewID(1, "w", "s", true, []byte("k")).String()
	for name, text := range map[string]string{
		"empty":        "",
		"short":        good[:25],
		"long":         good + "0",
		"upper case":   "ABCDEFGHIJKLMNOPQRSTUVABCD",
		"out of range": "zzzzzzzzzzzzzzzzzzzzzzzzzz",
		"stray bits":   good[:25] + "1",
		"not ASCII":    good[:24] + "é",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := event.ParseID(text)
			require.ErrorIs(t, err, event.ErrInvalid)
		})
	}
}

func TestIDsDifferInEveryPart(t *testing.T) {
	ids := map[event.ID]string{}
	add := func(what string, id event.ID) {
		t.Helper()
		require.NotContains(t, ids, id, what)
		ids[id] = what
	}
	add("base", event.NewID(1, "w", "s", true, []byte("k")))
	add("time", event.NewID(2, "w", "s", true, []byte("k")))
	add("workspace", event.NewID(1, "v", "s", true, []byte("k")))
	add("source", event.NewID(1, "w", "r", true, []byte("k")))
	add("key", event.NewID(1, "w", "s", true, []byte("l")))
	add("no key of its own", event.NewID(1, "w", "s", false, []byte("k")))
	add("parts run together", event.NewID(1, "ws", "", true, []byte("k")))
}

func TestAWeekIsAPureFunctionOfTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(0, 1<<32-1).Draw(t, "seconds")
		week := event.WeekOf(seconds)
		year, number := time.Unix(seconds, 0).UTC().ISOWeek()
		require.Equal(t, fmt.Sprintf("%04d-w%02d", year, number), week.String())
		require.GreaterOrEqual(t, seconds, week.Start())
		require.Less(t, seconds, week.End())
		read, err := event.ParseWeek(week.String())
		require.NoError(t, err)
		require.Equal(t, week, read)
		zone := time.FixedZone("away", rapid.IntRange(-14, 14).Draw(t, "zone")*3600)
		require.Equal(t, week, event.WeekOf(time.Unix(seconds, 0).In(zone).Unix()))
	})
}

func TestWeeksAtTheEndOfAYear(t *testing.T) {
	for day, want := range map[string]string{
		"1970-01-01": "1970-w01",
		"2015-12-31": "2015-w53",
		"2016-01-03": "2015-w53",
		"2016-01-04": "2016-w01",
		"2018-12-31": "2019-w01",
		"2020-12-31": "2020-w53",
		"2021-01-01": "2020-w53",
		"2024-12-30": "2025-w01",
		"2026-11-16": "2026-w47",
		"2100-01-01": "2099-w53",
	} {
		t.Run(day, func(t *testing.T) {
			at, err := time.Parse(time.DateOnly, day)
			require.NoError(t, err)
			require.Equal(t, want, event.WeekOf(at.Unix()).String())
		})
	}
}

func TestWhatIsNoWeekIsRefused(t *testing.T) {
	for _, text := range []string{"", "2026", "2026-47", "2026-w00", "2026-w54", "2025-w53", "2026-w47x", "x2026-w47", "2026-W47"} {
		_, err := event.ParseWeek(text)
		require.ErrorIs(t, err, event.ErrInvalid, text)
	}
}

func TestIDsOfAWeekAreTogetherInTextOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.ID { return anyID(t, "id") }), 2, 20).Draw(t, "ids")
		sort.Slice(ids, func(i, j int) bool { return ids[i].String() < ids[j].String() })
		for i := 1; i < len(ids); i++ {
			require.LessOrEqual(t, ids[i-1].Week(), ids[i].Week())
		}
	})
}

func BenchmarkNewID(b *testing.B) {
	key := []byte("evt-881-and-something")
	b.ReportAllocs()
	for i := range b.N {
		event.NewID(int64(i), "workspace", "sendgrid", true, key)
	}
}
