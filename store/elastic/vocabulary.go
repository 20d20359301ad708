package elastic

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// wordSample is how many events the words of a week are taken from. An index of
// all words with their numbers, by workspace, would cost a tenth of the disk for
// what is asked of it: the likeliest word when a search finds nothing.
const wordSample = 1000

// Terms returns at most limit words that begin with prefix, the commonest first.
// They are those of the newest events that have any; where there are more than
// wordSample of those, older ones are not counted.
func (x *Index) Terms(ctx context.Context, workspace string, week event.Week, prefix string, limit int) ([]query.Term, error) {
	beginning := query.Words{Form: query.FormPrefix, Terms: []string{prefix}}
	hits, err := x.Search(ctx, feed.Search{
		Workspace: workspace, Query: query.Query{Where: beginning}, Weeks: []event.Week{week}, Limit: wordSample,
	})
	if err != nil {
		return nil, failed("reading words", err)
	}
	counts := make(map[string]int)
	for _, hit := range hits {
		words := make(map[string]bool)
		for _, tokens := range query.NewDocument(hit.Event).Fields {
			for _, token := range tokens {
				if strings.HasPrefix(token.Word, prefix) && !strings.Contains(token.Word, "@") {
					words[token.Word] = true
				}
			}
		}
		for word := range words {
			counts[word]++
		}
	}
	terms := make([]query.Term, 0, len(counts))
	for word, count := range counts {
		terms = append(terms, query.Term{Word: word, Count: count})
	}
	slices.SortFunc(terms, func(a, b query.Term) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Word, b.Word))
	})
	return terms[:min(limit, len(terms))], nil
}
