package query

import (
	"strings"

	"tidings/event"
	"tidings/query/times"
)

// form is how a word names an event.
type form int

const (
	noForm form = iota
	// plurals and past tenses name events wherever they stand.
	several
	past
	// single is for words that are ordinary ones as well, such as "open".
	single
)

// eventWords are the words that name events.
var eventWords = map[string]struct {
	kind event.Type
	form form
}{
	"opens": {event.Open, several}, "views": {event.Open, several},
	"opened": {event.Open, past}, "viewed": {event.Open, past},
	"open": {event.Open, single}, "view": {event.Open, single},
	"clicks":  {event.Click, several},
	"clicked": {event.Click, past},
	"click":   {event.Click, single},
	"replies": {event.Reply, several}, "responses": {event.Reply, several},
	"answered": {event.Reply, past},
	"replied":  {event.Reply, past}, "responded": {event.Reply, past},
	"reply": {event.Reply, single}, "respond": {event.Reply, single}, "response": {event.Reply, single},
	"downloads":  {event.Download, several},
	"downloaded": {event.Download, past},
	"download":   {event.Download, single},
	"sends":      {event.Send, several},
	"sent":       {event.Send, past},
	"send":       {event.Send, single},
	"meetings":   {event.Meeting, several}, "invites": {event.Meeting, several}, "invitations": {event.Meeting, several},
	"bookings": {event.Meeting, several}, "booked": {event.Meeting, past}, "booking": {event.Meeting, single},
	"meeting": {event.Meeting, single}, "invite": {event.Meeting, single}, "invitation": {event.Meeting, single},
	"bounces":      {event.Bounce, several},
	"bounced":      {event.Bounce, past},
	"bounce":       {event.Bounce, single},
	"deliveries":   {event.Delivery, several},
	"delivered":    {event.Delivery, past},
	"complaints":   {event.Complaint, several},
	"complained":   {event.Complaint, past},
	"unsubscribes": {event.Unsubscribe, several}, "unsubscriptions": {event.Unsubscribe, several},
	"unsubscribed": {event.Unsubscribe, past},
	"unsubscribe":  {event.Unsubscribe, single},
	"complain":     {event.Complaint, single},
}

// eventOf reads a word as a type of event.
func eventOf(word string) (event.Type, form) {
	named := eventWords[word]
	return named.kind, named.form
}

// isGeneric reports whether a word means mail or events of any kind.
func isGeneric(word string) bool {
	switch word {
	case "emails", "e-mails", "mails", "messages", "everything", "anything", "activity", "events":
		return true
	}
	return false
}

// isMail reports whether a word means mail that was sent.
func isMail(word string) bool {
	switch word {
	case "emails", "e-mails", "mails", "messages":
		return true
	}
	return false
}

// eventAt reads the word at a lexeme as a type of event, where it is no ordinary
// word: one event needs somebody who did it, or a question.
func (p *parser) eventAt(i int) (event.Type, form) {
	t, f := eventOf(p.word(i))
	if f == noForm && p.bookedMeeting(i) > 0 && p.asksToBook(i) {
		return event.Meeting, past
	}
	if p.isAnswers(i) {
		return event.Reply, several
	}
	if f == noForm {
		return p.lookedAt(i)
	}
	if f != single {
		return t, f
	}
	if t == event.Meeting && (p.word(i+1) == "booked" || p.word(i-1) == "no" || isAnswer(p.word(i-1)) || isAnswer(p.word(i+1)) || isAnswer(p.word(i-2)) && isSmall(p.word(i-1)) || isMoved(p.word(i+1)) || isMoved(p.word(i-1)) || isMoved(p.word(i-2)) && isSmall(p.word(i-1))) {
		return t, f // "declined the meeting", "meeting accepted"
	}
	switch p.word(i - 1) {
	case "last", "latest", "newest", "recent", "previous", "oldest", "earliest", "every", "each", "any", "new":
		if t != event.Meeting && (!p.isText(i+1) || times.IsWord(p.word(i+1))) {
			return t, f
		}
	case "one", "single":
		if w := p.word(i - 2); (w == "than" || w == "least" || w == "most" || w == "exactly") && t != event.Meeting {
			return t, f // "no more than one open"
		}
	case "did", "didn't", "who", "to", "does", "doesn't", "i", "we", "they":
		if t != event.Meeting && (p.word(i-1) != "to" || p.word(i-2) != "") {
			return t, f
		}
	default:
		if _, ok := times.Ordinal(p.word(i - 1)); ok && t != event.Meeting && (!p.isText(i+1) || times.IsWord(p.word(i+1))) {
			return t, f
		}
	}
	for k := i - 2; k >= 0 && k >= i-5 && p.word(k) != ""; k-- {
		if p.isQuestion(k) {
			return t, f
		}
	}
	if _, ok := stateOf(t); ok && p.anybodyBefore(i) {
		return t, f
	}
	switch p.word(i + 1) {
	case "from", "by":
		return t, f
	case "with":
		if t == event.Meeting {
			return t, f
		}
	}
	return "", noForm
}

// isAnswers reports whether the word at i is the answers of "answers from globex", "all answers
// since friday".
func (p *parser) isAnswers(i int) bool {
	switch next := p.word(i + 1); p.word(i) {
	case "answer":
		return next == "from"
	case "answers":
		return next == "from" || next == "by" || next == "since" || p.timesAt(i+1)
	}
	return false
}

// anybodyBefore reports whether "anybody", perhaps with a company, stands before i and asks
// for an act: "anyone from acme click the link".
func (p *parser) anybodyBefore(i int) bool {
	for k := i - 1; k >= 0 && k >= i-5; k-- {
		switch p.word(k) {
		case "anybody", "anyone", "someone", "somebody":
			to := p.word(i+1) == "to" && p.word(i) != "reply" && p.word(i) != "respond" // "anyone open to a call"
			return p.behindCompany(k+1) == i && !to
		}
	}
	return false
}

// isMailOf reports whether the word at i is the mail of "mail to jo", with nothing before it.
func (p *parser) isMailOf(i int) bool {
	if w := p.word(i + 1); !isOneMail(p.word(i)) || w != "to" && w != "from" || i > 0 && !isArticle(p.word(i-1)) || i > 1 {
		return false
	}
	_, n := p.operand(i + 2)
	return n > 0
}

// bookedMeeting is how many words from i on are "booked a meeting", "schedule a call" or "booked
// meetings".
func (p *parser) bookedMeeting(i int) int {
	j := i + 1
	switch p.word(i) {
	case "booked", "book", "schedule", "scheduled", "arrange", "arranged":
	case "set":
		if p.word(j) != "up" {
			return 0
		}
		j++
	default:
		return 0
	}
	if isArticle(p.word(j)) {
		j++
		if p.word(j) == "call" {
			return j + 1 - i
		}
	}
	if t, _ := eventOf(p.word(j)); t == event.Meeting {
		return j + 1 - i
	}
	return 0
}

// asksToBook reports whether who booked a meeting is told before the verb at i: "who scheduled
// a call". A text may begin with it as well as any title does.
func (p *parser) asksToBook(i int) bool {
	w := p.word(i)
	done := w == "scheduled" || w == "arranged" || w == "set"
	for k := i - 1; k >= 0 && k >= i-5; k-- {
		switch p.word(k) {
		case "who", "anyone", "anybody", "someone", "somebody", "nobody", "everyone":
			return true
		}
		if p.isQuestion(k) || isNegation(p.word(k)) {
			return true
		}
	}
	return done && i > 0 && p.startsName(i-1)
}

// isAnswer reports whether a word says what was answered to an invitation.
func isAnswer(word string) bool {
	switch word {
	case "accepted", "confirmed", "declined", "rejected", "refused":
		return true
	}
	return false
}

// isMoved reports whether a word says what became of a meeting.
func isMoved(word string) bool {
	switch word {
	case "cancelled", "canceled", "rescheduled", "postponed", "attended", "missed":
		return true
	}
	return false
}

// isQuestion reports whether the word at i asks for somebody's action: "did ana
// send", "has jo replied".
func (p *parser) isQuestion(i int) bool {
	switch p.word(i) {
	case "did", "has", "have", "hasn't", "hasnt", "didn't", "didnt":
		return true
	}
	return false
}

// eventType reads an event: "opens", "sent", "spam reports".
func (p *parser) eventType(i int) (meaning, int) {
	if m, n := p.complained(i); n > 0 {
		return m, n
	}
	if isMail(p.word(i)) || p.isMailOf(i) {
		if len(p.english.types) > 0 || p.english.state {
			return meaning{}, 1
		}
		return typeOf(string(event.Send)), 1
	}
	if m, n := p.inOtherWords(i); n > 0 {
		return m, n
	}
	if m, n := p.got(i); n > 0 {
		return m, n
	}
	t, f := p.eventAt(i)
	if f == noForm {
		return meaning{}, 0
	}
	if t == event.Send && p.english.state {
		p.english.last = event.Send
		return meaning{}, 1 // Nothing else has recipients with a state.
	}
	if t == event.Send && f == past && p.english.last == event.Reply && p.nounForm(i-1) {
		return meaning{}, 1 // "replies sent from a phone"
	}
	if t == event.Meeting && f == past {
		if n := p.bookedMeeting(i); n > 0 {
			p.noteEither(i, t)
			return typeOf(string(event.Meeting)), n
		}
		if before, _ := eventOf(p.word(i - 1)); before == event.Meeting {
			return meaning{}, 1 // "meetings booked last month"
		}
	}
	if t == event.Meeting && f == single && p.english.state {
		return meaning{}, 0 // Of a mail that somebody has not opened, "the invite" is a word.
	}
	if t == event.Delivery && f == past && (p.english.state || p.english.types.has(event.Send)) {
		p.noteDelivered(p.word(i), "not bounced")
		return notState(IsBounced), 1
	}
	if p.english.verb && i == p.english.subject+1 || i == p.english.did {
		return meaning{}, 1 // It was understood with the question.
	}
	state, ok := stateOf(t)
	if ok && i != p.english.counted && (f == single && p.english.types.has(event.Send) && p.english.last != event.Send || f == several && p.english.state && p.english.counted < 0) {
		return is(string(state)), 1 // "did jo open the mail i sent", "opens and clicks but no replies"
	}
	if ok && f == past && i != p.english.counted {
		if p.word(i+1) == "by" {
			switch p.word(i + 2) {
			case "everyone", "everybody", "all":
				if t == event.Open {
					return notState(IsUnopened), 3
				}
				p.note("\"" + p.word(i+2) + "\" is left out: whether all did so is known of opens alone.")
			case "nobody":
				return nobody(t), 3
			case "neither":
				if _, n := p.operand(i + 3); n > 0 && (p.word(i+3+n) == "nor" || p.word(i+3+n) == "or") {
					p.english.another, p.english.preposition = i+3, "at"
					return nobody(t), 3
				}
			case "no":
				if p.word(i+3) == "one" {
					return nobody(t), 4
				}
			}
		}
		if sent := p.english.types.has(event.Send); p.english.state && !sent || sent && p.otherTime(i) {
			j := i + 1
			if p.word(j) == "only" || p.word(j) == "just" {
				j++ // "sent last week but opened only today"
			}
			if w := p.word(j); !p.timesAt(j) && (w == "it" || w == "them" || w == "that" || w == "this") {
				j++
			}
			if m, n := p.timed(j); n > 0 && !strings.HasSuffix(p.word(j+n-1), "'s") { // "opened yesterday's mail"
				if when, ok := m.where.(Time); ok {
					return firstAt(state, m, when), j - i + n // "opened it yesterday but didn't reply"
				}
			} else if k := p.behindThing(i + 1); k > 0 {
				m, n := p.timed(k)
				if when, ok := m.where.(Time); ok && n > 0 {
					p.english.understood, p.english.understoodWords = k, n
					return firstAt(state, m, when), 1 // "opened the quote yesterday but didn't reply"
				}
			}
		}
		if p.english.types.has(event.Send) || p.english.state || p.english.counted >= 0 {
			return is(string(state)), 1
		}
	}
	p.noteEither(i, t)
	return typeOf(string(t)), 1
}

// noteEither says of "opened but later unsubscribed" that one of them is enough: what one
// person did is known of opens, clicks, replies, downloads and bounces.
func (p *parser) noteEither(i int, t event.Type) {
	k := i - 1
	for p.joinsActs(k) || isLater(p.word(k)) {
		k--
	}
	end := k
	if isSmall(p.word(k)) {
		k-- // "opened it and unsubscribed"
	}
	first, f := eventOf(p.word(k))
	_, both := stateOf(first)
	if _, ok := stateOf(t); both && ok || end == i-1 || f != past || first == t || p.english.state || p.english.types.has(event.Send) {
		return
	}
	if _, now := p.eventAt(i); now == past {
		p.note("\"" + p.words(k, i+1-k) + "\" is read as either of them: whether one person did both is not looked at.")
	}
}

// behindThing is the lexeme of the time behind what an act was done to, 0 where there is none:
// the yesterday of "opened the quote yesterday".
func (p *parser) behindThing(i int) int {
	const most = 5 // words between
	for k := i; k < i+most && k < len(p.lexemes); k++ {
		l := &p.lexemes[k]
		_, f := p.eventAt(k)
		if l.kind != lexTerm || l.field != "" || f != noForm || isNegation(l.word) || p.joinsActs(k) || k > i && p.endsWithComma(k-1) {
			return 0
		}
		switch l.word {
		case "by", "from", "to", "or", "who", "that", "which", "i", "we":
			return 0
		}
		if p.timesAt(k) && k > i {
			return k
		}
		if _, n := p.count(k); n > 0 {
			return 0
		}
	}
	return 0
}

// otherTime reports whether the text says another time before the act at i: "sent in october,
// opened in november".
func (p *parser) otherTime(i int) bool {
	for k := range i {
		if p.timesAt(k) {
			return true
		}
	}
	return false
}

// complained reads complaints and unsubscriptions in other words.
func (p *parser) complained(i int) (meaning, int) {
	switch p.word(i) {
	case "spam", "abuse":
		switch p.word(i + 1) {
		case "report", "reports", "complaint", "complaints":
			return typeOf(string(event.Complaint)), 2
		}
	case "reported", "flagged", "marked":
		n := 1
		for w := p.word(i + n); n < 4 && w != "as" && (isSmall(w) || p.namesMail(i+n)); w = p.word(i + n) {
			n++ // "reported my mail as junk"
		}
		if p.isWord(i+n, "as", "spam") || p.isWord(i+n, "as", "junk") {
			return typeOf(string(event.Complaint)), n + 2
		}
	case "opted":
		if p.word(i+1) == "out" {
			return typeOf(string(event.Unsubscribe)), 2
		}
	}
	return meaning{}, 0
}

// butNot reports whether "it but never replied" stands at i.
func (p *parser) butNot(i int) bool {
	switch p.word(i) {
	case "it", "them", "this", "that":
		i++
	}
	if w := p.word(i); w != "but" && w != "and" && w != "yet" {
		return false
	}
	_, n := p.state(i + 1)
	return n > 0
}

// inOtherWords reads events that people describe: "bounced back", "is reading",
// "failed emails".
func (p *parser) inOtherWords(i int) (meaning, int) {
	switch w := p.word(i); w {
	case "look", "looked", "looking":
		if t, f := p.lookedAt(i); f != noForm && p.english.state {
			return is(string(IsOpened)), 2
		} else if f != noForm {
			return typeOf(string(t)), 2
		}
	case "bounced":
		if p.word(i+1) == "back" && !p.english.state {
			return typeOf(string(event.Bounce)), 2
		}
	case "reading", "viewing", "opening", "clicking", "replying", "downloading":
		switch p.word(i - 1) {
		case "is", "are", "was", "were", "been", "keeps", "who's", "started":
			return typeOf(string(doing(w))), 1
		}
		if t, f := p.lookedAt(i); f != noForm {
			return typeOf(string(t)), 1
		}
	case "seen", "read", "saw":
		if p.english.state && (p.butNot(i+1) || w != "saw" && p.word(i+1) == "by") {
			return is(string(IsOpened)), 1
		}
		if w == "saw" {
			break
		}
		if p.word(i+1) == "by" && !p.english.state {
			return typeOf(string(event.Open)), 1
		}
	case "failed", "undelivered", "undeliverable":
		switch next := p.word(i + 1); {
		case isMail(next), next == "sends", next == "deliveries", next == "delivery":
			return typeOf(string(event.Bounce)), 2
		case w != "failed" && !p.english.state:
			return typeOf(string(event.Bounce)), 1
		}
	}
	return meaning{}, 0
}
