package indexer

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// pace is how many events a batch of a lane has at most: a little more after each
// full batch that was done in time, half after each that was not (additive increase,
// multiplicative decrease). It is shared by the workers of a lane.
type pace struct {
	// target is how long a batch should take, 0 where only time-outs count.
	target     time.Duration
	most, step int

	mu   sync.Mutex
	size int
}

// paceSteps is how many full batches it takes to grow from nothing to the bound.
const paceSteps = 100

func newPace(most int) *pace { return &pace{size: most, most: most, step: max(1, most/paceSteps)} }

func (p *pace) now() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size
}

// ended hears of a batch of n that was done.
func (p *pace) ended(n int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.target > 0 && took > p.target:
		// Below that, what a batch costs whatever it holds is most of it.
		p.halve(n, min(targetLeast, p.size))
	case n >= p.size:
		p.size = min(p.size+p.step, p.most)
	}
}

// targetLeast is how many events a batch has that is slow, and not too slow.
const targetLeast = 50

// late hears of a batch of n that took so long that it was not done. Of two that
// began with one size, the second changes nothing.
func (p *pace) late(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halve(n, 1)
}

func (p *pace) halve(n, least int) { p.size = max(min(p.size, n/2), least) }

// budget bounds how many events are tried again at once because a store was slow.
// Each event that gets through pays for a part of a retry.
type budget struct {
	mu         sync.Mutex
	left, most float64
}

// retryShare is how much of a retry an event pays for that got through.
const retryShare = 0.2

func newBudget(most int) *budget { return &budget{left: float64(most), most: float64(most)} }

func (b *budget) earn(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(b.left+retryShare*float64(n), b.most)
}

// spend reports whether n events may be tried again without a pause.
func (b *budget) spend(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < float64(n) {
		return false
	}
	b.left -= float64(n)
	return true
}

// timedOut reports whether something took too long, rather than failed.
func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	waited, ok := errors.AsType[net.Error](err)
	return ok && waited.Timeout()
}

// yielding lets bulk wait for live: a bulk batch begins when no live one is under
// way, or when bulk has waited for its share.
type yielding struct {
	mu   sync.Mutex
	live int
	// idle is closed when the last live batch ends; nil while there is none.
	idle chan struct{}
}

func (y *yielding) begin() {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.live++; y.live == 1 {
		y.idle = make(chan struct{})
	}
}

func (y *yielding) end() {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.live--; y.live == 0 {
		close(y.idle)
		y.idle = nil
	}
}

// wait waits until no live batch is under way, at most for a time.
func (y *yielding) wait(ctx context.Context, most time.Duration) {
	y.mu.Lock()
	idle := y.idle
	y.mu.Unlock()
	if idle == nil || most <= 0 {
		return
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	case <-ctx.Done():
	}
}
