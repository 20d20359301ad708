package query

import (
	"strings"
	"unicode/utf8"

	"tidings/query/times"
)

// ofSomebody reads "ana's sends" and "jo's opens".
func (p *parser) ofSomebody(i int) (meaning, int) {
	for k := 2; k > 0; k-- { // "tess o'brien's opens"
		name, possessive := strings.CutSuffix(p.words(i, k+1), "'s")
		if _, f := p.eventAt(i + k + 1); !possessive || f == noForm && !isMail(p.word(i+k+1)) {
			continue
		}
		if m, ok := p.inDirectory(name); ok {
			return m, k + 1 + btoi(isMail(p.word(i+k+1)))
		}
	}
	if name, possessive := strings.CutSuffix(p.word(i), "'s"); possessive {
		// "ben's unopened emails", "ana's latest sends"
		j := i + 1
		if _, states := p.state(j); states > 0 {
			j += states
		} else if newest := p.newestAt(j); newest > 0 {
			j += newest
		} else if p.word(j) == "oldest" {
			j++
		}
		if _, f := p.eventAt(j); j > i+1 && (f != noForm || isMail(p.word(j)) || isOneMail(p.word(j))) {
			if m, ok := p.inDirectory(name); ok {
				return m, 1
			}
		}
	}
	if name, n := p.wholeName(i); n > 0 {
		return p.to(lexeme{value: name, quoted: true}), n
	}
	word := p.word(i)
	n := len(word) - 2
	if n < 1 || word[n:] != "'s" || isSmall(word) {
		return meaning{}, 0
	}
	t, f := p.eventAt(p.behindOrder(i + 1))
	mail := isMail(p.word(i+1)) || isOneMail(p.word(i+1)) && p.speaksOfEvents()
	if _, n := p.timeAt(i); n > 0 || f == noForm && !mail {
		return meaning{}, 0
	}
	name := p.lexemes[i].value
	name = strings.TrimFunc(name, func(r rune) bool { return strings.ContainsRune(",.;:!?", r) })
	_, size := utf8.DecodeLastRuneInString(name[:len(name)-1])
	name = name[:len(name)-1-size]
	if m, ok := p.inDirectory(name); ok {
		if mail {
			return m, 2
		}
		return m, 1
	}
	if _, acted := stateOf(t); acted {
		return p.to(lexeme{value: name}), 1
	}
	return meaning{}, 0
}

// wholeName is the name of "Jo Reyes's opens", of two words written like one, and how many.
func (p *parser) wholeName(i int) (string, int) {
	if p.word(i+1) == "" || !p.startsName(i) || !isCapitalised(p.lexemes[i].value) || !isCapitalised(p.lexemes[i+1].value) {
		return "", 0
	}
	last, possessive := strings.CutSuffix(p.word(i+1), "'s")
	t, _ := p.eventAt(p.behindOrder(i + 2))
	if _, acted := stateOf(t); !possessive || !acted {
		return "", 0
	}
	typed := p.lexemes[i+1].value
	if end := strings.LastIndexAny(typed, "'’"); end > 0 {
		last = typed[:end]
	}
	return p.lexemes[i].value + " " + last, 2
}

// behindOrder is behind the words at i that say which ones: the "first" of "acme's first open".
func (p *parser) behindOrder(i int) int {
	i += p.newestAt(i)
	if _, ordinal := times.Ordinal(p.word(i)); ordinal || p.word(i) == "oldest" {
		i++
	}
	return i
}

// ofSeveral reads the ana of "ana and ben's sends".
func (p *parser) ofSeveral(i int) (meaning, int) {
	if w := p.word(i + 1); w != "and" && w != "or" && p.kindAt(i+1) != lexOr {
		return meaning{}, 0
	}
	m, ok := p.userAt(i, 1)
	if owner, possessive := strings.CutSuffix(p.word(i), "'s"); !ok && possessive {
		m, ok = p.inDirectory(owner) // "ben's and tess's sends"
	}
	if !ok {
		return meaning{}, 0
	}
	if other, n := p.ofSomebody(i + 2); n == 0 || other.field != "from" {
		return meaning{}, 0
	}
	p.joinWith(i + 1)
	return m, 1
}

// owner reads whose mail is spoken of: "tess obrien emails", "bens emails", "sales
// emails". The word for mail is part of it.
func (p *parser) owner(i int) (meaning, int) {
	for n := 3; n > 0; n-- {
		mail := isMail(p.word(i + n))
		if !mail && !p.nounForm(i+n) || p.isFiller(i) {
			continue
		}
		if m, ok := p.userAt(i, n); ok && mail {
			return m, n + 1
		}
		name := p.words(i, n)
		for _, ending := range [...]string{"'s", "'", "s"} {
			if owner, possessive := strings.CutSuffix(name, ending); possessive {
				if m, ok := p.inDirectory(owner); ok {
					return m, n + btoi(mail)
				}
			}
		}
	}
	return meaning{}, 0
}

// sender reads a user's name before "sent", and before the "to jo" that is the rest of the text.
func (p *parser) sender(i int) (meaning, int) {
	for n := 3; n > 0; n-- {
		j := i + n
		if p.word(j) == "has" || p.word(j) == "have" {
			j++
		}
		alone := i == 0 && p.word(j) == "to" && p.startsName(j+1) && !p.isText(j+2)
		if p.word(j) != "sent" && !alone {
			continue
		}
		if m, ok := p.userAt(i, n); ok {
			return m, n
		}
	}
	return meaning{}, 0
}
