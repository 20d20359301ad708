package columns

import (
	"slices"

	"tidings/event"
	"tidings/query"
	"tidings/store/sqlite/rowids"
)

// condition reports whether a row of columns matches. Rows are asked for in their
// order, some of them left out.
type condition func(row int) bool

func everyRow(int) bool { return true }
func noRow(int) bool    { return false }

// filter is what conditions on columns need to know beside them.
type filter struct {
	columns *Columns
	// now is what ages are counted from.
	now int64
	// statuses are by the code of a message.
	statuses []query.RecipientStatus
	// words are the rowids, ascending, where a condition on words alone holds.
	words func(where query.Expr) ([]int64, error)
}

// condition compiles a condition. What asks for words alone is asked of the
// words' own index in one piece.
func (q filter) condition(where query.Expr) (condition, error) {
	if wordsOnly(where) {
		return q.inWords(where)
	}
	switch e := where.(type) {
	case query.And:
		inWords, others := splitWords(e)
		if len(inWords) > 0 {
			others = append(others, query.And(inWords))
		}
		parts, err := q.conditions(others)
		return func(row int) bool {
			return !slices.ContainsFunc(parts, func(part condition) bool { return !part(row) })
		}, err
	case query.Or:
		inWords, others := splitWords(e)
		if len(inWords) > 0 {
			others = append(others, query.Or(inWords))
		}
		parts, err := q.conditions(others)
		return func(row int) bool {
			return slices.ContainsFunc(parts, func(part condition) bool { return part(row) })
		}, err
	case query.Not:
		inner, err := q.condition(e.Expr)
		return func(row int) bool { return !inner(row) }, err
	case query.Keyword:
		return q.columns.keyword(e), nil
	case query.Time:
		return q.columns.within(e), nil
	case query.Recipients:
		return q.recipients(e), nil
	}
	return everyRow, nil
}

// wordsOnly reports whether a condition is on words and nothing else. A Not
// among them would be looked for in all rows that have it.
func wordsOnly(where query.Expr) bool {
	all := func(parts []query.Expr) bool {
		return len(parts) > 0 && !slices.ContainsFunc(parts, func(part query.Expr) bool { return !wordsOnly(part) })
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

func splitWords(parts []query.Expr) (inWords, others []query.Expr) {
	for _, part := range parts {
		if wordsOnly(part) {
			inWords = append(inWords, part)
		} else {
			others = append(others, part)
		}
	}
	return inWords, others
}

func (q filter) conditions(where []query.Expr) ([]condition, error) {
	parts := make([]condition, len(where))
	for i, part := range where {
		var err error
		if parts[i], err = q.condition(part); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// inWords holds where a condition on words does.
func (q filter) inWords(where query.Expr) (condition, error) {
	rowids, err := q.words(where)
	if err != nil {
		return nil, err
	}
	return func(row int) bool {
		Rowid := q.columns.rows[row].Rowid
		for len(rowids) > 0 && rowids[0] < Rowid {
			rowids = rowids[1:]
		}
		return len(rowids) > 0 && rowids[0] == Rowid
	}, nil
}

// recipients holds on sends by the state of their recipients.
func (q filter) recipients(r query.Recipients) condition {
	send := uint8(slices.Index(event.Types, event.Send))
	return func(row int) bool {
		f := &q.columns.rows[row]
		return f.kind == send && q.statuses[q.columns.message(f)].Has(r.Is) &&
			(r.OlderThan == 0 || q.columns.secondsOf(row) <= q.now-r.OlderThan)
	}
}

// within holds where the time of the event does.
func (f *Columns) within(t query.Time) condition {
	if t == (query.Time{}) {
		return everyRow
	}
	return func(row int) bool {
		at := f.secondsOf(row)
		return at >= t.From && (t.Until == 0 || at < t.Until)
	}
}

func (f *Columns) secondsOf(row int) int64 { return rowids.KeyOf(f.week, f.rows[row].Rowid).Seconds }

func (f *Columns) keyword(k query.Keyword) condition {
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
