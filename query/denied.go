package query

import "tidings/event"

// exceptThose reads "except those who replied".
func (p *parser) exceptThose(i int) (meaning, int) {
	j := i + 1
	if p.word(j) == "for" {
		j++
	}
	switch p.word(j) {
	case "those", "people", "anyone", "anybody", "everyone", "ones", "recipients", "contacts", "customers":
		j++
	case "the":
		if p.word(j+1) != "ones" {
			return meaning{}, 0
		}
		j += 2
	default:
		return meaning{}, 0
	}
	if w := p.word(j); w != "who" && w != "that" {
		return meaning{}, 0
	}
	for j++; p.word(j) == "have" || p.word(j) == "has" || p.word(j) == "already"; j++ {
	}
	t, f := doneOf(p.word(j))
	if _, ok := stateOf(t); !ok || f != past {
		return meaning{}, 0
	}
	return missing(t), j + 1 - i
}

// notEveryone reads "not everyone has opened"; of other acts nobody is asked who has
// not done them.
func (p *parser) notEveryone(i int) (meaning, int) {
	if p.word(i) != "not" {
		return meaning{}, 0
	}
	switch p.word(i + 1) {
	case "everyone", "everybody", "all":
	default:
		return meaning{}, 0
	}
	j := i + 2
	for isSmall(p.word(j)) || isPeople(p.word(j)) {
		j++
	}
	if t, f := doneOf(p.word(j)); t != event.Open || f != past {
		return meaning{}, 0
	}
	return missing(event.Open), j + 1 - i
}

// neither reads the neither of "neither acme nor globex replied": nobody of them has.
func (p *parser) neither(i int) (meaning, int) {
	j, names := i+1, 0
	for p.startsName(j) {
		_, n := p.operand(j)
		if n == 0 {
			break
		}
		names++
		if j += n; p.word(j) != "nor" && p.word(j) != "or" {
			break
		}
		j++
	}
	for p.word(j) == "has" || p.word(j) == "have" || p.word(j) == "ever" {
		j++
	}
	t, f := doneOf(p.word(j))
	if _, ok := stateOf(t); !ok || f != past || names < 2 {
		return meaning{}, 0
	}
	p.english.did, p.english.another, p.english.preposition = j, i+1, "at"
	p.english.deniedAct, p.english.deniedByAll = j+1, j+1
	return nobody(t), 1
}

// denied is a state that nobody is in, of the words [i, end). Another act may stand
// behind it: "didn't click or reply".
func (p *parser) denied(m meaning, i, end int) (meaning, int) {
	p.english.deniedAct = end
	return m, end - i
}

// deniedToo reads one more act that was not done: "or reply", "nor clicked".
func (p *parser) deniedToo(i int) (meaning, int) {
	if i == 0 || i != p.english.deniedAct && !p.deniedBefore(i) {
		return meaning{}, 0
	}
	j := i
	switch w := p.word(i); {
	case w == "or", w == "nor":
		j++
	case w == "and":
		_, f := doneOf(p.word(i + 1))
		if f == past && i == p.english.deniedByAll {
			p.note("\"" + p.words(i, 2) + "\" is read as or: that nobody did both is not looked at.")
		} else if f != single {
			return meaning{}, 0
		}
		j++ // "did not click and reply"
	case !p.endsWithComma(i-1) || p.word(i+1) != "or" && p.word(i+1) != "nor":
		return meaning{}, 0
	}
	for w := p.word(j); w == "even" || w == "been" || w == "ever"; w = p.word(j) {
		j++
	}
	t, f := doneOf(p.word(j))
	if doing(p.word(j)) != "" {
		t, f = doing(p.word(j)), past
	}
	if f == several { // "no opens or clicks"
		if _, before := eventOf(p.word(i - 1)); before != several && !isAnswerNoun(p.word(i-1)) {
			return meaning{}, 0
		}
	}
	if _, ok := stateOf(t); !ok || f == noForm {
		return meaning{}, 0
	}
	m := missing(t)
	if p.english.deniedByAll > 0 && p.english.deniedByAll == p.english.deniedAct {
		m, p.english.deniedByAll = nobody(t), j+1 // "nobody clicked or opened"
	}
	return p.denied(m, i, j+1)
}

// deniedBefore reports whether an act that was not done stands before the "or" at i, with no more
// than what it was done to between: "hasn't opened my mail or replied".
func (p *parser) deniedBefore(i int) bool {
	const most = 6 // words between
	from := p.english.deniedAct
	if w := p.word(i); w != "or" && w != "nor" || from <= 0 || from > i || i-from > most {
		return false
	}
	for k := from; k < i; k++ {
		l := &p.lexemes[k]
		if l.kind != lexTerm || l.field != "" || isNegation(l.word) || p.joinsActs(k) || l.word == "or" || l.word == "who" {
			return false
		}
		if _, f := p.eventAt(k); f != noForm {
			return false
		}
	}
	_, f := doneOf(p.word(i + 1))
	return f == past || f == single && !p.isText(i+2) || p.word(i+1) == "even"
}

// orState makes an OR of the "or" at i between two states: "bounced or not opened", "clicked or
// downloaded but not replied".
func (p *parser) orState(i int) {
	t, f := doneOf(p.word(i + 1))
	_, ok := stateOf(t)
	if p.word(i) != "or" || i == p.english.deniedAct && f != noForm {
		return
	}
	before := p.english
	_, n := p.state(i + 1)
	p.english = before
	if n > 0 || ok && f == past {
		p.joinWith(i)
	}
}

func isAnswerNoun(word string) bool {
	switch word {
	case "reply", "response", "answer", "answers":
		return true
	}
	return false
}

// trying is behind the words between "hasn't" and what was not done: "hasn't yet
// bothered to reply".
func (p *parser) trying(j int) int {
	for {
		switch p.word(j) {
		case "yet", "been", "even", "ever", "got":
			j++
		case "bothered", "managed", "bother", "manage":
			j++
			if p.word(j) == "to" {
				j++
			}
		case "gotten":
			if p.isWord(j+1, "around", "to") || p.isWord(j+1, "round", "to") {
				j += 3
				continue
			}
			return j
		default:
			return j
		}
	}
}

// yetTo reads what somebody has yet to do; j is behind the words for that.
func (p *parser) yetTo(i, j int) (meaning, int) {
	t, f := doneOf(p.word(j))
	if _, ok := stateOf(t); !ok || f != single {
		return meaning{}, 0
	}
	return p.denied(missing(t), i, j+1)
}

// doing is the type of event that a word means which says what somebody is at.
func doing(word string) event.Type {
	switch word {
	case "reading", "viewing", "opening":
		return event.Open
	case "clicking":
		return event.Click
	case "replying", "answering", "responding":
		return event.Reply
	case "downloading":
		return event.Download
	}
	return ""
}

// notDelivered reads mails that did not get where they were sent: "wasn't delivered", "never
// arrived", "could not be delivered". A mail is known to have bounced, not to have arrived.
func (p *parser) notDelivered(i int) (meaning, int) {
	j, denied := i, false
	for {
		w := p.word(j)
		switch {
		case w == "not", w == "never", w == "cannot", isContraction(w):
			denied = true
		case w == "failed" && p.word(j+1) == "to":
			denied = true
			j++
		case j == i && (w == "has" || w == "have" || w == "was" || w == "were" || w == "is" || w == "are" || w == "did" || w == "could" || w == "can"):
			if next := p.word(j + 1); next != "not" && next != "never" {
				return meaning{}, 0
			}
		case denied && (w == "be" || w == "been" || w == "get" || w == "got" || w == "yet" || w == "ever" || w == "even" || w == "actually"):
		default:
			if n := p.delivered(j); denied && n > 0 {
				p.noteDelivered(p.words(i, j+n-i), "bounced")
				return is(string(IsBounced)), j + n - i
			}
			return meaning{}, 0
		}
		j++
	}
}

// delivered is how many words at i say that something arrives.
func (p *parser) delivered(i int) int {
	switch p.word(i) {
	case "deliver", "delivered":
		return 1
	case "arrive", "arrived":
		return btoi(p.speaksOfMail())
	case "get", "got", "go", "gone", "make", "made":
		return 2 * btoi(p.word(i+1) == "through" && p.speaksOfMail())
	case "through":
		return btoi(p.speaksOfMail())
	}
	return 0
}

// speaksOfMail reports whether the text names mails or what happens to them.
func (p *parser) speaksOfMail() bool {
	for i := range p.lexemes {
		if p.namesMail(i) {
			return true
		}
	}
	return len(p.english.types) > 0
}

func (p *parser) noteDelivered(words, as string) {
	p.note("\"" + words + "\" is read as " + as + ": more is not known of a sent mail.")
}

// actOn reports whether what became of a mail stands at i, perhaps behind "that was".
func (p *parser) actOn(i int) bool {
	for isSmall(p.word(i)) {
		i++
	}
	_, f := p.eventAt(i)
	_, n := p.state(i)
	return f == past || f == several || n > 0
}
