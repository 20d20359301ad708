package query

import (
	"slices"
	"strconv"

	"tidings/event"
)

// choice is a choice about automated events. It exists while parsing only: a
// Query has one, so it counts where it stands for the whole search and nowhere
// else.
type choice struct {
	automated Automated
	chip      int
}

func (choice) expr() {}

// opposite is the time outside, which stays a Not where that is two pieces.
func (t Time) opposite() Expr {
	switch {
	case t.From == 0 && t.Until == 0:
		return Time{Until: 1}
	case t.From == 0:
		return Time{From: t.Until}
	case t.Until == 0:
		return Time{Until: t.From}
	}
	return Not{t}
}

func (c choice) opposite() Expr {
	if c.automated == AutomatedHide {
		c.automated = AutomatedShow
	} else {
		c.automated = AutomatedHide
	}
	return c
}

// hoist makes the Query: the times and choices that everything must meet go to
// its head. A choice inside an OR or a Not is dropped with a note.
func (p *parser) hoist(where Expr) Query {
	var q Query
	var kept []Expr
	var asides []aside
	for _, part := range conjuncts(where) {
		if e, ok := part.(aside); ok {
			asides = append(asides, e)
			continue
		}
		if e, ok := part.(choice); ok {
			q.Automated = e.automated
			continue
		}
		kept = append(kept, p.strip(part))
	}
	var rest []Expr
	for _, part := range conjuncts(conjunction(kept)) {
		if e, ok := part.(Time); ok {
			q.within(e)
			continue
		}
		rest = append(rest, part)
	}
	rest = p.heed(&q, asides, rest)
	if q.From != 0 && q.Until != 0 && q.From >= q.Until {
		p.note("The times exclude one another, so nothing can match.")
	}
	if q.History != nil {
		q.Where = ofActor(conjunction(rest))
		rest = conjuncts(q.Where)
	} else {
		q.Where = samePerson(conjunction(rest), nil)
	}
	p.noteConflict(q, rest)
	if q.Automated == "" {
		q.Automated = automatedFor(q.Where)
	}
	if hasAge(q.Where) {
		q.Now = p.opts.Now.Unix()
	}
	return q
}

// noteConflict notes events that cannot have what is asked of them: only sends
// have recipients in a state.
func (p *parser) noteConflict(q Query, parts []Expr) {
	state, other := false, q.History != nil
	for _, part := range parts {
		k, ok := part.(Keyword)
		other = other || ok && k.Field == FieldType && !slices.Contains(k.Values, string(event.Send))
		if not, negated := part.(Not); negated {
			part = not.Expr // It asks for sends of which it does not hold.
		}
		r, ok := part.(Recipients)
		state = state || ok && r.Is != "" && !r.Actor
	}
	if state && other {
		p.note("Only sends have recipients in a state, so nothing can match.")
	}
}

// conjuncts are the conditions that must all hold.
func conjuncts(where Expr) []Expr {
	if and, ok := where.(And); ok {
		return and
	}
	return []Expr{where}
}

// within narrows the query to a time.
func (q *Query) within(t Time) {
	q.From = max(q.From, t.From)
	if t.Until != 0 && (q.Until == 0 || t.Until < q.Until) {
		q.Until = t.Until
	}
}

// strip takes choices out of a condition; nil when nothing is left.
func (p *parser) strip(where Expr) Expr {
	switch e := where.(type) {
	case And:
		return conjunction(p.stripAll(e))
	case Or:
		return disjunction(p.stripAll(e))
	case Not:
		return negation(p.strip(e.Expr))
	case choice:
		p.drop(e.chip)
		return nil
	case aside:
		p.drop(e.chip)
		return nil
	}
	return where
}

func (p *parser) stripAll(parts []Expr) []Expr {
	left := make([]Expr, len(parts))
	for i, part := range parts {
		left[i] = p.strip(part)
	}
	return left
}

// drop takes a condition back that was read.
func (p *parser) drop(chip int) {
	p.note(strconv.Quote(p.chips[chip].Text) + " is ignored: here it would not apply to the whole search.")
	p.chips[chip].Field = ""
}

// automatedFor is the choice of somebody who made none. Whoever asks for what
// machines did wants to see it.
func automatedFor(where Expr) Automated {
	if asksMachine(where) {
		return AutomatedShow
	}
	return AutomatedHide
}

func asksMachine(where Expr) bool {
	asks := false
	walk(where, true, func(leaf Expr, positive bool) {
		k, ok := leaf.(Keyword)
		asks = asks || ok && positive && k.Field == FieldVerdict && slices.Contains(k.Values, event.Machine)
	})
	return asks
}

func hasAge(where Expr) bool {
	has := false
	walk(where, true, func(leaf Expr, _ bool) {
		r, ok := leaf.(Recipients)
		has = has || ok && r.OlderThan > 0
	})
	return has
}

// walk visits the conditions that have no parts, saying whether they must hold
// (positive) or must not, which an odd number of Nots around them means.
func walk(where Expr, positive bool, visit func(leaf Expr, positive bool)) {
	switch e := where.(type) {
	case nil:
	case And:
		for _, part := range e {
			walk(part, positive, visit)
		}
	case Or:
		for _, part := range e {
			walk(part, positive, visit)
		}
	case Not:
		walk(e.Expr, !positive, visit)
	default:
		visit(where, positive)
	}
}
