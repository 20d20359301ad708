package stream

import (
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// allowanceWorkspaces is how many workspaces are remembered. One that is
// forgotten begins with a full burst again.
const allowanceWorkspaces = 10_000

// allowance is how much of the live lane each workspace may have, a token
// bucket for each, so that one that floods delays nobody else's live events:
// what is over goes to the bulk lane, and nothing is refused.
type allowance struct {
	rate  rate.Limit
	burst int
	clock func() time.Time

	mu      sync.Mutex
	buckets *lru.Cache[string, *rate.Limiter]
}

func newAllowance(cfg Config) (*allowance, error) {
	buckets, err := lru.New[string, *rate.Limiter](allowanceWorkspaces)
	if err != nil {
		return nil, fmt.Errorf("live allowance: %w", err)
	}
	return &allowance{
		rate: rate.Limit(cfg.LiveRate), burst: cfg.LiveBurst, clock: cfg.Clock,
		buckets: buckets,
	}, nil
}

// take reports whether a workspace may have one more live event now.
func (a *allowance) take(workspace string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	bucket, ok := a.buckets.Get(workspace)
	if !ok {
		bucket = rate.NewLimiter(a.rate, a.burst)
		a.buckets.Add(workspace, bucket)
	}
	return bucket.AllowN(a.clock(), 1)
}
