package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

// defaultMemory is Config.Memory unless it is set.
const defaultMemory = 1 << 30

// Shares of the memory that requests may hold at once.
const (
	// A body costs three times its bytes: as it came, and as events.
	bodyCost    = 3
	bodiesShare = 8 // an eighth
	// bodyChunk is how much of a body memory is taken for at a time.
	bodyChunk     = 64 << 10
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

// hold is what one request has of a budget. It grows as the request needs more.
// It is for one goroutine.
type hold struct {
	budget *budget // nil is no bound
	taken  int64
}

// grow takes n bytes more, though never more in all than the budget has. The
// error says when to come back; what was taken before stays taken.
func (h *hold) grow(ctx context.Context, n int64) error {
	if h.budget == nil {
		return nil
	}
	n = min(n, h.budget.size-h.taken)
	if n <= 0 {
		return nil
	}
	if !h.budget.share.TryAcquire(n) {
		waiting, cancel := context.WithTimeout(ctx, h.budget.wait)
		defer cancel()
		if h.budget.share.Acquire(waiting, n) != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			p := problem(http.StatusServiceUnavailable, "the server has no memory left for this request; try again soon")
			p.header = http.Header{"Retry-After": {"2"}}
			return p
		}
	}
	h.taken += n
	return nil
}

// release gives everything back. It may be called again.
func (h *hold) release() {
	if h.taken > 0 {
		h.budget.share.Release(h.taken)
		h.taken = 0
	}
}

// heldReader takes memory for what it reads, a chunk ahead.
type heldReader struct {
	ctx  context.Context
	from io.Reader
	hold *hold
	// cost is what a byte costs.
	cost int64
	// left is what may be read before more is taken.
	left int64
}

func (r *heldReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		if err := r.hold.grow(r.ctx, bodyChunk*r.cost); err != nil {
			return 0, err
		}
		r.left = bodyChunk
	}
	n, err := r.from.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	return n, err
}
