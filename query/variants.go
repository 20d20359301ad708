package query

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// isInvisible reports whether a character has no width and joins what stands
// around it: soft hyphens and their kind.
func isInvisible(r rune) bool {
	switch r {
	case '\u00AD', '\u200B', '\u200C', '\u200D', '\u2060', '\uFEFF':
		return true
	}
	return false
}

// Bounds of codes that nobody types.
const (
	// shortestOpaque is their least length.
	shortestOpaque = 24
	// typedRun is how long the runs of one kind of character are, on average, in
	// what people write.
	typedRun = 3.5
)

// isOpaque reports whether a run of ASCII letters and digits is a code that no
// person types, as tracked links have: long, and of short runs of small letters,
// capitals and digits. A capital and the small letters behind it are one run.
// Nobody types so many digits either.
func isOpaque(run string) bool {
	if len(run) < shortestOpaque {
		return false
	}
	const small, capital, digit = 1, 2, 3
	runs, letters := 0, false
	last, length := 0, 0
	for i := range len(run) {
		kind := small
		switch c := run[i]; {
		case '0' <= c && c <= '9':
			kind = digit
		case 'A' <= c && c <= 'Z':
			kind = capital
		}
		letters = letters || kind != digit
		switch {
		case kind == last:
			length++
			continue
		case last == capital && kind == small && length == 1:
		default:
			runs++
		}
		last, length = kind, 1
	}
	return !letters || float64(len(run)) < typedRun*float64(runs)
}

// groupedDigits is where a number ends whose digits stand in groups of three
// between commas, such as 10,000; end where it has none.
func (s *scanner) groupedDigits(start, end int) int {
	const group = 3
	if end-start > group || !allDigits(s.lower[start:end]) || start > 0 && s.lower[start-1] == ',' {
		return end
	}
	at := end
	for at+group < len(s.lower) && s.lower[at] == ',' && allDigits(s.lower[at+1:at+1+group]) {
		if _, class := s.next(at + 1 + group); class == letter {
			break
		}
		at += 1 + group
	}
	return at
}

func allDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// longestVariant bounds the words that have a variant, in bytes.
const longestVariant = 40

// Variants are other ways to write words of a text, each once: kickoff for
// "kick-off", mueller for "Müller" and muller for "Mueller". An index has them
// behind the words of a field, so that they are found and are in no phrase.
func Variants(text string) []Token {
	if !mayVary(text) {
		return nil
	}
	return variantsOf(text, Analyse(text))
}

// variantsOf is Variants of a text that is analysed already.
func variantsOf(text string, tokens []Token) []Token {
	hyphens, ascii := strings.IndexByte(text, '-') >= 0, isASCII(text)
	spelled := !ascii || spellsUmlaut(text)
	if !hyphens && !spelled {
		return nil
	}
	var all []Token
	known := map[string]bool{}
	add := func(word string, start, end int) {
		if !known[word] {
			known[word] = true
			all = append(all, Token{Word: word, Stem: stem(word), Start: start, End: end})
		}
	}
	for i := range tokens {
		token := &tokens[i]
		joined := hyphens && i > 0 && token.Start > 0 && text[token.Start-1] == '-'
		if !joined && (!spelled || ascii && !spellsUmlaut(token.Word)) {
			continue
		}
		if token.End-token.Start > longestVariant || strings.Contains(token.Word, "@") {
			continue
		}
		if joined {
			if word := compound(text, tokens[i-1], *token); word != "" {
				add(word, tokens[i-1].Start, token.End)
			}
		}
		if spelled := withUmlauts(text[token.Start:token.End], token.Word); spelled != "" {
			add(spelled, token.Start, token.End)
		} else if folded := withoutUmlauts(token.Word); folded != token.Word {
			add(folded, token.Start, token.End)
		}
	}
	return all
}

// mayVary tells most texts without a variant apart at once.
func mayVary(text string) bool {
	return strings.IndexByte(text, '-') >= 0 || !isASCII(text) || spellsUmlaut(text)
}

// spellsUmlaut reports whether a text has ae, oe or ue.
func spellsUmlaut(text string) bool {
	for i := 1; i < len(text); i++ {
		if text[i]|0x20 != 'e' {
			continue
		}
		switch text[i-1] | 0x20 {
		case 'a', 'o', 'u':
			return true
		}
	}
	return false
}

// compound is the one word that two are which a single hyphen joins, "" for others.
func compound(text string, first, second Token) string {
	if first.End > second.Start || text[first.End:second.Start] != "-" || strings.Contains(first.Word, "@") {
		return ""
	}
	if first.Start > 0 && strings.IndexByte("-./@_=", text[first.Start-1]) >= 0 ||
		second.End < len(text) && strings.IndexByte("-/@_=", text[second.End]) >= 0 {
		return ""
	}
	word := first.Word + second.Word
	if len(word) > longestVariant || allDigits(first.Word) || allDigits(second.Word) {
		return ""
	}
	return word
}

// umlauts are the vowels that German also writes with an e behind them.
var umlauts = map[rune]string{'ä': "ae", 'ö': "oe", 'ü': "ue", 'Ä': "ae", 'Ö': "oe", 'Ü': "ue"}

// withUmlauts is a word with ä, ö and ü spelled ae, oe and ue; "" where it has none.
func withUmlauts(written, word string) string {
	if isASCII(written) {
		return ""
	}
	written = norm.NFC.String(written)
	if !strings.ContainsFunc(written, func(r rune) bool { return umlauts[r] != "" }) {
		return ""
	}
	var spelled strings.Builder
	for _, r := range written {
		if vowels, ok := umlauts[r]; ok {
			spelled.WriteString(vowels)
		} else {
			spelled.WriteRune(r)
		}
	}
	tokens := Analyse(spelled.String())
	if len(tokens) != 1 || tokens[0].Word == word {
		return ""
	}
	return tokens[0].Word
}

// withoutUmlauts is a word whose ae, oe and ue before a consonant are written a, o
// and u. Short words, and those with a vowel, a g or a q before, stay: "does",
// "guest", "request".
func withoutUmlauts(word string) string {
	const shortest = 5
	if len(word) < shortest || !isASCII(word) || !spellsUmlaut(word) {
		return word
	}
	var folded strings.Builder
	for i := 0; i < len(word); i++ {
		folded.WriteByte(word[i])
		if i+2 >= len(word) || strings.IndexByte("aou", word[i]) < 0 || word[i+1] != 'e' {
			continue
		}
		after := word[i+2]
		if after < 'a' || after > 'z' || strings.IndexByte("aeiou", after) >= 0 || i > 0 && strings.IndexByte("aeiougq", word[i-1]) >= 0 {
			continue
		}
		i++
	}
	return folded.String()
}
