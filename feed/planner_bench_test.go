package feed_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
)

// BenchmarkSearchesAPage counts what a first page takes, with the reader's own plan of
// weeks over an index that only knows how many events a week has: a billion events of a
// year, of a hundred thousand workspaces of which the second has half as many as the
// first, the third a third (Zipf). A question finds every event of its workspace, one in
// a hundred, or one in ten thousand. Workspaces are asked as often as each other, or as
// often as they have events. The figures are in docs/scale.md.
//
//	go test -run '^$' -bench SearchesAPage -benchtime 1x ./feed
func BenchmarkSearchesAPage(b *testing.B) {
	for _, one := range []float64{1, 100, 10_000} {
		for _, busy := range []bool{false, true} {
			asked := "each workspace"
			if busy {
				asked = "by events"
			}
			b.Run(fmt.Sprintf("one in %.0f, %s", one, asked), func(b *testing.B) {
				for b.Loop() {
					measureSearches(b, one, busy)
				}
			})
		}
	}
}

// What is simulated.
const (
	simulatedEvents     = 1e9
	simulatedWorkspaces = 100_000
	simulatedPages      = 20_000
	simulatedWeeks      = 52
)

func measureSearches(b *testing.B, one float64, busy bool) {
	random := rand.New(rand.NewPCG(20, 7))
	shares := make([]float64, simulatedWorkspaces)
	sum := 0.0
	for rank := range shares {
		sum += 1 / float64(rank+1)
		shares[rank] = sum
	}
	index := &countedWeeks{random: random}
	reader := feed.NewReader(feed.Config{
		Index: index, States: noStates{}, Catalogue: index, Directory: names{}, Clock: func() time.Time { return now },
	})
	var searches, weeks []int
	for range simulatedPages {
		rank := random.IntN(simulatedWorkspaces)
		if busy {
			rank, _ = slices.BinarySearch(shares, random.Float64()*sum)
		}
		index.mean = simulatedEvents / simulatedWeeks / float64(rank+1) / sum / one
		index.searches, index.weeks = 0, 0
		_, err := reader.Page(context.Background(), feed.PageRequest{Scope: feed.Scope{Workspace: "w"}, Limit: 50})
		require.NoError(b, err)
		searches, weeks = append(searches, index.searches), append(weeks, index.weeks)
	}
	for name, counts := range map[string][]int{"searches": searches, "weeks": weeks} {
		slices.Sort(counts)
		b.ReportMetric(float64(counts[len(counts)/2]), name+"-p50")
		b.ReportMetric(float64(counts[len(counts)*99/100]), name+"-p99")
		b.ReportMetric(float64(counts[len(counts)-1]), name+"-worst")
	}
}

// countedWeeks is an index of weeks that have a mean number of events, and counts what
// it is asked.
type countedWeeks struct {
	feed.Index
	random          *rand.Rand
	mean            float64
	searches, weeks int
}

// Search answers as if the numbers of events were drawn anew for each question: a page
// asks for each week once.
func (c *countedWeeks) Search(_ context.Context, s feed.Search) ([]feed.Hit, error) {
	c.searches++
	c.weeks += len(s.Weeks)
	var hits []feed.Hit
	for _, week := range s.Weeks {
		for i := range min(c.drawn(), s.Limit-len(hits)) {
			seconds := week.End() - 1 - int64(i)
			hits = append(hits, feed.Hit{Event: open(i, time.Unix(seconds, 0)), Key: feed.Key{Seconds: seconds, Tie: 1}})
		}
	}
	return hits, nil
}

// drawn is how many events of a question a week has: the mean itself where that is
// many, else by Knuth's way of drawing from a Poisson distribution.
func (c *countedWeeks) drawn() int {
	if c.mean > 200 {
		return int(c.mean)
	}
	limit, product := math.Exp(-c.mean), c.random.Float64()
	n := 0
	for ; product > limit; n++ {
		product *= c.random.Float64()
	}
	return n
}

func (*countedWeeks) RefreshInterval() time.Duration { return time.Second }

func (*countedWeeks) Weeks(context.Context, string) ([]event.Week, error) {
	var weeks []event.Week
	for back := range simulatedWeeks {
		weeks = append(weeks, event.WeekOf(now.Unix())-event.Week(back))
	}
	return weeks, nil
}

type noStates struct{}

func (noStates) Of(context.Context, string, []string) (map[string]event.State, error) {
	return nil, nil
}
