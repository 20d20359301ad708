package query

import "tidings/event"

// RecipientStatus is how far the recipients of a message have come: the states that hold
// of it. The zero value is that of a message of which nothing is known.
type RecipientStatus uint8

// statusStates are the states that a RecipientStatus tells of, by bit.
var statusStates = [...]RecipientState{
	IsUnopened, IsOpened, IsClicked, IsReplied, IsUnreplied, IsDownloaded, IsBounced,
}

// StatusShared is the status of a message that several users have sent: each of
// its sends has another, which the state alone tells.
const StatusShared RecipientStatus = 1 << 7

// StatusOf is the status of a message's recipients.
func StatusOf(s event.State) RecipientStatus {
	if s.Shared() {
		return StatusShared
	}
	return StatusWhere(func(is RecipientState) bool { return is.match(s) })
}

// StatusWhere is the status of which the states hold that holds says.
func StatusWhere(holds func(RecipientState) bool) RecipientStatus {
	var status RecipientStatus
	for bit, is := range statusStates {
		if holds(is) {
			status |= 1 << bit
		}
	}
	return status
}

// Has reports whether a state holds.
func (s RecipientStatus) Has(state RecipientState) bool {
	for bit, is := range statusStates {
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
