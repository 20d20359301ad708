package query

import (
	"slices"
	"unicode/utf8"

	"tidings/event"
)

// Highlights are the places that a query matched in what a page shows of an
// event, by field: subject, people (the name of the event's one recipient), link
// and file. A place is [start, end) in Unicode code points of that text; places
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
		if places := places(text, field, wanted); len(places) > 0 {
			if all == nil {
				all = make(map[string][][2]int, len(texts))
			}
			all[string(field)] = places
		}
	}
	return all
}

func places(text string, field TextField, wanted []Words) [][2]int {
	tokens := Analyse(text)
	var found [][2]int
	for _, w := range wanted {
		if w.Field != FieldAny && w.Field != field || len(w.Terms) == 0 {
			continue
		}
		for i := 0; i+len(w.Terms) <= len(tokens); i++ {
			if !w.at(tokens[i:]) {
				continue
			}
			place := [2]int{tokens[i].Start, tokens[i].End}
			for _, token := range tokens[i+1 : i+len(w.Terms)] {
				place[0], place[1] = min(place[0], token.Start), max(place[1], token.End)
			}
			found = append(found, place)
		}
	}
	return inCodePoints(text, joined(found))
}

// joined sorts places and makes one of those that overlap or touch.
func joined(places [][2]int) [][2]int {
	slices.SortFunc(places, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	var apart [][2]int
	for _, place := range places {
		if n := len(apart); n > 0 && place[0] <= apart[n-1][1] {
			apart[n-1][1] = max(apart[n-1][1], place[1])
			continue
		}
		apart = append(apart, place)
	}
	return apart
}

// inCodePoints turns sorted places in bytes into ones in code points.
func inCodePoints(text string, places [][2]int) [][2]int {
	bytes, points := 0, 0
	for i := range places {
		for end := range places[i] {
			points += utf8.RuneCountInString(text[bytes:places[i][end]])
			bytes = places[i][end]
			places[i][end] = points
		}
	}
	return places
}
