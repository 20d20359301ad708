package query

// took reads how fast something was done after its mail was sent: "within an hour",
// "in less than 2 days", "after more than a week".
func (p *parser) took(i int) (meaning, int) {
	j, more := i, false
	switch {
	case p.word(i) == "within":
		j = i + 1
	case p.isWord(i, "in", "less", "than"), p.isWord(i, "in", "under"):
		j = i + 2 + btoi(p.word(i+1) == "less")
	case p.isWord(i, "after", "more", "than"):
		j, more = i+3, true
	case p.word(i) == "after" && p.isAct(i-1):
		j, more = i+1, true
	case p.word(i) == "took":
		return p.tookTo(i)
	default:
		return meaning{}, 0
	}
	seconds, n := p.amountAt(j)
	if _, f := eventOf(p.word(j + n)); n == 0 || !p.actedBefore(i) && (f != past || !p.isAct(j+n)) {
		return meaning{}, 0
	}
	j += n
	if p.word(j) == "or" && (p.word(j+1) == "more" || p.word(j+1) == "longer" || p.word(j+1) == "later") {
		j, more = j+2, true
	}
	switch {
	case p.isWord(j, "of", "sending"), p.isWord(j, "after", "sending"), p.isWord(j, "of", "delivery"):
		j += 2
	case p.isWord(j, "of", "being", "sent"), p.isWord(j, "after", "being", "sent"):
		j += 3
	case p.word(j) == "ago":
		return meaning{}, 0
	}
	if more {
		return tookMore(seconds), j - i
	}
	return tookLess(seconds), j - i
}

// tookTo reads "took more than a week to" before what took so long.
func (p *parser) tookTo(i int) (meaning, int) {
	j, less := i+1, false
	switch {
	case p.isWord(j, "more", "than"), p.isWord(j, "longer", "than"):
		j += 2
	case p.word(j) == "over":
		j++
	case p.isWord(j, "less", "than"):
		j, less = j+2, true
	case p.word(j) == "under":
		j, less = j+1, true
	}
	seconds, n := p.amountAt(j)
	if n == 0 || p.word(j+n) != "to" || !p.isAct(j+n+1) {
		return meaning{}, 0
	}
	if less {
		return tookLess(seconds), j + n + 1 - i
	}
	return tookMore(seconds), j + n + 1 - i
}

// actedBefore reports whether somebody did something, said before i.
func (p *parser) actedBefore(i int) bool {
	for k := range i {
		if _, f := doneOf(p.word(k)); f == past && p.isAct(k) || p.word(k) == "answered" {
			return true
		}
	}
	return false
}
