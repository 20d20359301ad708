package query

import (
	"strings"

	"tidings/event"
	"tidings/query/times"
)

// exception reads "anything but clicks", "not from acme", "everyone except ben",
// "NOT draft": a condition that must not hold.
func (p *parser) exception(i int) (meaning, int) {
	if m, n := p.onlyThose(i); n > 0 {
		return m, n
	}
	n, anyWord := p.exceptionAt(i)
	listed := n == 0 && i == p.english.negated && p.endsWithComma(i-1) &&
		(p.english.negatedAny && p.isItem(i) || p.english.exceptedBy != "" && p.startsName(i))
	if n == 0 && !listed {
		return meaning{}, 0
	}
	goesOn := listed || i == p.english.negated && n == 1
	if !goesOn {
		p.english.exceptedBy = ""
	}
	anyWord = anyWord || listed && p.english.negatedAny
	inner := i + n
	for p.isFiller(inner) && !p.startsPerson(inner) && !isMine(p.word(inner)) {
		if _, times := p.timeAt(inner); times > 0 {
			break
		}
		if _, n := p.device(inner); n > 0 {
			break
		}
		inner++
	}
	p.english.negatedAny = anyWord
	if inner >= len(p.lexemes) {
		return meaning{}, 0
	}
	m, k := meaning{}, 0
	switch {
	case goesOn && p.english.exceptedBy != "":
		m, k = p.behind(p.english.exceptedBy, inner, inner) // "not from acme or globex"
	case i == p.english.personEnd && p.english.actedBy != "" && (p.word(i) == "but" || p.word(i) == "not") && p.startsName(inner):
		p.english.exceptedBy = p.english.actedBy
		m, k = p.behind(p.english.actedBy, inner, inner) // "by jo but not kim"
	}
	if k == 0 {
		m, k = p.excepted(inner, anyWord)
	}
	if k > 0 {
		if _, f := p.eventAt(inner); (f == past || f == single || p.word(i) == "no") && m.field == "type" {
			p.noteLeftOut(i, inner)
		}
		m.where, m.not = negation(m.where), true
		p.english.negated = inner + k
		return m, inner + k - i
	}
	if !anyWord || p.lexemes[inner].kind != lexTerm {
		return meaning{}, 0
	}
	m = p.understand(p.lexemes[inner])
	if strings.Contains(p.word(inner), "@") || p.exceptsPeople(i, inner) && p.speaksOfEvents() && p.startsName(inner) {
		if person, n := p.operand(inner); n > 0 {
			m, inner = person, inner+n-1 // "opened by everyone but acme"
		}
	}
	if m.where == nil {
		return meaning{}, 0
	}
	if c, ok := m.where.(choice); ok {
		m.where = c.opposite()
		return m, inner + 1 - i
	}
	m.where, m.not = negation(m.where), true
	p.english.negated = inner + 1
	return m, inner + 1 - i
}

// exceptsPeople reports whether the exception at i, of what stands at inner, is one of people:
// "everyone except jo", "all but jo opened".
func (p *parser) exceptsPeople(i, inner int) bool {
	for k := i; k >= i-1; k-- {
		switch p.word(k) {
		case "anyone", "everyone", "anybody", "everybody", "people", "someone", "somebody":
			return true
		case "all":
			_, n := p.operand(inner)
			return n > 0 && p.didSomething(inner+n)
		}
	}
	return false
}

// noteLeftOut says of "clicked but not booked" that it is about events: what people have
// not done is known of opens, clicks, replies and downloads.
func (p *parser) noteLeftOut(i, inner int) {
	if len(p.english.types) > 1 {
		p.note("\"" + p.words(i, inner+1-i) + "\" leaves those events out: who has not done so is not known.")
	}
}

// exceptionAt reads the words before an exception, and whether any word may be
// excepted after them.
func (p *parser) exceptionAt(i int) (n int, anyWord bool) {
	switch p.word(i) {
	case "anything", "everything", "all", "anyone", "everyone", "anybody", "everybody", "any", "people":
		switch p.word(i + 1) {
		case "but", "except", "besides", "excluding", "bar":
			if _, number := times.Number(p.word(i + 2)); number {
				return 0, false // "all but two" is a count.
			}
			n := 2
			if p.word(i+2) == "for" {
				n++
			}
			return n, true
		}
	case "bar":
		if _, f := eventOf(p.word(i - 1)); f != several && !isGeneric(p.word(i-1)) {
			return 0, false
		}
		return 1, true
	case "minus":
		if _, f := doneOf(p.word(i + 1)); f == past || !p.speaksOfEvents() {
			return 0, false
		}
		return 1, true
	case "except", "excluding", "besides", notOperator:
		if p.word(i+1) == "for" {
			return 2, true
		}
		return 1, true
	case "apart", "aside":
		if p.word(i+1) == "from" {
			return 2, true
		}
	case "but":
		switch p.word(i - 1) {
		case "everyone", "everybody", "all":
			_, number := times.Number(p.word(i + 1))
			return btoi(!number), !number // "opened by everyone but acme", but "all but two" is a count.
		}
		if isMine(p.word(i+1)) && p.speaksOfEvents() {
			return 1, true
		}
		if _, states := p.state(i + 1); p.word(i+1) != "not" || states > 0 {
			return 0, false
		}
		if p.speaksOfEvents() || i > 0 && p.word(i+2) != "least" { // "last but not least" is a phrase
			return 2, true
		}
	case "other":
		if p.word(i+1) == "than" {
			return 2, true
		}
	case "not", "without", "isn't", "wasn't", "aren't", "weren't":
		if w := p.word(i + 1); w == "only" || w == "just" || p.word(i+2) == "than" {
			return 0, false // Times have a limit so: not later than friday.
		}
		switch p.word(i + 1) {
		case "everyone", "everybody", "all":
			return 0, false // Not all of them is not none of them.
		case "sent":
			if p.word(i+2) == "by" || p.word(i+2) == "from" {
				return 2, false
			}
		case "including", "counting":
			return 2, true
		case "about", "regarding", "mentioning", "containing":
			return 2, true
		}
		if p.word(i) == "not" && i == p.english.personEnd || p.word(i) == "without" && p.speaksOfEvents() && p.isSomebody(i+1) {
			return 1, true // "opened by sam not jo"
		}
		return 1, false
	case "hasn't", "haven't", "didn't", "hasnt", "havent", "didnt", "hadn't", "don't", "doesn't", "never":
		if _, n := p.answer(i + 1); n > 0 {
			return 1, false // "hasn't accepted the invitation"
		}
		t, f := p.eventAt(i + 1)
		if _, ok := stateOf(t); !ok && (f == past || f == single) && t != event.Send && t != event.Delivery && len(p.english.types) > 1 {
			return 1, false // "clicked but hasn't booked a meeting"
		}
	case "no":
		t, f := eventOf(p.word(i + 1))
		if _, ok := stateOf(t); !ok && f != noForm && t != event.Send && len(p.english.types) > 1 {
			return 1, false // "clicked but no meeting booked"
		}
	case "or", "and", "nor":
		if i == p.english.negated {
			return 1, p.english.negatedAny
		}
	}
	return 0, false
}

// excepted reads the condition behind an exception: a person of the directory, an
// address, or what else asserts something.
func (p *parser) excepted(i int, anyWord bool) (meaning, int) {
	if isMine(p.word(i)) && p.opts.Me != "" {
		return keyword("from", FieldUser, p.opts.Me), 1
	}
	if anyWord && isMachine(p.word(i)) {
		return keyword("verdict", FieldVerdict, event.Machine), 1
	}
	if anyWord {
		for n := 3; n > 0; n-- {
			if m, ok := p.userAt(i, n); ok {
				return m, n
			}
		}
	}
	switch p.word(i) {
	case "from", "by", "to", "at":
		// Each of "not from acme or globex" is excepted, so they are no alternatives.
		p.english.excepting, p.english.exceptedBy = true, p.word(i)
		defer func() { p.english.excepting = false }()
		// "not from gmail" is about events, whatever else the text says.
		generic := p.english.generic
		p.english.generic = true
		defer func() { p.english.generic = generic }()
	}
	if m, k := p.assertion(i); k > 0 && m.where != nil && !m.not {
		return m, k
	}
	return meaning{}, 0
}

// isSomebody reports whether the word at i is a user or written like a name.
func (p *parser) isSomebody(i int) bool {
	_, user := p.userAt(i, 1)
	return user || p.startsName(i) && isCapitalised(p.lexemes[i].value)
}

// isMine reports whether a word means the reader or what the reader sent.
func isMine(word string) bool { return word == "me" || word == "mine" || word == "myself" }
