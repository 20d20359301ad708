package api

import (
	"context"
	"sync"
	"time"
)

// revocations tell open sockets that their key was revoked or their session ended.
// It holds an entry for each credential that has a socket open, no others.
type revocations struct {
	mu   sync.Mutex
	open map[string]*watched
}

type watched struct {
	gone  chan struct{}
	users int
}

// join returns the channel that is closed when the credential ends, and a
// function that the socket calls when it closes.
func (w *revocations) join(credential string) (gone <-chan struct{}, leave func()) {
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
func (w *revocations) end(credential string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if entry := w.open[credential]; entry != nil {
		close(entry.gone)
		delete(w.open, credential)
	}
}

// watchEvery is how soon a socket closes whose credential another process ended.
const watchEvery = 5 * time.Second

// Watch closes the sockets of keys and sessions that other processes ended, until
// ctx does. What this process ends closes its sockets at once.
func (s *Server) Watch(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, credential := range s.revocations.credentials() {
			if s.ended(ctx, credential) {
				s.revocations.end(credential)
			}
		}
	}
}

// ended reports whether a credential is known to be none any more. One that
// cannot be looked up may well be one.
func (s *Server) ended(ctx context.Context, credential string) bool {
	ended, err := s.sessions.Ended(ctx, credential)
	return err == nil && ended
}

// credentials are those that have a socket open.
func (w *revocations) credentials() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	open := make([]string, 0, len(w.open))
	for credential := range w.open {
		open = append(open, credential)
	}
	return open
}
