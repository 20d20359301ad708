package query

// onlyThose reads "nobody but jo", "only jo opened", "jo is the only one who opened",
// "opened by jo alone": those who are named did it, and a note says that all others are
// not asked about.
func (p *parser) onlyThose(i int) (meaning, int) {
	if n := p.nobodyBut(i); n > 0 {
		p.noteOnly(i, n)
		p.english.another, p.english.preposition = i+n, "at"
		return meaning{}, n
	}
	switch p.word(i) {
	case "only", "just", "solely", "exclusively":
		return p.onlyNamed(i)
	case "alone":
		if i > 0 && p.speaksOfEvents() && p.startsName(i-1) {
			p.noteOnly(i, 1)
			return meaning{}, 1
		}
	}
	return meaning{}, 0
}

func (p *parser) noteOnly(i, n int) {
	p.note("\"" + p.words(i, n) + "\" is read as those who are named: that all others did not is not looked at.")
	p.unused = append(p.unused, p.words(i, n))
}

// onlyNamed reads the only of "only jo opened", "opened only by jo", "the only one who
// opened" and "who only opened".
func (p *parser) onlyNamed(i int) (meaning, int) {
	if _, n := p.timeAt(i + 1); n > 0 && p.word(i) == "only" {
		return meaning{}, 1 // "only since monday"
	}
	if !p.speaksOfEvents() {
		return meaning{}, 0
	}
	j := i + 1
	switch p.word(j) {
	case "one", "ones", "person", "people", "recipient", "company":
		if w := p.word(j + 1); w == "who" || w == "that" || w == "which" || w == "to" {
			p.noteOnly(i, 2)
			return meaning{}, 2
		}
	case "by", "from":
		if _, n := p.operand(j + 1); n > 0 {
			p.noteOnly(i, 1)
			return meaning{}, 1
		}
	case "the":
		j++
	}
	_, n := p.operand(j)
	if n > 0 && p.didSomething(j+n) {
		p.noteOnly(i, 1)
		p.english.another, p.english.preposition = i+1, "at"
		return meaning{}, 1
	}
	_, f := doneOf(p.word(i + 1))
	if _, counted := p.count(i + 2); f == past && counted == 0 && !p.english.state && p.word(i-1) == "who" {
		p.note("\"" + p.words(i, 2) + "\": that they did nothing else is not looked at.")
		p.unused = append(p.unused, p.word(i))
		return meaning{}, 1
	}
	return meaning{}, 0
}

// didSomething reports whether an act stands at i, which whoever stands before it did.
// More of them may stand between: "jo and sam opened".
func (p *parser) didSomething(i int) bool {
	for p.word(i) == "and" || p.word(i) == "or" {
		_, n := p.operand(i + 1)
		if n == 0 {
			return false
		}
		i += 1 + n
	}
	for p.word(i) == "has" || p.word(i) == "have" || p.word(i) == "ever" || p.word(i) == "already" {
		i++
	}
	_, f := doneOf(p.word(i))
	return f == past
}

// nobodyBut is how many words are "nobody but" or "no one except", behind which stands
// who alone did something.
func (p *parser) nobodyBut(i int) int {
	j := i
	switch p.word(i) {
	case "nobody", "noone", "no-one", "none":
		j++
	case "no":
		if p.word(i+1) != "one" {
			return 0
		}
		j += 2
	default:
		return 0
	}
	switch p.word(j) {
	case "but", "except", "besides", "excluding", "bar":
		j++
		if p.word(j) == "for" {
			j++
		}
	case "other":
		if p.word(j+1) != "than" {
			return 0
		}
		j += 2
	case "apart", "aside":
		if p.word(j+1) != "from" {
			return 0
		}
		j += 2
	default:
		return 0
	}
	if p.word(j) == "the" {
		j++
	}
	if _, n := p.operand(j); n == 0 || !p.speaksOfEvents() {
		return 0
	}
	return j - i
}
