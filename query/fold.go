package query

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// FoldName is a name as names are compared: accents and case folded, and without
// apostrophes, so that "chloe" is Chloé and "tess obrien" Tess O'Brien.
func FoldName(name string) string {
	if isPlainName(name) {
		return lowerASCII(name)
	}
	var f folder
	words := strings.Fields(strings.Map(func(r rune) rune {
		if isApostrophe(r) {
			return -1
		}
		return r
	}, name))
	for i, word := range words {
		if folded := f.fold(word, addressSigns); folded != "" {
			words[i] = folded
		}
	}
	return strings.Join(words, " ")
}

// isPlainName reports whether nothing of a name but its case needs folding.
func isPlainName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || c == '\'' || c == '\t' || c == '\n' {
			return false
		}
	}
	return true
}

// folder folds runs of text and keeps what it works in.
type folder struct {
	single, folded []byte
	// inWord is whether a vowel sign may follow.
	inWord bool
}

// word folds a run of letters, digits and marks to the form that is compared:
// compatibility forms and ligatures resolved, marks dropped, lower case. Vowel
// signs that take up space of their own are not marks in this sense: in Indic
// scripts they are half of the word.
func (f *folder) word(run string) string {
	return f.fold(run, "")
}

// address folds a mail address and keeps what joins its parts.
func (f *folder) address(run string) string {
	return f.fold(run, addressSigns)
}

func (f *folder) fold(run, joins string) string {
	f.folded, f.inWord = f.folded[:0], false
	for len(run) > 0 {
		properties := norm.NFKD.PropertiesString(run)
		size := max(1, properties.Size())
		// The order of marks does not matter, they go.
		if parts := properties.Decomposition(); parts != nil {
			f.add(parts, joins)
		} else {
			f.single = append(f.single[:0], run[:size]...)
			f.add(f.single, joins)
		}
		run = run[size:]
	}
	if norm.NFC.QuickSpan(f.folded) == len(f.folded) {
		return string(f.folded)
	}
	return string(norm.NFC.Bytes(f.folded))
}

// add adds what one character came apart into.
func (f *folder) add(parts []byte, joins string) {
	for len(parts) > 0 {
		r, size := utf8.DecodeRune(parts)
		parts = parts[size:]
		r = unicode.ToLower(r)
		switch class := classOf(r); {
		case class == letter || class == ideograph:
			f.inWord = class == letter
			f.folded = appendLetter(f.folded, r)
		case class == mark:
			if f.inWord && unicode.Is(unicode.Mc, r) {
				f.folded = utf8.AppendRune(f.folded, r)
			}
		case strings.ContainsRune(joins, r):
			f.inWord = false
			f.folded = utf8.AppendRune(f.folded, r)
		}
	}
}

// appendLetter adds a lower-case letter, those that Unicode does not take apart
// as people without them on their keyboard write them.
func appendLetter(to []byte, r rune) []byte {
	switch r {
	case 'ß':
		return append(to, "ss"...)
	case 'æ':
		return append(to, "ae"...)
	case 'œ':
		return append(to, "oe"...)
	case 'þ':
		return append(to, "th"...)
	case 'ø':
		return append(to, 'o')
	case 'ł':
		return append(to, 'l')
	case 'đ', 'ð':
		return append(to, 'd')
	case 'ħ':
		return append(to, 'h')
	case 'ı':
		return append(to, 'i')
	case 'ŧ':
		return append(to, 't')
	case 'ŋ':
		return append(to, 'n')
	case 'ς':
		r = 'σ'
	}
	return utf8.AppendRune(to, r)
}
