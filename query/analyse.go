package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Token is one word of a text, in both indexed forms, with the bytes of the
// original that it came from.
type Token struct {
	// Word is lower case with diacritics folded and a possessive 's cut.
	Word string
	// Stem is the Porter stem of Word.
	Stem string
	// Start and End are byte offsets into the analysed text.
	Start, End int
}

// Bounds of a token in bytes, after folding. A longer word loses its end; a
// longer address stays in its parts alone.
const (
	maxWord    = 64
	maxAddress = 320
)

// addressSigns may stand between the letters of an address.
const addressSigns = "@._+-'"

// Analyse splits a text into words, in their order: at anything that is neither
// letter nor digit, lower case, diacritics folded, an English possessive cut.
// The parts of a mail address are followed by the whole address as one more
// token. Scripts that put no spaces between words (Han and kana) give one token
// a character. 10,000 is the word 10000; soft hyphens and signs without a width
// join; codes that nobody types (see isOpaque) give none. Any bytes will do; what is not UTF-8 splits words.
func Analyse(text string) []Token {
	s := scanner{
		text:   text,
		lower:  lowerASCII(text),
		tokens: make([]Token, 0, len(text)/5+1),
	}
	for i := 0; i < len(text); {
		if text[i] == ' ' {
			if s.local > 0 {
				s.endAddress()
			}
			i++
			continue
		}
		size, class := s.class(i)
		switch class {
		case letter, ideograph:
			i = s.word(i)
		default:
			s.separate(i, text[i])
			i += size
		}
	}
	s.endAddress()
	return s.tokens
}

// scanner is one run of Analyse. It holds what is known of an address that may
// be under way at the current position; -1 is no position.
type scanner struct {
	text   string
	lower  string // text with A to Z in lower case; the same length
	tokens []Token
	folder folder
	// local is where the local part of an address may have begun, plus one.
	local int
	// at is the position of its @, plus one, once the domain is under way.
	at int
}

// class is what a character is to the analysis.
type class int

const (
	separator class = iota
	letter          // or a digit
	ideograph       // a word of its own
	mark            // stays with the letter before it
)

// class is that of the character at i, with its length.
func (s *scanner) class(i int) (int, class) {
	if c := s.lower[i]; c < utf8.RuneSelf {
		return 1, classOf(rune(c))
	}
	r, size := utf8.DecodeRuneInString(s.text[i:])
	return size, classOf(r)
}

func classOf(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return letter
		}
		return separator
	case r == apostropheLetter:
		return separator
	case isIdeograph(r):
		return ideograph
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		return letter
	case unicode.IsMark(r) || isInvisible(r):
		return mark
	}
	return separator
}

// plainLetters are the ASCII letters and digits, without capitals.
var plainLetters = func() (set [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789" {
		set[c] = true
	}
	return set
}()

// isIdeograph is for scripts whose words are not set apart. The sign that
// lengthens a vowel belongs to no script and goes with kana.
func isIdeograph(r rune) bool {
	const (
		first           = '⺀'
		vowelLengthener = 'ー'
	)
	if r < first || !unicode.IsLetter(r) {
		return false
	}
	return r == vowelLengthener || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// word adds the word that begins at i and returns the position after it.
func (s *scanner) word(i int) int {
	end, ascii := i, true
	for end < len(s.lower) && plainLetters[s.lower[end]] {
		end++
	}
	for end < len(s.text) {
		size, class := s.class(end)
		if class == separator || class == ideograph && end > i {
			break
		}
		ascii = ascii && size == 1
		end += size
		if class == ideograph {
			end = s.marks(end)
			break
		}
	}
	before, opaque := len(s.tokens), ascii && isOpaque(s.text[i:end])
	switch {
	case opaque:
	case ascii:
		start := i
		word := s.lower[start:end]
		if word[0] <= '9' {
			end = s.groupedDigits(start, end)
			word = strings.ReplaceAll(s.lower[start:end], ",", "")
		}
		s.add(word, start, end)
	default:
		s.addFolded(i, end)
	}
	switch {
	case len(s.tokens) == before && !opaque:
		s.dropAddress()
	case s.local == 0:
		s.local = i + 1
	}
	return s.possessive(end)
}

// marks is the position after the marks at i.
func (s *scanner) marks(i int) int {
	for i < len(s.text) {
		size, class := s.class(i)
		if class != mark {
			break
		}
		i += size
	}
	return i
}

// add adds a token; word is a part of lower or folded.
func (s *scanner) add(word string, start, end int) {
	word = clip(word)
	s.tokens = append(s.tokens, Token{Word: word, Stem: stem(word), Start: start, End: end})
}

// addFolded adds what a run with other characters than ASCII folds to. That can
// be several words where one character stands for two ideographs.
func (s *scanner) addFolded(start, end int) {
	word := s.folder.word(s.text[start:end])
	from := 0
	for i, r := range word {
		if !isIdeograph(r) {
			continue
		}
		if from < i {
			s.add(word[from:i], start, end)
		}
		from = i + utf8.RuneLen(r)
		s.add(word[i:from], start, end)
	}
	if from < len(word) {
		s.add(word[from:], start, end)
	}
}

// possessive is the position after an English 's at end, if there is one.
func (s *scanner) possessive(end int) int {
	if end >= len(s.text) || s.text[end] < utf8.RuneSelf && s.text[end] != '\'' {
		return end
	}
	r, size := utf8.DecodeRuneInString(s.text[end:])
	i := end + size
	if !isApostrophe(r) || i >= len(s.text) || s.lower[i] != 's' {
		return end
	}
	i++
	if i < len(s.text) {
		if _, class := s.class(i); class != separator && class != ideograph {
			return end
		}
	}
	if r != '\'' || s.at > 0 {
		s.endAddress()
	}
	return i
}

// apostropheLetter is a letter by its category, and used as an apostrophe.
const apostropheLetter = 'ʼ'

func isApostrophe(r rune) bool {
	return r == '\'' || r == '’' || r == apostropheLetter || r == '＇'
}

// separate follows an address over the separator c at i.
func (s *scanner) separate(i int, c byte) {
	switch {
	case c == '@':
		if s.at > 0 {
			s.endAddress()
		}
		s.at = i + 1
		if _, class := s.next(i + 1); s.local == 0 || class != letter && class != ideograph {
			s.dropAddress()
		}
	case c == '.' || c == '-':
	case s.at == 0 && (c == '_' || c == '+' || c == '\''):
	default:
		s.endAddress()
	}
}

// next is class where there may be no character left.
func (s *scanner) next(i int) (int, class) {
	if i >= len(s.text) {
		return 0, separator
	}
	return s.class(i)
}

// endAddress adds the whole address that ends with the last token, if one does.
func (s *scanner) endAddress() {
	local, at := s.local-1, s.at-1
	s.dropAddress()
	if at < 0 || len(s.tokens) == 0 {
		return
	}
	end := s.tokens[len(s.tokens)-1].End
	if end <= at {
		return
	}
	whole := s.lower[local:end]
	if !isASCII(whole) {
		whole = s.folder.address(s.text[local:end])
	}
	if len(whole) <= maxAddress {
		s.tokens = append(s.tokens, Token{Word: whole, Stem: whole, Start: local, End: end})
	}
}

func (s *scanner) dropAddress() { s.local, s.at = 0, 0 }

// stem is the Porter stem. The stemmer knows English letters alone.
func stem(word string) string {
	const shortest = 3
	if len(word) < shortest || len(word) > maxWord {
		return word
	}
	for i := range len(word) {
		if c := word[i]; c < 'a' || c > 'z' {
			return word
		}
	}
	if !stemmable[word[len(word)-1]-'a'] {
		return word
	}
	return porterStem(word)
}

// clip cuts a word at a character so that it is within maxWord.
func clip(word string) string {
	if len(word) <= maxWord {
		return word
	}
	end := maxWord
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}

// lowerASCII lowers A to Z and leaves every offset as it is.
func lowerASCII(text string) string {
	var lower strings.Builder
	done := 0
	for i := range len(text) {
		if c := text[i]; 'A' <= c && c <= 'Z' {
			if done == 0 {
				lower.Grow(len(text))
			}
			lower.WriteString(text[done:i])
			lower.WriteByte(c + 'a' - 'A')
			done = i + 1
		}
	}
	if done == 0 {
		return text
	}
	lower.WriteString(text[done:])
	return lower.String()
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
