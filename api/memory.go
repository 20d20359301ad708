package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// defaultMemory is Config.Memory unless it is set.
const defaultMemory = 1 << 30

// Shares of the memory that requests may hold at once.
const (
	// A body costs three times its bytes: as it came, and as events.
	bodyCost      = 3
	bodiesShare   = 8 // an eighth
	pagesShare    = 8
	pageCost      = 2 << 20
	memoryWaiting = 2 * time.Second
	// keptBuffer is how large a buffer may be that is used again.
	keptBuffer = 1 << 20
)

// budget is a share of the memory. Who finds none waits for a while and is then
// asked to come back.
type budget struct {
	size  int64
	wait  time.Duration
	share *semaphore.Weighted
}

func newBudget(size int64, wait time.Duration) *budget {
	if wait == 0 {
		wait = memoryWaiting
	}
	return &budget{size, wait, semaphore.NewWeighted(size)}
}

// take takes n bytes, or all that there are when n is more. give must be called,
// and may be called again. The error says when to come back.
func (b *budget) take(ctx context.Context, n int64) (give func(), err error) {
	n = min(n, b.size)
	waiting, cancel := context.WithTimeout(ctx, b.wait)
	defer cancel()
	if b.share.Acquire(waiting, n) != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p := problem(http.StatusServiceUnavailable, "the server has no memory left for this request; try again soon")
		p.header = http.Header{"Retry-After": {"2"}}
		return nil, p
	}
	return sync.OnceFunc(func() { b.share.Release(n) }), nil
}
