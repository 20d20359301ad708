package query

import "tidings/event"

// lookedAt reads what somebody did in words that mean other things too: "did the ceo
// read it", "anyone who looked at", "is jo reading". A question makes it an act.
func (p *parser) lookedAt(i int) (event.Type, form) {
	switch w := p.word(i); w {
	case "look", "looked", "looking":
		if p.word(i+1) != "at" || !p.asked(i) && (w != "looking" || !p.askedOf(i) && !(p.word(i-2) == "who" && (p.word(i-1) == "is" || p.word(i-1) == "was")) && p.word(i-1) != "who's") {
			return "", noForm
		}
		return event.Open, past
	case "reads":
		if p.word(i-1) != "who" {
			return "", noForm
		}
		return event.Open, past
	case "see":
		if p.word(i+1) == "any" || !p.askedSingle(i) {
			return "", noForm
		}
		return event.Open, single
	case "read", "seen":
		mail := w == "read" && i > 0 && isArticle(p.word(i+1)) && p.namesMail(i+2) // "jo read my mail"
		if !mail && !p.asked(i) {
			return "", noForm
		}
		return event.Open, past
	case "reading", "viewing", "opening", "clicking", "replying", "downloading":
		if p.askedOf(i) {
			return doing(w), past
		}
	}
	return "", noForm
}

// askedSingle reports whether the words before i ask whether somebody did something: "did
// jo see it", "did anyone at acme see it".
func (p *parser) askedSingle(i int) bool {
	for k := i - 2; k >= 0 && k >= i-5 && p.word(k) != ""; k-- {
		if w := p.word(k); w == "did" || w == "didn't" || w == "didnt" {
			return p.word(k+1) != "i" && p.word(k+1) != "we"
		}
	}
	return false
}

// askedOf reports whether the words before i ask what somebody is at: "is jo", "is
// anybody at acme".
func (p *parser) askedOf(i int) bool {
	for k := i - 2; k >= 0 && k >= i-5; k-- {
		switch p.word(k) {
		case "is", "was", "are", "were":
		default:
			continue
		}
		switch p.word(k + 1) {
		case "anyone", "anybody", "someone", "somebody", "everyone", "everybody":
			return true
		}
		return p.startsName(k + 1)
	}
	return false
}

// asked reports whether the words before i ask who did something, or whether somebody
// did.
func (p *parser) asked(i int) bool {
	switch p.word(i - 1) {
	case "who", "that", "anyone", "anybody", "someone", "somebody", "everyone", "everybody":
		return true
	}
	for k := i - 1; k >= 0 && k >= i-5 && p.word(k) != ""; k-- {
		if p.isQuestion(k) {
			return true
		}
		if w := p.word(k + 1); (p.word(k) == "anyone" || p.word(k) == "anybody") && (w == "at" || w == "from") {
			return true // "anybody at acme look at the quote"
		}
	}
	return false
}
