package feed

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

// genAggregate makes what a week was counted to, of few names so that weeks share them.
func genAggregate(week int) *rapid.Generator[Aggregate] {
	return rapid.Custom(func(t *rapid.T) Aggregate {
		builder := NewAggregateBuilder("show", 0xff)
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			person := event.Person{Email: fmt.Sprintf("p%d@d%d.example", rapid.IntRange(0, 30).Draw(t, "person"), rapid.IntRange(0, 3).Draw(t, "domain"))}
			builder.Add(event.Event{
				Type: event.Click, Message: fmt.Sprint("m", rapid.IntRange(0, 30).Draw(t, "message")), Recipient: &person,
				Time: int64(week)*10_000 + int64(rapid.IntRange(0, 9_000).Draw(t, "second")),
				User: fmt.Sprint("u", rapid.IntRange(0, 3).Draw(t, "user")), Link: fmt.Sprint("l", rapid.IntRange(0, 20).Draw(t, "link")),
			})
		}
		aggregate := builder.Aggregate()
		aggregate.Links.Cut = rapid.Bool().Draw(t, "cut")
		return aggregate
	})
}

func TestWeeksThatAreCachedAddUpAsOthersDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		aggregates := make([]Aggregate, rapid.IntRange(0, 6).Draw(t, "weeks"))
		for i := range aggregates {
			aggregates[i] = genAggregate(len(aggregates)-i).Draw(t, "aggregate")
		}
		first := rapid.IntRange(0, len(aggregates)).Draw(t, "first")
		end := rapid.IntRange(first, len(aggregates)).Draw(t, "end")
		want := MergeAggregates(aggregates)
		got := combine(aggregates[first:end]).with(slices.Concat(aggregates[:first], aggregates[end:]))
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
