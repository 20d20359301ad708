// Package verdict tells people from machines. A judged event and the raw
// evidence it came with go in; human, machine or unknown comes out, with the
// name of the rule that spoke and the version of the rules. The evidence is
// kept as it came, so that new rules can judge history again. Rules that need
// lists of networks and agents, or neighbours in time, are not here yet: what
// they would catch is judged human until they are.
package verdict

import "tidings/event"

// Version is the version of the rules; it rises with every change of them.
const Version = 1

// Judge returns the verdict on an event. The first rule that speaks decides:
// the provider's own flag, then unknown where an open or a click came with
// neither address nor agent, then human. Other types are not judged by evidence:
// what a person's mail program never does by itself is human.
func Judge(e event.Event) event.Verdict {
	switch e.Type {
	case event.Open, event.Click, event.Download:
	case event.Reply, event.Meeting, event.Unsubscribe, event.Complaint:
		return by("rule", event.Human, "deliberate")
	default:
		return event.Verdict{}
	}
	client := e.Client
	switch {
	case client != nil && client.Automated != nil && *client.Automated:
		return by("provider", event.Machine, "provider")
	case client == nil || (client.IP == "" && client.UserAgent == nil):
		return by("rule", event.Unknown, "no-evidence")
	}
	return by("rule", event.Human, "person")
}

func by(who, is, rule string) event.Verdict {
	return event.Verdict{Is: is, Rule: rule, By: who, Version: Version}
}
