package limit

import (
	"math"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Rate is how much may be taken: Burst at once, and PerSecond in the long run.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Window is how long an empty bucket takes to fill.
func (r Rate) Window() time.Duration {
	return time.Duration(float64(r.Burst) / r.PerSecond * float64(time.Second))
}

// State is a bucket after something was taken, or could not be.
type State struct {
	Rate
	// Left is how much there is now.
	Left int
	// After is when there will be as much as was asked for, 0 when it was taken.
	After time.Duration
	// Full is when the bucket will be full.
	Full time.Duration
}

// Buckets are token buckets by key. They are safe for concurrent use.
type Buckets[K comparable] struct {
	rate  Rate
	clock func() time.Time
	mu    sync.Mutex
	by    *lru.Cache[K, *rate.Limiter]
}

// NewBuckets remembers up to most keys. One that is forgotten, since others were used
// later, begins with a full bucket.
func NewBuckets[K comparable](r Rate, most int, clock func() time.Time) *Buckets[K] {
	by, err := lru.New[K, *rate.Limiter](most)
	if err != nil {
		panic(err) // The size is the program's own.
	}
	return &Buckets[K]{rate: r, clock: clock, by: by}
}

// Take takes n from a key's bucket, or nothing where there is less: then
// State.After says when to come back. More than the bucket holds is taken from a
// full one.
func (b *Buckets[K]) Take(key K, n int) State {
	now := b.clock()
	b.mu.Lock()
	defer b.mu.Unlock()
	bucket := b.bucket(key)
	n = min(n, b.rate.Burst)
	taken := bucket.AllowN(now, n)
	left := bucket.TokensAt(now)
	state := State{Rate: b.rate, Left: int(max(0, left)), Full: b.after(float64(b.rate.Burst) - left)}
	if !taken {
		state.After = max(time.Millisecond, b.after(float64(n)-left))
	}
	return state
}

// Charge takes n that were used already, also where there is less: then nothing is there
// until that is made up for.
func (b *Buckets[K]) Charge(key K, n int) {
	now := b.clock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bucket(key).ReserveN(now, min(n, b.rate.Burst))
}

// Give puts n back that was taken and not used.
func (b *Buckets[K]) Give(key K, n int) {
	now := b.clock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if bucket, ok := b.by.Get(key); ok {
		bucket.ReserveN(now, -min(n, b.rate.Burst))
	}
}

// bucket is a key's, full at first. The lock is held.
func (b *Buckets[K]) bucket(key K) *rate.Limiter {
	bucket, ok := b.by.Get(key)
	if !ok {
		bucket = rate.NewLimiter(rate.Limit(b.rate.PerSecond), b.rate.Burst)
		b.by.Add(key, bucket)
	}
	return bucket
}

func (b *Buckets[K]) after(tokens float64) time.Duration {
	return time.Duration(math.Ceil(max(0, tokens) / b.rate.PerSecond * float64(time.Second)))
}
