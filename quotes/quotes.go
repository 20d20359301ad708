package quotes

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is what a line of a reply is.
type Kind byte

// The kinds of lines. Blank ones are of the kind of what is before them.
const (
	OwnWords  Kind = 'o'
	Quoted    Kind = 'q'
	Signature Kind = 's'
)

// maxLines bounds the lines that are looked at; those behind are quoted. People
// write less in a reply.
const maxLines = 5000

// Own is the reply's own words. It is all of the text where nothing would be left,
// as in a mail that only passes another on.
func Own(text string) string {
	lines := strings.Split(text, "\n")
	kinds := Lines(lines)
	var own strings.Builder
	blank := false
	for i, line := range lines {
		switch {
		case kinds[i] != OwnWords:
			blank = true
		case strings.TrimSpace(line) == "":
			blank = blank || own.Len() > 0
		default:
			if own.Len() > 0 {
				own.WriteByte('\n')
				if blank {
					own.WriteByte('\n')
				}
			}
			blank = false
			own.WriteString(strings.TrimRight(line, " \t\r"))
		}
	}
	if own.Len() == 0 {
		return text
	}
	return own.String()
}

// Lines tells what each line of a reply is.
func Lines(lines []string) []Kind {
	s := splitter{lines: make([]string, min(len(lines), maxLines)), kinds: make([]Kind, len(lines))}
	for i := range lines {
		s.kinds[i] = Quoted
		if i < maxLines {
			s.lines[i] = plain(lines[i])
			s.kinds[i] = OwnWords
		}
	}
	s.quotes()
	s.signatures()
	return s.kinds
}

// plain is a line without space around, in which all spaces are the same, and
// without the stars and underscores of text that was made of HTML.
func plain(line string) string {
	if isASCII(line) && !strings.ContainsAny(line, "\t\r") {
		return strings.TrimSpace(line)
	}
	line = strings.Map(func(r rune) rune {
		switch r {
		case '\u00a0', '\u202f', '\u2007', '\t', '\u3000':
			return ' '
		case '\r', utf8.RuneError:
			return -1
		}
		if unicode.Is(unicode.Cf, r) {
			return -1 // marks of direction, and of what shall not be parted
		}
		return r
	}, line)
	return strings.TrimSpace(line)
}

// splitter tells the lines of one reply apart.
type splitter struct {
	lines []string
	kinds []Kind
}

// mark gives lines a kind, from one to before another.
func (s *splitter) mark(from, to int, kind Kind) {
	for i := from; i < to; i++ {
		s.kinds[i] = kind
	}
}

// quotes marks what is quoted.
func (s *splitter) quotes() {
	for i := 0; i < len(s.lines); i++ {
		line := s.lines[i]
		switch {
		case line == "":
			if i > 0 {
				s.kinds[i] = s.kinds[i-1]
			}
		case s.boxed(i):
			s.mark(i, len(s.kinds), Quoted)
			return
		case isQuoted(line), s.wrapped(i):
			s.kinds[i] = Quoted
		default:
			if length := s.attribution(i); length > 0 {
				s.mark(i, i+length, Quoted)
				if !s.quotedFrom(i + length) {
					s.mark(i, len(s.kinds), Quoted) // what follows has no marks
					return
				}
				i += length - 1
				continue
			}
			if s.header(i) {
				s.mark(i, len(s.kinds), Quoted)
				return
			}
		}
	}
}

// wrapped reports whether a line is the end of the quoted one before it, which was
// too long: it goes on in the middle of a sentence, between two that are marked.
func (s *splitter) wrapped(i int) bool {
	if i == 0 || i+1 == len(s.lines) || !isQuoted(s.lines[i-1]) || !isQuoted(s.lines[i+1]) || len(s.lines[i-1]) < 66 {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s.lines[i])
	return !unicode.IsUpper(first)
}

// boxed reports whether a line is how GroupWise says who wrote what follows, which it
// does not mark: ">>> Ana <ana@acme.example> 10.11.2026 10:00 >>>".
func (s *splitter) boxed(i int) bool {
	line := s.lines[i]
	return strings.HasPrefix(line, ">>> ") && strings.HasSuffix(line, ">>>") && hasInstant(line) && !s.quotedFrom(i+1)
}

// isQuoted reports whether a line is marked: "> x", ">>x", "| > x".
func isQuoted(line string) bool {
	return strings.HasPrefix(line, ">") || strings.HasPrefix(line, "|>") || strings.HasPrefix(line, "| >") || strings.HasPrefix(line, "&gt;")
}

// quotedFrom reports whether the next line that is not blank is marked as quoted.
func (s *splitter) quotedFrom(i int) bool {
	i = s.next(i)
	return i < len(s.lines) && isQuoted(s.lines[i])
}

// next is the first line from i on that is not blank.
func (s *splitter) next(i int) int {
	for i < len(s.lines) && s.lines[i] == "" {
		i++
	}
	return i
}

// maxAttribution is how many lines one may be folded to.
const maxAttribution = 6

// attribution is how many lines from i on say who wrote what follows, or 0.
func (s *splitter) attribution(i int) int {
	if !opensAttribution(s.lines[i]) {
		return 0
	}
	line := s.lines[i]
	if inOne.MatchString(line[:min(len(line), 400)]) || endsInColon(line) && hasInstant(line) && somehow.MatchString(line) && s.quotedFrom(i+1) {
		return 1
	}
	joined, begins := "", beginsAttribution(line)
	for n := 0; n < maxAttribution && i+n < len(s.lines); n++ {
		line := s.lines[i+n]
		if n > 0 && (isQuoted(line) || beginsAttribution(line) || line == "" && !begins) {
			return 0
		}
		joined = strings.TrimSpace(joined + " " + line)
		if len(joined) > 600 {
			return 0
		}
		if line != "" && (isAttribution(joined) || endsInColon(joined) && addressed.MatchString(joined) && s.quotedFrom(i+n+1)) {
			return n + 1
		}
	}
	return 0
}

// header reports whether a copy of a header, or a ruler before one, begins.
func (s *splitter) header(i int) bool {
	line := s.lines[i]
	if ruler.matches(line) {
		return true
	}
	if isLine(line) {
		next := s.next(i + 1)
		return next < len(s.lines) && s.fields(next) >= 2
	}
	return s.fields(i) >= 3
}

// fields counts the lines of a header that follow one another from i on: "From:",
// "Sent:", "To:", "Subject:", each once. Long ones may be folded, and pages of
// mail have blank lines between.
func (s *splitter) fields(i int) int {
	seen := make(map[string]bool)
	other := 0
	for ; i < len(s.lines) && len(seen) < 5; i++ {
		line := s.lines[i]
		if line == "" {
			continue
		}
		var found []string
		if head := line[:min(len(line), 120)]; strings.ContainsAny(head, ":：") {
			found = headerField.FindStringSubmatch(line)
		}
		if found == nil {
			if other++; len(seen) == 0 || other > 1 {
				break
			}
			continue
		}
		name := headerFields[strings.ToLower(found[1])]
		if name == "" || seen[name] || len(seen) == 0 && name != "from" && name != "date" && name != "to" && name != "subject" {
			break
		}
		seen[name] = true
	}
	if !seen["from"] {
		return 0
	}
	return len(seen)
}
