package account

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// FreshFor is how long what was looked up counts without asking again. What this
// process changes counts at once; what another one changes, after that.
const FreshFor = time.Second

// latelyKept bounds how many things are remembered.
const latelyKept = 10_000

// Lately remembers what was looked up a moment ago. It is safe for concurrent use.
type Lately[V any] struct {
	clock func() time.Time
	life  time.Duration

	mu sync.Mutex
	by *lru.Cache[string, seen[V]]
	// forgotten counts what was forgotten: what was being looked up meanwhile
	// may be old.
	forgotten uint64
}

type seen[V any] struct {
	value V
	at    time.Time
}

// NewLately makes an empty one, which remembers for a life.
func NewLately[V any](clock func() time.Time, life time.Duration) *Lately[V] {
	by, err := lru.New[string, seen[V]](latelyKept)
	if err != nil {
		panic(err) // Only a size below one fails.
	}
	return &Lately[V]{clock: clock, life: life, by: by}
}

// Get returns what was looked up less than its life ago. Where it was not, begun is
// for Keep.
func (l *Lately[V]) Get(name string) (value V, begun uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known, ok := l.by.Get(name)
	if ok && l.clock().Sub(known.at) < l.life {
		return known.value, 0, true
	}
	return value, l.forgotten, false
}

// Keep remembers what was looked up since begun, unless something was forgotten
// meanwhile; it reports whether it did.
func (l *Lately[V]) Keep(name string, value V, begun uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.forgotten == begun {
		l.by.Add(name, seen[V]{value, l.clock()})
	}
	return l.forgotten == begun
}

// Forget is for what was changed.
func (l *Lately[V]) Forget(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgotten++
	l.by.Remove(name)
}
