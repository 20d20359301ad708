package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Office is the company whose mail this is.
type Office struct {
	seed       uint64
	now        time.Time
	colleagues []colleague
	companies  []company
	contacts   []contact
	topics     []topic
}

// New is the company that seed makes. Nothing that it tells of is later than
// now, which is also where a Trickle begins.
func New(seed uint64, now time.Time) *Office {
	o := &Office{
		seed:       seed,
		now:        now.UTC().Truncate(time.Second),
		colleagues: staff(),
		companies:  customers(),
		topics:     allTopics(),
	}
	o.contacts = meet(o.companies, o.random("contacts", 0))
	return o
}

// Directory is who works here.
type Directory struct {
	Users []User
	Teams []Team
}

// User is a colleague.
type User struct {
	ID    string
	Name  string
	Email string
	// Team is the id of the team.
	Team string
	// Admin is whether they may see everybody's mail.
	Admin bool
}

// Team is colleagues who see each other's mail.
type Team struct {
	ID, Name string
	Members  []string
}

// Directory lists the colleagues and their teams.
func (o *Office) Directory() Directory {
	var d Directory
	for _, team := range []Team{{ID: sales, Name: "Sales"}, {ID: support, Name: "Support"}, {ID: success, Name: "Success"}} {
		for _, c := range o.colleagues {
			if c.team == team.ID {
				team.Members = append(team.Members, c.id)
				d.Users = append(d.Users, User{ID: c.id, Name: c.name, Email: c.email(), Team: c.team, Admin: c.admin})
			}
		}
		d.Teams = append(d.Teams, team)
	}
	return d
}

// random is a source of its own for each purpose and number, so that one thing
// can be made without making what comes before it.
func (o *Office) random(purpose string, number int64) *rand.Rand {
	const prime = 0x100000001b3
	mixed := uint64(0xcbf29ce484222325)
	for _, b := range fmt.Appendf(nil, "%s %d", purpose, number) {
		mixed = (mixed ^ uint64(b)) * prime
	}
	return rand.New(rand.NewPCG(o.seed, mixed))
}

// pick is one of a list.
func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// chance is true with probability p.
func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

// between is a whole number of seconds from low to high.
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return (low + time.Duration(r.Int64N(int64(high-low)+1))).Truncate(time.Second)
}
