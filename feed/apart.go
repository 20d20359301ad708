package feed

import (
	"fmt"
	"slices"
	"strings"

	"tidings/event"
	"tidings/query"
)

// Those whom nothing reaches, or who want nothing more, are not waited for: where a
// question asks who has not opened or replied, they are counted apart.

// apartMost is how many people a query names one by one.
const apartMost = 20

// apartWays are why somebody is not waited for; the first that holds counts.
var apartWays = []struct {
	mark event.Mark
	of   string
	said string
}{
	{event.MarkComplained, "complained", "complained"},
	{event.MarkUnsubscribed, "unsubscribed", "unsubscribed"},
	{event.MarkBounced, "bounced", "bounced"},
}

// apartOf is why a recipient of a message is not waited for, "" for others.
func apartOf(state *event.State, email string) string {
	if state == nil {
		return ""
	}
	for _, way := range apartWays {
		if _, has := state.First[way.mark][event.KeyOf(email)]; has {
			return way.of
		}
	}
	return ""
}

// apart are the addresses of those who are not waited for with any of their
// messages, by why, where the question asks who has not done something.
func (a *answered) apart(chips []query.Chip) map[string][]string {
	if state := stateAsked(chips); state != "unopened" && state != "unreplied" {
		return nil
	}
	apart := make(map[string][]string)
	for email, person := range a.people {
		if person.why != "" && !person.waited {
			apart[person.why] = append(apart[person.why], email)
		}
	}
	for _, people := range apart {
		slices.Sort(people)
	}
	return apart
}

// counts are the numbers of the sentence, each with its query.
func (a *answered) counts(text string, apart map[string][]string) []AnswerCount {
	counts := []AnswerCount{
		{"events", a.events, text},
		{"messages", len(a.messages), text},
		{"people", len(a.people), text},
		{"companies", len(a.byCompany()), text},
	}
	for _, way := range apartWays {
		people := apart[way.of]
		if len(people) == 0 {
			continue
		}
		named := text
		if len(people) <= apartMost {
			quoted := make([]string, len(people))
			for i, email := range people {
				quoted[i] = personOperator("to", a.nobody) + query.QuoteValue(email)
			}
			condition := strings.Join(quoted, " OR ")
			if len(people) > 1 {
				condition = "(" + condition + ")"
			}
			named = narrowed(text, condition)
		}
		counts = append(counts, AnswerCount{way.of, len(people), named})
	}
	return counts
}

// apartText says how many are not waited for: "; 1 more bounced".
func apartText(apart map[string][]string, more bool) string {
	var parts []string
	for _, way := range apartWays {
		n := len(apart[way.of])
		switch {
		case n == 0:
			continue
		case more && len(parts) == 0:
			parts = append(parts, fmt.Sprintf("%s more %s", strings.TrimSuffix(number(n, "", ""), " "), way.said))
		default:
			parts = append(parts, fmt.Sprintf("%s %s", strings.TrimSuffix(number(n, "", ""), " "), way.said))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, ", ")
}

// companiesWithout is how many companies there are of those who are waited for.
func (a *answered) companiesWithout(apart map[string][]string) int {
	companies := make(map[string]bool)
	for email, person := range a.people {
		if !slices.Contains(apart[person.why], email) {
			companies[query.Domain(email)] = true
		}
	}
	return len(companies)
}
