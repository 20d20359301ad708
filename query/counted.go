package query

import (
	"slices"

	"tidings/event"
)

// findCounted finds the act that a count is of where the text says more of whoever
// did it: "opened twice but didn't reply", "clicked, opened only once". That act is
// looked for, and the others are states of the same person.
func (p *parser) findCounted() {
	if !p.hasActs() || p.english.types.has(event.Send) {
		return
	}
	for i := range p.lexemes {
		if !p.rulesAt(i).has(ruleCounting) {
			continue
		}
		m, n := p.counts(i)
		if n == 0 {
			continue
		}
		if _, ok := m.where.(aside); !ok {
			continue
		}
		if at := p.countedAct(i, n); at >= 0 && (p.english.state || p.hasOther(at)) {
			p.english.counted = at
		}
		return
	}
}

// countedAct is the act that a count of n words at i is of, -1 where it is none that
// somebody did.
func (p *parser) countedAct(i, n int) int {
	for at := i; at <= i+n && at < len(p.lexemes); at++ {
		if _, f := p.eventAt(at); f == several && p.isAct(at) || f == single && at == i+n && p.isAct(at) {
			return at // "more than 3 opens", "first open"
		}
	}
	for at := i - 1; at >= 0; at-- {
		t, f := doneOf(p.word(at))
		if f == noForm || !slices.Contains(ActTypes, t) {
			continue
		}
		if f != past || p.isDenied(at) {
			return -1
		}
		return at
	}
	if t, f := doneOf(p.word(i + n)); f == past && slices.Contains(ActTypes, t) {
		return i + n // "twice opened but not replied"
	}
	return -1
}

// isDenied reports whether the act at i is one that was not done.
func (p *parser) isDenied(i int) bool {
	for at := max(0, i-4); at < i; at++ {
		if _, n := p.state(at); n > 0 && at+n > i {
			p.english.subject, p.english.verb, p.english.did = -1, false, -1
			return true
		}
	}
	return false
}

// hasOther reports whether the text says with "and", "but" or a comma that the same
// person did something else. What "or" joins is counted together.
func (p *parser) hasOther(counted int) bool {
	mine, _ := doneOf(p.word(counted))
	other := false
	for i, l := range p.lexemes {
		if l.kind == lexOr || l.word == "or" {
			return false
		}
		t, f := doneOf(l.word)
		_, ok := stateOf(t)
		other = other || ok && f == past && t != mine && !p.isDenied(i)
	}
	return other
}
