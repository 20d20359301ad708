package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexeme is a piece of a search as it was typed, [start, end) in bytes.
type lexeme struct {
	start, end int
	// field is the operator of a term in lower case, "" for plain text.
	field string
	// value is what stands behind the field, without its quotes.
	value string
	// word is plain text in lower case without the signs around it, as English
	// is read; "" for other terms.
	word string
	// rules are those that may begin with word.
	rules  ruleSet
	kind   lexKind
	quoted bool
	// or is whether it is an alternative to what stands before it, as the items
	// of a list are.
	or bool
}

type lexKind uint8

const (
	lexEnd lexKind = iota
	lexOpen
	lexClose
	lexOr
	lexMinus
	lexTerm
)

// lex cuts a search into lexemes. A quote or a bracket that is never closed ends
// with the text.
func lex(text string) []lexeme {
	const wordBytes = 5 // of a usual word, with its space
	all := make([]lexeme, 0, len(text)/wordBytes+1)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case unicode.IsSpace(r):
			i += size
			continue
		case r == '(':
			all = append(all, lexeme{kind: lexOpen, start: i, end: i + size})
		case r == ')':
			all = append(all, lexeme{kind: lexClose, start: i, end: i + size})
		case (r == '-' || r == '!') && operandAt(text, i+1):
			all = append(all, lexeme{kind: lexMinus, start: i, end: i + size})
		default:
			all = append(all, lexTermAt(text, i))
			if last := &all[len(all)-1]; text[i:last.end] == "NOT" {
				last.not(text)
			}
			if negated := len(all) > 1 && all[len(all)-2].kind == lexMinus; text[i:all[len(all)-1].end] == "OR" && !negated {
				all[len(all)-1].kind, all[len(all)-1].word = lexOr, ""
			}
		}
		i = all[len(all)-1].end
	}
	return all
}

// notOperator is the word of a NOT in capitals, which no typed word is.
const notOperator = "NOT"

// not makes an operator of the word NOT: a minus before a bracket, else what
// plain English reads. In a text of capitals it is a word like others.
func (l *lexeme) not(text string) {
	rest := strings.TrimLeftFunc(text[l.end:], unicode.IsSpace)
	switch {
	case rest == "" || rest[0] == ')' || strings.ToUpper(text) == text && !strings.Contains(text, ":"):
	case rest[0] == '(':
		l.kind, l.word = lexMinus, ""
	default:
		l.word = notOperator
	}
}

// operandAt reports whether a minus or a "!" before i has something to negate.
func operandAt(text string, i int) bool {
	r, size := utf8.DecodeRuneInString(text[i:])
	return size > 0 && r != ')' && !unicode.IsSpace(r)
}

// lexTermAt reads the word, phrase or field:value at start.
func lexTermAt(text string, start int) lexeme {
	term := lexeme{kind: lexTerm, start: start}
	if r, size := utf8.DecodeRuneInString(text[start:]); isQuote(r) {
		term.quote(text, start+size)
		return term
	}
	term.end = start + wordLength(text[start:])
	name, value, found := strings.Cut(text[start:term.end], ":")
	name = strings.ToLower(name)
	if found {
		name = otherwiseCalled(name)
	}
	operator, other := "", (*language)(nil)
	if found && !isOperator(name) {
		operator, other = operatorOf(name)
	}
	if !found || !isOperator(name) && other == nil {
		if comma := commaBetween(text[start:term.end]); comma > 0 {
			term.end = start + comma
		}
		if before, after, ok := strings.Cut(strings.ToLower(text[start:term.end]), "/"); ok && eventWords[before].form == several && eventWords[trimWord(after)].form == several {
			term.end = start + len(before) + len("/") // "opens/clicks"
			term.value, term.word = text[start:term.end-1], before
			return term
		}
		term.value = text[start:term.end]
		term.word = trimWord(strings.ToLower(term.value))
		return term
	}
	term.field, term.value = name, value
	if value == "" {
		term.valueBehind(text)
	}
	if other != nil {
		term.field = operator
		switch operator {
		case "type", "is", "before", "after", "since":
			term.value = other.say(term.value)
		}
	}
	return term
}

// valueBehind reads the value of an operator behind its colon: in quotes, or, as it is
// typed in a sentence, behind spaces: "from: ana".
func (l *lexeme) valueBehind(text string) {
	at := len(text) - len(strings.TrimLeftFunc(text[l.end:], unicode.IsSpace))
	r, size := utf8.DecodeRuneInString(text[at:])
	switch {
	case isQuote(r):
		l.quote(text, at+size)
		return
	case at == l.end, at == len(text), endsWord(r), (r == '-' || r == '!') && operandAt(text, at+1):
		return
	}
	end := at + wordLength(text[at:])
	word := text[at:end]
	if name, _, found := strings.Cut(word, ":"); word == "OR" || word == "NOT" || found && isOperator(strings.ToLower(name)) {
		return
	}
	l.value, l.end = word, end
}

// commaBetween is where the first word ends of "opened,but", which somebody typed
// without a space; 0 where a word has no comma between two letters.
func commaBetween(word string) int {
	for i := 1; i < len(word)-1; i++ {
		if word[i] != ',' && word[i] != ';' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(word[:i])
		after, _ := utf8.DecodeRuneInString(word[i+1:])
		if unicode.IsLetter(before) && unicode.IsLetter(after) {
			return i + 1
		}
	}
	return 0
}

// quote reads up to the next quote; start is behind the first.
func (l *lexeme) quote(text string, start int) {
	l.quoted = true
	length := strings.IndexFunc(text[start:], isQuote)
	if length < 0 {
		l.value, l.end = text[start:], len(text)
		return
	}
	_, size := utf8.DecodeRuneInString(text[start+length:])
	l.value, l.end = text[start:start+length], start+length+size
}

// wordLength is how far the word at the beginning of text goes.
func wordLength(text string) int {
	if end := strings.IndexFunc(text, endsWord); end >= 0 {
		return end
	}
	return len(text)
}

func endsWord(r rune) bool {
	return unicode.IsSpace(r) || r == '(' || r == ')' || isQuote(r)
}

// isQuote includes what keyboards of telephones make of a quote.
func isQuote(r rune) bool {
	return r == '"' || r == '“' || r == '”' || r == '„'
}

// trimWord takes the signs of a sentence off a word and writes apostrophes in
// one way.
func trimWord(word string) string {
	for word != "" && isSign(word[0]) {
		word = word[1:]
	}
	for word != "" && isSign(word[len(word)-1]) {
		word = word[:len(word)-1]
	}
	if strings.Contains(word, "’") {
		word = strings.ReplaceAll(word, "’", "'")
	}
	return word
}

// isSign reports whether a byte is a sign that ends or joins sentences.
func isSign(b byte) bool {
	switch b {
	case ',', '.', ';', ':', '!', '?':
		return true
	}
	return false
}
