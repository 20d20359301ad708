package api

import (
	"sync"
	"time"

	"tidings/event"
)

const (
	// exportCost is what an export holds while it is made.
	exportCost = 32 << 20
	// maxExports is how many are made at once, where there is memory for them.
	maxExports = 32
	// maxExportsOfOne is how many of them are one workspace's.
	maxExportsOfOne = 4
	// exportRetry is when to try again after too many exports at once.
	exportRetry = 5 * time.Second
)

// exportsOf is how many exports a memory is enough for.
func exportsOf(memory int64) int { return max(2, min(maxExports, int(memory/exportCost))) }

// exporting counts the exports that are under way, in all and of each workspace.
type exporting struct {
	most int

	mu  sync.Mutex
	all int
	of  map[string]int
}

// begin counts one more; done is called at its end. One workspace never has all that
// there are.
func (e *exporting) begin(caller Caller) (done func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	own := min(maxExportsOfOne, max(1, e.most/2))
	if e.of[caller.Workspace] >= own {
		return nil, &event.TooMuch{What: "too many exports of this workspace are being made at once", After: exportRetry}
	}
	if e.all >= e.most {
		return nil, &event.TooMuch{What: "too many exports are being made at once", After: exportRetry}
	}
	if e.of == nil {
		e.of = make(map[string]int)
	}
	e.all++
	e.of[caller.Workspace]++
	return sync.OnceFunc(func() { e.end(caller.Workspace) }), nil
}

func (e *exporting) end(workspace string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all--
	if e.of[workspace]--; e.of[workspace] == 0 {
		delete(e.of, workspace)
	}
}
