package query

import (
	"slices"
	"unicode/utf8"

	"tidings/event"
)

// Highlights are the spans that a query matched in what a page shows of an
// event, by field: subject, people (the name of the event's one recipient), link
// and file. A span is [start, end) in Unicode code points of that text; spans
// of a field are in order and do not touch. Only what must be there is
// highlighted, nothing behind a minus.
func Highlights(e event.Event, q Query) map[string][][2]int {
	var wanted []Words
	walk(q.Where, true, func(leaf Expr, positive bool) {
		if w, ok := leaf.(Words); ok && positive {
			wanted = append(wanted, w)
		}
	})
	if len(wanted) == 0 {
		return nil
	}
	texts := map[TextField]string{FieldSubject: e.Subject, FieldLink: e.Link, FieldFile: e.File}
	if e.Recipient != nil {
		texts[FieldPeople] = e.Recipient.Name
	}
	var all map[string][][2]int
	for field, text := range texts {
		if spans := spans(text, field, wanted); len(spans) > 0 {
			if all == nil {
				all = make(map[string][][2]int, len(texts))
			}
			all[string(field)] = spans
		}
	}
	return all
}

func spans(text string, field TextField, wanted []Words) [][2]int {
	tokens := append(Analyse(text), Variants(text)...)
	var found [][2]int
	for _, w := range wanted {
		if w.Field != FieldAny && w.Field != field || len(w.Terms) == 0 {
			continue
		}
		for i := 0; i+len(w.Terms) <= len(tokens); i++ {
			if !w.at(tokens[i:]) {
				continue
			}
			span := [2]int{tokens[i].Start, tokens[i].End}
			for _, token := range tokens[i+1 : i+len(w.Terms)] {
				span[0], span[1] = min(span[0], token.Start), max(span[1], token.End)
			}
			found = append(found, span)
		}
	}
	return inCodePoints(text, joined(found))
}

// joined sorts spans and makes one of those that overlap or touch.
func joined(spans [][2]int) [][2]int {
	slices.SortFunc(spans, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	var apart [][2]int
	for _, span := range spans {
		if n := len(apart); n > 0 && span[0] <= apart[n-1][1] {
			apart[n-1][1] = max(apart[n-1][1], span[1])
			continue
		}
		apart = append(apart, span)
	}
	return apart
}

// inCodePoints turns sorted spans in bytes into ones in code points.
func inCodePoints(text string, spans [][2]int) [][2]int {
	bytes, points := 0, 0
	for i := range spans {
		for end := range spans[i] {
			points += utf8.RuneCountInString(text[bytes:spans[i][end]])
			bytes = spans[i][end]
			spans[i][end] = points
		}
	}
	return spans
}
