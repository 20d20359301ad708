package limit

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrTooMany says that as many of a group wait already as may.
var ErrTooMany = errors.New("too many wait")

// Slots let a bounded number run at once. Those who wait are let in by turns: first
// of the groups, and within a group of its members, however many each has waiting. Of
// more than two slots one group has at most three quarters, so that what another asks
// begins at once, however long that group's take; and its share of them while another has
// asked within the last othersFor, so that it does not only begin: who has a slot has but a
// part of the processors. A slot that a group held for long then counts as its own for as
// long again: what takes long has half of that share, and what is short waits for nothing.
type Slots struct {
	mu      sync.Mutex
	free    int
	most    int // how many a group may have
	shared  int // and how many while others ask too
	asked   [2]asking
	held    map[string]int
	rests   map[string]int // by group, slots that were held for long and count as its own still
	waiting int            // how many of a member may wait
	groups  turns[*turns[*queue]]
}

const (
	// othersFor is how long it counts that another group has asked.
	othersFor = 10 * time.Second
	// restsAfter is how long a slot is held at least that rests, and longestRest how long it
	// rests at most.
	restsAfter  = 20 * time.Millisecond
	longestRest = time.Second
)

// asking is a group that has asked, and when. Slots keep the last two groups.
type asking struct {
	group string
	at    time.Time
}

// queue holds those of one member who wait, in order.
type queue struct{ waiters []*waiter }

type waiter struct{ let chan struct{} }

// turns are things by name that have their turn one after the other.
type turns[T any] struct {
	by    map[string]T
	order []string
}

// NewSlots lets n run at once, of one group shared while others ask too, and waiting of each
// member wait.
func NewSlots(n, shared, waiting int) *Slots {
	most := n
	if n > 2 {
		most -= max(1, n/4)
	}
	return &Slots{free: n, most: most, shared: max(1, shared), held: make(map[string]int), rests: make(map[string]int), waiting: waiting}
}

// Take waits for a slot until ctx ends. The caller gives it back by release.
// ErrTooMany says that too many of the member wait already.
func (s *Slots) Take(ctx context.Context, group, member string) (release func(), err error) {
	began := time.Now()
	s.mu.Lock()
	release = sync.OnceFunc(func() { s.release(group, time.Since(began)) })
	s.asks(group)
	if s.free > 0 && s.mayHave(group) {
		s.free--
		s.held[group]++
		s.mu.Unlock()
		return release, nil
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
		began = time.Now()
		return release, nil
	case <-ctx.Done():
		s.leave(group, member, w)
		return nil, ctx.Err()
	}
}

// mayHave says whether a group may have one more. The lock is held.
func (s *Slots) mayHave(group string) bool {
	if s.othersAsk(group) {
		return s.held[group]+s.rests[group] < s.shared
	}
	return s.held[group] < s.most
}

// othersAsk says whether another group has asked of late. The lock is held.
func (s *Slots) othersAsk(group string) bool {
	return slices.ContainsFunc(s.asked[:], func(other asking) bool {
		return other.group != group && time.Since(other.at) < othersFor
	})
}

// asks notes that a group has asked. The lock is held.
func (s *Slots) asks(group string) {
	if s.asked[0].group != group {
		s.asked[1] = s.asked[0]
	}
	s.asked[0] = asking{group, time.Now()}
}

// release gives a group's slot back that it has held for so long, and lets those in who may
// have what is free.
func (s *Slots) release(of string, held time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	less(s.held, of)
	s.free++
	if held >= restsAfter && s.othersAsk(of) {
		s.rests[of]++
		time.AfterFunc(min(held, longestRest), func() { s.rested(of) })
	}
	s.letIn()
}

// rested ends the rest of a group's slot.
func (s *Slots) rested(of string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	less(s.rests, of)
	s.letIn()
}

// less counts one less of a group.
func less(counted map[string]int, group string) {
	if counted[group]--; counted[group] == 0 {
		delete(counted, group)
	}
}

// letIn gives what is free to those who wait and may have it. The lock is held.
func (s *Slots) letIn() {
	for ; s.free > 0; s.free-- {
		group, members, ok := s.groups.next(s.mayHave)
		if !ok {
			return
		}
		s.held[group]++
		member, q, _ := members.next(func(string) bool { return true })
		w := q.waiters[0]
		q.waiters = q.waiters[1:]
		close(w.let)
		s.tidy(group, member)
	}
}

// leave takes one out who does not wait any more. One who was let in meanwhile
// gives the slot back.
func (s *Slots) leave(group, member string, w *waiter) {
	s.mu.Lock()
	select {
	case <-w.let:
		s.mu.Unlock()
		s.release(group, 0)
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

// next returns whose turn it is, of those who may, and puts them at the end of the order.
func (t *turns[T]) next(may func(name string) bool) (name string, thing T, ok bool) {
	i := slices.IndexFunc(t.order, may)
	if i < 0 {
		return "", thing, false
	}
	name = t.order[i]
	t.order = append(slices.Delete(t.order, i, i+1), name)
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
