package query

import "slices"

// Messages are the messages that the query asks for by name.
func (q Query) Messages() []string {
	var names []string
	walk(q.Where, true, func(leaf Expr, _ bool) {
		if k, ok := leaf.(Keyword); ok && k.Field == FieldMessage {
			names = append(names, k.Values...)
		}
	})
	return names
}

// WithMessages is the query that asks for each message by its other names too.
func (q Query) WithMessages(others func(name string) []string) Query {
	q.Where = withMessages(q.Where, others)
	return q
}

func withMessages(where Expr, others func(name string) []string) Expr {
	switch e := where.(type) {
	case And:
		parts := make(And, len(e))
		for i, part := range e {
			parts[i] = withMessages(part, others)
		}
		return parts
	case Or:
		parts := make(Or, len(e))
		for i, part := range e {
			parts[i] = withMessages(part, others)
		}
		return parts
	case Not:
		return Not{withMessages(e.Expr, others)}
	case Keyword:
		if e.Field != FieldMessage {
			return e
		}
		names := slices.Clone(e.Values)
		for _, name := range e.Values {
			names = append(names, others(name)...)
		}
		slices.Sort(names)
		e.Values = slices.Compact(names)
		return e
	}
	return where
}
