package sqlite

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"tidings/event"
)

// mostFacts is how much of a week's facts may be unpacked, in bytes.
const mostFacts = 1 << 30

// counting keeps the facts of weeks that were counted in memory, up to a bound,
// and knows when the events of a week changed. It is safe for concurrent use.
type counting struct {
	limit   int
	decoder *zstd.Decoder
	// incarnation keeps the revisions of two processes apart.
	incarnation string

	mu sync.Mutex
	// revisions count the writes to a workspace's week, and weeks the changes of
	// whole weeks, since the process began.
	revisions map[factsKey]uint64
	weeks     map[event.Week]uint64
	kept      map[factsKey]*keptFacts
	bytes     int
}

type factsKey struct {
	week      event.Week
	workspace string
}

// keptFacts are facts that are there or being collected.
type keptFacts struct {
	key factsKey
	// collecting is held by whoever collects.
	collecting chan struct{}
	bytes      int // guarded by counting.mu

	mu    sync.RWMutex
	facts *facts
	// missed was written while the facts were collected.
	missed []factEvent
}

func newCounting(limit int) (*counting, error) {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(mostFacts),
		zstd.WithDecoderDictRaw(formZstd, []byte(commonText)))
	if err != nil {
		return nil, err
	}
	return &counting{
		limit: limit, decoder: decoder, incarnation: rand.Text(),
		revisions: make(map[factsKey]uint64), weeks: make(map[event.Week]uint64),
		kept: make(map[factsKey]*keptFacts),
	}, nil
}

func (c *counting) close() { c.decoder.Close() }

// revision names what a workspace's week holds.
func (c *counting) revision(key factsKey) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%s.%d.%d", c.incarnation, c.weeks[key.week], c.revisions[key])
}

// changed takes in what was committed to a week. Facts are there before the new
// revision is: a count that is kept under a revision is never older than it.
func (c *counting) changed(week event.Week, written []factEvent) {
	byWorkspace := make(map[string][]factEvent, 1)
	for _, e := range written {
		byWorkspace[e.event.Workspace] = append(byWorkspace[e.event.Workspace], e)
	}
	for workspace, events := range byWorkspace {
		key := factsKey{week, workspace}
		c.mu.Lock()
		kept := c.kept[key]
		c.mu.Unlock()
		size := 0
		if kept != nil {
			size = kept.put(events)
		}
		c.mu.Lock()
		c.revisions[key]++
		c.resize(kept, size)
		c.mu.Unlock()
	}
}

// forget is for a week whose events were taken out, or whose file was replaced.
func (c *counting) forget(week event.Week) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.weeks[week]++
	for key, kept := range c.kept {
		if key.week == week {
			c.drop(kept)
		}
	}
}

// use runs do with the facts of a workspace's week, which collect gathers where
// they are not kept. Nothing changes them meanwhile.
func (c *counting) use(ctx context.Context, key factsKey, collect func() (*facts, error), do func(*facts) error) error {
	for {
		kept := c.find(key)
		ready, err := c.ready(ctx, kept, collect)
		if err != nil {
			return err
		}
		if ready {
			kept.mu.RLock()
			defer kept.mu.RUnlock()
			return do(kept.facts)
		}
	}
}

// find is the place of facts, a new one when there is none. From then on it
// hears of what is written, before collecting begins.
func (c *counting) find(key factsKey) *keptFacts {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.kept[key]
	if kept == nil {
		kept = &keptFacts{key: key, collecting: make(chan struct{}, 1)}
		c.kept[key] = kept
	}
	return kept
}

// ready collects the facts unless somebody did. It is false when the place was
// given up meanwhile.
func (c *counting) ready(ctx context.Context, kept *keptFacts, collect func() (*facts, error)) (bool, error) {
	select {
	case kept.collecting <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-kept.collecting }()
	if kept.there() {
		return true, nil
	}
	c.mu.Lock()
	current := c.kept[kept.key] == kept
	c.mu.Unlock()
	if !current {
		return false, nil
	}
	made, err := collect()
	if err != nil {
		c.mu.Lock()
		c.drop(kept)
		c.mu.Unlock()
		return false, err
	}
	size := kept.fill(made)
	c.mu.Lock()
	c.resize(kept, size)
	c.mu.Unlock()
	return true, nil
}

// resize notes how large facts have become, and gives up any others until all fit.
// A year is counted week by week again and again: to give up what was used longest
// ago would be to give up each week just before its turn. The caller holds mu.
func (c *counting) resize(kept *keptFacts, size int) {
	if kept == nil || c.kept[kept.key] != kept || size == 0 {
		return
	}
	c.bytes += size - kept.bytes
	kept.bytes = size
	for _, other := range c.kept { // which begins anywhere
		if c.bytes <= c.limit {
			return
		}
		// What is being collected has no size, and whoever does needs it.
		if other.bytes > 0 && other != kept {
			c.drop(other)
		}
	}
}

// drop gives facts up; who reads them may finish. The caller holds mu.
func (c *counting) drop(kept *keptFacts) {
	if c.kept[kept.key] != kept {
		return
	}
	delete(c.kept, kept.key)
	c.bytes -= kept.bytes
}

func (k *keptFacts) there() bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.facts != nil
}

// put adds what was written, and returns the size, 0 while it is not known.
func (k *keptFacts) put(events []factEvent) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.facts == nil {
		k.missed = append(k.missed, events...)
		return 0
	}
	k.facts.put(events)
	return k.facts.bytes()
}

// fill takes in collected facts and what was written meanwhile.
func (k *keptFacts) fill(made *facts) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.missed) > 0 {
		made.put(k.missed)
		k.missed = nil
	}
	k.facts = made
	return max(1, made.bytes())
}
