// Package backoff says how long to wait before something that failed is tried
// again. In come the bounds of the delays and how often it failed in a row; out
// comes a delay that doubles each time, less up to a half at random.
package backoff

import (
	"math/rand/v2"
	"time"
)

// Delays double from Base to Max, each less up to a half at random, so that those
// who failed together do not come back together.
type Delays struct {
	Base, Max time.Duration
	// Random gives numbers in [0, 1); math/rand's when nil.
	Random func() float64
}

// After is the delay after the n-th failure in a row, the first being 1.
func (d Delays) After(n int) time.Duration {
	delay := d.Base
	for i := 1; i < n && delay < d.Max; i++ {
		delay *= 2
	}
	delay = min(delay, d.Max)
	random := d.Random
	if random == nil {
		random = rand.Float64
	}
	return time.Duration(float64(delay) * (1 - random()/2))
}

// Failures counts failures in a row. Its zero value has none.
type Failures int

// Failed counts one more and gives the delay after it.
func (f *Failures) Failed(d Delays) time.Duration {
	*f++
	return d.After(int(*f))
}

// Reset says that something succeeded.
func (f *Failures) Reset() { *f = 0 }
