package api

import (
	"sync"
	"time"

	"tidings/event"
)

const (
	// maxExportsOfOne is how many are one workspace's at once.
	maxExportsOfOne = 4
	// exportRetry is when to try again after too many exports at once.
	exportRetry = 5 * time.Second
)

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
