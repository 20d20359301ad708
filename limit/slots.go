package limit

import (
	"context"
	"errors"
	"sync"
)

// ErrTooMany says that as many of a group wait already as may.
var ErrTooMany = errors.New("too many wait")

// Slots let a bounded number run at once. Those who wait are let in by turns: first
// of the groups, and within a group of its members, however many each has waiting.
type Slots struct {
	mu      sync.Mutex
	free    int
	waiting int // how many of a member may wait
	groups  turns[*turns[*queue]]
}

// queue holds those of one member who wait, in order.
type queue struct{ waiters []*waiter }

type waiter struct{ let chan struct{} }

// turns are things by name that have their turn one after the other.
type turns[T any] struct {
	by    map[string]T
	order []string
}

// NewSlots lets n run at once and waiting of each member wait.
func NewSlots(n, waiting int) *Slots { return &Slots{free: n, waiting: waiting} }

// Take waits for a slot until ctx ends. The caller gives it back by release.
// ErrTooMany says that too many of the member wait already.
func (s *Slots) Take(ctx context.Context, group, member string) (release func(), err error) {
	s.mu.Lock()
	if s.free > 0 {
		s.free--
		s.mu.Unlock()
		return sync.OnceFunc(s.release), nil
	}
	members := s.groups.of(group, func() *turns[*queue] { return &turns[*queue]{} })
	q := members.of(member, func() *queue { return &queue{} })
	if len(q.waiters) >= s.waiting {
		s.tidy(group, member)
		s.mu.Unlock()
		return nil, ErrTooMany
	}
	w := &waiter{let: make(chan struct{})}
	q.waiters = append(q.waiters, w)
	s.mu.Unlock()
	select {
	case <-w.let:
		return sync.OnceFunc(s.release), nil
	case <-ctx.Done():
		s.leave(group, member, w)
		return nil, ctx.Err()
	}
}

// release lets the next one in, or frees the slot.
func (s *Slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	group, members, ok := s.groups.next()
	if !ok {
		s.free++
		return
	}
	member, q, _ := members.next()
	w := q.waiters[0]
	q.waiters = q.waiters[1:]
	close(w.let)
	s.tidy(group, member)
}

// leave takes one out who does not wait any more. One who was let in meanwhile
// gives the slot back.
func (s *Slots) leave(group, member string, w *waiter) {
	s.mu.Lock()
	select {
	case <-w.let:
		s.mu.Unlock()
		s.release()
		return
	default:
	}
	defer s.mu.Unlock()
	q := s.groups.by[group].by[member]
	for i, other := range q.waiters {
		if other == w {
			q.waiters = append(q.waiters[:i], q.waiters[i+1:]...)
			break
		}
	}
	s.tidy(group, member)
}

// tidy forgets members and groups of whom nobody waits. The lock is held.
func (s *Slots) tidy(group, member string) {
	members := s.groups.by[group]
	if q, ok := members.by[member]; ok && len(q.waiters) == 0 {
		members.remove(member)
	}
	if len(members.by) == 0 {
		s.groups.remove(group)
	}
}

// of returns the thing of a name, making it at the end of the order.
func (t *turns[T]) of(name string, make func() T) T {
	thing, ok := t.by[name]
	if !ok {
		if t.by == nil {
			t.by = map[string]T{}
		}
		thing = make()
		t.by[name] = thing
		t.order = append(t.order, name)
	}
	return thing
}

// next returns whose turn it is and puts them at the end of the order.
func (t *turns[T]) next() (name string, thing T, ok bool) {
	if len(t.order) == 0 {
		return "", thing, false
	}
	name = t.order[0]
	t.order = append(t.order[1:], name)
	return name, t.by[name], true
}

func (t *turns[T]) remove(name string) {
	delete(t.by, name)
	for i, other := range t.order {
		if other == name {
			t.order = append(t.order[:i], t.order[i+1:]...)
			return
		}
	}
}
