package query

import (
	"slices"
	"strings"

	"tidings/address"
)

// among is for mails that somebody is a recipient of, whatever else the text asks of a
// state: "nobody replied" and among:jo@acme.com are the mails to Jo that nobody replied to,
// where to:jo@acme.com would ask about Jo's reply alone.
func (p *parser) among(l lexeme) meaning {
	var m meaning
	if strings.Contains(l.value, "@") {
		l.quoted = false
		m = p.to(l)
	} else if isDomain(l.value) {
		m = keyword("domain", FieldDomain, address.Domain(l.value))
	}
	k, ok := m.where.(Keyword)
	if !ok {
		return meaning{problem: "among needs an address or a domain"}
	}
	return meaning{where: amongst(k), field: "among", value: k.Values[0]}
}

// amongst holds where k does. That it has another alternative, which never holds, keeps
// it apart from conditions on one person.
func amongst(k Keyword) Expr { return Or{k, Keyword{Field: FieldMessage}} }

// neverHolds reports whether a condition never holds.
func neverHolds(where Expr) bool {
	k, ok := where.(Keyword)
	return ok && len(k.Values) == 0
}

// AsksNobody reports whether the query is for sends that nobody did something with. A
// person more beside it would be asked about alone: see among.
func (q Query) AsksNobody() bool {
	parts := conjuncts(q.Where)
	if q.History != nil || headOf(parts) >= 0 {
		return false
	}
	return slices.ContainsFunc(parts, func(part Expr) bool {
		not, negated := part.(Not)
		if negated {
			part = not.Expr
		}
		r, ok := part.(Recipients)
		return ok && !r.Actor && (negated || r.Is == IsUnreplied)
	})
}
