package query

import "tidings/event"

// Bounces are the kinds of bounces.
var Bounces = []string{event.BounceHard, event.BounceSoft, event.BounceRejected}

func bounceOf(kind string) meaning {
	return oneOf("bounce", FieldBounce, kind, Bounces...)
}

// bounce reads the kinds of bounces: "hard bounces", "bounced softly", "rejected".
func (p *parser) bounce(i int) (meaning, int) {
	switch p.word(i) {
	case "hard", "soft", "softly":
		kind := bounceOf(bounceKind(p.word(i)))
		switch {
		case isBounce(p.word(i + 1)):
			return kind, 2
		case p.joinsKinds(i+1) && isBounce(p.word(i+3)):
			p.joinWith(i + 1) // "soft or hard bounces"
			return kind, 1
		case p.english.types.has(event.Bounce) && i > 0 && (p.word(i-1) == "not" || p.lexemes[i-1].kind == lexOr) && !p.isText(i+1):
			return kind, 1 // "bounced but not hard", "bounced hard or softly"
		}
	case "bounced":
		kind := bounceKind(p.word(i + 1))
		if kind == "" {
			return meaning{}, 0
		}
		if p.joinsKinds(i + 2) {
			p.joinWith(i + 2)
		}
		return bounceOf(kind), 2
	case "rejected", "suppressed":
		if p.english.types.has(event.Meeting) {
			return meaning{}, 0
		}
		n := 1
		if next := p.word(i + 1); isMail(next) || isBounce(next) || next == "sends" {
			n = 2
		}
		return bounceOf(event.BounceRejected), n
	case "bounces":
		if p.word(i+1) == "rejected" {
			return bounceOf(event.BounceRejected), 2
		}
	}
	return meaning{}, 0
}

// joinsKinds reports whether "or" or "and" stands at i with a kind of bounces behind it.
func (p *parser) joinsKinds(i int) bool {
	joins := i < len(p.lexemes) && (p.lexemes[i].kind == lexOr || p.word(i) == "or" || p.word(i) == "and")
	return joins && bounceKind(p.word(i+1)) != ""
}

// bounceKind is the kind of bounces that a word means, "" for none.
func bounceKind(word string) string {
	switch word {
	case "hard":
		return event.BounceHard
	case "soft", "softly":
		return event.BounceSoft
	}
	return ""
}

func isBounce(word string) bool { return word == "bounce" || word == "bounces" || word == "bounced" }
