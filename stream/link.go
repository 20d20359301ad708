package stream

import (
	"context"
	"sync"
)

// link knows whether the server is reachable. Requests of a session that was
// lost get no answer; its context ends them at once instead of at a timeout.
type link struct {
	mu      sync.Mutex
	session context.Context
	end     context.CancelFunc
	lost    uint64
}

func newLink() *link {
	l := &link{}
	l.session, l.end = context.WithCancel(context.Background())
	return l
}

// context ends with the session; it has ended already while there is none.
func (l *link) context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session
}

// losses counts the sessions that were lost.
func (l *link) losses() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

func (l *link) down() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost++
	l.end()
}

func (l *link) up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end()
	l.session, l.end = context.WithCancel(context.Background())
}
