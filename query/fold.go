package query

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// foldWord folds a run of letters, digits and marks to the form that is
// compared: compatibility forms and ligatures resolved, marks dropped, lower
// case. Vowel signs that take up space of their own are not marks in this sense:
// in Indic scripts they are half of the word.
func foldWord(run string) string {
	return fold(run, func(rune) bool { return false })
}

// foldAddress folds a mail address and keeps what joins its parts.
func foldAddress(run string) string {
	return fold(run, func(r rune) bool { return strings.ContainsRune("@._+-'", r) })
}

func fold(run string, joins func(rune) bool) string {
	var folded strings.Builder
	folded.Grow(len(run))
	inWord := false
	for _, r := range norm.NFKD.String(run) {
		r = unicode.ToLower(r)
		switch {
		case joins(r):
			inWord = false
			folded.WriteRune(r)
		case unicode.Is(unicode.Mc, r):
			if inWord {
				folded.WriteRune(r)
			}
		case classOf(r) == letter || classOf(r) == ideograph:
			inWord = classOf(r) == letter
			foldLetter(&folded, r)
		}
	}
	// Hangul was taken apart above.
	return norm.NFC.String(folded.String())
}

// foldLetter writes a lower-case letter, those that Unicode does not take apart
// as people without them on their keyboard write them.
func foldLetter(to *strings.Builder, r rune) {
	switch r {
	case 'ß':
		to.WriteString("ss")
	case 'æ':
		to.WriteString("ae")
	case 'œ':
		to.WriteString("oe")
	case 'þ':
		to.WriteString("th")
	case 'ø':
		to.WriteByte('o')
	case 'ł':
		to.WriteByte('l')
	case 'đ', 'ð':
		to.WriteByte('d')
	case 'ħ':
		to.WriteByte('h')
	case 'ı':
		to.WriteByte('i')
	case 'ŧ':
		to.WriteByte('t')
	case 'ŋ':
		to.WriteByte('n')
	case 'ς':
		to.WriteRune('σ')
	default:
		to.WriteRune(r)
	}
}
