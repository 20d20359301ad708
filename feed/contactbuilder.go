package feed

import (
	"cmp"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// contactBuilder gathers a Contact from events, newest first.
type contactBuilder struct {
	scope Scope
	names map[string]string
	// among reports whether an address is one that was asked about.
	among func(string) bool
	view  Contact
	// people are those among whom something happened, by address.
	people   map[string]*CompanyPerson
	counts   map[event.Type]*TypeCount
	messages map[string]*ContactMessage
	order    []string
	users    map[string]*ContactUser
	devices  map[string]*ContactDevice
}

func newContactBuilder(scope Scope, names map[string]string, among func(string) bool) *contactBuilder {
	return &contactBuilder{
		scope: scope, names: names, among: among,
		view:   Contact{Hours: make([]int, 24)},
		people: make(map[string]*CompanyPerson), counts: make(map[event.Type]*TypeCount),
		messages: make(map[string]*ContactMessage), users: make(map[string]*ContactUser),
		devices: make(map[string]*ContactDevice),
	}
}

// add takes in the next older event.
func (c *contactBuilder) add(e event.Event) {
	when := time.Unix(e.Time, 0).UTC()
	if c.view.Last == nil {
		c.view.Last = &when
	}
	c.view.First = &when
	c.count(e)
	acted := acts(e)
	if acted {
		if c.view.LastActed == nil {
			c.view.LastActed = &when
		}
		c.view.Hours[when.In(c.scope.zone()).Hour()]++
		c.device(query.DeviceOf(e), when)
	}
	if e.Recipient != nil {
		c.meet(*e.Recipient, when, acted)
	}
	for _, person := range e.Recipients {
		c.meet(person, when, false)
	}
	c.message(e, when)
}

// acts reports whether an event is something that a person did.
func acts(e event.Event) bool {
	switch e.Type {
	case event.Open, event.Click, event.Download, event.Reply, event.Meeting:
		return e.Recipient != nil && e.Verdict.Is != event.Machine
	}
	return false
}

func (c *contactBuilder) count(e event.Event) {
	count := c.counts[e.Type]
	if count == nil {
		count = &TypeCount{Type: e.Type}
		c.counts[e.Type] = count
	}
	if e.Verdict.Is == event.Machine {
		count.Automated++
	} else {
		count.People++
	}
}

func (c *contactBuilder) device(name string, when time.Time) {
	if name == "" {
		return
	}
	known := c.devices[name]
	if known == nil {
		known = &ContactDevice{Device: name, Last: when}
		c.devices[name] = known
	}
	known.Acts++
}

func (c *contactBuilder) meet(person event.Person, when time.Time, acted bool) {
	if !c.among(person.Email) {
		return
	}
	known := c.people[person.Email]
	if known == nil {
		known = &CompanyPerson{Email: person.Email, Last: when}
		c.people[person.Email] = known
	}
	known.Events++
	known.Name = cmp.Or(known.Name, person.Name)
	if acted && known.LastActed == nil {
		known.LastActed = &when
	}
}

func (c *contactBuilder) message(e event.Event, when time.Time) {
	known := c.messages[e.Message]
	if known == nil {
		known = &ContactMessage{Message: e.Message, Last: when}
		c.messages[e.Message] = known
		c.order = append(c.order, e.Message)
		if e.User != "" {
			known.User = &User{ID: e.User, Name: c.names[e.User]}
			c.user(*known.User, when)
		}
	}
	known.Subject = cmp.Or(known.Subject, e.Subject)
}

func (c *contactBuilder) user(user User, when time.Time) {
	known := c.users[user.ID]
	if known == nil {
		known = &ContactUser{User: user, Last: when}
		c.users[user.ID] = known
	}
	known.Messages++
}

// newestMessages are those that are told, by name.
func (c *contactBuilder) newestMessages() []string {
	return c.order[:min(len(c.order), maxContactMessages)]
}

// finish puts together what was gathered with the state of messages.
func (c *contactBuilder) finish(states map[string]event.State) {
	c.view.Counts, c.view.Messages, c.view.Users = []TypeCount{}, []ContactMessage{}, []ContactUser{}
	for _, t := range event.Types {
		if count := c.counts[t]; count != nil {
			c.view.Counts = append(c.view.Counts, *count)
		}
	}
	var delays []int64
	for _, name := range c.newestMessages() {
		message := c.messages[name]
		message.Recipients = []Recipient{}
		if state, known := states[name]; known {
			if seen, any := c.scope.seen(state); any {
				delays = append(delays, c.recipients(message, seen)...)
			}
		}
		c.view.Messages = append(c.view.Messages, *message)
	}
	for _, user := range c.users {
		c.view.Users = append(c.view.Users, *user)
	}
	slices.SortFunc(c.view.Users, func(a, b ContactUser) int {
		return cmp.Or(b.Messages-a.Messages, b.Last.Compare(a.Last), cmp.Compare(a.ID, b.ID))
	})
	c.view.Devices = []ContactDevice{}
	for _, device := range c.devices {
		c.view.Devices = append(c.view.Devices, *device)
	}
	slices.SortFunc(c.view.Devices, func(a, b ContactDevice) int { return cmp.Or(b.Acts-a.Acts, cmp.Compare(a.Device, b.Device)) })
	if len(delays) > 0 {
		slices.Sort(delays)
		c.view.TimeToOpen = &delays[len(delays)/2]
	}
}

// recipients adds the state of those who were asked about, and returns how long
// each took to open, in seconds.
func (c *contactBuilder) recipients(message *ContactMessage, state event.State) []int64 {
	message.Subject = cmp.Or(state.Subject, message.Subject)
	if state.Sent {
		message.Sent = at(state.At)
	}
	var people []event.Person
	for _, person := range state.Recipients {
		if c.among(person.Email) {
			people = append(people, person)
		}
	}
	sortPeople(people)
	message.Recipients = recipients(first(people, MostRecipients), &state)
	if others := len(people) - MostRecipients; others > 0 {
		message.Rest = &Rest{Count: others, At: messagePath(state.Message)}
	}
	var delays []int64
	for _, person := range people {
		opened, ok := state.First[event.MarkOpened][event.KeyOf(person.Email)]
		if ok && opened > state.At && state.Sent {
			delays = append(delays, opened-state.At)
		}
	}
	return delays
}
