package feed

import (
	"container/list"
	"sync"

	"tidings/event"
)

// tallies remembers what weeks were counted to, each and several together, those
// used last, up to a bound in bytes. A week that changed has another revision, and what it was before is
// not asked for any more and falls out in time.
type tallies struct {
	limit int

	mu    sync.Mutex
	known map[tallyKey]*list.Element
	order *list.List // the last used in front
	bytes int
}

type tallyKey struct {
	workspace string
	week      event.Week
	// revision is that of the week, or stands for those of several that end with it.
	revision string
	query    string
	parts    Parts
}

type keptTally struct {
	key   tallyKey
	tally *settled
	bytes int
}

func newTallies(limit int) *tallies {
	return &tallies{limit: limit, known: make(map[tallyKey]*list.Element), order: list.New()}
}

// get returns a tally that must not be changed.
func (t *tallies) get(key tallyKey) (*settled, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, known := t.known[key]
	if !known {
		return nil, false
	}
	t.order.MoveToFront(at)
	return at.Value.(*keptTally).tally, true
}

// put keeps a tally, which must not be changed from then on.
func (t *tallies) put(key tallyKey, tally *settled) {
	kept := &keptTally{key, tally, len(key.query) + tally.size()}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.known[key]; known || kept.bytes > t.limit {
		return
	}
	t.known[key] = t.order.PushFront(kept)
	t.bytes += kept.bytes
	for t.bytes > t.limit {
		oldest := t.order.Remove(t.order.Back()).(*keptTally)
		delete(t.known, oldest.key)
		t.bytes -= oldest.bytes
	}
}

// size is about how many bytes a tally takes.
func (t *Tally) size() int {
	const fixed, quarter, user, name = 500, 56, 64, 24
	size := fixed + quarter*len(t.Times) + user*len(t.Users)
	for _, set := range t.Pairs {
		size += 8 * len(set.Smallest)
	}
	for _, ranking := range []*Ranking{&t.Recipients, &t.Domains, &t.Links, &t.Messages} {
		for _, count := range ranking.Counts {
			size += name + len(count.Name)
		}
	}
	return size
}
