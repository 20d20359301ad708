package query

import "slices"

// negation is the opposite of a condition, nil when there is none.
func negation(e Expr) Expr {
	switch e := e.(type) {
	case nil:
		return nil
	case Not:
		return e.Expr
	case Time:
		return e.opposite()
	case choice:
		return e.opposite()
	case aside:
		if opposite := e.opposite(); opposite != nil {
			return opposite
		}
	}
	return Not{e}
}

// conjunction joins conditions, taking And apart; nil when there is none.
func conjunction(parts []Expr) Expr {
	if !slices.ContainsFunc(parts, isAnd) {
		return AllOf(parts...)
	}
	flat := make([]Expr, 0, 2*len(parts))
	for _, part := range parts {
		if and, ok := part.(And); ok {
			flat = append(flat, and...)
			continue
		}
		flat = append(flat, part)
	}
	return AllOf(flat...)
}

func isAnd(e Expr) bool {
	_, ok := e.(And)
	return ok
}

// disjunction joins alternatives, taking Or apart; nil when there is none.
func disjunction(parts []Expr) Expr {
	var flat Or
	add := func(e Expr) {
		words, ok := e.(Words)
		same := func(other Expr) bool {
			w, also := other.(Words)
			return also && w.Field == words.Field && w.Form == words.Form && w.Word == words.Word && slices.Equal(w.Terms, words.Terms)
		}
		if !ok || !slices.ContainsFunc(flat, same) {
			flat = append(flat, e)
		}
	}
	for _, part := range parts {
		switch e := part.(type) {
		case nil:
		case Or:
			for _, alternative := range e {
				add(alternative)
			}
		default:
			add(e)
		}
	}
	switch len(flat) {
	case 0:
		return nil
	case 1:
		return flat[0]
	}
	return flat
}
