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
	case "hard", "soft":
		if isBounce(p.word(i + 1)) {
			return bounceOf(p.word(i)), 2
		}
	case "bounced":
		switch p.word(i + 1) {
		case "hard":
			return bounceOf(event.BounceHard), 2
		case "softly":
			return bounceOf(event.BounceSoft), 2
		}
	case "rejected", "suppressed":
		if p.english.has[event.Meeting] {
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

func isBounce(word string) bool { return word == "bounce" || word == "bounces" || word == "bounced" }
