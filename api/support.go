package api

import (
	"net/http"
	"strings"
	"time"

	"tidings/account"
	"tidings/event"
	"tidings/feed"
	"tidings/notify"
)

// Support looks after what was told and sent, for everybody, without reading mail: of an
// event it sees the id, the type and the time. Each look is on record with its reason.

// helpers are roles, and support beside them.
func helpers(roles []Role) []Role { return append(roles, account.RoleSupport) }

// lookedAfter reports whether support calls a route for others, and so says why.
func (r route) lookedAfter(caller Caller) bool {
	return caller.Role == account.RoleSupport && r.forOthers
}

// hasReason refuses support that does not say why it looks.
func hasReason(r *http.Request) error {
	reason := strings.TrimSpace(r.Header.Get(reasonHeader))
	if reason == "" {
		return located("header", event.Invalid(reasonHeader, "is required of support: say why you look, such as the ticket's number"))
	}
	if len(reason) > maxReasonLength {
		return located("header", event.Invalid(reasonHeader, "has more than 200 bytes"))
	}
	return nil
}

const maxReasonLength = 200

// EventStub is what support sees of an event.
type EventStub struct {
	ID   event.ID   `json:"id" format:"" doc:"26 characters; text order is time order"`
	Type event.Type `json:"type"`
	Time time.Time  `json:"time"`
}

func stubOf(item *feed.Item) *EventStub {
	if item == nil {
		return nil
	}
	return &EventStub{ID: item.ID, Type: item.Type, Time: item.Time}
}

// redacted is a decision without what the event says, and without what its person has
// written: names of rules, and sentences that name whom a mute is of.
func redacted(view DecisionView) DecisionView {
	view.About, view.Event = stubOf(view.Event), nil
	view.Found, view.Rules = "", nil
	return view
}

// redactWhy does the same with why somebody was told: the checks stay, without what each
// found, and changes of settings, which name people, go.
func redactWhy(view *WhyView) {
	view.Now = redacted(view.Now)
	if view.Decision != nil {
		*view.Decision = redacted(*view.Decision)
	}
	checks := make([]notify.Checked, len(view.Checks))
	for i, checked := range view.Checks {
		checks[i] = notify.Checked{Check: checked.Check, Pass: checked.Pass}
	}
	view.Checks, view.Fixes = checks, []notify.Fix{}
}

// redactedDelivery is a delivery without the mail's name, the receiver's answer, and
// addresses that an error repeats.
func (s *Server) redactedDelivery(view DeliveryView) DeliveryView {
	view.Message, view.Reason, view.Why = "", "", ""
	for i := range view.Tries {
		view.Tries[i].Answer, view.Tries[i].Error = "", s.Audit.Names().Text(view.Tries[i].Error)
	}
	return view
}

// seenBy is whose events are looked up for a caller: support sees the id, the type and the
// time of all.
func seenBy(caller Caller) feed.Scope {
	scope := caller.Scope()
	if caller.Role == account.RoleSupport {
		scope.Users = nil
	}
	return scope
}

// askedFor is whose decisions a caller asks for: their own, or another's for those who
// look after others.
func askedFor(caller Caller, user string) (string, error) {
	switch {
	case caller.Role == account.RoleSupport && user == "":
		return "", event.Invalid("user", "is required of support: whose decisions to show")
	case user == "" || user == caller.User:
		return caller.User, nil
	case caller.Role != account.RoleAdmin && caller.Role != account.RoleSupport:
		return "", problem(http.StatusForbidden, "only admins and support may ask for others")
	}
	return user, nil
}
