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

// settled is what one or several weeks were counted to. It is not changed.
type settled struct {
	tally Tally
	// places are those of the names of several weeks, nil for one.
	places namePlaces
}

func settle(tallies []Tally) *settled {
	tally, places := mergeTallies(tallies)
	return &settled{tally, places}
}

// size is about how many bytes it takes.
func (s *settled) size() int {
	const place = 28
	size := s.tally.size()
	for _, places := range s.places {
		size += place * len(places)
	}
	return size
}

// with adds up what was counted of other weeks. Of the rankings it has those
// names alone that can be among the first.
func (s *settled) with(others []Tally) Tally {
	recent, met := mergeTallies(others)
	parts := []Tally{recent, s.tally}
	for i := range parts {
		for _, of := range rankings {
			*of(&parts[i]) = Ranking{}
		}
	}
	sum, _ := mergeTallies(parts)
	for i, of := range rankings {
		before, now := of(&s.tally), of(&recent)
		ranking := Ranking{Counts: slices.Clone(now.Counts), Cut: before.Cut || now.Cut}
		for n, count := range ranking.Counts {
			if place, known := s.places[i][count.Name]; known {
				ranking.Counts[n].Events += before.Counts[place].Events
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

// settledRun are the weeks, from the one at first to before the one at end, that
// are older than the live ones and whose counts may be kept, with what names
// their content.
func settledRun(c Count, weeks []event.Week, revisions map[event.Week]string) (first, end int, key tallyKey) {
	first = min(liveWeeks, len(weeks))
	hash := sha256.New()
	for end = first; end < len(weeks) && c.of(weeks[end]).lasting(revisions[weeks[end]]); end++ {
		fmt.Fprintf(hash, "%d %q ", weeks[end], revisions[weeks[end]])
	}
	if end-first < 2 {
		return 0, 0, tallyKey{}
	}
	return first, end, c.of(weeks[first]).key(fmt.Sprintf("%x", hash.Sum(nil)))
}
