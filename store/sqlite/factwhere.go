package sqlite

import (
	"slices"

	"tidings/event"
	"tidings/query"
)

// condition reports whether a row of facts matches.
type condition func(row int) bool

func everyRow(int) bool { return true }
func noRow(int) bool    { return false }

// condition compiles a condition that asks for no words; known is false where it
// does, and only the words' own index can tell.
func (f *facts) condition(where query.Expr) (holds condition, known bool) {
	switch e := where.(type) {
	case nil:
		return everyRow, true
	case query.And:
		parts, known := f.conditions(e)
		return func(row int) bool {
			return !slices.ContainsFunc(parts, func(part condition) bool { return !part(row) })
		}, known
	case query.Or:
		parts, known := f.conditions(e)
		return func(row int) bool {
			return slices.ContainsFunc(parts, func(part condition) bool { return part(row) })
		}, known
	case query.Not:
		inner, known := f.condition(e.Expr)
		return func(row int) bool { return !inner(row) }, known
	case query.Keyword:
		return f.keyword(e)
	}
	return noRow, false
}

func (f *facts) conditions(where []query.Expr) (parts []condition, known bool) {
	parts = make([]condition, len(where))
	for i, part := range where {
		if parts[i], known = f.condition(part); !known {
			return nil, false
		}
	}
	return parts, true
}

func (f *facts) keyword(k query.Keyword) (holds condition, known bool) {
	if k.Field == query.FieldType {
		var kinds [256]bool
		for _, value := range k.Values {
			if at := slices.Index(event.Types, event.Type(value)); at >= 0 {
				kinds[at] = true
			}
		}
		return func(row int) bool { return kinds[f.rows[row].kind] }, true
	}
	codes := make([]uint32, 0, len(k.Values))
	for _, value := range k.Values {
		if code, known := f.codeOf(value); known {
			codes = append(codes, code)
		}
	}
	if len(codes) == 0 && keywordLetter[k.Field] != 0 {
		return noRow, true
	}
	has := func(code uint32) bool { return slices.Contains(codes, code) }
	anyPair := func(of func(*pair) uint32) condition {
		return func(row int) bool {
			return slices.ContainsFunc(f.peopleIn(&f.rows[row]), func(code uint32) bool { return has(of(&f.pairs[code])) })
		}
	}
	switch k.Field {
	case query.FieldUser:
		return func(row int) bool { return has(f.rows[row].user) }, true
	case query.FieldSource:
		return func(row int) bool { return has(f.rows[row].source) }, true
	case query.FieldVerdict:
		return func(row int) bool { return has(f.rows[row].verdict) }, true
	case query.FieldAnswer:
		return func(row int) bool { return has(f.rows[row].answer) }, true
	case query.FieldMessage:
		return func(row int) bool { return has(f.message(&f.rows[row])) }, true
	case query.FieldRecipient:
		return anyPair(func(p *pair) uint32 { return p.recipient }), true
	case query.FieldDomain:
		return anyPair(func(p *pair) uint32 { return p.domain }), true
	}
	return noRow, false
}
