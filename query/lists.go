package query

import (
	"strings"

	"tidings/query/times"
)

// longestList is how many items a list without brackets has at most.
const longestList = 16

// alternative makes an OR of the "or" or the comma before i that another person
// follows, behind the same preposition. One event has one person, so "and" joins
// them likewise.
func (p *parser) alternative(preposition string, i int) {
	switch {
	case p.english.excepting:
		return
	case p.word(i) == "or" || p.word(i) == "and" || p.word(i) == "nor":
		at := p.behindAnybodyAt(i + 1)
		m, n := p.operand(at)
		if isMine(p.word(i+1)) && p.opts.Me != "" {
			m, n = keyword("from", FieldUser, p.opts.Me), 1 // "from ben or me"
		}
		loose := m.field == "to" && !isKeyword(m.where) && !isCapitalised(p.lexemes[at].value)
		if n == 0 || p.word(i) == "and" && loose && !p.english.list && (!p.speaksOfEvents() || p.isText(at+n)) {
			return
		}
		p.joinWith(i)
		p.english.another = i + 1
	case p.endsWithComma(i-1) && p.startsName(i) && (p.english.list || p.listFrom(i) > 0):
		p.english.list = true
		p.lexemes[i].or = true
		p.english.another = i
	default:
		p.english.list = false
		return
	}
	p.english.preposition = preposition
}

// behindAnybodyAt is where a company may stand at i: behind the first two words of "anyone at
// acme", at i otherwise.
func (p *parser) behindAnybodyAt(i int) int {
	switch p.word(i) {
	case "anyone", "anybody", "someone", "somebody", "everyone", "everybody", "people":
		if w := p.word(i + 1); w == "at" || w == "from" {
			return i + 2
		}
	}
	return i
}

// joinWith makes an OR of the word at i.
func (p *parser) joinWith(i int) { p.lexemes[i].kind, p.lexemes[i].word = lexOr, "" }

func (p *parser) endsWithComma(i int) bool {
	return i >= 0 && i < len(p.lexemes) && p.lexemes[i].word != "" && strings.HasSuffix(p.lexemes[i].value, ",")
}

// listFrom is the last item of a list of single words from i on: "brightwater and
// mesa", "brightwater, mesa or hooli"; 0 where there is no "and" or "or" at its
// end.
func (p *parser) listFrom(i int) int {
	for k := i; k < i+longestList && p.startsName(k); k++ {
		if w := p.word(k + 1); w == "and" || w == "or" {
			if last := p.behindAnybodyAt(k + 2); p.startsName(last) {
				return last
			}
			return 0
		}
		if !p.endsWithComma(k) {
			if k > i && p.word(k+1) == "but" || k == i && p.endsWithComma(k-1) && p.word(k+1) == "but" {
				return k // "jo, kim but not ben"
			}
			return 0
		}
	}
	return 0
}

// markList makes alternatives of the words of a list that begins at i: three or
// more between commas, or two with "or" where the text is about events.
func (p *parser) markList(i int) {
	if i < p.english.listed || i == p.english.another || p.word(i+1) != "or" && !p.endsWithComma(i) || !p.isItem(i) {
		return
	}
	if p.word(i+1) == "or" && p.isItem(i+2) && (p.speaksOfEvents() || p.word(i-1) == "either") {
		p.joinWith(i + 1)
		p.english.listed = i + 3
		return
	}
	last := i
	for p.endsWithComma(last) && last < i+longestList {
		next := last + 1
		if w := p.word(next); w == "and" || w == "or" {
			next++
		}
		if !p.isItem(next) {
			break
		}
		last = next
	}
	joined := p.word(last+1) == "and" || p.word(last+1) == "or"
	if joined && last > i && p.isItem(last+2) {
		last += 2
	}
	if _, event := p.eventAt(last + 1); last < i+2 || p.isText(last+1) && event == noForm {
		return
	}
	for k := i + 1; k <= last; k++ {
		if w := p.word(k); w == "and" || w == "or" {
			p.joinWith(k)
			continue
		}
		p.lexemes[k].or = true
	}
	for k := i; k < last; k++ {
		p.lexemes[k].value = strings.TrimSuffix(p.lexemes[k].value, ",")
	}
	p.english.listed = last + 1
}

// isItem reports whether the word at i is text and may be an item of a list.
func (p *parser) isItem(i int) bool {
	_, number := times.Number(p.word(i))
	return i < len(p.lexemes) && p.lexemes[i].kind == lexTerm && !number && p.isText(i) && (p.startsName(i) || isDocument(p.word(i)))
}
