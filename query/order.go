package query

// Order is the order of what is found.
type Order string

// The orders.
const (
	NewestFirst Order = "newest"
	OldestFirst Order = "oldest"
)

func ordered(value string) meaning {
	switch order := Order(value); order {
	case NewestFirst, OldestFirst:
		return meaning{where: aside{order: order}, field: "order", value: value}
	}
	return meaning{problem: "order is newest or oldest"}
}

// sorted reads "oldest first", "oldest replies", "in chronological order", "sorted by
// date". That the newest come first needs no condition.
func (p *parser) sorted(i int) (meaning, int) {
	start := i
	i = p.sortedBy(i)
	if p.word(i) == "the" {
		i++
	}
	switch p.word(i) {
	case "newest", "latest":
		if p.word(i+1) == "first" && !p.speaksOfEvents() {
			return ordered(string(NewestFirst)), i + 2 - start
		}
	case "oldest", "earliest":
		if !p.speaksOfEvents() && i == start && p.word(i+1) != "first" {
			return meaning{}, 0
		}
		for n := 1; n <= 3; n++ {
			if p.word(i+n) == "first" {
				// "oldest replies first": the replies are read by themselves.
				if n > 1 {
					p.english.understood, p.english.understoodWords = i+n, 1
					return ordered(string(OldestFirst)), i + 1 - start
				}
				return ordered(string(OldestFirst)), i + n + 1 - start
			}
		}
		_, f := p.eventAt(i + 1)
		_, states := p.state(i + 1)
		if f != noForm || states > 0 || isMail(p.word(i+1)) || i > start {
			return ordered(string(OldestFirst)), i + 1 - start
		}
	case "reverse", "reversed":
		if p.word(i+1) == "order" && (i > start || p.speaksOfEvents()) {
			return ordered(string(OldestFirst)), i + 2 - start
		}
	case "ascending", "chronological", "chronologically":
		if i == start && p.word(i) != "chronologically" {
			return meaning{}, 0
		}
		i++
		if p.word(i) == "order" {
			i++
		}
		return ordered(string(OldestFirst)), i - start
	case "descending":
		if i > start {
			return ordered(string(NewestFirst)), i + 1 - start
		}
	}
	return meaning{}, 0
}

// sortedBy is behind "sorted by date", "starting with" and "in".
func (p *parser) sortedBy(i int) int {
	switch p.word(i) {
	case "sort", "sorted", "order", "ordered":
		i++
		if p.word(i) == "by" {
			i++
		}
		switch p.word(i) {
		case "date", "time", "age":
			i++
		}
	case "starting", "beginning":
		if p.word(i+1) == "with" || p.word(i+1) == "from" {
			i += 2
		}
	case "in":
		i++
	}
	return i
}
