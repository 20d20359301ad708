package query

import (
	"fmt"

	"tidings/event"
)

// stateOf is the state of a send's recipients that an event brings.
func stateOf(t event.Type) (RecipientState, bool) {
	switch t {
	case event.Open:
		return IsOpened, true
	case event.Click:
		return IsClicked, true
	case event.Reply:
		return IsReplied, true
	case event.Download:
		return IsDownloaded, true
	case event.Bounce:
		return IsBounced, true
	}
	return "", false
}

// notState is for sends of which a state does not hold.
func notState(state RecipientState) meaning {
	return meaning{
		where: Not{Recipients{Is: state}},
		field: "is", value: string(state), not: true,
	}
}

// missing is for sends that somebody has not opened, or that nobody has clicked.
func missing(t event.Type) meaning {
	switch t {
	case event.Open:
		return is(string(IsUnopened))
	case event.Reply:
		return is(string(IsUnreplied))
	}
	state, _ := stateOf(t)
	return notState(state)
}

// nobody is for sends of which no recipient has done it.
func nobody(t event.Type) meaning {
	if t == event.Open {
		return notState(IsOpened)
	}
	return missing(t)
}

// state reads what recipients have not done: "who hasn't opened", "no reply",
// "unopened".
func (p *parser) state(i int) (meaning, int) {
	if m, n := p.deniedToo(i); n > 0 {
		return m, n
	}
	if m, n := p.notDelivered(i); n > 0 {
		return m, n
	}
	switch p.word(i) {
	case "unopened", "unread":
		return p.unopenedFor(is(string(IsUnopened)), i, i+1)
	case "unreplied", "unanswered":
		return is(string(IsUnreplied)), 1
	case "unclicked":
		return missing(event.Click), 1
	case "nobody", "noone", "no-one":
		return p.nobodyDid(i, i+1)
	case "everyone", "everybody", "all":
		return p.everyoneDid(i)
	case "none":
		j := i + 1
		if p.word(j) == "of" && isSmall(p.word(j+1)) {
			for j++; isSmall(p.word(j)) || p.word(j) == "recipients" || p.word(j) == "people"; j++ {
			}
			for w := p.word(j - 1); w == "has" || w == "have"; w = p.word(j - 1) {
				j--
			}
		}
		return p.nobodyDid(i, j)
	case "non-openers", "nonopeners":
		return missing(event.Open), 1
	case "non-responders", "non-repliers", "nonresponders":
		return missing(event.Reply), 1
	case "non-clickers", "nonclickers":
		return missing(event.Click), 1
	case "except", "excluding", "minus":
		return p.exceptThose(i)
	case "neither":
		if m, n := p.neither(i); n > 0 {
			return m, n
		}
	case "said":
		if p.word(i+1) == "nothing" || p.isWord(i+1, "no", "word") {
			return missing(event.Reply), 2 + btoi(p.word(i+1) == "no")
		}
	case "awaiting":
		return p.absent(i, i+1)
	case "waiting":
		if p.word(i+1) == "for" || p.word(i+1) == "on" {
			if m, n := p.absent(i, i+2); n > 0 {
				return m, n
			}
			return p.waitingOn(i)
		}
	case "not":
		j := i + 1
		if p.word(j) == "a" || p.word(j) == "one" {
			j++
		}
		if p.word(j) == "single" {
			j++
		}
		if j > i+1 && (p.word(j-1) == "single" || p.word(j-1) == "one") {
			return p.absent(i, j)
		}
	case "nothing":
		if p.isWord(i+1, "back", "from") && p.startsName(i+3) || p.word(i+1) == "heard" {
			return p.denied(missing(event.Reply), i, i+2)
		}
	case "no", "without", "zero", "0":
		if p.word(i) == "no" && (p.word(i+1) == "word" || p.word(i+1) == "news") && (p.word(i+2) == "from" || p.word(i+2) == "back" || p.lastsAt(i+2)) {
			return p.denied(missing(event.Reply), i, i+2+btoi(p.word(i+2) == "back"))
		}
		if p.isWord(i, "no", "one") {
			return p.nobodyDid(i, i+2)
		}
		return p.absent(i, i+1)
	}
	return p.notDone(i)
}

// waitingOn reads the waiting of "waiting on acme for an answer" and "waiting for jo to reply".
func (p *parser) waitingOn(i int) (meaning, int) {
	if !p.startsName(i + 2) {
		return meaning{}, 0
	}
	_, n := p.operand(i + 2)
	j := i + 2 + n
	if n > 0 && i == 0 && p.kindAt(j) == lexEnd {
		p.english.another, p.english.preposition = i+2, "at" // "waiting on acme"
		return missing(event.Reply), 2
	}
	if n == 0 || p.word(j) != "for" && p.word(j) != "to" {
		return meaning{}, 0
	}
	k := j + 1
	if w := p.word(k); w == "a" || w == "an" || w == "the" {
		k++
	}
	switch p.word(k) {
	case "reply", "response", "answer", "respond":
	default:
		return meaning{}, 0
	}
	p.english.another, p.english.preposition = i+2, "at"
	p.english.understood, p.english.understoodWords = j, k+1-j
	return missing(event.Reply), 2
}

// absent reads the event that has not come: "a reply", "opens".
func (p *parser) absent(i, j int) (meaning, int) {
	switch p.word(j) {
	case "a", "any", "an":
		j++
	}
	if p.word(j) == "single" {
		j++
	}
	switch p.word(j) {
	case "reply", "replies", "response", "responses", "answer", "answers":
		return p.denied(missing(event.Reply), i, j+1)
	}
	if t := doing(p.word(j)); t != "" && p.word(i) == "without" {
		return p.denied(nobody(t), i, j+1)
	}
	t, f := eventOf(p.word(j))
	alone := p.word(j-1) == "single" || p.word(j-1) == "one" // "not a single open"
	one := f == single && (t != event.Open || alone) && !p.isText(j+1)
	if _, ok := stateOf(t); !ok || f != several && !one || p.word(i) == "awaiting" {
		return meaning{}, 0
	}
	return p.denied(nobody(t), i, j+1)
}

func (p *parser) lastsAt(i int) bool {
	_, n := p.english.times.Lasting(i)
	return n > 0
}

// everyoneDid reads "everyone has opened". Of other acts nobody is asked who has not done them.
func (p *parser) everyoneDid(i int) (meaning, int) {
	j := p.behindCompany(i + 1)
	at := j
	for p.word(j) == "has" || p.word(j) == "have" || p.word(j) == "already" {
		j++
	}
	t, f := doneOf(p.word(j))
	if f != past || i > 0 || p.word(i) == "all" && j == at {
		return meaning{}, 0
	}
	switch _, ok := stateOf(t); {
	case t == event.Open && at > i+1:
		p.english.did, p.english.another, p.english.preposition = j, i+2, "at"
		return notState(IsUnopened), 2
	case t == event.Open:
		return notState(IsUnopened), j + 1 - i
	case ok:
		p.note("\"" + p.word(i) + "\" is left out: whether all did so is known of opens alone.")
	}
	return meaning{}, 0
}

// nobodyDid reads "nobody has opened"; j is behind nobody.
func (p *parser) nobodyDid(i, j int) (meaning, int) {
	for p.word(j) == "has" || p.word(j) == "have" || p.word(j) == "ever" {
		j++
	}
	verb := j
	switch p.word(j) {
	case "at", "from", "in", "of":
		// "nobody at acme opened": who it is stands between.
		_, n := p.operand(j + 1)
		if n == 0 {
			return meaning{}, 0
		}
		verb = j + 1 + n
		for p.word(verb) == "or" || p.word(verb) == "and" || p.word(verb) == "nor" {
			if _, n = p.operand(verb + 1); n == 0 {
				break
			}
			verb += 1 + n
		}
		for p.word(verb) == "has" || p.word(verb) == "have" || p.word(verb) == "ever" {
			verb++
		}
	}
	t, f := doneOf(p.word(verb))
	if _, ok := stateOf(t); !ok || f != past && !(f == single && p.isQuestion(i-1)) {
		return meaning{}, 0
	}
	p.english.deniedAct, p.english.deniedByAll = verb+1, verb+1
	if verb > j {
		p.english.did = verb
		return nobody(t), j - i
	}
	return nobody(t), j + 1 - i
}

// notDone reads "hasn't opened", "not yet replied", "hasn't jo replied".
func (p *parser) notDone(i int) (meaning, int) {
	if p.notSoOften(i) > 0 {
		return meaning{}, 0
	}
	if m, n := p.notEveryone(i); n > 0 {
		return m, n
	}
	j := i
	switch p.word(i) {
	case "hasn't", "haven't", "hasnt", "havent", "didn't", "didnt", "don't", "dont", "doesn't", "doesnt", "isn't",
		"wasn't", "weren't", "hadn't", "never", "not", "neither", "nor":
		j++
	case "has", "have", "did", "was", "were", "is", "are", "does", "do":
		switch {
		case p.isWord(i+1, "yet", "to"), p.isWord(i+1, "failed", "to"), p.isWord(i+1, "forgotten", "to"):
			return p.yetTo(i, i+3)
		case p.word(i+1) != "not" && p.word(i+1) != "never":
			return meaning{}, 0
		}
		j += 2
	case "yet", "failed", "forgot", "neglected":
		if p.word(i+1) != "to" {
			return meaning{}, 0
		}
		return p.yetTo(i, i+2)
	default:
		return meaning{}, 0
	}
	j = p.trying(j)
	if m, n := p.notBoth(i, j); n > 0 {
		return m, n
	}
	if p.word(j) == "either" {
		j++ // "hasn't either opened or clicked"
	}
	if m, n := p.notReceived(i, j); n > 0 {
		return m, n
	}
	if t := doing(p.word(j)); t != "" && (p.word(j-1) == "bother" || p.word(j-1) == "bothered" || p.isWord(j-2, "around", "to") || p.isWord(j-2, "round", "to")) {
		return p.denied(missing(t), i, j+1) // "hasn't gotten around to replying"
	}
	if p.word(j) == "heard" || p.word(j) == "hear" {
		if p.word(j+1) == "back" {
			j++
		}
		if _, lasting := p.english.times.Lasting(j + 2); p.word(j+1) == "from" && lasting > 0 {
			j++ // "not heard from in 2 months"
		}
		return missing(event.Reply), j + 1 - i
	}
	t, f := doneOf(p.word(j))
	_, ok := stateOf(t)
	if ok && f != several {
		if t == event.Open {
			p.english.deniedAct = j + 1
			return p.unopenedFor(missing(t), i, j+1)
		}
		return p.denied(missing(t), i, j+1)
	}
	if t, f := doneOf(p.word(j + 1)); f == past || f == single {
		if _, ok := stateOf(t); ok && p.startsName(j) {
			p.english.subject, p.english.verb = j, true
			return missing(t), j - i
		}
	}
	return meaning{}, 0
}

// notReceived reads "didn't get any reply"; j is behind the words of negation and "got".
func (p *parser) notReceived(i, j int) (meaning, int) {
	switch p.word(j) {
	case "get", "receive", "received", "have", "had", "see", "gotten":
		j++
	default:
		if p.word(j-1) != "got" && p.word(j-1) != "gotten" {
			return meaning{}, 0
		}
	}
	if w := p.word(j); w != "any" && w != "a" && w != "an" {
		return meaning{}, 0
	}
	if m, n := p.absent(i, j); n > 0 {
		return m, n
	}
	if t, f := eventOf(p.word(j + 1)); f == single { // "haven't had an open"
		if _, ok := stateOf(t); ok && !p.isText(j+2) {
			return p.denied(nobody(t), i, j+2)
		}
	}
	return meaning{}, 0
}

// doneOf reads what somebody has or has not done.
func doneOf(word string) (event.Type, form) {
	switch word {
	case "read", "seen", "saw", "looked":
		return event.Open, past
	case "see":
		return event.Open, single
	case "answered":
		return event.Reply, past
	case "answer":
		return event.Reply, single
	}
	return eventOf(word)
}

// unopenedFor adds how long it has been unopened, if the text says so.
func (p *parser) unopenedFor(m meaning, i, j int) (meaning, int) {
	k := j // "hasn't opened anything in 30 days"
	for k < j+2 && p.nothingNamed(j, k+1) {
		k++
	}
	a, n := p.english.times.Lasting(k)
	if n == 0 {
		return m, j - i
	}
	n += p.sinceSending(k + n)
	age := int64(p.now.Sub(a.Before(p.now)).Hours()) * 3600
	if age <= 0 {
		return m, j - i
	}
	return unopened(formatAge(age)), k + n - i
}

// saysState reports whether the text asks for a state of recipients.
func (p *parser) saysState() bool {
	for i, l := range p.lexemes {
		if l.field == "is" || l.field == "unopened" {
			return true
		}
		if p.rulesAt(i).has(ruleState) {
			if _, n := p.state(i); n > 0 {
				p.english.subject, p.english.verb = -1, false
				return true
			}
		}
		if t, f := eventOf(l.word); f == past {
			if _, ok := stateOf(t); ok && (p.english.types.has(event.Send) || p.didBoth(i)) {
				return true
			}
		}
	}
	return false
}

// notBoth reads "hasn't both opened and clicked" and "hasn't opened and clicked"; j is behind the words of negation. Who has
// not done both is who has not done the second, nearly always the rarer.
func (p *parser) notBoth(i, j int) (meaning, int) {
	switch _, f := doneOf(p.word(j + 2)); {
	case p.word(j) == "both" && p.word(j+2) == "and":
		j++
	case !isContraction(p.word(i)) || p.word(j+1) != "and" || f != past: // "hasn't opened and clicked"
		return meaning{}, 0
	}
	first, _ := doneOf(p.word(j))
	second, _ := doneOf(p.word(j + 2))
	_, one := stateOf(first)
	_, other := stateOf(second)
	if !one || !other {
		return meaning{}, 0
	}
	p.note(fmt.Sprintf("\"not both\" is read as not %q: whether they %q is not looked at.", p.word(j+2), p.word(j)))
	return missing(second), j + 3 - i
}

// didBoth reports whether "opened and clicked", "bounced but opened" or "opened, then
// clicked" stands at i: one person did both.
func (p *parser) didBoth(i int) bool {
	j := p.behindObject(i + 1)
	if !p.joinsActs(j) {
		return false
	}
	first, _ := eventOf(p.word(i))
	if _, ok := stateOf(first); !ok && first != event.Send {
		return false
	}
	for p.joinsActs(j) || isLater(p.word(j)) || p.word(j) == "has" || p.word(j) == "have" {
		j++
	}
	second, f := eventOf(p.word(j))
	_, ok := stateOf(second)
	return ok && f == past && second != first
}

// behindObject is behind what something was done to, and when: the "it" of "opened it and
// replied", the "my mail on monday" of "opened my mail on monday and replied on tuesday".
func (p *parser) behindObject(i int) int {
	const most = 8 // words between
	for j := i; j < i+most && j < len(p.lexemes); j++ {
		l := &p.lexemes[j]
		if _, n := p.timeAt(j); n > 0 {
			j += n - 1
			continue
		}
		_, f := p.eventAt(j)
		if p.joinsActs(j) || l.kind != lexTerm || l.field != "" || isNegation(l.word) || f != noForm {
			return j
		}
		switch l.word {
		case "by", "from", "or", "who", "that", "which":
			return j
		}
	}
	return i
}

// joinsActs reports whether the word at i joins two acts of one person.
func (p *parser) joinsActs(i int) bool {
	switch p.word(i) {
	case "and", "but", "yet", "then":
		return true
	}
	return false
}

// isLater reports whether a word says of an act that it came behind another.
func isLater(word string) bool {
	switch word {
	case "then", "later", "also", "even", "still", "eventually", "afterwards", "subsequently", "finally":
		return true
	}
	return false
}
