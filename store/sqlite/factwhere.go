package sqlite

import (
	"slices"

	"tidings/event"
	"tidings/query"
)

// condition reports whether a row of facts matches. Rows are asked for in their
// order, some of them left out.
type condition func(row int) bool

func everyRow(int) bool { return true }
func noRow(int) bool    { return false }

// factQuestion is what conditions on facts need to know beside them.
type factQuestion struct {
	facts *facts
	// now is what ages are counted from.
	now int64
	// standings are by the code of a message.
	standings []query.RecipientStatus
	// words are the places, ascending, where a condition on words alone holds.
	words func(where query.Expr) ([]int64, error)
}

// condition compiles a condition. What asks for words alone is asked of the
// words' own index in one piece.
func (q factQuestion) condition(where query.Expr) (condition, error) {
	if asksWordsAlone(where) {
		return q.said(where)
	}
	switch e := where.(type) {
	case query.And:
		said, others := splitWords(e)
		if len(said) > 0 {
			others = append(others, query.And(said))
		}
		parts, err := q.conditions(others)
		return func(row int) bool {
			return !slices.ContainsFunc(parts, func(part condition) bool { return !part(row) })
		}, err
	case query.Or:
		said, others := splitWords(e)
		if len(said) > 0 {
			others = append(others, query.Or(said))
		}
		parts, err := q.conditions(others)
		return func(row int) bool {
			return slices.ContainsFunc(parts, func(part condition) bool { return part(row) })
		}, err
	case query.Not:
		inner, err := q.condition(e.Expr)
		return func(row int) bool { return !inner(row) }, err
	case query.Keyword:
		return q.facts.keyword(e), nil
	case query.Time:
		return q.facts.within(e), nil
	case query.Recipients:
		return q.recipients(e), nil
	}
	return everyRow, nil
}

// asksWordsAlone reports whether a condition is on words and nothing else. A Not
// among them would be looked for in all rows that have it.
func asksWordsAlone(where query.Expr) bool {
	all := func(parts []query.Expr) bool {
		return len(parts) > 0 && !slices.ContainsFunc(parts, func(part query.Expr) bool { return !asksWordsAlone(part) })
	}
	switch e := where.(type) {
	case query.Words:
		return true
	case query.And:
		return all(e)
	case query.Or:
		return all(e)
	}
	return false
}

func splitWords(parts []query.Expr) (said, others []query.Expr) {
	for _, part := range parts {
		if asksWordsAlone(part) {
			said = append(said, part)
		} else {
			others = append(others, part)
		}
	}
	return said, others
}

func (q factQuestion) conditions(where []query.Expr) ([]condition, error) {
	parts := make([]condition, len(where))
	for i, part := range where {
		var err error
		if parts[i], err = q.condition(part); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// said holds where a condition on words does.
func (q factQuestion) said(where query.Expr) (condition, error) {
	places, err := q.words(where)
	if err != nil {
		return nil, err
	}
	return func(row int) bool {
		place := q.facts.rows[row].place
		for len(places) > 0 && places[0] < place {
			places = places[1:]
		}
		return len(places) > 0 && places[0] == place
	}, nil
}

// recipients holds on sends by the state of their recipients.
func (q factQuestion) recipients(r query.Recipients) condition {
	send := uint8(slices.Index(event.Types, event.Send))
	return func(row int) bool {
		f := &q.facts.rows[row]
		return f.kind == send && q.standings[q.facts.message(f)].Has(r.Is) &&
			(r.OlderThan == 0 || q.facts.secondsOf(row) <= q.now-r.OlderThan)
	}
}

// within holds where the time of the event does.
func (f *facts) within(t query.Time) condition {
	if t == (query.Time{}) {
		return everyRow
	}
	return func(row int) bool {
		at := f.secondsOf(row)
		return at >= t.From && (t.Until == 0 || at < t.Until)
	}
}

func (f *facts) secondsOf(row int) int64 { return keyOf(f.week, f.rows[row].place).Seconds }

func (f *facts) keyword(k query.Keyword) condition {
	if k.Field == query.FieldType {
		var kinds [256]bool
		for _, value := range k.Values {
			if at := slices.Index(event.Types, event.Type(value)); at >= 0 {
				kinds[at] = true
			}
		}
		return func(row int) bool { return kinds[f.rows[row].kind] }
	}
	codes := make([]uint32, 0, len(k.Values))
	for _, value := range k.Values {
		if code, known := f.codeOf(value); known {
			codes = append(codes, code)
		}
	}
	if len(codes) == 0 {
		return noRow
	}
	has := func(code uint32) bool { return slices.Contains(codes, code) }
	anyPair := func(of func(*pair) uint32) condition {
		return func(row int) bool {
			return slices.ContainsFunc(f.peopleIn(&f.rows[row]), func(code uint32) bool { return has(of(&f.pairs[code])) })
		}
	}
	switch k.Field {
	case query.FieldUser:
		return func(row int) bool { return has(f.rows[row].user) }
	case query.FieldSource:
		return func(row int) bool { return has(f.rows[row].source) }
	case query.FieldVerdict:
		return func(row int) bool { return has(f.rows[row].verdict) }
	case query.FieldAnswer:
		return func(row int) bool { return has(f.rows[row].answer) }
	case query.FieldMessage:
		return func(row int) bool { return has(f.message(&f.rows[row])) }
	case query.FieldRecipient:
		return anyPair(func(p *pair) uint32 { return p.recipient })
	case query.FieldDomain:
		return anyPair(func(p *pair) uint32 { return p.domain })
	}
	return noRow
}
