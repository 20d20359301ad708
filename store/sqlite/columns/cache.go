package columns

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	"tidings/event"
)

// Cache keeps the columns of weeks that were counted in memory, up to a bound,
// and knows when the events of a week changed. It is safe for concurrent use.
type Cache struct {
	limit int
	// incarnation keeps the revisions of two processes apart.
	incarnation string

	mu sync.Mutex
	// revisions count the writes to a workspace's week, and weeks the changes of
	// whole weeks, since the process began.
	revisions map[Key]uint64
	weeks     map[event.Week]uint64
	kept      map[Key]*entry
	bytes     int
}

// Key names the columns of a workspace's week.
type Key struct {
	Week      event.Week
	Workspace string
}

// entry are columns that are there or being collected.
type entry struct {
	key Key
	// collecting is held by whoever collects.
	collecting chan struct{}
	bytes      int // guarded by Cache.mu

	mu      sync.RWMutex
	columns *Columns
	// missed was written while the columns were collected.
	missed []Event
}

// NewCache keeps up to limit bytes.
func NewCache(limit int) *Cache {
	return &Cache{
		limit: limit, incarnation: rand.Text(),
		revisions: make(map[Key]uint64), weeks: make(map[event.Week]uint64),
		kept: make(map[Key]*entry),
	}
}

// Revision names what a workspace's week holds.
func (c *Cache) Revision(key Key) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%s.%d.%d", c.incarnation, c.weeks[key.Week], c.revisions[key])
}

// Changed takes in what was committed to a week. Columns are there before the new
// revision is: an aggregate kept under a revision is never older than it.
func (c *Cache) Changed(week event.Week, written []Event) {
	byWorkspace := make(map[string][]Event, 1)
	for _, e := range written {
		byWorkspace[e.Event.Workspace] = append(byWorkspace[e.Event.Workspace], e)
	}
	for workspace, events := range byWorkspace {
		key := Key{week, workspace}
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

// Forget is for a week whose events were taken out, or whose file was replaced.
func (c *Cache) Forget(week event.Week) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.weeks[week]++
	for key, kept := range c.kept {
		if key.Week == week {
			c.drop(kept)
		}
	}
}

// Use runs do with the columns of a workspace's week, which collect gathers where
// they are not kept. Nothing changes them meanwhile.
func (c *Cache) Use(ctx context.Context, key Key, collect func() (*Columns, error), do func(*Columns) error) error {
	for {
		kept := c.find(key)
		ready, err := c.ready(ctx, kept, collect)
		if err != nil {
			return err
		}
		if ready {
			kept.mu.RLock()
			defer kept.mu.RUnlock()
			return do(kept.columns)
		}
	}
}

// find is the entry of a key, a new one when there is none. From then on it
// hears of what is written, before collecting begins.
func (c *Cache) find(key Key) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.kept[key]
	if kept == nil {
		kept = &entry{key: key, collecting: make(chan struct{}, 1)}
		c.kept[key] = kept
	}
	return kept
}

// ready collects the columns unless somebody did. It is false when the entry was
// given up meanwhile.
func (c *Cache) ready(ctx context.Context, kept *entry, collect func() (*Columns, error)) (bool, error) {
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

// resize notes how large columns have become, and gives up any others until all fit.
// A year is counted week by week again and again: to give up what was used longest
// ago would be to give up each week just before its turn. The caller holds mu.
func (c *Cache) resize(kept *entry, size int) {
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

// drop gives columns up; who reads them may finish. The caller holds mu.
func (c *Cache) drop(kept *entry) {
	if c.kept[kept.key] != kept {
		return
	}
	delete(c.kept, kept.key)
	c.bytes -= kept.bytes
}

func (k *entry) there() bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.columns != nil
}

// put adds what was written, and returns the size, 0 while it is not known.
func (k *entry) put(events []Event) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.columns == nil {
		k.missed = append(k.missed, events...)
		return 0
	}
	k.columns.Put(events)
	return k.columns.bytes()
}

// fill takes in collected columns and what was written meanwhile.
func (k *entry) fill(made *Columns) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.missed) > 0 {
		made.Put(k.missed)
		k.missed = nil
	}
	k.columns = made
	return max(1, made.bytes())
}
