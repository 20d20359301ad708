package query

import "tidings/event"

// Standing is how far the recipients of a message have come: the states that hold
// of it. The zero value is that of a message of which nothing is known.
type Standing uint8

// standingStates are the states that a Standing tells of, by bit.
var standingStates = [...]RecipientState{
	IsUnopened, IsOpened, IsClicked, IsReplied, IsUnreplied, IsDownloaded, IsBounced,
}

// StandingOf is the standing of a message's recipients.
func StandingOf(s event.State) Standing {
	return StandingWhere(func(is RecipientState) bool { return is.match(s) })
}

// StandingWhere is the standing of which the states hold that holds says.
func StandingWhere(holds func(RecipientState) bool) Standing {
	var standing Standing
	for bit, is := range standingStates {
		if holds(is) {
			standing |= 1 << bit
		}
	}
	return standing
}

// Has reports whether a state holds.
func (s Standing) Has(state RecipientState) bool {
	for bit, is := range standingStates {
		if is == state {
			return s&(1<<bit) != 0
		}
	}
	return false
}

// AsksRecipients reports whether the query asks for the state of recipients, so
// that its answer changes with that.
func (q Query) AsksRecipients() bool {
	asks := false
	walk(q.Where, true, func(leaf Expr, _ bool) {
		_, ok := leaf.(Recipients)
		asks = asks || ok
	})
	return asks
}
