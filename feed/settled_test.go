package feed

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

// genTally makes what a week was counted to, of few names so that weeks share them.
func genTally(week int) *rapid.Generator[Tally] {
	return rapid.Custom(func(t *rapid.T) Tally {
		counting := NewCounting("show", 0xff)
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			person := event.Person{Email: fmt.Sprintf("p%d@d%d.example", rapid.IntRange(0, 30).Draw(t, "person"), rapid.IntRange(0, 3).Draw(t, "domain"))}
			counting.Add(event.Event{
				Type: event.Click, Message: fmt.Sprint("m", rapid.IntRange(0, 30).Draw(t, "message")), Recipient: &person,
				Time: int64(week)*10_000 + int64(rapid.IntRange(0, 9_000).Draw(t, "second")),
				User: fmt.Sprint("u", rapid.IntRange(0, 3).Draw(t, "user")), Link: fmt.Sprint("l", rapid.IntRange(0, 20).Draw(t, "link")),
			})
		}
		tally := counting.Tally()
		tally.Links.Cut = rapid.Bool().Draw(t, "cut")
		return tally
	})
}

func TestWeeksThatAreSettledAddUpAsOthersDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tallies := make([]Tally, rapid.IntRange(0, 6).Draw(t, "weeks"))
		for i := range tallies {
			tallies[i] = genTally(len(tallies)-i).Draw(t, "tally")
		}
		first := rapid.IntRange(0, len(tallies)).Draw(t, "first")
		end := rapid.IntRange(first, len(tallies)).Draw(t, "end")
		want := MergeTallies(tallies)
		got := settle(tallies[first:end]).with(slices.Concat(tallies[:first], tallies[end:]))
		for i, of := range rankings {
			require.Equal(t, topOf(*of(&want)), topOf(*of(&got)), "ranking %d", i)
			require.Equal(t, of(&want).Cut, of(&got).Cut)
			*of(&want), *of(&got) = Ranking{}, Ranking{}
		}
		byUser := func(a, b UserCount) int { return compareCounts(NameCount{Name: a.User}, NameCount{Name: b.User}) }
		slices.SortFunc(want.Users, byUser)
		slices.SortFunc(got.Users, byUser)
		require.Equal(t, want, got)
	})
}
