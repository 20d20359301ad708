package demo

import (
	"cmp"
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"

	"tidings/event"
)

const (
	// returning is the share of what happens that is somebody coming back to a
	// mail they have, the rest being new mails.
	returning = 0.35
	// remembered is how many mails people come back to.
	remembered = 400
	// patience is how much of a gap is made up for when Next was not called.
	patience = time.Minute
)

// Trickle is activity as it happens, day and night, at a rate of its own. What
// would take days takes minutes here, so that a mail seen going out is soon
// seen being opened. It is for one goroutine.
type Trickle struct {
	o    *Office
	r    *rand.Rand
	name string
	// gap is the mean time between two things that happen.
	gap     time.Duration
	arrival time.Time
	count   int
	recent  []revisit
	waiting waitingInputs
}

// revisit is a mail that people have and may come back to.
type revisit struct {
	m       message
	reached []int
}

// Trickle begins at the office's now with rate events a second in the long run.
// It takes some minutes to reach it, since reactions follow mails.
func (o *Office) Trickle(rate float64) *Trickle {
	t := &Trickle{o: o, r: o.random("trickle", o.now.Unix()), arrival: o.now}
	t.name = reference(t.r)
	t.remember()
	t.gap = time.Duration(float64(time.Second) * t.eventsEach() / max(rate, 1e-6))
	return t
}

// Next is what has happened since it was last called, not later than now, in
// the order of time.
func (t *Trickle) Next(now time.Time) []event.Input {
	if since := now.Add(-patience); t.arrival.Before(since) {
		t.arrival = since
	}
	for !t.arrival.After(now) {
		t.happen(t.arrival)
		t.arrival = t.arrival.Add(time.Duration(float64(t.gap) * t.r.ExpFloat64()))
	}
	var due []event.Input
	for len(t.waiting) > 0 && int64(*t.waiting[0].Time) <= now.Unix() {
		due = append(due, heap.Pop(&t.waiting).(event.Input))
	}
	return due
}

// happen adds a new mail with its thread, or a visit to a recent one.
func (t *Trickle) happen(at time.Time) {
	t.count++
	r := t.o.random("trickle "+t.name, int64(t.count))
	if len(t.recent) > 0 && chance(r, returning) {
		t.push(t.o.visit(r, pick(r, t.recent), at, t.name))
		return
	}
	from := pick(r, t.o.colleagues)
	first := t.o.begin(r, "m-"+t.name+reference(r), from, at.Truncate(time.Second))
	for thread := []message{first}; len(thread) > 0; thread = thread[1:] {
		l := t.o.lifeOf(thread[0], true)
		t.push(l.events)
		if thread[0].depth == 0 && len(l.reached) > 0 {
			t.keep(revisit{thread[0], l.reached})
		}
		thread = append(thread, l.next...)
	}
}

func (t *Trickle) push(events []event.Input) {
	for _, in := range events {
		heap.Push(&t.waiting, in)
	}
}

func (t *Trickle) keep(s revisit) {
	t.recent = append(t.recent, s)
	if len(t.recent) > remembered {
		t.recent = slices.Delete(t.recent, 0, len(t.recent)-remembered)
	}
}

// remember takes in the mails of the last days before now that were delivered.
func (t *Trickle) remember() {
	for back := 4; back >= 0; back-- {
		for _, m := range t.o.sendsOf(t.o.now.Truncate(day).Add(-time.Duration(back) * day)) {
			// A mail may be tried for two hours before it arrives.
			if m.at.Before(t.o.now.Add(-3 * time.Hour)) {
				if l := t.o.lifeOf(m, false); len(l.reached) > 0 {
					t.keep(revisit{m, l.reached})
				}
			}
		}
	}
}

// eventsEach is how many events follow, in the mean, from one thing happening.
func (t *Trickle) eventsEach() float64 {
	const sample = 400
	probe := &Trickle{o: t.o, name: "probe", recent: slices.Clone(t.recent)}
	for range sample {
		probe.happen(t.o.now)
	}
	return float64(len(probe.waiting)) / sample
}

// visit is somebody who comes back to a mail, and may click or download.
func (o *Office) visit(r *rand.Rand, s revisit, at time.Time, name string) []event.Input {
	to := pick(r, s.reached)
	l := &life{o: o, r: r, m: s.m, live: true}
	device := pick(r, []reader{o.contacts[to].reader, o.contacts[to].away})
	at = at.Truncate(time.Second)
	l.add(event.Open, to, at).Client = device.opens(r)
	if len(s.m.links) > 0 && chance(r, 0.25) {
		l.click(to, at.Add(between(r, 8*time.Second, 60*time.Second)), pick(r, s.m.links), device)
	}
	for i := range l.events {
		l.events[i].ID += "/" + name + reference(r)
	}
	slices.SortStableFunc(l.events, func(a, b event.Input) int { return cmp.Compare(*a.Time, *b.Time) })
	return l.events
}

// waitingInputs is a heap by time; those of one second keep no order.
type waitingInputs []event.Input

func (w waitingInputs) Len() int           { return len(w) }
func (w waitingInputs) Less(i, j int) bool { return *w[i].Time < *w[j].Time }
func (w waitingInputs) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *waitingInputs) Push(in any)       { *w = append(*w, in.(event.Input)) }
func (w *waitingInputs) Pop() any {
	last := len(*w) - 1
	in := (*w)[last]
	*w = (*w)[:last]
	return in
}
