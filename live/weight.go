package live

import "tidings/event"

// Rough costs in bytes of what strings and their headers do not say.
const (
	entryCost     = 600
	recipientCost = 120
	markCost      = 90
)

// weigh estimates the memory that an announcement holds. It is for the bound of
// the ring, so it errs on the high side.
func weigh(a event.Announcement) int {
	weight := entryCost + len(a.Workspace) + len(a.User)
	if a.Event != nil {
		weight += weighEvent(*a.Event)
	}
	if a.State != nil {
		weight += weighState(*a.State)
	}
	return weight
}

func weighEvent(e event.Event) int {
	weight := len(e.Workspace) + len(e.Message) + len(e.User) + len(e.Subject) + len(e.Body) +
		len(e.Kind) + len(e.Title) + len(e.Link) + len(e.File) + len(e.Source)
	if e.Recipient != nil {
		weight += weighPerson(*e.Recipient)
	}
	for _, person := range e.Recipients {
		weight += weighPerson(person)
	}
	if e.Meeting != nil {
		weight += recipientCost + len(e.Meeting.Title)
	}
	if e.Bounce != nil {
		weight += recipientCost + len(e.Bounce.Detail)
	}
	if e.Client != nil {
		weight += recipientCost + len(e.Client.IP)
		if e.Client.UserAgent != nil {
			weight += len(*e.Client.UserAgent)
		}
	}
	return weight
}

func weighState(s event.State) int {
	weight := len(s.Workspace) + len(s.Message) + len(s.User) + len(s.Subject) + len(s.Early)*len(event.ID{})
	for key, person := range s.Recipients {
		weight += len(key) + weighPerson(person)
	}
	for _, firsts := range s.First {
		weight += len(firsts) * markCost
	}
	return weight
}

func weighPerson(p event.Person) int { return recipientCost + len(p.Email) + len(p.Name) }
