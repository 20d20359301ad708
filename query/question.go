package query

import (
	"strings"

	"tidings/event"
)

// Question is what a text asks for, by its first word.
type Question string

// The questions. A text that asks nothing is NoQuestion.
const (
	NoQuestion Question = ""
	AskWho     Question = "who"
	AskHowMany Question = "how many"
	AskWhich   Question = "which"
	AskDid     Question = "did"
	AskWhen    Question = "when"
)

// questionWords are the beginnings of questions in English.
var questionWords = []struct {
	words string
	asks  Question
}{
	{"how many", AskHowMany},
	{"how much", AskHowMany},
	{"how often", AskHowMany},
	{"count", AskHowMany},
	{"number of", AskHowMany},
	{"total number of", AskHowMany},
	{"sum of", AskHowMany},
	{"who", AskWho},
	{"whom", AskWho},
	{"whose", AskWho},
	{"nobody", AskWho},
	{"anyone", AskWho},
	{"anybody", AskWho},
	{"which", AskWhich},
	{"what", AskWhich},
	{"did", AskDid},
	{"has", AskDid},
	{"have", AskDid},
	{"was", AskDid},
	{"were", AskDid},
	{"is", AskDid},
	{"does", AskDid},
	{"when", AskWhen},
}

// QuestionOf says what a text asks for. One word alone is a word that is searched for, not a
// question, unless it has a question mark: with nothing behind it, it asks nothing, and
// counting a workspace's year for it would cost more than its page.
func QuestionOf(text string) Question {
	asked := strings.HasSuffix(strings.TrimSpace(text), "?")
	text = strings.ToLower(strings.Join(strings.Fields(inEnglish(text)), " ")) + " "
	if words := strings.Fields(text); len(words) == 1 && !asked {
		return NoQuestion
	}
	for _, q := range questionWords {
		if strings.HasPrefix(text, q.words+" ") || strings.HasPrefix(text, q.words+"'s ") || strings.HasPrefix(text, q.words+"’s ") {
			return q.asks
		}
	}
	if asked {
		return AskWhich
	}
	return NoQuestion
}

// PeopleOf are the recipients of an event whom the query is about: of a send,
// those who are in the state that is asked for and those who are named; of
// anything else, who acted. s is the state of its message, nil when there is none.
func (q Query) PeopleOf(e event.Event, s *event.State) []event.Person {
	if e.Recipient != nil {
		return []event.Person{*e.Recipient}
	}
	if s == nil {
		s = &event.State{}
	}
	var about []event.Person
	for _, person := range e.Recipients {
		one := &recipient{key: event.KeyOf(person.Email), person: person, state: s}
		if holds, asked := one.asked(q.Where); holds || !asked {
			about = append(about, person)
		}
	}
	return about
}

// asked reports whether what a condition asks of a recipient holds, and whether
// it asks anything of one.
func (o *recipient) asked(where Expr) (holds, asked bool) {
	switch e := where.(type) {
	case And:
		holds = true
		for _, part := range e {
			if h, a := o.asked(part); a {
				holds, asked = holds && h, true
			}
		}
		return holds && asked, asked
	case Or:
		for _, part := range e {
			if neverHolds(part) {
				continue
			}
			h, a := o.asked(part)
			if !a {
				return false, false // the alternative that asks nothing may be why it matches
			}
			holds, asked = holds || h, true
		}
		return holds, asked
	case Not:
		holds, asked = o.asked(e.Expr)
		return asked && !holds, asked
	case Keyword:
		return o.holds(e), e.Field == FieldRecipient || e.Field == FieldDomain
	case Words:
		return o.holds(e), e.Field == FieldPeople
	case Recipients:
		return o.holds(e.Who) && o.is(e), true
	}
	return false, false
}
