package feed

import (
	"container/list"
	"sync"

	"tidings/event"
)

// aggregateCache remembers what weeks were counted to, each and several together, those
// used last, up to a bound in bytes. A week that changed has another revision, and what it was before is
// not asked for any more and falls out in time.
type aggregateCache struct {
	limit int

	mu    sync.Mutex
	known map[aggregateKey]*list.Element
	order *list.List // the last used in front
	bytes int
}

type aggregateKey struct {
	workspace string
	week      event.Week
	// revision is that of the week, or stands for those of several that end with it.
	revision string
	query    string
	parts    Parts
}

type cacheEntry struct {
	key       aggregateKey
	aggregate *cachedAggregate
	bytes     int
}

func newAggregateCache(limit int) *aggregateCache {
	return &aggregateCache{limit: limit, known: make(map[aggregateKey]*list.Element), order: list.New()}
}

// get returns an aggregate that must not be changed.
func (t *aggregateCache) get(key aggregateKey) (*cachedAggregate, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, known := t.known[key]
	if !known {
		return nil, false
	}
	t.order.MoveToFront(at)
	return at.Value.(*cacheEntry).aggregate, true
}

// put keeps an aggregate, which must not be changed from then on.
func (t *aggregateCache) put(key aggregateKey, aggregate *cachedAggregate) {
	kept := &cacheEntry{key, aggregate, len(key.query) + aggregate.size()}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.known[key]; known || kept.bytes > t.limit {
		return
	}
	t.known[key] = t.order.PushFront(kept)
	t.bytes += kept.bytes
	for t.bytes > t.limit {
		oldest := t.order.Remove(t.order.Back()).(*cacheEntry)
		delete(t.known, oldest.key)
		t.bytes -= oldest.bytes
	}
}

// size is about how many bytes an aggregate takes.
func (t *Aggregate) size() int {
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
