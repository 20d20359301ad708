package verdict

import (
	"slices"

	"tidings/event"
)

// Context is what is known of an event beside what it carries itself.
type Context struct {
	// Override is what a person said of the event, nil when nobody did.
	Override *event.Override
	// Arrived is the first delivery to the recipient, or else the send, in Unix
	// seconds; 0 when neither is known.
	Arrived int64
	// Clicks are the recipient's on the message, the event's own among them.
	Clicks []event.Clicked
	// Internal says that one of the workspace's own people made the event.
	Internal bool
	// Scanner says that a scanner made it that the workspace has adopted.
	Scanner bool
}

// ContextOf reads what a message's state knows of one of its events.
func ContextOf(e event.Event, state event.State) Context {
	if e.Recipient == nil {
		return Context{}
	}
	key := event.KeyOf(e.Recipient.Email)
	known := Context{Arrived: ArrivedOf(state, key), Clicks: state.Clicks[key]}
	if override, ok := state.Overrides[key][e.ID]; ok {
		known.Override = &override
	}
	return known
}

// Same reports whether both say the same.
func (a Context) Same(b Context) bool {
	if (a.Override == nil) != (b.Override == nil) || a.Override != nil && *a.Override != *b.Override {
		return false
	}
	return a.Arrived == b.Arrived && a.Internal == b.Internal && a.Scanner == b.Scanner && slices.Equal(a.Clicks, b.Clicks)
}

// ArrivedOf is when a message arrived at a recipient: see Context.Arrived.
func ArrivedOf(state event.State, key event.RecipientKey) int64 {
	if at, delivered := state.First[event.MarkDelivered][key]; delivered {
		return at
	}
	if state.Sent {
		return state.SentTo(key)
	}
	return 0
}

// Again judges a stored event by these rules, for those who rebuild an index.
// What a stored verdict knew that states do not keep for good, it still knows:
// that it was a person's own session, and neighbours that others pushed out. Of
// what the workspace knows, only its scanners of today count.
func (r *Rules) Again(stored event.Event, state event.State, internal Internal) event.Verdict {
	known := ContextOf(stored, state)
	known.Internal, known.Scanner = stored.Verdict.Rule == RuleSelf, internal.Scanner(stored)
	v := r.Judge(stored, known)
	if stored.Verdict.By == "person" {
		return stored.Verdict
	}
	if v.Is != event.Machine && stored.Verdict.Rule == RuleBurst {
		return by("rule", event.Machine, RuleBurst)
	}
	return v
}
