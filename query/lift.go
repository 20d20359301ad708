package query

import (
	"slices"
	"strconv"

	"tidings/event"
)

// during is a condition on the time, [from, until) in Unix seconds, 0 for an
// open end. It and choice exist while parsing only: a Query has one of each, so
// they count where they stand for the whole search and nowhere else.
type during struct {
	from, until int64
	chip        int
}

// choice is a choice about automated events.
type choice struct {
	automated Automated
	chip      int
}

func (during) expr() {}
func (choice) expr() {}

// opposite is the time outside, which stays a Not where that is two pieces.
func (d during) opposite() Expr {
	switch {
	case d.from == 0 && d.until == 0:
		return during{until: 1, chip: d.chip}
	case d.from == 0:
		return during{from: d.until, chip: d.chip}
	case d.until == 0:
		return during{until: d.from, chip: d.chip}
	}
	return Not{d}
}

func (c choice) opposite() Expr {
	if c.automated == AutomatedHide {
		c.automated = AutomatedShow
	} else {
		c.automated = AutomatedHide
	}
	return c
}

// lift makes the Query: the times and choices that everything must meet go to
// its head, and those inside an OR or a Not are dropped with a note.
func (p *parser) lift(where Expr) Query {
	var q Query
	parts, ok := where.(And)
	if !ok {
		parts = And{where}
	}
	var rest []Expr
	for _, part := range parts {
		switch e := part.(type) {
		case during:
			q.within(e)
		case choice:
			q.Automated = e.automated
		default:
			rest = append(rest, p.strip(part))
		}
	}
	q.Where = conjunction(rest)
	if q.Automated == "" {
		q.Automated = automatedFor(q.Where)
	}
	if hasAge(q.Where) {
		q.Now = p.opts.Now.Unix()
	}
	return q
}

// within narrows the query to a time.
func (q *Query) within(d during) {
	q.From = max(q.From, d.from)
	if d.until != 0 && (q.Until == 0 || d.until < q.Until) {
		q.Until = d.until
	}
}

// strip takes times and choices out of a condition; nil when nothing is left.
func (p *parser) strip(where Expr) Expr {
	switch e := where.(type) {
	case And:
		return conjunction(p.stripAll(e))
	case Or:
		return disjunction(p.stripAll(e))
	case Not:
		return negation(p.strip(e.Expr))
	case during:
		p.drop(e.chip)
		return nil
	case choice:
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
