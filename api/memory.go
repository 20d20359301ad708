package api

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// defaultMemory is Config.Memory unless it is set.
const defaultMemory = 1 << 30

// Shares of the memory that requests may hold at once.
const (
	// A body costs three times its bytes: as it came, and as events.
	bodyCost = 3
	// bodyChunk is how much of a body memory is taken for at a time, and leastChunk how
	// much at first: one that comes a byte a second must not take what others need.
	bodyChunk     = 64 << 10
	leastChunk    = 4 << 10
	memoryWaiting = 2 * time.Second
	// largeShare is the share of a budget beyond which a hold is large: of each workspace one
	// grows at a time. Many that grow side by side would each wait for what the others have.
	largeShare = 256
	// keptBuffer is how large a buffer may be that is used again.
	keptBuffer = 1 << 20
)

// budget is a share of the memory. One workspace has at most half of it. Who finds
// none waits for a while and is then asked to come back.
type budget struct {
	size  int64
	wait  time.Duration
	share *semaphore.Weighted

	mu sync.Mutex
	of map[string]*budgetPart // by workspace, of those that hold something
}

type budgetPart struct {
	share *semaphore.Weighted
	// large is of the one that is large.
	large *semaphore.Weighted
	holds int
}

func newBudget(size int64, wait time.Duration) *budget {
	if wait == 0 {
		wait = memoryWaiting
	}
	return &budget{size: size, wait: wait, share: semaphore.NewWeighted(size), of: make(map[string]*budgetPart)}
}

// hold is what one request has of a budget. It grows as the request needs more, and
// must be released. It is for one goroutine.
type hold struct {
	budget    *budget // nil is no bound
	workspace string
	part      *budgetPart
	// taken is what it has of the budget, and ofPart what of that counts for its workspace.
	taken, ofPart int64
	large         bool
}

// held begins a hold for a workspace, "" for those of whom none is known.
func (b *budget) held(workspace string) *hold {
	h := &hold{budget: b, workspace: workspace}
	if b == nil {
		return h
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if h.part = b.of[workspace]; h.part == nil {
		h.part = &budgetPart{share: semaphore.NewWeighted(b.size / 2), large: semaphore.NewWeighted(1)}
		b.of[workspace] = h.part
	}
	h.part.holds++
	return h
}

// grow takes n bytes more, though never more in all than there is: what needs more than
// that is alone then. Beyond what a workspace may have it takes of everybody's. The error
// says when to come back; what was taken before stays taken.
func (h *hold) grow(ctx context.Context, n int64) error {
	if h.budget == nil {
		return nil
	}
	n = min(n, h.budget.size-h.taken)
	if n <= 0 {
		return nil
	}
	theirs := min(n, h.budget.size/2-h.ofPart)
	waiting, cancel := context.WithTimeout(ctx, h.budget.wait)
	defer cancel()
	var err error
	if !h.large && h.taken+n > h.budget.size/largeShare {
		err = acquire(waiting, h.part.large, 1)
		h.large = err == nil
	}
	if err == nil {
		err = acquire(waiting, h.part.share, theirs)
	}
	if err == nil {
		if err = acquire(waiting, h.budget.share, n); err != nil {
			h.part.share.Release(theirs)
		}
	}
	switch {
	case err == nil:
		h.taken, h.ofPart = h.taken+n, h.ofPart+theirs
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	p := problem(http.StatusServiceUnavailable, "the server has no memory left for this request; try again soon")
	p.header = http.Header{"Retry-After": {"2"}}
	return p
}

// acquire takes what is free, also where no time is left to wait, and else waits.
func acquire(ctx context.Context, from *semaphore.Weighted, n int64) error {
	if from.TryAcquire(n) {
		return nil
	}
	return from.Acquire(ctx, n)
}

// release gives everything back. It may be called again.
func (h *hold) release() {
	if h.part == nil {
		return
	}
	if h.taken > 0 {
		h.budget.share.Release(h.taken)
		h.part.share.Release(h.ofPart)
		h.taken, h.ofPart = 0, 0
	}
	if h.large {
		h.part.large.Release(1)
		h.large = false
	}
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	if h.part.holds--; h.part.holds == 0 {
		delete(h.budget.of, h.workspace)
	}
	h.part = nil
}

// heldReader takes memory for what it reads, a chunk ahead.
type heldReader struct {
	ctx  context.Context
	from io.Reader
	hold *hold
	// cost is what a byte costs.
	cost int64
	// left is what may be read before more is taken, and chunk what was taken last.
	left, chunk int64
}

func (r *heldReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		r.chunk = max(leastChunk, min(2*r.chunk, bodyChunk))
		if err := r.hold.grow(r.ctx, r.chunk*r.cost); err != nil {
			return 0, err
		}
		r.left = r.chunk
	}
	n, err := r.from.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if r.chunk == bodyChunk && r.left == 0 {
		runtime.Gosched() // What unfolds, or has come already, would keep others from the processor.
	}
	return n, err
}
