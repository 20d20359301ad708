//go:build !race

package feed_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
)

// Each number of an answer is what its query lists.
func TestTheNumbersOfAnAnswerAreThoseOfTheFeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "feed")
		require.NoError(t, err)
		f := newFixture(t, dir)
		defer func() { f.close(); require.NoError(t, os.RemoveAll(dir)) }()
		people := []event.Person{jo, li, cy, bea}
		for i := range rapid.IntRange(1, 4).Draw(t, "messages") {
			id := fmt.Sprint("m-", i)
			to := people[:rapid.IntRange(1, 4).Draw(t, "to")]
			f.put(send(id, now.Add(-time.Duration(i+1)*time.Hour), to...))
			for n := range rapid.IntRange(0, 4).Draw(t, "acts") {
				kind := rapid.SampledFrom([]event.Type{event.Open, event.Click, event.Reply, event.Bounce}).Draw(t, "kind")
				f.put(did(kind, id, now.Add(-time.Duration(n+1)*time.Minute), rapid.SampledFrom(to).Draw(t, "who")))
			}
		}
		for _, text := range []string{
			"who hasn't opened", "who opened", "who opened but didn't reply", "is:clicked", "type:open OR type:click", "who at acme.example replied",
			"who never replied", "who at acme.example never replied", "who hasn't clicked", "nobody opened", "is:opened -is:replied", "wer hat nicht geantwortet", "is:unreplied by:company",
		} {
			a := f.answer(feed.AnswerRequest{Text: text, Limit: 500})
			for _, count := range a.Counts {
				if count.Of == "events" {
					require.Len(t, f.page(feed.PageRequest{Text: count.Query, Limit: 200}).Items, count.Count, text)
				}
			}
			total := 0
			for _, company := range a.Companies {
				total += company.Count
				require.Len(t, company.People, company.Count)
				require.Len(t, f.page(feed.PageRequest{Text: company.Query, Limit: 200}).Items, company.Events, "%s: %s", text, company.Query)
				for _, p := range company.People {
					require.Len(t, f.page(feed.PageRequest{Text: p.Query, Limit: 200}).Items, p.Events, "%s: %s", text, p.Query)
				}
			}
			for _, count := range a.Counts {
				if count.Of == "people" {
					require.Equal(t, count.Count, total)
				}
			}
		}
	})
}
