package query

import (
	"reflect"
	"slices"

	"tidings/event"
)

// samePerson has the conditions on state and on people that stand side by side
// hold for one and the same recipient, and conditions that ask a state hold on
// sends alone, negated or not. who are the conditions on people further out.
func samePerson(where Expr, who []Expr) Expr {
	switch e := where.(type) {
	case And:
		return sideBySide(e, who)
	case Or:
		some := make([]Expr, len(e))
		for i, part := range e {
			some[i] = samePerson(part, who)
		}
		return disjunction(some)
	case Not, Recipients:
		return sideBySide(And{where}, who)
	}
	return where
}

// sideBySide is samePerson of conditions that must all hold. One that asks for a
// state, the head, has the others of the same recipient in its Who.
func sideBySide(parts And, outer []Expr) Expr {
	head := headOf(parts)
	who := slices.Clone(outer)
	for _, part := range parts {
		if isPerson(part) && (head >= 0 || !isNot(part)) {
			who = append(who, part)
		}
	}
	kept := make([]Expr, 0, len(parts)+1)
	var states []Expr
	at := -1
	for i, part := range parts {
		switch {
		case i == head:
			at = len(kept)
			kept = append(kept, part)
		case isPerson(part):
			// Somebody else than jo has not opened: jo may be a recipient too.
			if head < 0 || !isNot(part) {
				kept = append(kept, part)
			}
		case head >= 0 && isState(part):
			states = append(states, part)
		default:
			kept = append(kept, ask(part, who))
		}
	}
	if at >= 0 {
		kept[at] = ask(kept[at], append(who, states...))
	}
	return AllOf(onSends(kept)...)
}

// headOf is the condition that asks somebody to be in a state, -1 where there is
// none: one state rather than alternatives.
func headOf(parts And) int {
	for i, part := range parts {
		if r, ok := part.(Recipients); ok && r.Is != IsUnreplied {
			return i
		}
	}
	return slices.IndexFunc(parts, asksSomebody)
}

// asksSomebody reports whether a condition holds only where somebody is in a
// state. That nobody has replied is no one's state.
func asksSomebody(where Expr) bool {
	switch e := where.(type) {
	case Recipients:
		return e.Is != IsUnreplied
	case And:
		return slices.ContainsFunc(e, asksSomebody)
	case Or:
		return len(e) > 0 && !slices.ContainsFunc(e, func(part Expr) bool { return !asksSomebody(part) })
	}
	return false
}

// ask has a condition hold for a recipient whom all of who hold for.
func ask(where Expr, who []Expr) Expr {
	switch e := where.(type) {
	case Recipients:
		who = once(who)
		slices.SortStableFunc(who, func(a, b Expr) int { return order(a) - order(b) })
		e.Who = AllOf(who...)
		return e
	case Not:
		if r, ok := e.Expr.(Recipients); ok {
			return Not{ask(r, who)}
		}
		return Not{samePerson(e.Expr, who)}
	}
	return samePerson(where, who)
}

// once are the conditions, those that are said again left out.
func once(all []Expr) []Expr {
	kept := make([]Expr, 0, len(all))
	for _, e := range all {
		if !slices.ContainsFunc(kept, func(k Expr) bool { return reflect.DeepEqual(k, e) }) {
			kept = append(kept, e)
		}
	}
	return kept
}

// order has who the recipient is stand before who it is not and before states.
func order(where Expr) int {
	switch {
	case !isPerson(where):
		return 2
	case isNot(where):
		return 1
	}
	return 0
}

// isState reports whether a condition can be asked of one recipient.
func isState(where Expr) bool {
	switch e := where.(type) {
	case And:
		return len(e) > 0 && !slices.ContainsFunc(e, func(part Expr) bool { return !isState(part) })
	case Or:
		return len(e) > 0 && !slices.ContainsFunc(e, func(part Expr) bool { return !isState(part) })
	case Not:
		return isState(e.Expr)
	case Recipients:
		return e.OlderThan == 0
	}
	return isPerson(where)
}

// onSends has what is said of recipients under a Not be about sends.
func onSends(parts []Expr) []Expr {
	first := -1
	for i, part := range parts {
		if asksSends(part) {
			return parts
		}
		if n, ok := part.(Not); ok && first < 0 && asksSends(n.Expr) {
			first = i
		}
	}
	if first < 0 {
		return parts
	}
	return slices.Insert(parts, first, Types(event.Send))
}

// asksSends reports whether a condition holds on sends alone.
func asksSends(where Expr) bool {
	switch e := where.(type) {
	case Recipients:
		return true
	case Keyword:
		return e.Field == FieldType && len(e.Values) == 1 && e.Values[0] == string(event.Send)
	case And:
		return slices.ContainsFunc(e, asksSends)
	case Or:
		return len(e) > 0 && !slices.ContainsFunc(e, func(part Expr) bool { return !asksSends(part) })
	}
	return false
}

func isNot(where Expr) bool {
	_, ok := where.(Not)
	return ok
}

// isPerson reports whether a condition is on a recipient and on nothing else.
func isPerson(where Expr) bool {
	switch e := where.(type) {
	case And:
		return len(e) > 0 && !slices.ContainsFunc(e, func(part Expr) bool { return !isPerson(part) })
	case Or:
		return len(e) > 0 && !slices.ContainsFunc(e, func(part Expr) bool { return !isPerson(part) })
	case Not:
		return isPerson(e.Expr)
	case Keyword:
		return e.Field == FieldRecipient || e.Field == FieldDomain
	case Words:
		return e.Field == FieldPeople
	}
	return false
}
