package query

// took reads how fast something was done after its mail was sent: "within an hour",
// "in less than 2 days", "after more than a week".
func (p *parser) took(i int) (meaning, int) {
	j, more := i, false
	switch {
	case (p.word(i) == "in" || p.word(i) == "within") && p.isWord(i+1, "the", "first"):
		j = i + 3
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
	case i > 0 && p.word(i+1) == "than" && (p.word(i) == "slower" || p.word(i) == "faster" || p.word(i) == "quicker"):
		return p.tookSince(i+2, i, p.word(i) != "slower")
	default:
		return meaning{}, 0
	}
	seconds, n := p.amountAt(j)
	if one := oneUnit(p.word(j)); n == 0 && j == i+3 && one > 0 {
		seconds, n = one, 1 // "in the first hour"
	}
	if _, f := eventOf(p.word(j + n)); n == 0 || !p.actedBefore(i) && (f != past || !p.isAct(j+n)) && !(p.isAct(i-1) && (j > i+1 || p.sinceSending(j+n) > 0)) {
		return meaning{}, 0
	}
	j += n
	if p.word(j) == "or" && (p.word(j+1) == "more" || p.word(j+1) == "longer" || p.word(j+1) == "later") {
		j, more = j+2, true
	}
	if p.word(j) == "ago" || p.isWord(i+1, "the", "first") && p.word(j) == "of" && p.sinceSending(j) == 0 {
		return meaning{}, 0 // "in the first week of october"
	}
	if (p.word(j) == "of" || p.word(j) == "after") && doing(p.word(j+1)) != "" {
		p.note("\"" + p.words(i, j+2-i) + "\" is left out: only the time since a mail was sent is measured.")
		if i == p.at { // It is read once, and looked at before.
			p.unused = append(p.unused, p.words(i, j+2-i))
		}
		return meaning{}, j + 2 - i
	}
	j += p.sinceSending(j)
	if more {
		return tookMore(seconds), j - i
	}
	return tookLess(seconds), j - i
}

// oneUnit is how many seconds a minute, an hour, a day or a week have, 0 for other words.
func oneUnit(word string) int64 {
	switch word {
	case "minute":
		return 60
	case "hour":
		return 3600
	case "day":
		return 24 * 3600
	case "week":
		return 7 * 24 * 3600
	}
	return 0
}

// sinceSending is how many words at i say that a time counts from when the mail was sent.
func (p *parser) sinceSending(i int) int {
	if p.word(i) != "of" && p.word(i) != "after" {
		return 0
	}
	switch p.word(i + 1) {
	case "sending", "delivery":
		return 2
	case "being":
		return 3 * btoi(p.word(i+2) == "sent")
	}
	return 0
}

// tookSince reads the length of time at j of an act that took longer, or less, said from i
// on behind the act: "replies slower than 2 days".
func (p *parser) tookSince(j, i int, less bool) (meaning, int) {
	seconds, n := p.amountAt(j)
	if n == 0 {
		return meaning{}, 0
	}
	if less {
		return tookLess(seconds), j + n - i
	}
	return tookMore(seconds), j + n - i
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
	_, n := p.amountAt(j)
	before := p.isAct(i-1) || (p.word(i-1) == "that" || p.word(i-1) == "which") && p.isAct(i-2)
	if n == 0 || !before && (p.word(j+n) != "to" || !p.isAct(j+n+1)) {
		return meaning{}, 0
	}
	m, n := p.tookSince(j, i, less)
	return m, n + btoi(p.word(i+n) == "to")
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
