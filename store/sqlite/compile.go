package sqlite

import (
	"fmt"
	"strings"

	"tidings/event"
	"tidings/query"
)

// maxDepth bounds how deep a condition may be nested; FTS5's parser has a
// bound of its own.
const maxDepth = 30

// clause is a condition on one part of an index as FTS5 understands it.
type clause struct {
	holds holds
	// text is an FTS5 expression when it holds sometimes.
	text string
}

// holds is when a clause does.
type holds int

const (
	sometimes holds = iota
	always
	never
)

// compile writes a condition as one clause over the events of a part. It is
// exact: the clause matches an event if and only if the condition holds.
func compile(where query.Expr, part string) (clause, error) {
	return compiler{part}.expr(where, 0)
}

// compileParts joins the clauses of several parts, each over its own events, to
// one FTS5 expression. It is "" when nothing can match.
func compileParts(where query.Expr, parts []string) (string, error) {
	var some []string
	for _, part := range parts {
		c, err := compile(where, part)
		if err != nil {
			return "", err
		}
		switch c.holds {
		case always:
			some = append(some, compiler{part}.everything())
		case sometimes:
			some = append(some, c.text)
		}
	}
	return join(some, " OR "), nil
}

type compiler struct{ part string }

func (c compiler) expr(where query.Expr, depth int) (clause, error) {
	if depth > maxDepth {
		return clause{}, fmt.Errorf("%w: conditions are nested more than %d deep", event.ErrInvalid, maxDepth)
	}
	switch e := where.(type) {
	case nil:
		return clause{holds: always}, nil
	case query.And:
		return c.and(e, depth)
	case query.Or:
		return c.or(e, depth)
	case query.Not:
		return c.not(e, depth)
	case query.Keyword:
		return c.keyword(e)
	case query.Words:
		return c.words(e)
	}
	return clause{}, fmt.Errorf("%w: an index does not know the condition %T", event.ErrInvalid, where)
}

// and puts what must hold on one side of a NOT and what must not on the other.
func (c compiler) and(all query.And, depth int) (clause, error) {
	var holding, failing []string
	for _, part := range all {
		inner, negated := part, false
		if not, ok := part.(query.Not); ok {
			inner, negated = not.Expr, true
		}
		compiled, err := c.expr(inner, depth+1)
		switch {
		case err != nil:
			return clause{}, err
		case compiled.holds == never && !negated, compiled.holds == always && negated:
			return clause{holds: never}, nil
		case compiled.holds != sometimes:
		case negated:
			failing = append(failing, compiled.text)
		default:
			holding = append(holding, compiled.text)
		}
	}
	if len(holding)+len(failing) == 0 {
		return clause{holds: always}, nil
	}
	if len(holding) == 0 {
		holding = []string{c.everything()}
	}
	text := join(holding, " AND ")
	if len(failing) > 0 {
		text = "(" + text + " NOT " + join(failing, " OR ") + ")"
	}
	return clause{text: text}, nil
}

func (c compiler) or(any query.Or, depth int) (clause, error) {
	var some []string
	for _, part := range any {
		compiled, err := c.expr(part, depth+1)
		switch {
		case err != nil:
			return clause{}, err
		case compiled.holds == always:
			return compiled, nil
		case compiled.holds == sometimes:
			some = append(some, compiled.text)
		}
	}
	if len(some) == 0 {
		return clause{holds: never}, nil
	}
	return clause{text: join(some, " OR ")}, nil
}

func (c compiler) not(not query.Not, depth int) (clause, error) {
	if twice, ok := not.Expr.(query.Not); ok {
		return c.expr(twice.Expr, depth+1)
	}
	compiled, err := c.expr(not.Expr, depth+1)
	switch {
	case err != nil:
		return clause{}, err
	case compiled.holds == always:
		return clause{holds: never}, nil
	case compiled.holds == never:
		return clause{holds: always}, nil
	}
	return clause{text: "(" + c.everything() + " NOT " + compiled.text + ")"}, nil
}

func (c compiler) keyword(k query.Keyword) (clause, error) {
	letter, known := keywordLetter[k.Field]
	if !known {
		return clause{}, fmt.Errorf("%w: an index does not know the field %q", event.ErrInvalid, k.Field)
	}
	if len(k.Values) == 0 {
		return clause{holds: never}, nil
	}
	terms := make([]string, len(k.Values))
	for i, value := range k.Values {
		terms[i] = quoted(string(appendKeyword(nil, c.part, letter, value)))
	}
	return clause{text: join(terms, " OR ")}, nil
}

func (c compiler) words(w query.Words) (clause, error) {
	var text string
	switch {
	case len(w.Terms) == 0:
		return clause{holds: never}, nil
	case w.Form == query.FormPhrase:
		terms := make([]string, len(w.Terms))
		for i, word := range w.Terms {
			terms[i] = c.word(kindWord, word)
		}
		text = quoted(terms...)
	case len(w.Terms) > 1:
		return clause{}, fmt.Errorf("%w: only a phrase has several terms", event.ErrInvalid)
	case w.Form == query.FormPrefix:
		text = quoted(c.word(kindWord, w.Terms[0])) + " *"
	case w.Form == query.FormStem:
		// A word that is its own stem is indexed as the word alone. A word
		// that is written like the stem but has another one is not meant.
		text = quoted(c.word(kindStem, w.Terms[0]))
		if isOwnStem(w.Terms[0]) {
			text = "(" + text + " OR " + quoted(c.word(kindWord, w.Terms[0])) + ")"
		}
	default:
		return clause{}, fmt.Errorf("%w: an index does not know the form %d", event.ErrInvalid, w.Form)
	}
	if w.Field == query.FieldAny {
		return clause{text: text}, nil
	}
	column, known := columnOf[w.Field]
	if !known {
		return clause{}, fmt.Errorf("%w: an index does not know the field %q", event.ErrInvalid, w.Field)
	}
	return clause{text: "(" + column + " : " + text + ")"}, nil
}

func (c compiler) word(kind byte, word string) string {
	return string(appendWord(nil, c.part, kind, word))
}

// everything matches every event of the part.
func (c compiler) everything() string {
	return quoted(string(appendEverything(nil, c.part)))
}

// isOwnStem reports whether the analysis keeps a word as its stem.
func isOwnStem(word string) bool {
	for _, token := range query.Analyse(word) {
		if token.Word == word && token.Stem == word {
			return true
		}
	}
	return false
}

// join joins expressions; several stand in parentheses.
func join(parts []string, operator string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return "(" + strings.Join(parts, operator) + ")"
}
