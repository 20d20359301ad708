package query

import (
	"fmt"
	"strings"
	"unicode"
)

// plain searches a text field: a word by its stem, several joined by signs or in
// quotes as a phrase, a word with a star by its beginning.
func (p *parser) plain(chip string, field TextField, l lexeme) meaning {
	value, starred := strings.CutSuffix(l.value, "*")
	starred = starred && !l.quoted
	tokens := Analyse(value)
	if len(tokens) == 0 {
		if l.field != "" {
			p.note(l.field + ": needs a letter or a digit to search for.")
		} else if isOpaque(strings.Trim(value, ",.;:!?")) {
			p.note("\"" + value + "\" is not searched for: codes as long as that are in no index.")
			p.unused = append(p.unused, value)
		} else if strings.ContainsFunc(value, isPicture) {
			p.note("\"" + value + "\" has no letter or digit and is not searched for.")
			p.unused = append(p.unused, value)
		}
		return meaning{}
	}
	if len(tokens) > MaxPhrase {
		p.note(fmt.Sprintf("A phrase has %d words at most; the rest of it is ignored.", MaxPhrase))
		tokens, starred = tokens[:MaxPhrase], false
	}
	last := tokens[len(tokens)-1]
	m := meaning{field: chip, value: l.value}
	switch {
	case l.quoted:
		m.value = `"` + l.value + `"`
		m.where = phrase(field, tokens)
	case starred && last.End == len(value):
		m.where = p.prefix(field, tokens)
	case len(tokens) == 1:
		m.where = p.eitherSpelling(field, last.Word)
	case isWhole(last, tokens):
		m.where = Words{Field: field, Form: FormStem, Terms: []string{last.Stem}, Word: last.Word}
		if !dotted(Domain(last.Word)) {
			m.where = phrase(field, tokens[:len(tokens)-1])
		}
	default:
		m.where = phrase(field, tokens)
		if word := joinedWord(value, tokens); word != "" && field != FieldLink && p.depth < MaxDepth {
			// kick-off is kickoff as well.
			m.where = disjunction([]Expr{p.eitherSpelling(field, word), m.where})
		}
	}
	return m
}

// eitherSpelling looks for a word, and for it without its umlauts: Mueller is Muller as well.
func (p *parser) eitherSpelling(field TextField, word string) Expr {
	if folded := withoutUmlauts(word); folded != word && field != FieldLink && p.depth < MaxDepth {
		return Or{stemIn(field, word), stemIn(field, folded)}
	}
	return stemIn(field, word)
}

// stemIn looks for a word by its stem.
func stemIn(field TextField, word string) Expr {
	return Words{Field: field, Form: FormStem, Terms: []string{stem(word)}, Word: word}
}

// joinedWord is the one word that two joined by a hyphen are, "" for others.
func joinedWord(value string, tokens []Token) string {
	if len(tokens) != 2 {
		return ""
	}
	word := compound(value, tokens[0], tokens[1])
	if word == "" || len(Analyse(word)) != 1 {
		return "" // An ideograph stays a word of its own.
	}
	return word
}

// isWhole reports whether the last token is an address that the others are the
// parts of.
func isWhole(last Token, tokens []Token) bool {
	return strings.Contains(last.Word, "@") && last.Start <= tokens[0].Start
}

func phrase(field TextField, tokens []Token) Expr {
	terms := make([]string, len(tokens))
	for i, token := range tokens {
		terms[i] = token.Word
	}
	return Words{Field: field, Form: FormPhrase, Terms: terms}
}

// prefix looks for the last token as the beginning of a word, and for what
// stands before it as a phrase.
func (p *parser) prefix(field TextField, tokens []Token) Expr {
	last := tokens[len(tokens)-1]
	start := Words{Field: field, Form: FormPrefix, Terms: []string{last.Word}}
	before := tokens[:len(tokens)-1]
	for len(before) > 0 && before[len(before)-1].End > last.Start {
		before = before[:len(before)-1]
	}
	if len(before) == 0 {
		return start
	}
	if p.depth == MaxDepth {
		// Two conditions are a bracket of their own, and that is one too deep.
		return phrase(field, tokens)
	}
	return And{phrase(field, before), start}
}

// isPicture reports whether a character is an emoji or a symbol of its kind.
func isPicture(r rune) bool { return r > unicode.MaxLatin1 && unicode.IsSymbol(r) }
