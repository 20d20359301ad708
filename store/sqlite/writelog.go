package sqlite

import (
	"maps"
	"slices"
	"sync"
)

// writeLog remembers which rowids a week was written while it is being built
// anew. It is the week's slot's, whichever file is open.
type writeLog struct {
	mu     sync.Mutex
	on     bool
	rowids map[int64]bool
}

// start begins with nothing remembered.
func (w *writeLog) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on, w.rowids = true, make(map[int64]bool)
}

func (w *writeLog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on, w.rowids = false, nil
}

// note remembers rowids that were written; a nil writeLog forgets them.
func (w *writeLog) note(rowids []int64) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.on {
		return
	}
	for _, rowid := range rowids {
		w.rowids[rowid] = true
	}
}

// take returns what was written since the last take, in the order of rowids.
func (w *writeLog) take() []int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	rowids := slices.Sorted(maps.Keys(w.rowids))
	clear(w.rowids)
	return rowids
}
