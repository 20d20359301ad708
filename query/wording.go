package query

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"

	"tidings/query/times"
)

// The grammar is written in English. What else its words are typed as is data: a file a
// language, and one for how English is typed in a hurry. A text is read in the language
// whose words it has for sure; words that the language does not know stay what they are.
//
//go:embed languages/*.txt
var languageFiles embed.FS

// shortEnglish is how English is typed in a hurry.
var shortEnglish, languages = readLanguages()

// language is what the words of the grammar are in other words.
type language struct {
	// phrases are by their first word, the longest first.
	phrases map[string][]rewording
	// numbered are the phrases that begin with a number.
	numbered []rewording
	// weight says how sure a word is of this language: 2 or 1.
	weight map[string]int
	// operators are names of operators.
	operators map[string]string
	// verbLast is whether what somebody did may stand at the end.
	verbLast bool
}

// rewording is a phrase and the words of the grammar for it. A # is a number, and a * any
// word, which stays.
type rewording struct{ from, to []string }

func readLanguages() (short *language, others []*language) {
	names, err := fs.Glob(languageFiles, "languages/*.txt")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		text, err := languageFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		l := readLanguage(string(text))
		if path.Base(name) == "english.txt" {
			short = l
		} else {
			others = append(others, l)
		}
	}
	return short, others
}

func readLanguage(text string) *language {
	l := &language{phrases: map[string][]rewording{}, weight: map[string]int{}, operators: map[string]string{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if kind, words, ok := strings.Cut(line, ": "); ok && (kind == "sure" || kind == "likely") {
			for word := range strings.FieldsSeq(words) {
				l.weight[word] = 1 + btoi(kind == "sure")
			}
			continue
		}
		if line == "order: verb last" {
			l.verbLast = true
			continue
		}
		from, to, ok := strings.Cut(line, " = ")
		if !ok || strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "# uhr") {
			continue
		}
		if name, operator := strings.CutSuffix(from, ":"); operator {
			l.operators[name] = strings.TrimSuffix(to, ":")
			continue
		}
		r := rewording{strings.Fields(from), strings.Fields(to)}
		l.phrases[r.from[0]] = append(l.phrases[r.from[0]], r)
	}
	l.numbered = l.phrases["#"]
	for _, all := range l.phrases {
		slices.SortStableFunc(all, func(a, b rewording) int { return len(b.from) - len(a.from) })
	}
	return l
}

// languageOf is the language of a text beside English, nil where it is English: it has
// words enough of the other, and more than of an English search.
func languageOf(lexemes []lexeme) *language {
	const enough = 2
	for _, l := range languages {
		weight := 0
		for i := range lexemes {
			weight += l.weight[lexemes[i].word]
		}
		if weight < enough {
			continue
		}
		for i := range lexemes {
			word := lexemes[i].word
			if _, known := l.phrases[word]; known {
				continue
			}
			if _, f := eventOf(word); f != noForm || isSmall(word) || isNegation(word) {
				weight--
			}
		}
		if weight > 0 {
			return l
		}
	}
	return nil
}

// reword writes the words of the grammar for what the lexemes say in others. What is
// typed, and where, stays as it is, for chips and for words that are searched for. Words
// that one word means stand at the same place.
func (l *language) reword(lexemes []lexeme) []lexeme {
	var out []lexeme
	for i := 0; i < len(lexemes); {
		r, n := l.at(lexemes, i)
		if n == 0 {
			if out != nil {
				out = append(out, lexemes[i])
			}
			i++
			continue
		}
		if out == nil {
			out = append(make([]lexeme, 0, len(lexemes)+len(r.to)), lexemes[:i]...)
		}
		out = l.write(out, r, lexemes[i:i+n])
		i += n
	}
	if out == nil {
		return lexemes
	}
	return out
}

// at is the longest phrase that stands at i, and of how many lexemes it is.
func (l *language) at(lexemes []lexeme, i int) (rewording, int) {
	word := lexemes[i].word
	if word == "" {
		return rewording{}, 0
	}
	for _, r := range l.phrases[word] {
		if l.fits(r, lexemes[i:]) {
			return r, len(r.from)
		}
	}
	for _, r := range l.numbered {
		if l.fits(r, lexemes[i:]) {
			return r, len(r.from)
		}
	}
	return rewording{}, 0
}

func (l *language) fits(r rewording, lexemes []lexeme) bool {
	if len(r.from) > len(lexemes) {
		return false
	}
	for k, from := range r.from {
		at := lexemes[k]
		if at.word == "" || k > 0 && strings.HasSuffix(lexemes[k-1].value, ",") {
			return false
		}
		if from != at.word && from != "*" && (from != "#" || l.number(at.word) == "") {
			return false
		}
	}
	return true
}

// number is a number as the grammar has it, "" for what is none.
func (l *language) number(word string) string {
	if isNumber(word) {
		return word
	}
	for _, r := range l.phrases[word] {
		if len(r.from) == 1 && len(r.to) == 1 && (r.to[0] == "a" || isCount(r.to[0])) {
			return r.to[0]
		}
	}
	return ""
}

func isCount(word string) bool {
	_, ok := times.Number(word)
	return ok
}

// write appends the words of the grammar for a phrase. Each stands where all of it does.
func (l *language) write(out []lexeme, r rewording, typed []lexeme) []lexeme {
	number := ""
	var kept []lexeme
	for k, from := range r.from {
		switch from {
		case "#":
			number = l.number(typed[k].word)
		case "*":
			kept = append(kept, typed[k])
		}
	}
	end := len(r.to) - 1
	for k, to := range r.to {
		if number != "" {
			to = strings.Replace(to, "#", number, 1)
		}
		if to == "*" && len(kept) > 0 {
			out, kept = append(out, kept[0]), kept[1:]
			continue
		}
		first, last := typed[0], typed[len(typed)-1]
		if len(r.to) <= len(typed) { // Each word stands at one of those that were typed, the last at the rest.
			first = typed[k]
			if k < end {
				last = typed[k]
			}
		}
		written := lexeme{kind: lexTerm, start: first.start, end: last.end, value: to, word: to}
		if len(typed) == 1 && end == 0 {
			written.value = first.value
		} else if k == end && strings.HasSuffix(last.value, ",") {
			written.value += ","
		}
		out = append(out, written)
	}
	return out
}

// inEnglish is a text in the words of the grammar, and the text where it needs no other.
func inEnglish(text string) string {
	if l := languageOf(lex(text)); l != nil {
		return l.say(text)
	}
	return shortEnglish.say(text)
}

// say is a text in the words of the grammar.
func (l *language) say(text string) string {
	lexemes := l.reword(lex(text))
	words := make([]string, len(lexemes))
	for i := range lexemes {
		words[i] = lexemes[i].word
		if words[i] == "" {
			words[i] = text[lexemes[i].start:lexemes[i].end]
		}
	}
	return strings.Join(words, " ")
}

// operatorOf is the operator that a name in another language is, "" for none.
func operatorOf(name string) (string, *language) {
	for _, l := range languages {
		if operator, ok := l.operators[name]; ok {
			return operator, l
		}
	}
	return "", nil
}
