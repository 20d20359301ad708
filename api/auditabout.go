package api

import (
	"tidings/audit"
	"tidings/event"
	"tidings/feed"
)

// shown is whose mail an answer shows.
type shown struct {
	rows            int
	users, messages []string
	// persons are addresses; the log makes keys of them when it writes.
	persons []string
	// all says that the answer counts over everybody's whom the caller sees.
	all bool
}

// mostNamed is of how many users a row says that they were counted over; of more it says
// that they were everybody.
const mostNamed = 50

// in puts it into a row; visible are whose mail the caller sees, everybody's when nil.
func (s shown) in(row *audit.Row, visible []string) {
	row.Rows += s.rows
	if s.all && visible != nil && len(visible) <= mostNamed {
		s.all, s.users = false, append(s.users, visible...)
	}
	seen := make(map[string]bool, len(s.users))
	for _, user := range s.users {
		if !seen[user] {
			seen[user] = true
			row.About = append(row.About, "user:"+user)
		}
	}
	for _, message := range s.messages {
		row.About = append(row.About, "message:"+message)
	}
	row.Persons = s.persons
	if s.all {
		row.About = append(row.About, audit.EveryUser)
	}
}

func (s *shown) item(item *feed.Item) {
	s.rows++
	if item.User != nil {
		s.users = append(s.users, item.User.ID)
	}
	if item.Person != nil {
		s.person(item.Person.Email)
	}
	for i := range item.Candidates {
		s.person(item.Candidates[i].Email)
	}
	for i := range item.Recipients {
		s.person(item.Recipients[i].Email)
	}
}

// contact is what is known of somebody, of the mail of those who have written to them.
func (s *shown) contact(c feed.Contact) {
	s.all = c.More || len(c.Users) == 0
	for i := range c.Users {
		s.users = append(s.users, c.Users[i].ID)
	}
	for i := range c.Messages {
		s.messages = append(s.messages, event.MessageName(c.Messages[i].Message))
	}
}

// decisions are those about telling a user.
func (s *shown) decisions(user string, all ...DecisionView) {
	if user != "" {
		s.users = append(s.users, user)
	}
	for i := range all {
		if all[i].Event != nil {
			s.item(all[i].Event)
		}
	}
	s.rows = len(all)
}

// person adds an address but where it came just before: a feed is about few.
func (s *shown) person(email string) {
	if n := len(s.persons); email != "" && (n == 0 || s.persons[n-1] != email) {
		s.persons = append(s.persons, email)
	}
}

// aboutOf is whose mail an answer shows. What it does not know shows everybody's.
func aboutOf(out any) shown {
	var s shown
	switch out := out.(type) {
	case *pageOutput:
		for i := range out.Body.Items {
			s.item(&out.Body.Items[i])
		}
	case *eventOutput:
		s.item(&out.Body.Item)
		s.messages = append(s.messages, event.MessageName(out.Body.Message))
	case *messageOutput:
		s.rows = len(out.Body.Recipients)
		if out.Body.User != nil {
			s.users = append(s.users, out.Body.User.ID)
		}
		for i := range out.Body.Recipients {
			s.person(out.Body.Recipients[i].Email)
		}
	case *decisionsOutput:
		s.decisions(out.of, out.Body.Items...)
	case *whyOutput:
		s.decisions(out.of, out.Body.Now)
	case *deliveriesOutput:
		s.rows = len(out.Body.Items)
	case *answerOutput:
		s.all = true
		for i := range out.Body.Companies {
			for j := range out.Body.Companies[i].People {
				s.rows++
				s.person(out.Body.Companies[i].People[j].Email)
			}
		}
	case *contactOutput:
		s.rows = 1
		s.contact(out.Body.Contact)
	case *companyOutput:
		s.rows = len(out.Body.People)
		s.contact(out.Body.Contact)
		for i := range out.Body.People {
			s.person(out.Body.People[i].Email)
		}
	default:
		s.all = true
	}
	return s
}
