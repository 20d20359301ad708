package query

import (
	"slices"

	"tidings/event"
)

// Candidates is the query as an index can answer it, without conditions on the
// recipients of sends and without times beside the query's own. It holds wherever
// q does; exact is true when q also holds wherever it does, which is when q had
// no such condition.
func (q Query) Candidates() (candidates Query, exact bool) {
	exact = q.History == nil
	q.History = nil
	if !asksMore(q.Where) {
		return q, exact
	}
	if age := sureAge(q.Where); age > 0 {
		// What is old enough now is not newer than this.
		if until := q.Now - age + 1; until > 0 && (q.Until == 0 || until < q.Until) {
			q.Until = until
		}
	}
	q.Where = weaken(q.Where, true)
	q.Now = 0
	return q, false
}

// asksMore reports whether a condition asks what an index does not know.
func asksMore(where Expr) bool {
	switch e := where.(type) {
	case And:
		return slices.ContainsFunc(e, asksMore)
	case Or:
		return slices.ContainsFunc(e, asksMore)
	case Not:
		return asksMore(e.Expr)
	case Recipients, Time:
		return true
	case Keyword:
		return e.Field.unindexed()
	}
	return false
}

// sureAge is the greatest age in seconds that whatever matches must have.
func sureAge(where Expr) int64 {
	var age int64
	switch e := where.(type) {
	case And:
		for _, part := range e {
			age = max(age, sureAge(part))
		}
	case Recipients:
		age = e.OlderThan
	}
	return age
}

// weaken replaces what an index does not know. With up the result holds wherever
// the condition does: recipients have a state on sends alone, and any time may be
// meant. Without up it holds nowhere else, which is what stands under a Not. nil
// always holds.
func weaken(where Expr, up bool) Expr {
	switch e := where.(type) {
	case And:
		all := make([]Expr, len(e))
		for i, part := range e {
			if all[i] = weaken(part, up); isNever(all[i]) {
				return Or{}
			}
		}
		return AllOf(all...)
	case Or:
		some := make(Or, 0, len(e))
		for _, part := range e {
			weak := weaken(part, up)
			if weak == nil {
				return nil
			}
			if !isNever(weak) {
				some = append(some, weak)
			}
		}
		if len(some) == 1 {
			return some[0]
		}
		return some
	case Not:
		weak := weaken(e.Expr, !up)
		if weak == nil {
			return Or{}
		}
		if isNever(weak) {
			return nil
		}
		return negation(weak)
	case Recipients:
		switch {
		case up && e.Actor:
			return nil
		case up:
			return Types(event.Send)
		}
		return Or{}
	case Time:
		if up {
			return nil
		}
		return Or{}
	case Keyword:
		switch {
		case !e.Field.unindexed():
		case up && e.Field == FieldBounce:
			return Types(event.Bounce)
		case up:
			return nil
		default:
			return Or{}
		}
	}
	return where
}

func isNever(where Expr) bool {
	or, ok := where.(Or)
	return ok && len(or) == 0
}

// Confirm reports whether an event that an index found for Candidates matches q
// itself but for its History, given what is known of its message. What the index has answered for
// good is not looked at again.
func (q Query) Confirm(e event.Event, s *event.State) bool {
	q.Where = unanswered(q.Where)
	d := Document{Event: e}
	if asksWords(q.Where) {
		d = NewDocument(e)
	}
	return q.Match(d, s)
}

// unanswered is what of a condition an index has not answered for good: of what must hold
// together, also where it stands in a group, the parts that ask for more than it knows.
func unanswered(where Expr) Expr {
	and, ok := where.(And)
	if !ok {
		return where
	}
	open := make(And, 0, len(and))
	for _, part := range and {
		if asksMore(part) {
			open = append(open, unanswered(part))
		}
	}
	return AllOf(open...)
}

func asksWords(where Expr) bool {
	switch e := where.(type) {
	case And:
		return slices.ContainsFunc(e, asksWords)
	case Or:
		return slices.ContainsFunc(e, asksWords)
	case Not:
		return asksWords(e.Expr)
	case Words:
		return true
	}
	return false
}

// Restrict is the query on events of these users alone; on none at all when
// there are no users.
func (q Query) Restrict(users []string) Query {
	q.Where = AllOf(q.Where, Keyword{FieldUser, slices.Clone(users)})
	return q
}
