package sqlite

import (
	"maps"
	"slices"
	"sync"
)

// watch remembers at which places a week was written while it is being built
// anew. It is the week's slot's, whichever file is open.
type watch struct {
	mu     sync.Mutex
	on     bool
	places map[int64]bool
}

// start begins with nothing remembered.
func (w *watch) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on, w.places = true, make(map[int64]bool)
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on, w.places = false, nil
}

// note remembers places that were written; a nil watch forgets them.
func (w *watch) note(places []int64) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.on {
		return
	}
	for _, place := range places {
		w.places[place] = true
	}
}

// take returns what was written since the last take, in the order of places.
func (w *watch) take() []int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	places := slices.Sorted(maps.Keys(w.places))
	clear(w.places)
	return places
}
