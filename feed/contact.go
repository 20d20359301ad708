package feed

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// Bounds of what is read and told of a person or a company.
const (
	maxContactEvents   = 1_000
	maxContactMessages = 50
	maxContactPeople   = 200
)

// Contact is what the reader may know of somebody outside: of one person, or of
// all at a company. It is made of their newest thousand events within the horizon.
type Contact struct {
	First     *time.Time `json:"first,omitempty" doc:"the oldest event that was read"`
	Last      *time.Time `json:"last,omitempty" doc:"the newest event"`
	LastActed *time.Time `json:"last_acted,omitempty" doc:"when they last did something themselves; machines do not count"`
	// Counts are of the events that were read.
	Counts   []TypeCount      `json:"counts" nullable:"false"`
	Messages []ContactMessage `json:"messages" nullable:"false" doc:"at most 50, those with the newest events first"`
	Users    []ContactUser    `json:"users" nullable:"false" doc:"who of the workspace has written to them, by number of messages"`
	Hours    []int            `json:"hours" nullable:"false" doc:"24 numbers: what they did by the hour of the reader's day; machines do not count"`
	Devices  []ContactDevice  `json:"devices" nullable:"false" doc:"what they read with, the commonest first, of acts whose client says so; mail proxies hide it"`
	// TimeToOpen is over the messages of Messages.
	TimeToOpen *int64 `json:"time_to_open,omitempty" doc:"seconds from a send to its first open: the median of messages; absent when none was opened"`
	More       bool   `json:"more" doc:"whether there are older events, which were not read"`
}

// ContactMessage is a message to somebody with how far it has come with them.
type ContactMessage struct {
	Message string     `json:"message"`
	Subject string     `json:"subject,omitempty"`
	User    *User      `json:"user,omitempty"`
	Sent    *time.Time `json:"sent,omitempty" doc:"absent while the send itself is not known"`
	Last    time.Time  `json:"last" doc:"when something last happened to it"`
	// Recipients are those that were asked about.
	Recipients []Recipient `json:"recipients" nullable:"false" doc:"of those who were asked about the first 50"`
	Rest       *Rest       `json:"rest,omitempty" doc:"the others of them"`
}

// ContactDevice is a kind of device that somebody acted with.
type ContactDevice struct {
	Device string    `json:"device" enum:"phone,tablet,computer"`
	Acts   int       `json:"acts"`
	Last   time.Time `json:"last"`
}

// ContactUser is a user who has written to somebody.
type ContactUser struct {
	User
	Messages int       `json:"messages"`
	Last     time.Time `json:"last" doc:"when something last happened between them"`
}

// PersonView is what the reader may know of one person.
type PersonView struct {
	Email  string `json:"email"`
	Name   string `json:"name,omitempty" doc:"as their newest event has it"`
	Domain string `json:"domain" doc:"what stands behind the @"`
	Contact
}

// CompanyView is what the reader may know of all people of a domain.
type CompanyView struct {
	Domain string          `json:"domain"`
	People []CompanyPerson `json:"people" nullable:"false" doc:"at most 200, those with the newest events first"`
	Contact
}

// CompanyPerson is one person of a company.
type CompanyPerson struct {
	Email     string     `json:"email"`
	Name      string     `json:"name,omitempty"`
	Events    int        `json:"events" doc:"of those that were read"`
	Last      time.Time  `json:"last"`
	LastActed *time.Time `json:"last_acted,omitempty"`
}

// Person returns what is known of a person by their canonical address, ErrNotFound
// when the reader may see no event with them.
func (r *Reader) Person(ctx context.Context, scope Scope, email string) (PersonView, error) {
	c, err := r.contact(ctx, scope, query.FieldRecipient, email, func(address string) bool { return address == email })
	if err != nil {
		return PersonView{}, fmt.Errorf("person: %w", err)
	}
	view := PersonView{Email: email, Domain: query.Domain(email), Contact: c.view}
	if known := c.people[email]; known != nil {
		view.Name = known.Name
	}
	return view, nil
}

// Company returns what is known of the people of a domain, ErrNotFound when the
// reader may see no event with any.
func (r *Reader) Company(ctx context.Context, scope Scope, domain string) (CompanyView, error) {
	c, err := r.contact(ctx, scope, query.FieldDomain, domain, func(address string) bool { return query.Domain(address) == domain })
	if err != nil {
		return CompanyView{}, fmt.Errorf("company: %w", err)
	}
	people := slices.SortedFunc(maps.Values(c.people), func(a, b *CompanyPerson) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Email, b.Email))
	})
	view := CompanyView{Domain: domain, Contact: c.view, People: []CompanyPerson{}}
	for _, person := range people[:min(len(people), maxContactPeople)] {
		view.People = append(view.People, *person)
	}
	return view, nil
}

// contact reads the newest events with those whom among holds.
func (r *Reader) contact(ctx context.Context, scope Scope, field query.KeywordField, value string, among func(string) bool) (*contactBuilder, error) {
	names, err := r.namesFor(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	now := r.clock()
	q := query.Query{
		From: max(0, now.Add(-Horizon).Unix()), Automated: query.AutomatedShow,
		Where: query.Keyword{Field: field, Values: []string{value}},
	}
	if scope.Users != nil {
		q = q.Restrict(scope.Users)
	}
	found := scan{reader: r, scope: scope, query: q, limit: maxContactEvents}
	if err := found.run(ctx, now); err != nil {
		return nil, err
	}
	if len(found.found) == 0 {
		return nil, event.ErrNotFound
	}
	c := newContactBuilder(scope, names, among)
	c.view.More = found.next != nil
	for _, hit := range found.found {
		c.add(hit.Event)
	}
	states, err := r.states.Of(ctx, scope.Workspace, c.newestMessages())
	if err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	c.finish(states)
	return c, nil
}
