package feed

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"tidings/event"
)

// liveWeeks is how many of the newest weeks are taken for ones that change from
// question to question. Those before are added up once.
const liveWeeks = 2

// cachedAggregate is what one or several weeks were counted to. It is not changed.
type cachedAggregate struct {
	aggregate Aggregate
	// positions are those of the names of several weeks, nil for one.
	positions namePositions
}

func combine(aggregates []Aggregate) *cachedAggregate {
	aggregate, positions := mergeAggregates(aggregates)
	return &cachedAggregate{aggregate, positions}
}

// size is about how many bytes it takes.
func (s *cachedAggregate) size() int {
	const position = 28
	size := s.aggregate.size()
	for _, positions := range s.positions {
		size += position * len(positions)
	}
	return size
}

// with adds up what was counted of other weeks. Of the rankings it has those
// names alone that can be among the first.
func (s *cachedAggregate) with(others []Aggregate) Aggregate {
	recent, met := mergeAggregates(others)
	parts := []Aggregate{recent, s.aggregate}
	for i := range parts {
		for _, of := range rankings {
			*of(&parts[i]) = Ranking{}
		}
	}
	sum := MergeAggregates(parts)
	for i, of := range rankings {
		before, now := of(&s.aggregate), of(&recent)
		ranking := Ranking{Counts: slices.Clone(now.Counts), Cut: before.Cut || now.Cut}
		for n, count := range ranking.Counts {
			if position, known := s.positions[i][count.Name]; known {
				ranking.Counts[n].Events += before.Counts[position].Events
			}
		}
		ranking.Counts = append(ranking.Counts, topCounts(before.Counts, func(name string) bool {
			_, known := met[i][name]
			return !known
		})...)
		*of(&sum) = ranking
	}
	return sum
}

// cachedRun are the weeks, from the one at first to before the one at end, that
// are older than the live ones and whose counts may be kept, with what names
// their content.
func cachedRun(c AggregateRequest, weeks []event.Week, revisions map[event.Week]string) (first, end int, key aggregateKey) {
	first = min(liveWeeks, len(weeks))
	hash := sha256.New()
	for end = first; end < len(weeks) && c.of(weeks[end]).lasting(revisions[weeks[end]]); end++ {
		fmt.Fprintf(hash, "%d %q ", weeks[end], revisions[weeks[end]])
	}
	if end-first < 2 {
		return 0, 0, aggregateKey{}
	}
	return first, end, c.of(weeks[first]).key(fmt.Sprintf("%x", hash.Sum(nil)))
}
