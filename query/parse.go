package query

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of a search. What goes beyond is left out, and a note says so.
const (
	MaxText    = 4 << 10 // bytes
	MaxDepth   = 5       // brackets inside brackets
	MaxClauses = 32
	// MaxPhrase is how many words a phrase has at most.
	MaxPhrase = 32
)

// Options are what the meaning of a text depends on.
type Options struct {
	// Now is what "3 days ago" counts from.
	Now time.Time
	// Zone is where the reader's days begin; nil means UTC.
	Zone *time.Location
	// Me is the user id of the reader, "" when the reader is no user.
	Me string
	// Directory finds users; nil when names need not be understood.
	Directory Directory
	// DayFirst is whether 3/5/2026 is the 3rd of May.
	DayFirst bool
	// everyRule tries each rule of the grammar at each word, also those that cannot begin
	// with it. It makes no difference, as a test shows.
	everyRule bool
}

// Result is a text as it was understood.
type Result struct {
	Query Query
	// Chips are the conditions, in the order of the text.
	Chips []Chip
	// Words is the plain text that is searched for.
	Words string
	// Interpretation says the query in English.
	Interpretation string
	// Notes say what was left out or taken as plain text, and why.
	Notes []string
	// Table is how what is found shall be counted; the zero value where the text
	// does not say.
	Table Table
	// Order is how what is found shall be listed; the zero value is NewestFirst.
	Order Order
	// Unused are the words of the text that took no part, in their order: those
	// that join others, and those that were left out with a note.
	Unused []string
}

// Chip is one condition, to be shown, changed and removed.
type Chip struct {
	Field string `json:"field"`
	Value string `json:"value"`
	Not   bool   `json:"not"`
	// Text is what was typed, at [Span[0], Span[1]) in Unicode code points.
	Text string `json:"text"`
	Span [2]int `json:"span" nullable:"false"`
	// Group is the same on chips of which one is enough, 0 on others.
	Group int `json:"group,omitempty"`
}

// Parse reads a search. Every text gives a query: what is no operator is
// searched for as words. It is a pure function of its arguments.
//
// Conditions side by side must all hold, OR between two binds closer than that,
// and several values of a field that an event has only one of mean any of them.
func Parse(text string, opts Options) Result {
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	p := newParser(text, opts)
	q := p.hoist(p.everything())
	if q.Where == nil && len(p.chips) == 0 && p.dropped && !p.asksAll {
		// There is nothing but small words, so they are what is looked for.
		p = newParser(text, opts)
		p.literal = true
		q = p.hoist(p.everything())
	}
	chips := p.shown()
	if typed := strings.TrimSpace(text); typed != "" && len(chips) == 0 && len(p.notes) == 0 && len(p.unused) == 0 {
		p.note(strconv.Quote(typed) + " has no letter or digit and is not searched for.")
	}
	p.noteUnread()
	p.noteClock(chips)
	p.noteCorrected()
	return Result{
		Query:          q,
		Chips:          chips,
		Words:          wordsOf(chips),
		Interpretation: interpret(chips, opts.Me),
		Notes:          p.notes,
		Table:          p.table,
		Order:          p.order,
		Unused:         p.unused,
	}
}

func newParser(text string, opts Options) *parser {
	p := &parser{opts: opts, text: text, now: opts.Now.In(opts.Zone)}
	if len(text) > MaxText {
		end := MaxText
		for end > MaxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		p.text = text[:end]
		p.note("The search is longer than " + strconv.Itoa(MaxText) + " bytes; the rest is ignored.")
	}
	p.lexemes = lex(p.text)
	l := languageOf(p.lexemes)
	if l != nil {
		p.lexemes, p.verbLast = l.reword(p.lexemes), l.verbLast
	} else {
		p.lexemes = shortEnglish.reword(p.lexemes)
	}
	p.english = noEnglish(p)
	p.leaveZonesOut()
	p.correctOwnWords()
	p.writeVerbs()
	p.findRules()
	p.unknown = nil
	p.chips, p.asText = make([]Chip, 0, len(p.lexemes)/2+1), make([]int, 0, len(p.lexemes)/2+1)
	p.english = newEnglish(p)
	p.mayBeName = nil // Times are known now.
	for i := range p.lexemes {
		may := p.rulesAt(i)
		if may.has(ruleCounting) {
			if _, n := p.quiet(i); n > 0 {
				p.english.generic, p.english.understood = true, -1
			}
		}
		p.english.generic = p.english.generic || may.has(ruleNewest) && (p.newestAt(i) > 0 || p.news(i) > 0)
	}
	p.english.state = p.saysState()
	p.findCounted()
	return p
}

// everything reads the whole text.
func (p *parser) everything() Expr {
	var parts []Expr
	for p.at < len(p.lexemes) {
		parts = append(parts, p.all())
		p.next() // a bracket that closes nothing
	}
	return conjunction(parts)
}

// parser is one run of Parse.
type parser struct {
	opts    Options
	now     time.Time // in the reader's zone
	text    string
	lexemes []lexeme
	// at is the lexeme to be read next.
	at      int
	english english
	// verbLast is whether what somebody did may stand at the end: "hat jo das angebot
	// geöffnet".
	verbLast bool
	// literal takes every word as text; dropped is whether some were not, and asksAll
	// whether the text asks for whatever there is.
	literal, dropped, asksAll bool
	// unknown are the names that the directory lacks, by lexeme and number of words.
	unknown []bool
	// fillersDeep is how many calls of isFiller have not returned.
	fillersDeep int
	// mayBeName is what startsName said of each lexeme, 0 where it was not asked.
	mayBeName []int8
	// table is how what is found shall be counted.
	table Table
	order Order
	// asText are the lexemes that are searched for as they stand; unused the
	// words that take no part.
	asText    []int
	unused    []string
	corrected []ownCorrection
	// written are the lexemes of those whom somebody wrote to without a preposition.
	written []int
	// chips are at positions in bytes until they are shown. A chip without a field
	// was dropped.
	chips []Chip
	notes []string
	depth int
	// clauses counts the conditions so far.
	clauses int
	groups  int
	// not is whether what is read now is negated.
	not bool
	// scope is the operator before the bracket that is read: from:(a OR b).
	scope string
}

func (p *parser) peek() *lexeme {
	if p.at >= len(p.lexemes) {
		return &lexeme{}
	}
	return &p.lexemes[p.at]
}

func (p *parser) kindAt(i int) lexKind {
	if i >= len(p.lexemes) {
		return lexEnd
	}
	return p.lexemes[i].kind
}

func (p *parser) next() *lexeme {
	l := p.peek()
	p.at = min(p.at+1, len(p.lexemes))
	return l
}

// note adds a note once.
func (p *parser) note(text string) {
	if !slices.Contains(p.notes, text) {
		p.notes = append(p.notes, text)
	}
}

// position is where something stands among the parts of a condition.
type position struct{ part, chip int }

// all reads conditions side by side, up to a closing bracket or the end.
func (p *parser) all() Expr {
	parts := make([]Expr, 0, 8)
	before := len(p.chips)
	seen := map[KeywordField]position{}
	for {
		switch p.peek().kind {
		case lexEnd, lexClose:
			e := conjunction(parts)
			if _, several := e.(And); several && p.not {
				// Not all of them: one that fails is enough.
				p.groupFrom(before)
			}
			return e
		case lexOr:
			p.next()
			continue
		}
		part, alone := p.any()
		keyword, ok := part.(Keyword)
		if !ok || !alone || !keyword.Field.single() {
			parts = append(parts, part)
			continue
		}
		here := position{len(parts), len(p.chips) - 1}
		first, again := seen[keyword.Field]
		if !again {
			seen[keyword.Field] = here
			parts = append(parts, part)
			continue
		}
		parts[first.part] = union(parts[first.part].(Keyword), keyword)
		if !p.not {
			p.group(first.chip, here.chip)
		}
	}
}

// single reports whether an event has one value of the field at most.
func (f KeywordField) single() bool { return f != FieldRecipient && f != FieldDomain }

func union(a, b Keyword) Keyword {
	values := slices.Clone(a.Values)
	for _, value := range b.Values {
		if !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	return Keyword{a.Field, values}
}

// any reads alternatives joined by OR. alone is true for one single term.
func (p *parser) any() (e Expr, alone bool) {
	first := len(p.chips)
	var some []Expr
	e, alone = p.unary()
	some = append(some, e)
	for p.peek().kind == lexOr || p.peek().or {
		for p.peek().kind == lexOr {
			p.next()
		}
		if kind := p.peek().kind; kind == lexEnd || kind == lexClose {
			break
		}
		e, _ := p.unary()
		some = append(some, e)
	}
	if len(some) == 1 {
		return e, alone
	}
	if !p.not {
		p.groupFrom(first)
	}
	return disjunction(some), false
}

// group says on chips that one of them is enough. A group around another takes
// its chips.
func (p *parser) group(chips ...int) {
	if len(chips) == 0 {
		return
	}
	number := p.chips[chips[0]].Group
	if number == 0 {
		p.groups++
		number = p.groups
	}
	for _, chip := range chips {
		p.chips[chip].Group = number
	}
}

// groupFrom groups the chips from the one at first on.
func (p *parser) groupFrom(first int) {
	chips := make([]int, 0, len(p.chips)-first)
	for chip := first; chip < len(p.chips); chip++ {
		chips = append(chips, chip)
	}
	p.group(chips...)
}

// unary reads a term or a bracket with its minus signs. alone is true for a
// term without any.
func (p *parser) unary() (e Expr, alone bool) {
	start, not := p.peek().start, false
	signed := p.peek().kind == lexMinus
	for p.peek().kind == lexMinus {
		p.next()
		not = !not
	}
	outer := p.not
	p.not = outer != not
	switch l := p.peek(); l.kind {
	case lexOpen:
		p.next()
		e = p.bracket()
	case lexTerm:
		if l.field != "" && l.value == "" && !l.quoted && p.kindAt(p.at+1) == lexOpen {
			p.at += 2
			outer := p.scope
			p.scope = l.field
			e = p.bracket()
			p.scope = outer
			break
		}
		if m, n := p.phrase(signed); n > 0 {
			end := p.lexemes[p.at+n-1].end
			p.at += n
			e, alone = p.add(m, start, end), !signed
			break
		}
		l = p.peek()
		if l.word != "" && !signed {
			p.asText = append(p.asText, p.at)
		}
		p.next()
		e, alone = p.term(*l, start), !signed
	}
	p.not = outer
	if not {
		e = negation(e)
	}
	return e, alone
}

// bracket reads up to the bracket that closes the one just read.
func (p *parser) bracket() Expr {
	if p.depth == MaxDepth {
		p.note("Brackets are more than " + strconv.Itoa(MaxDepth) + " deep; what is inside the innermost is ignored.")
		for open := 1; open > 0 && p.at < len(p.lexemes); {
			switch p.next().kind {
			case lexOpen:
				open++
			case lexClose:
				open--
			}
		}
		return nil
	}
	p.depth++
	e := p.all()
	p.next()
	p.depth--
	return e
}

// shown are the chips that were not dropped, at positions in code points.
func (p *parser) shown() []Chip {
	dropped := func(c Chip) bool { return c.Field == "" }
	p.chips = slices.DeleteFunc(p.chips, dropped)
	chips := p.chips
	if len(chips) == 0 {
		return nil
	}
	bytes, runes := 0, 0
	for i := range chips {
		chip := &chips[i]
		start, end := chip.Span[0], chip.Span[1]
		runes += utf8.RuneCountInString(p.text[bytes:start])
		bytes = start
		chip.Span = [2]int{runes, runes + utf8.RuneCountInString(p.text[start:end])}
	}
	return chips
}

func wordsOf(chips []Chip) string {
	var words []string
	for _, chip := range chips {
		if chip.Field == "words" && !chip.Not {
			words = append(words, chip.Value)
		}
	}
	return strings.Join(words, " ")
}
