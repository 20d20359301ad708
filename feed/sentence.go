package feed

import (
	"fmt"
	"strings"
	"time"

	"tidings/event"
	"tidings/query"
)

// number is a count with its noun: "1 person", "1,204 people".
func number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	digits := fmt.Sprint(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits + " " + many
}

// did says what people did, of one and of several, and of nobody.
type did struct{ one, many, none string }

var statePhrases = map[string]did{
	"unopened":   {"hasn’t opened", "haven’t opened", "has left unopened"},
	"opened":     {"has opened", "have opened", "has opened"},
	"clicked":    {"has clicked in", "have clicked in", "has clicked in"},
	"replied":    {"has replied to", "have replied to", "has replied to"},
	"unreplied":  {"hasn’t replied to", "haven’t replied to", "has left unanswered"},
	"downloaded": {"has downloaded from", "have downloaded from", "has downloaded from"},
	"bounced":    {"didn’t get", "didn’t get", "missed"},
	// These are no states that can be asked for in one word.
	"unclicked":    {"hasn’t clicked in", "haven’t clicked in", "has not clicked in"},
	"undownloaded": {"hasn’t downloaded from", "haven’t downloaded from", "has not downloaded from"},
	"unbounced":    {"got", "got", "got"},
}

// opposites are the states that hold where others do not.
var opposites = map[string]string{
	"opened": "unopened", "unopened": "opened", "replied": "unreplied", "unreplied": "replied",
	"clicked": "unclicked", "downloaded": "undownloaded", "bounced": "unbounced",
}

var typePhrases = map[event.Type]did{
	event.Send:        {"was sent", "were sent", "was sent"},
	event.Delivery:    {"received", "received", "received"},
	event.Open:        {"opened", "opened", "opened"},
	event.Click:       {"clicked in", "clicked in", "clicked in"},
	event.Download:    {"downloaded from", "downloaded from", "downloaded from"},
	event.Reply:       {"replied to", "replied to", "replied to"},
	event.Meeting:     {"answered an invitation in", "answered an invitation in", "answered an invitation in"},
	event.Bounce:      {"didn’t get", "didn’t get", "missed"},
	event.Complaint:   {"complained about", "complained about", "complained about"},
	event.Unsubscribe: {"unsubscribed from", "unsubscribed from", "unsubscribed from"},
}

// stateAsked is the state of recipients that the chips ask for, "" for none.
func stateAsked(chips []query.Chip) string {
	for _, chip := range chips {
		switch {
		case chip.Field == "unopened":
			return "unopened"
		case chip.Field == "is" && chip.Not:
			return opposites[chip.Value]
		case chip.Field == "is":
			return chip.Value
		}
	}
	return ""
}

// phraseOf is what the people of a question did, by its chips.
func phraseOf(chips []query.Chip) did {
	if states := statesOf(chips); states.many != "" {
		return beside(chips, states)
	}
	phrase := did{"takes part in", "take part in", "takes part in"}
	for _, chip := range chips {
		switch {
		case chip.Field == "type" && !chip.Not && chip.Group == 0:
			if text, ok := typePhrases[event.Type(chip.Value)]; ok {
				phrase = text
			}
		}
	}
	return phrase
}

// statesOf is the states that the chips ask of one person, joined: "have opened and
// haven’t replied to". Of alternatives only the first is named.
func statesOf(chips []query.Chip) did {
	joined, alternatives := did{}, map[int]bool{}
	for _, chip := range chips {
		state := chip.Value
		switch chip.Field {
		case "is":
		case "unopened":
			state = "unopened"
		case "opened", "clicked", "replied", "downloaded", "bounced":
			state = chip.Field
		default:
			continue
		}
		if chip.Not {
			state = opposites[state]
		}
		text, ok := statePhrases[state]
		if !ok || chip.Group != 0 && alternatives[chip.Group] {
			continue
		}
		alternatives[chip.Group] = true
		if joined.many == "" {
			joined = text
			continue
		}
		joined = did{joined.one + " and " + text.one, joined.many + " and " + text.many, joined.none + " and " + text.none}
	}
	return joined
}

// beside is the state of people beside what they did, where they did something a number
// of times: "opened and haven’t replied to".
func beside(chips []query.Chip, state did) did {
	counted, act := false, did{}
	for _, chip := range chips {
		switch chip.Field {
		case "times", "nth", "pause", "took", "quiet":
			counted = true
		case "type":
			if text, ok := typePhrases[event.Type(chip.Value)]; ok && !chip.Not && chip.Group == 0 {
				act = text
			}
		}
	}
	if !counted || act.many == "" {
		return state
	}
	return did{act.one + " and " + state.one, act.many + " and " + state.many, act.none + " and " + state.none}
}

// sentence says what was counted.
func (a *answered) sentence(asks query.Question, chips []query.Chip, zone *time.Location) string {
	phrase, apart := phraseOf(chips), a.apart(chips)
	messages := number(len(a.messages), "message", "messages")
	waited := len(a.people)
	for _, out := range apart {
		waited -= len(out)
	}
	people := number(waited, "person", "people")
	companies := number(a.companiesWithout(apart), "company", "companies")
	if a.events == 0 {
		text := "Nobody " + phrase.none + " a message like that."
		if asks == query.AskDid {
			text = "No: nobody " + phrase.none + " a message like that."
		}
		return text + a.caveat()
	}
	verb := phrase.many
	if waited == 1 {
		verb = phrase.one
	}
	text := fmt.Sprintf("%s at %s %s %s", people, companies, verb, messages)
	switch {
	case len(a.people) == 0:
		text = number(a.events, "event", "events") + " of " + messages
	case waited == 0:
		text = "nobody is waited for"
	}
	text += apartText(apart, waited > 0)
	at := func(seconds int64) string {
		return time.Unix(seconds, 0).In(zone).Format("Monday, 2 January 2006, 15:04")
	}
	switch asks {
	case query.AskDid:
		text = "Yes: " + text
	case query.AskHowMany:
		text = fmt.Sprintf("%s: %s", number(a.events, "event", "events"), text)
	case query.AskWhen:
		if a.first == a.last {
			text = fmt.Sprintf("On %s: %s", at(a.last), text)
		} else {
			text = fmt.Sprintf("First on %s, last on %s: %s", at(a.first), at(a.last), text)
		}
	}
	return strings.ToUpper(text[:1]) + text[1:] + "." + a.caveat()
}

// caveat says that not everything was counted.
func (a *answered) caveat() string {
	switch {
	case a.partial:
		return " (Not everything could be counted in time.)"
	case len(a.damaged) > 0:
		return " (Not everything could be read.)"
	}
	return ""
}
