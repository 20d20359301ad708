package query

import "tidings/event"

// matchActor reports whether who did the event is in the state. Of a message that
// nothing is known of, nobody has done anything.
func (r Recipients) matchActor(e event.Event, s *event.State) bool {
	if e.Recipient == nil {
		return false
	}
	if s == nil {
		s = &event.State{}
	}
	one := recipient{key: event.KeyOf(e.Recipient.Email), person: *e.Recipient, state: s}
	return one.is(r)
}

// ofActor has what a condition asks of the state of recipients ask it of those who
// did the events. An age is a send's, so a condition with one stays as it is.
func ofActor(where Expr) Expr {
	switch e := where.(type) {
	case And:
		parts := make(And, len(e))
		for i, part := range e {
			parts[i] = ofActor(part)
		}
		return parts
	case Or:
		parts := make(Or, len(e))
		for i, part := range e {
			parts[i] = ofActor(part)
		}
		return parts
	case Not:
		return Not{ofActor(e.Expr)}
	case Recipients:
		e.Actor = e.OlderThan == 0
		return e
	}
	return where
}

// AsksActor reports whether the query asks for the state of those who did the
// events. Such a query wants the state of every event's message, not of sends alone.
func (q Query) AsksActor() bool {
	asks := false
	walk(q.Where, true, func(leaf Expr, _ bool) {
		r, ok := leaf.(Recipients)
		asks = asks || ok && r.Actor
	})
	return asks
}

// OfAnyActor is the query without what it asks of the state of those who did the
// events. It holds wherever q does.
func (q Query) OfAnyActor() Query {
	if q.AsksActor() {
		q.Where = withoutActor(q.Where, true)
	}
	return q
}

// withoutActor is weaken for conditions on actors alone.
func withoutActor(where Expr, up bool) Expr {
	switch e := where.(type) {
	case And:
		all := make([]Expr, len(e))
		for i, part := range e {
			if all[i] = withoutActor(part, up); isNever(all[i]) {
				return Or{}
			}
		}
		return AllOf(all...)
	case Or:
		some := make(Or, 0, len(e))
		for _, part := range e {
			weak := withoutActor(part, up)
			if weak == nil {
				return nil
			}
			some = append(some, weak)
		}
		return some
	case Not:
		weak := withoutActor(e.Expr, !up)
		if weak == nil {
			return Or{}
		}
		return negation(weak)
	case Recipients:
		switch {
		case !e.Actor:
		case up:
			return nil
		default:
			return Or{}
		}
	}
	return where
}
