package query

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"tidings/address"
	"tidings/query/times"
)

// operand reads a person, a team, a company or an address.
func (p *parser) operand(i int) (meaning, int) {
	if i >= len(p.lexemes) || p.lexemes[i].kind != lexTerm || p.lexemes[i].field != "" {
		return meaning{}, 0
	}
	l := p.lexemes[i]
	if l.quoted {
		if m, ok := p.inDirectory(strings.TrimSpace(l.value)); ok {
			return m, 1
		}
		return some(p.plain("to", FieldPeople, l), 1)
	}
	for n := 3; n > 0; n-- {
		if m, ok := p.userAt(i, n); ok && (n > 1 || !p.isFiller(i)) {
			return m, n
		}
	}
	if !p.startsName(i) {
		return meaning{}, 0
	}
	value := strings.TrimFunc(l.value, func(r rune) bool { return strings.ContainsRune(",.;:!?", r) })
	if domain, ok := strings.CutPrefix(value, "@"); ok && isDomain(domain) || !strings.Contains(value, "@") && isDomain(value) {
		value = strings.TrimPrefix(value, "@")
		return keyword("domain", FieldDomain, address.Domain(value)), 1
	}
	n := 1
	for isCapitalised(p.lexemes[i].value) && i+n < len(p.lexemes) && n < 3 && p.startsName(i+n) &&
		isCapitalised(p.lexemes[i+n].value) && !strings.HasSuffix(p.lexemes[i+n-1].value, ",") {
		n++
	}
	if n == 1 && p.twoWordNames(i) {
		n = 2
	}
	return some(p.recipient(i, n), n)
}

// twoWordNames reports whether two names of two words each stand at i, with "or"
// between: "by jo reyes or li wei". One word of each would be another search.
func (p *parser) twoWordNames(i int) bool {
	pair := func(i int) bool {
		return i >= 0 && p.startsName(i) && p.startsName(i+1) && !p.isFiller(i+1) && !p.endsWithComma(i)
	}
	switch p.word(i - 1) {
	case "from", "by", "to", "with", "of":
		w := p.word(i + 2)
		joined := w == "or" || w == "and"
		return joined && pair(i) && pair(i+3) && !p.isText(i+5)
	}
	before := i > 2 && p.lexemes[i-1].kind == lexOr
	return before && i == p.english.another && pair(i) && !p.isText(i+2) && !p.startsName(i-4) && p.startsName(i-3) && p.startsName(i-2)
}

// some is n where there is a condition, else 0.
func some(m meaning, n int) (meaning, int) {
	if m.where == nil {
		return m, 0
	}
	return m, n
}

// recipient is a condition on the recipient, made of n words as they stand.
func (p *parser) recipient(i, n int) meaning {
	if p.lexemes[i].quoted {
		return p.plain("to", FieldPeople, p.lexemes[i])
	}
	parts := make([]string, n)
	for k := range n {
		parts[k] = strings.Trim(p.lexemes[i+k].value, ",.;:!?")
	}
	return p.to(lexeme{value: strings.Join(parts, " "), quoted: n > 1})
}

// startsName reports whether a name may begin at i: a word with a letter that is
// no small word, no event and no time.
func (p *parser) startsName(i int) bool {
	if p.word(i) == "" {
		return false
	}
	const yes, no = 1, 2
	if p.mayBeName == nil {
		p.mayBeName = make([]int8, len(p.lexemes))
	}
	if p.mayBeName[i] == 0 {
		p.mayBeName[i] = no
		if p.looksLikeName(i) {
			p.mayBeName[i] = yes
		}
	}
	return p.mayBeName[i] == yes
}

func (p *parser) looksLikeName(i int) bool {
	word := p.word(i)
	if isSmall(word) || isGeneric(word) {
		return false
	}
	if !strings.ContainsFunc(word, unicode.IsLetter) || strings.HasSuffix(p.lexemes[i].value, "*") {
		return false
	}
	if _, f := doneOf(word); f != noForm {
		return false
	}
	if isMachine(word) || isPeople(word) || p.countsPeople(i) {
		return false
	}
	if _, number := times.Number(word); number && !isCapitalised(p.lexemes[i].value) {
		return false
	}
	if !isCapitalised(p.lexemes[i].value) && (isQuantity(word) || isNegation(word) || isGroup(word)) {
		return false
	}
	_, n := p.timeAt(i)
	if times.IsOrdinal(word) {
		return false
	}
	return n == 0 && word != "unopened" && word != "unread" && (isCapitalised(p.lexemes[i].value) || !isDocument(word))
}

// startsPerson reports whether a condition on a person may begin at i.
func (p *parser) startsPerson(i int) bool {
	switch p.word(i) {
	case "from", "by", "to", "with", "at", "my", "i", "our":
		return true
	}
	return false
}

func isCapitalised(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return unicode.IsUpper(r)
}

// isDomain reports whether a word is written like acme.com.
func isDomain(word string) bool {
	dot := strings.LastIndexByte(word, '.')
	return dot > 0 && len(word)-dot > 2 && strings.Trim(strings.ToLower(word), "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" &&
		strings.Trim(word[dot+1:], "0123456789") != "" && !strings.Contains(word, "..")
}
