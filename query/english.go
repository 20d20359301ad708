package query

import (
	"slices"
	"strings"
	"time"

	"tidings/event"
	"tidings/query/times"
)

// english is what the parser knows of a text while it reads plain English: the
// words that are no operators, and what was said of them so far.
type english struct {
	times *times.Reader
	// types are those of events that the text speaks of; generic is whether
	// it speaks of mail or events of any kind.
	types   typeSet
	generic bool
	// last is the type that was understood last, "" for none.
	last event.Type
	// state is whether it asks for a state of recipients.
	state bool
	// human is whether people alone are asked for already.
	human bool
	// text is the lexeme up to which a time that was read is none.
	text int
	// negated is the lexeme at which a condition that must not hold goes on
	// after "or" or "and"; lasting the one behind such a state as "no reply",
	// where "for 3 days" may stand. subject is where the one who acts stands in
	// a question ("did ana send"), and verb whether the verb behind it was
	// understood before. -1 is none.
	negated, lasting, subject int
	verb                      bool
	// negatedAny is whether any word goes on so; did is the lexeme of a verb that
	// was understood before its turn.
	negatedAny bool
	// excepting is whether an exception is read; exceptedBy the preposition of the
	// person that was excepted last.
	excepting  bool
	exceptedBy string
	did        int
	// another is the lexeme of one more person behind a preposition.
	another     int
	preposition string
	// deviceAt is the lexeme of one more device or client.
	deviceAt int
	// personEnd is the lexeme behind the person who was understood last; actedBy the
	// preposition before the last one that had any.
	personEnd int
	actedBy   string
	// list is whether it is an item of a list; listed is the lexeme up to which
	// lists of plain words were looked for.
	list   bool
	listed int
	// ranks is whether the text asks for the most of something; noun is the lexeme
	// of what is ranked, -1 for none, and nounEnd the one behind it.
	ranks         bool
	noun, nounEnd int
	// turned is the lexeme of a count that must not be reached. understood is one
	// that was read before its turn, with so many words.
	turned int
	// counted is the lexeme of the act that a count, an order or a speed is of,
	// where the text asks for a state beside it; -1 is none.
	counted int
	// deniedAct is the lexeme behind an act that was not done.
	deniedAct int
	// deniedByAll is the lexeme behind an act that nobody did.
	deniedByAll                 int
	understood, understoodWords int
	// clock is a time of day that was read without a day.
	clock string
	// newestEnd is the lexeme behind "the last 3"; -1 is none.
	newestEnd int
}

// typeSet is a few types of events.
type typeSet []event.Type

func (s typeSet) has(t event.Type) bool { return slices.Contains(s, t) }

func (s *typeSet) add(t event.Type) {
	if !s.has(t) {
		*s = append(*s, t)
	}
}

// noEnglish is what is known of a text before it is looked at: nothing.
func noEnglish(p *parser) english {
	return english{
		times:   times.NewReader(p.now, p.opts.DayFirst, len(p.lexemes)),
		negated: -1, lasting: -1, subject: -1, another: -1, deviceAt: -1, did: -1, noun: -1, nounEnd: -1, turned: -1, understood: -1, counted: -1, newestEnd: -1, personEnd: -1, deniedByAll: -1,
	}
}

func newEnglish(p *parser) english {
	e := noEnglish(p)
	for i, l := range p.lexemes {
		if t, _ := p.eventAt(i); t != "" {
			e.types.add(t)
		}
		e.generic = e.generic || isGeneric(l.word) || p.isMailOf(i) || l.word == "not" && (p.word(i+1) == "from" || p.word(i+1) == "by")
		switch l.word {
		case "top", "bottom", "most", "least", "fewest", "rank", "ranked":
			e.ranks = true
			e.generic = e.generic || p.ranksPeople(i)
		}
		if l.field == "type" || l.field == "event" {
			e.types.add(event.Type(l.value))
		}
	}
	for i := range p.lexemes {
		e.times.Add(p.timeWord(i, len(e.types) > 0 || e.generic))
	}
	e.times.Expect(len(e.types) > 0)
	e.times.LookAhead(e.types.has(event.Meeting))
	return e
}

// word is the plain word at a lexeme, "" where there is none.
func (p *parser) word(i int) string {
	if i < 0 || i >= len(p.lexemes) {
		return ""
	}
	return p.lexemes[i].word
}

// isWord reports whether the lexemes from i on are these plain words.
func (p *parser) isWord(i int, words ...string) bool {
	for k, word := range words {
		if p.word(i+k) != word {
			return false
		}
	}
	return true
}

// phrase reads plain English at the next lexeme: a condition and how many
// lexemes it takes, or, without a condition, how many small words say nothing. 0
// is for what is text.
func (p *parser) phrase(signed bool) (meaning, int) {
	i := p.at
	p.markList(i)
	if p.literal || signed || p.scope != "" || p.word(i) == "" && !p.lexemes[i].quoted {
		return meaning{}, 0
	}
	m, n := p.condition(i)
	if n > 0 && m.where != nil {
		p.understood(m, i, i+n)
		return m, n
	}
	if n > 0 {
		p.dropped = true
		return meaning{}, n
	}
	contraction := isContraction(p.word(i))
	if contraction {
		p.leftOut(i)
	}
	if p.isEvery(i) {
		p.note("\"all\" is left out: whether somebody did so with every mail is not searched for.")
	}
	if contraction || p.isFiller(i) {
		p.dropped = true
		p.unused = append(p.unused, p.typed(i))
		return meaning{}, 1
	}
	return meaning{}, 0
}

// isEvery reports whether the word at i is the "all" of "opened all my mails".
func (p *parser) isEvery(i int) bool {
	if p.word(i) != "all" {
		return false
	}
	_, f := p.eventAt(i - 1)
	switch p.word(i + 1) {
	case "the", "my", "our", "of", "mails", "emails", "messages", "links", "files":
		return f == past
	}
	return false
}

// typed is the word at i as it was typed, in lower case.
func (p *parser) typed(i int) string { return trimWord(strings.ToLower(p.lexemes[i].value)) }

// understood keeps what later words may refer to.
func (p *parser) understood(m meaning, start, end int) {
	if m.field == "type" {
		p.english.last = event.Type(m.value)
	}
	if m.field == "verdict" && m.value == event.Human && !m.not {
		p.english.human = true
	}
	if m.field == "to" || m.field == "domain" || m.field == "from" {
		p.english.personEnd = end
	}
	if start == p.english.lasting && (m.field == "to" || m.field == "domain" || m.field == "from") {
		p.english.lasting = end // "no reply from acme for 3 days"
	}
	if m.field == "is" || m.field == "unopened" {
		if m.not || m.field == "unopened" || strings.HasPrefix(m.value, "un") {
			p.english.lasting = end // What has not happened lasts.
		}
		if m.value == string(IsUnreplied) {
			p.english.last = event.Reply
		}
		p.orState(end)
	}
}

// condition reads one condition at lexeme i.
func (p *parser) condition(i int) (meaning, int) {
	may := p.rulesAt(i)
	for r, read := range [...]func(*parser, int) (meaning, int){
		ruleCounting: (*parser).counting, ruleSorted: (*parser).sorted, ruleNewest: (*parser).newest, ruleEveryPeriod: (*parser).everyPeriod,
		ruleTabled: (*parser).tabled, ruleState: (*parser).state, ruleTraffic: (*parser).traffic, ruleException: (*parser).exception,
	} {
		if !may.has(rule(r)) {
			continue
		}
		if m, n := read(p, i); n > 0 {
			return m, n
		}
	}
	return p.plainly(i)
}

// assertion reads one condition that is not negated in so many words.
func (p *parser) assertion(i int) (meaning, int) {
	if i >= len(p.lexemes) {
		return meaning{}, 0
	}
	if m, n := p.state(i); n > 0 {
		return m, n
	}
	return p.plainly(i)
}

// plainly reads what is no state.
func (p *parser) plainly(i int) (meaning, int) {
	may := p.rulesAt(i)
	for _, try := range [...]struct {
		rule rule
		read func(*parser, int) (meaning, int)
	}{
		{ruleDevice, (*parser).device},
		{rulePerson, (*parser).person},
		{ruleLastingTime, (*parser).lastingTime},
		{ruleTimed, (*parser).timed},
		{ruleTraffic, (*parser).traffic},
		{ruleAnswer, (*parser).answer},
		{ruleBounce, (*parser).bounce},
		{ruleEventType, (*parser).eventType},
		{ruleNamed, (*parser).named},
	} {
		if !may.has(try.rule) {
			continue
		}
		if m, n := try.read(p, i); n > 0 {
			return m, n
		}
	}
	return meaning{}, 0
}

// timed reads a time that is not ahead. Only meetings lie ahead.
func (p *parser) timed(i int) (meaning, int) {
	if p.isWord(i, "right", "now") {
		return meaning{}, 2
	}
	if p.atNight(i) {
		p.english.text = i + 2
	}
	when, n := p.timeAt(i)
	switch {
	case n == 0 || i < p.english.text:
		return meaning{}, 0
	case p.ahead(when) && !p.english.types.has(event.Meeting), n == 1 && p.isTitle(i):
		p.english.text = i + n
		if p.ahead(when) && p.speaksOfEvents() {
			p.note("\"" + p.words(i, n) + "\" is ahead, and searched for as words.")
		}
		return meaning{}, 0
	}
	p.orTime(when, i+n)
	if p.isClock(i, n) {
		p.english.clock = p.words(i, n)
	}
	return p.when(when), n
}

// isClock reports whether a time of n words says no day, as "before 8am" does.
func (p *parser) isClock(i, n int) bool {
	clock := false
	for k := i; k < i+n; k++ {
		word := p.word(k)
		if times.NamesDay(word) {
			return false
		}
		clock = clock || times.IsClock(word)
	}
	return clock
}

// noteClock says that a time of day beside several days is that of one of them.
func (p *parser) noteClock(chips []Chip) {
	if p.english.clock == "" {
		return
	}
	others := 0
	for _, chip := range chips {
		others += btoi(chip.Field == "time")
	}
	if others > 1 {
		p.note("\"" + p.english.clock + "\" is that time of one day; hours of every day are not searched for.")
	}
}

// orTime makes an OR of the word at i where it joins another time that excludes
// the one before: "this week or last week", "on monday and tuesday".
func (p *parser) orTime(when times.Period, i int) {
	joined := p.word(i) == "or" || p.word(i) == "and"
	if !joined && !p.endsWithComma(i-1) {
		return
	}
	j := i + btoi(joined)
	other, n := p.timeAt(j)
	open := when.From.IsZero() || when.Until.IsZero() || other.From.IsZero() || other.Until.IsZero()
	if n == 0 || open || p.ahead(other) && !p.english.types.has(event.Meeting) {
		return
	}
	if !other.From.Before(when.Until) || !when.From.Before(other.Until) {
		if joined {
			p.joinWith(i)
		} else {
			p.lexemes[i].or = true // "monday, tuesday and wednesday"
		}
	}
}

// ahead reports whether a time begins later than now. A part of today, such as
// tonight, does not count.
func (p *parser) ahead(when times.Period) bool {
	const part = 6 * time.Hour
	return when.From.After(p.now) && (times.StartOfDay(when.From).After(p.now) || when.Until.Sub(when.From) < part)
}

// isTitle reports whether the name of a day or a month is more likely a part of
// a title: "black friday", "april showers".
func (p *parser) isTitle(i int) bool {
	isDay := times.IsDay(p.word(i))
	if _, event := p.eventAt(i + 1); p.word(i-1) == "the" && isQuarter(p.word(i)) && p.isText(i+1) && event == noForm {
		return true // "the q4 quote"
	}
	switch p.word(i - 1) {
	case "black", "cyber", "good", "ash", "palm", "easter":
		return isDay
	}
	if p.speaksOfEvents() {
		return false
	}
	before := i > 0 && p.isText(i-1)
	return p.isText(i+1) || before && (isDay || times.IsMonth(p.word(i)))
}

// isQuarter reports whether a word is q1 to q4.
func isQuarter(word string) bool {
	return len(word) == 2 && word[0] == 'q' && '1' <= word[1] && word[1] <= '4'
}

// isText reports whether there is a word at i that is searched for.
func (p *parser) isText(i int) bool {
	if p.word(i) == "" || p.isFiller(i) {
		return false
	}
	_, n := p.timeAt(i)
	return n == 0 && !p.startsPerson(i)
}

// timeAt reads a time that ends with a lexeme.
func (p *parser) timeAt(i int) (times.Period, int) { return p.english.times.At(i) }

// timeWord is the word at a lexeme as times have it: of "last week's opens" the
// week, where the text is about events.
func (p *parser) timeWord(i int, events bool) string {
	l := p.lexemes[i]
	if events {
		if word, possessive := strings.CutSuffix(l.word, "'s"); possessive && times.IsNamed(word) {
			return word
		}
	}
	if strings.HasSuffix(l.value, ".") && strings.Trim(l.value, "0123456789.") == "" && strings.Count(l.value, ".") == 2 {
		return l.value // 13.11.
	}
	return l.word
}

// lastingTime reads "for 3 days" behind a state such as "no reply": the mails
// that are older than that.
func (p *parser) lastingTime(i int) (meaning, int) {
	if p.english.lasting < 0 || i > p.english.lasting+2 || !p.nothingNamed(p.english.lasting, i) {
		return meaning{}, 0
	}
	a, n := p.english.times.Lasting(i)
	if n == 0 {
		return meaning{}, 0
	}
	return p.when(times.Period{Until: a.Before(p.now)}), n + p.sinceSending(i+n)
}

// nothingNamed reports whether the words from i to j name no mail of their own: "it", "anything",
// "any mails".
func (p *parser) nothingNamed(i, j int) bool {
	for k := i; k < j; k++ {
		switch w := p.word(k); w {
		case "it", "them", "anything", "any", "yet":
		default:
			if !isMail(w) {
				return false
			}
		}
	}
	return i <= j
}

// answer reads what was said to a meeting, where a text is about meetings.
func (p *parser) answer(i int) (meaning, int) {
	asked := p.word(i-1) == "who" || p.isQuestion(i-1) || p.isQuestion(i-2)
	denied := isNegation(p.word(i - 1)) // All but those who accepted are not those who were asked.
	if !p.english.types.has(event.Meeting) && (!asked || denied || p.isText(i+1)) {
		return meaning{}, 0 // "who accepted" alone is about a meeting, "who accepted the offer" is not.
	}
	value := ""
	word := p.word(i)
	if w := p.word(i - 1); w == "anyone" || w == "anybody" || w == "who" || p.isQuestion(i-2) || isContraction(w) {
		switch word { // "did anyone accept"
		case "accept", "confirm":
			word += "ed"
		case "decline":
			word += "d"
		}
	}
	switch word {
	case "accepted", "confirmed":
		value = "yes"
	case "declined", "rejected", "refused":
		value = "no"
	case "tentative", "maybe":
		value = "maybe"
	default:
		return meaning{}, 0
	}
	return keyword("answer", FieldAnswer, value), 1
}

// named reads a link or a file by a word before it: "on the demo link".
func (p *parser) named(i int) (meaning, int) {
	field := TextField("")
	switch p.word(i + 1) {
	case "link", "links":
		if p.english.types.has(event.Click) {
			field = FieldLink
		}
	case "file", "files", "attachment", "attachments":
		if p.english.types.has(event.Download) {
			field = FieldFile
		}
	}
	_, ordinal := times.Ordinal(p.word(i))
	_, number := times.Number(p.word(i))
	if field == "" || ordinal || number || p.isFiller(i) {
		return meaning{}, 0
	}
	m := p.plain(string(field), field, lexeme{value: p.lexemes[i].value, quoted: p.lexemes[i].quoted})
	if m.where == nil {
		return meaning{}, 0
	}
	return m, 2
}
