package verdict

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tidings/event"
)

// What makes a scanner of a recipient's domain plain enough to be suggested.
const (
	// LearnWindow is how soon after its arrival a mail must have been opened or
	// clicked.
	LearnWindow = time.Minute
	// learnShare is how many of a hundred mails must have been.
	learnShare = 90
	// learnMails and learnPeople are of how few mails and recipients nothing is
	// concluded.
	learnMails, learnPeople = 20, 3
	// learnNetworks is from how many networks at most.
	learnNetworks = 4
	// learnExamples is how many events are named as evidence.
	learnExamples = 3
)

// Suggestion is a domain that seems to have a scanner: nearly all mails to it
// are opened or clicked as soon as they arrive, from the same few networks. It
// does nothing until a person adopts it.
type Suggestion struct {
	Domain string
	// Mails is how many mails arrived there, each recipient of each counted,
	// and Scanned of how many the networks asked for something within
	// LearnWindow. People is how many recipients they had.
	Mails, Scanned, People int
	// Networks are the fewest that account for Scanned, the busiest first.
	Networks []LearnedNetwork
	// Examples are the newest events of them.
	Examples []event.ID
}

// LearnedNetwork is what came from one network of a Suggestion.
type LearnedNetwork struct {
	Network netip.Prefix
	// Mails is of how many mails something was asked for within LearnWindow.
	Mails int
	// Later are opens and clicks that came after it, perhaps by people.
	Later int
}

// Learner looks for scanners in sends, deliveries, opens and clicks. They may be
// added in any order and more than once. The zero value has seen none.
type Learner struct {
	mails map[mail]*reception
}

// mail is a message at one of its recipients.
type mail struct{ message, email string }

// reception is what is known of a mail at its recipient.
type reception struct {
	// delivered and sent are the first of each, 0 for none.
	delivered, sent int64
	asked           map[event.ID]asked
}

// asked is an open or a click.
type asked struct {
	network netip.Prefix
	// person says that somebody told us that a person did it.
	person bool
}

// Add takes in events of one workspace.
func (l *Learner) Add(events []event.Event) {
	for _, e := range events {
		switch e.Type {
		case event.Send:
			for _, person := range e.Recipients {
				earliest(&l.mail(e.Message, person.Email).sent, e.Time)
			}
		case event.Delivery:
			earliest(&l.mail(e.Message, e.RecipientEmail()).delivered, e.Time)
		case event.Open, event.Click:
			network, ok := networkOf(e)
			if !ok {
				continue
			}
			known := l.mail(e.Message, e.RecipientEmail())
			person := e.Verdict.By == "person" && e.Verdict.Is == event.Human
			known.asked[e.ID] = asked{network, person || known.asked[e.ID].person}
		}
	}
}

func (l *Learner) mail(message, email string) *reception {
	if l.mails == nil {
		l.mails = make(map[mail]*reception)
	}
	key := mail{message, email}
	known := l.mails[key]
	if known == nil {
		known = &reception{asked: make(map[event.ID]asked)}
		l.mails[key] = known
	}
	return known
}

func earliest(known *int64, at int64) {
	if *known == 0 || at < *known {
		*known = at
	}
}

// networkOf is the network that an event came from: what one customer of a
// provider commonly has.
func networkOf(e event.Event) (netip.Prefix, bool) {
	if e.Client == nil {
		return netip.Prefix{}, false
	}
	address, err := netip.ParseAddr(e.Client.IP)
	if err != nil {
		return netip.Prefix{}, false
	}
	address = address.Unmap().WithZone("")
	bits := 48
	if address.Is4() {
		bits = 24
	}
	network, err := address.Prefix(bits)
	return network, err == nil
}

// Suggestions are the domains that seem to have a scanner, by name.
func (l *Learner) Suggestions() []Suggestion {
	domains := make(map[string]*domainSeen)
	for key, known := range l.mails {
		if known.delivered == 0 && known.sent == 0 {
			continue // it arrived before what was looked at
		}
		domain := domainOf(key.email)
		if domains[domain] == nil {
			domains[domain] = newDomainSeen()
		}
		domains[domain].add(key, known)
	}
	var found []Suggestion
	for domain, seen := range domains {
		if suggestion, ok := seen.suggestion(domain); ok {
			found = append(found, suggestion)
		}
	}
	slices.SortFunc(found, func(a, b Suggestion) int { return strings.Compare(a.Domain, b.Domain) })
	return found
}

// domainOf is what stands behind the last @ of an address.
func domainOf(email string) string { return email[strings.LastIndexByte(email, '@')+1:] }

// domainSeen is what was seen at one domain.
type domainSeen struct {
	mails    int
	people   map[string]bool
	networks map[netip.Prefix]*networkSeen
}

// networkSeen is what came from one network about the mails of a domain.
type networkSeen struct {
	// soon are the mails that were asked for within LearnWindow, and by which
	// events.
	soon   map[mail][]event.ID
	later  int
	person bool
}

func newDomainSeen() *domainSeen {
	return &domainSeen{people: make(map[string]bool), networks: make(map[netip.Prefix]*networkSeen)}
}

func (d *domainSeen) add(key mail, known *reception) {
	d.mails++
	d.people[key.email] = true
	arrived := cmp.Or(known.delivered, known.sent)
	window := int64(LearnWindow / time.Second)
	for id, a := range known.asked {
		seen := d.networks[a.network]
		if seen == nil {
			seen = &networkSeen{soon: make(map[mail][]event.ID)}
			d.networks[a.network] = seen
		}
		seen.person = seen.person || a.person
		// On either side, since two clocks told the times.
		if apart := id.Seconds() - arrived; -window < apart && apart < window {
			seen.soon[key] = append(seen.soon[key], id)
		} else {
			seen.later++
		}
	}
}

// suggestion takes the network that accounts for the most mails, again and
// again, until enough are accounted for. A network from which a person is known
// to have opened something is nobody's scanner.
func (d *domainSeen) suggestion(domain string) (Suggestion, bool) {
	found := Suggestion{Domain: domain, Mails: d.mails, People: len(d.people)}
	if found.Mails < learnMails || found.People < learnPeople {
		return found, false
	}
	scanned := make(map[mail]bool)
	var examples []event.ID
	for len(found.Networks) < learnNetworks && 100*len(scanned) < learnShare*d.mails {
		best, most := netip.Prefix{}, 0
		for network, seen := range d.networks {
			if seen.person {
				continue
			}
			if n := unaccounted(seen.soon, scanned); n > most || n == most && n > 0 && network.Compare(best) < 0 {
				best, most = network, n
			}
		}
		if most == 0 {
			return found, false
		}
		seen := d.networks[best]
		for key, ids := range seen.soon {
			scanned[key] = true
			examples = append(examples, ids...)
		}
		found.Networks = append(found.Networks, LearnedNetwork{best, len(seen.soon), seen.later})
	}
	if 100*len(scanned) < learnShare*d.mails {
		return found, false
	}
	found.Scanned = len(scanned)
	slices.SortFunc(examples, func(a, b event.ID) int { return strings.Compare(b.String(), a.String()) })
	found.Examples = examples[:min(len(examples), learnExamples)]
	return found, true
}

// unaccounted is how many mails of soon are not among those scanned.
func unaccounted(soon map[mail][]event.ID, scanned map[mail]bool) int {
	n := 0
	for key := range soon {
		if !scanned[key] {
			n++
		}
	}
	return n
}
