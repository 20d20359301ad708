package elastic

import (
	"fmt"
	"strings"

	"tidings/event"
	"tidings/query"
)

// Bounds of one search: Elasticsearch itself refuses conditions nested deeper
// than 30, and what has too many parts costs everyone.
const (
	maxDepth   = 25
	maxClauses = 1000
)

// Conditions that always and never hold.
var (
	everything = object{"match_all": object{}}
	nothing    = object{"match_none": object{}}
)

// compile writes a condition as a query. It is exact: the query matches an event
// if and only if the condition holds.
func compile(where query.Expr) (object, error) {
	c := compiler{}
	return c.expr(where, 0)
}

type compiler struct{ clauses int }

func (c *compiler) expr(where query.Expr, depth int) (object, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: conditions are nested more than %d deep", event.ErrInvalid, maxDepth)
	}
	if c.clauses++; c.clauses > maxClauses {
		return nil, fmt.Errorf("%w: there are more than %d conditions", event.ErrInvalid, maxClauses)
	}
	switch e := where.(type) {
	case nil:
		return everything, nil
	case query.And:
		all, err := c.each(e, depth)
		if err != nil || len(all) == 0 {
			return everything, err
		}
		return object{"bool": object{"filter": all}}, nil
	case query.Or:
		some, err := c.each(e, depth)
		if err != nil || len(some) == 0 {
			return nothing, err
		}
		return anyOf(some), nil
	case query.Not:
		inner, err := c.expr(e.Expr, depth+1)
		return object{"bool": object{"must_not": inner}}, err
	case query.Keyword:
		return keyword(e)
	case query.Words:
		return words(e)
	}
	return nil, fmt.Errorf("%w: an index does not know the condition %T", event.ErrInvalid, where)
}

func (c *compiler) each(parts []query.Expr, depth int) ([]object, error) {
	compiled := make([]object, len(parts))
	for i, part := range parts {
		var err error
		if compiled[i], err = c.expr(part, depth+1); err != nil {
			return nil, err
		}
	}
	return compiled, nil
}

func anyOf(some []object) object {
	return object{"bool": object{"should": some, "minimum_should_match": 1}}
}

// keywordName names the fields of documents.
var keywordName = map[query.KeywordField]string{
	query.FieldType:      "type",
	query.FieldUser:      "user",
	query.FieldRecipient: "recipient",
	query.FieldDomain:    "domain",
	query.FieldMessage:   "message",
	query.FieldSource:    "source",
	query.FieldVerdict:   "verdict",
	query.FieldAnswer:    "answer",
}

func keyword(k query.Keyword) (object, error) {
	name, known := keywordName[k.Field]
	switch {
	case !known:
		return nil, fmt.Errorf("%w: an index does not know the field %q", event.ErrInvalid, k.Field)
	case len(k.Values) == 0:
		return nothing, nil
	}
	return object{"terms": object{name: k.Values}}, nil
}

func words(w query.Words) (object, error) {
	switch {
	case w.Field != query.FieldAny && !isTextField(w.Field):
		return nil, fmt.Errorf("%w: an index does not know the field %q", event.ErrInvalid, w.Field)
	case len(w.Terms) == 0:
		return nothing, nil
	case w.Form != query.FormPhrase && len(w.Terms) > 1:
		return nil, fmt.Errorf("%w: only a phrase has several terms", event.ErrInvalid)
	}
	switch w.Form {
	case query.FormStem:
		field := string(w.Field)
		if w.Field == query.FieldAny {
			field = anyStems
		}
		return object{"term": object{"stems." + field: w.Terms[0]}}, nil
	case query.FormPrefix:
		return inFields(w.Field, func(name string) object {
			return object{"prefix": object{name: w.Terms[0]}}
		}), nil
	case query.FormPhrase:
		return inFields(w.Field, func(name string) object {
			if len(w.Terms) == 1 {
				return object{"term": object{name: w.Terms[0]}}
			}
			return object{"match_phrase": object{name: strings.Join(w.Terms, " ")}}
		}), nil
	}
	return nil, fmt.Errorf("%w: an index does not know the form %d", event.ErrInvalid, w.Form)
}

func isTextField(field query.TextField) bool {
	for _, known := range query.TextFields {
		if field == known {
			return true
		}
	}
	return false
}

// inFields asks of one text field, or of each.
func inFields(field query.TextField, ask func(name string) object) object {
	if field != query.FieldAny {
		return ask("words." + string(field))
	}
	some := make([]object, len(query.TextFields))
	for i, field := range query.TextFields {
		some[i] = ask("words." + string(field))
	}
	return anyOf(some)
}
