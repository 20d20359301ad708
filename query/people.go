package query

import (
	"slices"
	"strings"

	"tidings/address"
	"tidings/event"
	"tidings/query/times"
)

// person reads who is meant: "from acme", "my", "i", "ana's", "with
// jane@acme.com".
func (p *parser) person(i int) (meaning, int) {
	switch w := p.word(i); w {
	case "my", "our":
		return p.possessiveMine(i)
	case "i", "i've":
		return p.iDid(i)
	case "from", "by", "to", "with", "at", "of":
		switch p.word(i - 1) {
		case "anybody", "anyone", "someone", "somebody", "people", "contacts", "customers":
			if w == "from" && p.speaksOfEvents() {
				w = "at" // "did anybody from acme open it"
			}
		}
		if w == "of" && p.word(i+1) == "mine" && p.opts.Me != "" {
			return keyword("from", FieldUser, p.opts.Me), 2
		}
		if _, n := p.timeAt(i); w == "at" && n > 0 {
			return meaning{}, 0 // "at noon"
		}
		if w == "with" {
			if m, n := p.withField(i); n > 0 {
				return m, n
			}
		}
		m, n := p.behind(w, i, i+1)
		if n > 0 {
			p.english.actedBy = w
			p.alternative(w, i+n)
		}
		return m, n
	}
	if w := p.word(i); w == "between" || w == "timeline" || w == "history" || p.word(i+1) == "with" || p.word(i+1) == "of" || p.word(i+1) == "for" {
		for _, read := range [...]func(*parser, int) (meaning, int){(*parser).between, (*parser).correspondence} {
			if m, n := read(p, i); n > 0 {
				return m, n
			}
		}
	}
	if m, n := p.inField(i); n > 0 {
		return m, n
	}
	if i == 0 && p.isWord(i, "me", "to") && p.opts.Me != "" && p.startsName(i+2) && !p.isText(i+3) {
		return keyword("from", FieldUser, p.opts.Me), 1
	}
	if domain, ok := strings.CutPrefix(strings.TrimPrefix(p.word(i), "*"), "@"); ok && isDomain(domain) {
		return keyword("domain", FieldDomain, address.Domain(domain)), 1
	}
	if slices.Contains(p.written, i) {
		m, n := p.operand(i)
		if n > 0 && m.field == "from" {
			m = p.recipient(i, n)
		}
		if n > 0 {
			p.alternative("to", i+n)
		}
		return m, n
	}
	if i == p.english.another {
		m, n := p.behind(p.english.preposition, i, p.behindAnybodyAt(i))
		if n > 0 {
			p.alternative(p.english.preposition, i+n)
		}
		return m, n
	}
	if i == p.english.subject {
		m, n := p.operand(i)
		if n == 0 {
			return meaning{}, 0
		}
		if m.field == "from" && p.english.types.has(event.Send) || m.field == "to" && !p.english.types.has(event.Send) {
			return m, n
		}
		if m.field == "from" {
			return p.recipient(i, n), n
		}
		return meaning{}, 0
	}
	if w := p.word(i); (w == "is" || w == "was") && p.startsName(i+1) && doing(p.word(i+2)) != "" && p.askedOf(i+2) {
		p.english.subject, p.english.verb = i+1, false
		p.english.types.add(doing(p.word(i + 2)))
		return meaning{}, 1 // "is jo reading my mail"
	}
	if p.isQuestion(i) && p.startsName(i+1) {
		verb := i + 2
		switch p.word(verb) {
		case "last", "ever", "already", "also", "even":
			verb++
		}
		for ; p.verbLast && verb < len(p.lexemes); verb++ {
			if _, f := doneOf(p.word(verb)); f == past || f == single {
				break
			}
		}
		t, f := doneOf(p.word(verb))
		if f == noForm && p.bookedMeeting(verb) > 0 {
			t, f = event.Meeting, past // "did jo book a meeting"
		}
		if f == single || f == past {
			if verb > i+2 && !p.verbLast {
				p.english.understood, p.english.understoodWords = i+2, 1
			}
			p.english.subject, p.english.verb = i+1, false
			p.english.types.add(t)
			return meaning{}, 1
		}
		return meaning{}, 0
	}
	for _, read := range [...]func(*parser, int) (meaning, int){
		(*parser).whoWaits, (*parser).whoHasNot, (*parser).ofSomebody, (*parser).ofSeveral, (*parser).owner,
	} {
		if m, n := read(p, i); n > 0 {
			return m, n
		}
	}
	return p.sender(i)
}

// possessiveMine reads "my team's" and "my opens".
func (p *parser) possessiveMine(i int) (meaning, int) {
	team := i + 1
	switch p.word(team) {
	case "own", "whole", "entire":
		team++ // "my whole team"
	}
	switch p.word(team) {
	case "team", "team's", "teams", "teams'", "teammates":
		if m, ok := p.mine(); ok {
			return m, team + 1 - i
		}
		return meaning{}, 0
	}
	switch p.word(i + 1) {
	case "colleague", "coworker", "co-worker", "teammate", "boss", "manager":
		if m, ok := p.userAt(i+2, 1); ok {
			return m, 3 // "mails of my colleague ben"
		}
	}
	if p.word(i) != "my" || p.opts.Me == "" {
		return meaning{}, 0
	}
	if owner, possessive := strings.CutSuffix(p.word(i+1), "'s"); possessive && !times.IsNamed(owner) {
		return meaning{}, 0 // "my colleague's sends" are not mine.
	}
	if p.newestAt(i+1) > 0 {
		return keyword("from", FieldUser, p.opts.Me), 1
	}
	if p.speaksOfEvents() && (p.isText(i+1) || p.isFiller(i+1)) && i > 0 {
		return keyword("from", FieldUser, p.opts.Me), 1
	}
	if isOneMail(p.word(i+1)) && !p.isText(i+2) {
		return keyword("from", FieldUser, p.opts.Me), 2
	}
	for j := i + 1; j <= i+2; j++ {
		_, f := p.eventAt(j)
		_, s := p.state(j)
		if f != noForm || s > 0 || isMail(p.word(j)) {
			return keyword("from", FieldUser, p.opts.Me), 1
		}
	}
	return meaning{}, 0
}

// iDid reads the I of "i sent" and "did i send".
func (p *parser) iDid(i int) (meaning, int) {
	if p.opts.Me == "" {
		return meaning{}, 0
	}
	if m, n := p.whoWaits(i); n > 0 {
		return m, n // "how many clicks did i get"
	}
	j := i + 1
	switch p.word(j) {
	case "have", "had", "last", "ever", "already", "also", "just":
		j++
	}
	if t, f := eventOf(p.word(j)); t == event.Send && (f == past || p.isQuestion(i-1) || p.word(i-1) == "") {
		return keyword("from", FieldUser, p.opts.Me), 1
	}
	return meaning{}, 0
}

// whoHasNot reads the jo of "jo hasn't opened" and "emails that jo never opened":
// only people do something or do not.
func (p *parser) whoHasNot(i int) (meaning, int) {
	if !p.startsName(i) || p.isFiller(i) || p.word(i-1) == "which" {
		return meaning{}, 0
	}
	if before := p.word(i - 1); before != "" && !isSmall(before) && !isMail(before) && before != "sends" || p.verbLast && isArticle(before) {
		return meaning{}, 0
	}
	if m, n := p.subjectFirst(i); n > 0 {
		return m, n
	}
	j, negated := i+1, false
	for ; j < i+5; j++ {
		switch w := p.word(j); {
		case w == "still", w == "has", w == "have", w == "yet", w == "even", w == "did":
			continue
		case w == "weren't", w == "wasn't", w == "isn't", w == "aren't":
		case w == "not", w == "never", isContraction(w):
			negated = true
			continue
		}
		break
	}
	t, f := doneOf(p.word(j))
	if _, ok := stateOf(t); !negated || !ok || f != past && f != single {
		return meaning{}, 0
	}
	if m, n := p.operand(i); n == 1 {
		return p.actor(m, i, n), n
	}
	return meaning{}, 0
}

// whoWaits reads the user whose mails are answered or not: the yuki of "has yuki not
// heard back" and "yuki hasn't heard back", the ben of "ben is waiting for a reply" and of
// "how many replies did ben get".
func (p *parser) whoWaits(i int) (meaning, int) {
	j := i + 1
	for w := p.word(j); w == "is" || w == "still" || w == "has" || w == "have" || w == "not" || w == "never" || isContraction(w); w = p.word(j) {
		j++
	}
	gets := false
	switch p.word(j) {
	case "heard", "hear", "waiting", "awaiting":
		if j == i+1 {
			return meaning{}, 0
		}
	case "get", "got", "gotten", "receive", "received", "have":
		gets = true
		if !p.isQuestion(i-1) || p.english.last == "" || p.english.last == event.Send {
			return meaning{}, 0
		}
	default:
		if !p.verbLast || !p.isQuestion(i-1) || !p.nounForm(i-2) {
			return meaning{}, 0 // "wie viele antworten hatte ben"
		}
	}
	m, ok := p.userAt(i, 1)
	if p.word(i) == "i" && gets {
		m, ok = keyword("from", FieldUser, p.opts.Me), true
	}
	if !ok {
		return meaning{}, 0
	}
	if gets {
		p.english.understood, p.english.understoodWords = j, 1
	}
	return m, 1
}

// subjectFirst reads the jo of "jo hat das angebot (nicht) geöffnet".
func (p *parser) subjectFirst(i int) (meaning, int) {
	if w := p.word(i + 1); !p.verbLast || i > 0 || w != "has" && w != "have" {
		return meaning{}, 0
	}
	for j := i + 2; j < len(p.lexemes); j++ {
		if t, f := doneOf(p.word(j)); f == past && slices.Contains(ActTypes, t) {
			m, n := p.operand(i)
			return p.actor(m, i, n), n
		}
	}
	return meaning{}, 0
}

func isArticle(word string) bool {
	switch word {
	case "the", "a", "an", "my", "our", "this", "that":
		return true
	}
	return false
}

// words are n plain words from lexeme i on as one text, "" when there are not
// so many.
func (p *parser) words(i, n int) string {
	for k := range n {
		if p.word(i+k) == "" {
			return ""
		}
	}
	if n == 1 {
		return p.word(i)
	}
	if text, ok := p.asTyped(i, n); ok {
		return text
	}
	parts := make([]string, n)
	for k := range n {
		parts[k] = p.word(i + k)
	}
	return strings.Join(parts, " ")
}

// asTyped are n words from lexeme i on where they stand in the text in lower case, with a
// space between.
func (p *parser) asTyped(i, n int) (string, bool) {
	start, end := p.lexemes[i].start, p.lexemes[i].start
	for k := i; k < i+n; k++ {
		l := &p.lexemes[k]
		if l.end-l.start != len(l.word) || p.text[l.start:l.end] != l.word || k > i && (l.start != end+1 || p.text[end] != ' ') {
			return "", false
		}
		end = l.end
	}
	return p.text[start:end], true
}

// mostNameWords is how many words a name has at most that is looked for in the
// directory.
const mostNameWords = 3

// userAt is whose message it is, by a name of n words from lexeme i on. It is asked
// more than once of most words, so names that the directory lacks are remembered.
func (p *parser) userAt(i, n int) (meaning, bool) {
	if p.opts.Directory == nil || i < 0 || i+n > len(p.lexemes) {
		return meaning{}, false
	}
	for k := range n {
		if p.word(i+k) == "" {
			return meaning{}, false
		}
	}
	if p.unknown == nil {
		p.unknown = make([]bool, mostNameWords*len(p.lexemes))
	}
	unknown := &p.unknown[mostNameWords*i+n-1]
	if *unknown {
		return meaning{}, false
	}
	m, ok := p.inDirectory(p.words(i, n))
	*unknown = !ok
	return m, ok
}

// inDirectory is whose message it is, for the name of a user or a team.
func (p *parser) inDirectory(name string) (meaning, bool) {
	if p.opts.Directory == nil || name == "" {
		return meaning{}, false
	}
	if id, ok := p.opts.Directory.User(name); ok {
		return keyword("from", FieldUser, id), true
	}
	return p.team(name)
}

// behind reads the person at j behind a preposition; i is where the condition
// begins.
func (p *parser) behind(preposition string, i, j int) (meaning, int) {
	switch p.word(j) {
	case "me", "myself":
		if p.opts.Me == "" || preposition != "from" && preposition != "by" && p.english.last != event.Reply {
			return meaning{}, 0
		}
		return keyword("from", FieldUser, p.opts.Me), j + 1 - i
	case "my", "our":
		m, n := p.possessiveMine(j)
		if m.value == p.opts.Me || n == 0 {
			return meaning{}, 0
		}
		return m, j + n - i
	case "the":
		j++
	case "either", "both":
		if p.startsName(j + 1) {
			p.noteBoth(j)
			j++
		}
	}
	m, n := p.operand(j)
	if n == 0 {
		return meaning{}, 0
	}
	end := j + n - i
	exact := m.field == "from" || m.field == "domain" || m.field == "to" && isKeyword(m.where)
	switch preposition {
	case "of":
		if m.field == "from" {
			return m, end
		}
		return meaning{}, 0
	case "at":
		if m.field == "from" || !exact && !p.speaksOfEvents() {
			return meaning{}, 0
		}
		return m, end
	case "with":
		if !exact && !p.english.generic && !p.english.types.has(event.Meeting) {
			return meaning{}, 0
		}
		return m, end
	case "to":
		if m.field == "from" && p.english.last == event.Reply || exact && m.field != "from" {
			return m, end
		}
		if i == p.english.personEnd || i == p.english.another || i == 0 && j == 1 && !p.isText(j+n) {
			return p.actor(m, j, n), end // "from ana to jo", and "to jo" alone
		}
		unanswered := isMail(p.word(i-1)) && p.english.state // "unanswered mails to acme"
		if !p.speaksOfEvents() || p.english.last == event.Reply && !unanswered {
			return meaning{}, 0 // What is replied to is a mail as often as somebody.
		}
		return p.actor(m, j, n), end
	}
	if preposition == "by" && i == p.english.lasting {
		return p.actor(m, j, n), end // "not opened by jo"
	}
	return p.whoActed(m, exact, i, j, n)
}

// noteBoth says of "by both jo and kim" that an event is one person's.
func (p *parser) noteBoth(i int) {
	if p.word(i) == "both" {
		p.note("\"both\" is read as either of them: whether both did is not looked at.")
	}
}

// whoActed reads the person of n words at j behind "from" or "by": after what a
// recipient does it is who did it, after a send it is the sender.
func (p *parser) whoActed(m meaning, exact bool, i, j, n int) (meaning, int) {
	action, end := p.english.last, j+n-i
	if action == "" && !p.english.state {
		action = p.actionAhead()
	}
	switch {
	case m.field == "from" && (action == event.Send || action == "" || p.word(i) == "from" && p.namesMail(i-1) || p.isMailBy(i)):
		return m, end
	case action == event.Send:
		if p.word(i) == "from" && m.field == "to" && p.opts.Directory != nil {
			p.note("No user here is called \"" + p.words(j, n) + "\", so it is searched for as words. Mails of others are replies.")
		}
		return meaning{}, 0
	case action != "":
		return p.actor(m, j, n), end
	case exact || p.english.generic || p.english.state:
		return m, end
	}
	return meaning{}, 0
}

// isMailBy reports whether the "by" at i stands behind mails that are nobody's yet: "clicks
// on mails by ben".
func (p *parser) isMailBy(i int) bool {
	w := p.word(i - 2)
	return p.word(i) == "by" && (isMail(p.word(i-1)) || isOneMail(p.word(i-1))) && w != "my" && w != "our"
}

// namesMail reports whether the word at i is what somebody sent: "opened the proposal from ana".
func (p *parser) namesMail(i int) bool {
	return isOneMail(p.word(i)) || isMail(p.word(i)) || isDocument(p.word(i))
}

func isKeyword(where Expr) bool {
	_, ok := where.(Keyword)
	return ok
}

// actor is the one who acts, n words from lexeme i on, who is no user.
func (p *parser) actor(m meaning, i, n int) meaning {
	if m.field == "from" {
		return p.recipient(i, n)
	}
	return m
}

// speaksOfEvents reports whether the text is about events at all, and is not
// only a title that somebody looks for.
func (p *parser) speaksOfEvents() bool {
	return len(p.english.types) > 0 || p.english.generic || p.english.state
}

// actionAhead is a type that the text speaks of further on, "" for none.
func (p *parser) actionAhead() event.Type {
	for _, t := range event.Types {
		if p.english.types.has(t) {
			return t
		}
	}
	return ""
}
