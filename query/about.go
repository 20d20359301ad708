package query

// leadsIn reports whether the word at i only says that something is wanted, at the
// beginning of a text about events: "i want to see who opened", "tell me who replied".
func (p *parser) leadsIn(i int) bool {
	if !p.isLead(i) || !p.speaksOfEvents() || p.word(i+1) == "" {
		return false
	}
	for k := range i {
		if !isSmall(p.word(k)) && !p.isLead(k) {
			return false
		}
	}
	return true
}

// isLead reports whether the word at i may be one of those that lead in. What stands before it
// is not looked at, but behind an "if".
func (p *parser) isLead(i int) bool {
	switch p.word(i) {
	case "want", "wanna", "need", "let", "like", "see", "tell", "know", "check", "display", "wondering", "wonder", "looking", "curious":
		return p.word(i+1) != "at"
	case "if", "whether":
		// "tell me whether jo opened"
		before := p.word(i - 1)
		if isSmall(before) {
			before = p.word(i - 2)
		}
		return before != "" && before != "if" && before != "whether" && (p.isLead(i-1) || p.isLead(i-2))
	}
	return false
}

// says reports whether the word at i says that the words behind it are in the text:
// "emails mentioning a discount".
func (p *parser) says(i int) bool {
	switch p.word(i) {
	case "containing", "mentioning", "regarding", "concerning":
	case "contains", "mentions", "includes", "contain", "mention", "include":
		if i > 0 && !p.speaksOfEvents() {
			return false
		}
	default:
		return false
	}
	j := i + 1
	for p.isArticleAt(j) {
		j++
	}
	return j < len(p.lexemes) && (p.lexemes[j].quoted || p.isText(j)) && (i > 0 || p.speaksOfEvents() || p.word(i) != "include")
}

func (p *parser) isArticleAt(i int) bool { return isArticle(p.word(i)) || p.word(i) == "any" }

// inField reads "subject contains renewal", "subject "renewal"" and "renewal in the subject".
func (p *parser) inField(i int) (meaning, int) {
	field := TextField("")
	j := i + 1
	switch p.word(i) {
	case "subject":
		field = FieldSubject
		if p.word(j) == "line" {
			j++
		}
	case "body":
		field = FieldBody
	default:
		return p.wordInField(i)
	}
	switch p.word(j) {
	case "contains", "containing", "is", "has", "says", "includes", "mentions", "with":
		j++
	default:
		if j >= len(p.lexemes) || !p.lexemes[j].quoted {
			return meaning{}, 0
		}
	}
	if j >= len(p.lexemes) || p.lexemes[j].kind != lexTerm || p.lexemes[j].field != "" || !p.lexemes[j].quoted && !p.isText(j) {
		return meaning{}, 0
	}
	m := p.plain(string(field), field, lexeme{value: p.lexemes[j].value, quoted: p.lexemes[j].quoted})
	return some(m, j+1-i)
}

// withField reads "with the subject renewal", "with subject line renewal" and "with the title
// renewal".
func (p *parser) withField(i int) (meaning, int) {
	j := i + 1
	if isArticle(p.word(j)) {
		j++
	}
	switch p.word(j) {
	case "subject", "title":
		j++
	default:
		return meaning{}, 0
	}
	if p.word(j) == "line" {
		j++
	}
	if j >= len(p.lexemes) || p.lexemes[j].kind != lexTerm || p.lexemes[j].field != "" || !p.lexemes[j].quoted && !p.isText(j) || !p.speaksOfEvents() {
		return meaning{}, 0
	}
	switch p.word(j) {
	case "contains", "containing", "has", "says", "includes", "mentions":
		return meaning{}, 0 // The subject stands behind them.
	}
	m := p.plain(string(FieldSubject), FieldSubject, lexeme{value: p.lexemes[j].value, quoted: p.lexemes[j].quoted})
	return some(m, j+1-i)
}

// wordInField reads a word with "in the subject" behind it.
func (p *parser) wordInField(i int) (meaning, int) {
	if p.word(i+1) != "in" || p.lexemes[i].kind != lexTerm || p.lexemes[i].field != "" || !p.lexemes[i].quoted && !p.isText(i) {
		return meaning{}, 0
	}
	j := i + 2
	if p.word(j) == "the" {
		j++
	}
	field := FieldSubject
	switch p.word(j) {
	case "subject":
	case "body":
		field = FieldBody
	default:
		return meaning{}, 0
	}
	if j++; p.word(j) == "line" {
		j++
	}
	m := p.plain(string(field), field, lexeme{value: p.lexemes[i].value, quoted: p.lexemes[i].quoted})
	return some(m, j-i)
}

// between reads "between ana and jo" of mails: whoever of the two is a user sent them to
// the other.
func (p *parser) between(i int) (meaning, int) {
	if p.word(i) != "between" || !p.speaksOfEvents() {
		return meaning{}, 0
	}
	m, n := p.oneOfTwo(i + 1)
	if n == 0 || p.word(i+1+n) != "and" {
		return meaning{}, 0
	}
	other := i + 2 + n
	second, k := p.oneOfTwo(other)
	if k == 0 || (m.field == "from") == (second.field == "from") {
		return meaning{}, 0
	}
	p.english.another, p.english.preposition = other, "at"
	if second.field == "from" {
		p.english.preposition = "from"
	}
	return m, other - i
}

func (p *parser) oneOfTwo(i int) (meaning, int) {
	if isMine(p.word(i)) && p.opts.Me != "" {
		return keyword("from", FieldUser, p.opts.Me), 1
	}
	return p.operand(i)
}

// correspondence reads "history with jo", "timeline of acme" and "thread with ana" at the
// beginning: whatever there is of them.
func (p *parser) correspondence(i int) (meaning, int) {
	switch p.word(i) {
	case "timeline", "history", "conversation", "conversations", "thread", "threads", "correspondence", "communication":
	default:
		return meaning{}, 0
	}
	switch p.word(i + 1) {
	case "with", "of", "for":
	default:
		return meaning{}, 0
	}
	if i > 0 && !p.isFiller(i-1) || !p.startsName(i+2) || p.isText(i+3) && !isCapitalised(p.lexemes[i+2].value) {
		return meaning{}, 0
	}
	p.english.another, p.english.preposition, p.english.generic = i+2, "from", true
	return meaning{}, 2
}

// got reads "got a reply" and "received an answer": who got it did not do it.
func (p *parser) got(i int) (meaning, int) {
	switch p.word(i) {
	case "got", "gotten", "received", "has", "have", "had":
	default:
		return meaning{}, 0
	}
	switch p.word(i + 1) {
	case "a", "an", "any":
	default:
		return meaning{}, 0
	}
	switch p.word(i + 2) {
	case "reply", "response", "answer":
		return is(string(IsReplied)), 3
	}
	return meaning{}, 0
}
