package verdict

import (
	"slices"

	"tidings/event"
)

// Around is what is known around an event, beside what it carries itself.
type Around struct {
	// Overruled is what a person said of the event, nil when nobody did.
	Overruled *event.Overruling
	// Arrived is the first delivery to the recipient, or else the send, in Unix
	// seconds; 0 when neither is known.
	Arrived int64
	// Clicks are the recipient's on the message, the event's own among them.
	Clicks []event.Clicked
	// Ours says that one of the workspace's own people made the event.
	Ours bool
	// Scanned says that a scanner made it that the workspace has adopted.
	Scanned bool
}

// AroundOf reads what a message's state knows around one of its events.
func AroundOf(e event.Event, state event.State) Around {
	if e.Recipient == nil {
		return Around{}
	}
	key := event.KeyOf(e.Recipient.Email)
	around := Around{Arrived: ArrivedOf(state, key), Clicks: state.Clicks[key]}
	if said, ok := state.Overruled[key][e.ID]; ok {
		around.Overruled = &said
	}
	return around
}

// Same reports whether both say the same.
func (a Around) Same(b Around) bool {
	if (a.Overruled == nil) != (b.Overruled == nil) || a.Overruled != nil && *a.Overruled != *b.Overruled {
		return false
	}
	return a.Arrived == b.Arrived && a.Ours == b.Ours && a.Scanned == b.Scanned && slices.Equal(a.Clicks, b.Clicks)
}

// ArrivedOf is when a message arrived at a recipient: see Around.Arrived.
func ArrivedOf(state event.State, key event.RecipientKey) int64 {
	if at, delivered := state.First[event.MarkDelivered][key]; delivered {
		return at
	}
	if state.Sent {
		return state.At
	}
	return 0
}

// Again judges a stored event by these rules, for those who rebuild an index.
// What a stored verdict knew that states do not keep for good, it still knows:
// that it was a person's own session, and neighbours that others pushed out. Of
// what the workspace knows, only its scanners of today count.
func (r *Rules) Again(stored event.Event, state event.State, own Own) event.Verdict {
	around := AroundOf(stored, state)
	around.Ours, around.Scanned = stored.Verdict.Rule == RuleSelf, own.Scans(stored)
	v := r.Judge(stored, around)
	if stored.Verdict.By == "person" {
		return stored.Verdict
	}
	if v.Is != event.Machine && stored.Verdict.Rule == RuleBurst {
		return by("rule", event.Machine, RuleBurst)
	}
	return v
}
