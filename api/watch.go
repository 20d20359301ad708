package api

import "sync"

// watch tells open sockets that their key was revoked or their session ended.
// It holds an entry for each credential that has a socket open, no others.
type watch struct {
	mu   sync.Mutex
	open map[string]*watched
}

type watched struct {
	gone  chan struct{}
	users int
}

// join returns the channel that is closed when the credential ends, and a
// function that the socket calls when it closes.
func (w *watch) join(credential string) (gone <-chan struct{}, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == nil {
		w.open = make(map[string]*watched)
	}
	entry := w.open[credential]
	if entry == nil {
		entry = &watched{gone: make(chan struct{})}
		w.open[credential] = entry
	}
	entry.users++
	return entry.gone, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		entry.users--
		if entry.users == 0 && w.open[credential] == entry {
			delete(w.open, credential)
		}
	}
}

// end closes the channels of a credential that has ended.
func (w *watch) end(credential string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if entry := w.open[credential]; entry != nil {
		close(entry.gone)
		delete(w.open, credential)
	}
}
