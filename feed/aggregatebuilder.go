package feed

import (
	"cmp"
	"maps"
	"slices"

	"tidings/event"
	"tidings/query"
)

// AggregateBuilder counts events that were read. It is how counts are made where an
// index cannot make them, and what an index's own counts are compared with.
type AggregateBuilder struct {
	parts     Parts
	automated query.Automated

	events, machines ByType
	times            map[int64]*ByType
	pairs            map[event.Type]map[uint64]bool
	users            map[string]*ByType
	ranks            map[Parts]map[string]int
}

// NewAggregateBuilder counts for a query with a choice about automated events.
func NewAggregateBuilder(choice query.Automated, parts Parts) *AggregateBuilder {
	return &AggregateBuilder{
		parts: parts, automated: choice,
		times: make(map[int64]*ByType), users: make(map[string]*ByType),
		pairs: make(map[event.Type]map[uint64]bool), ranks: make(map[Parts]map[string]int),
	}
}

// Add counts an event for which the query holds but for its choice about
// automated events.
func (c *AggregateBuilder) Add(e event.Event) {
	if e.Automated() {
		c.machines.Add(e.Type, 1)
	}
	switch c.automated {
	case query.AutomatedShow:
	case query.AutomatedOnly:
		if !e.Automated() {
			return
		}
	default:
		if e.Automated() {
			return
		}
	}
	c.events.Add(e.Type, 1)
	if c.parts.Has(PartTimes) {
		addTo(c.times, e.Time-e.Time%QuarterSeconds, e.Type)
	}
	if c.parts.Has(PartUsers) {
		addTo(c.users, e.User, e.Type)
	}
	c.addPeople(e)
	if e.Link != "" {
		c.rank(PartLinks, e.Link)
	}
	c.rank(PartMessages, e.Message)
}

func (c *AggregateBuilder) addPeople(e event.Event) {
	people := e.Recipients
	if e.Recipient != nil {
		people = []event.Person{*e.Recipient}
	}
	addresses, domains := make(map[string]bool, len(people)), make(map[string]bool, 1)
	for _, person := range people {
		addresses[person.Email], domains[query.Domain(person.Email)] = true, true
		if !c.parts.Has(PartPairs) || !slices.Contains(PairTypes, e.Type) || !e.Counted() {
			continue
		}
		if c.pairs[e.Type] == nil {
			c.pairs[e.Type] = make(map[uint64]bool)
		}
		c.pairs[e.Type][PairOf(e.Message, person.Email)] = true
	}
	for address := range addresses {
		c.rank(PartRecipients, address)
	}
	for domain := range domains {
		c.rank(PartDomains, domain)
	}
}

func (c *AggregateBuilder) rank(part Parts, name string) {
	if !c.parts.Has(part) {
		return
	}
	if c.ranks[part] == nil {
		c.ranks[part] = make(map[string]int)
	}
	c.ranks[part][name]++
}

// Aggregate is what was counted so far.
func (c *AggregateBuilder) Aggregate() Aggregate {
	t := Aggregate{
		Events: c.events, Automated: c.machines,
		Recipients: c.ranking(PartRecipients), Domains: c.ranking(PartDomains),
		Links: c.ranking(PartLinks), Messages: c.ranking(PartMessages),
	}
	for _, start := range slices.Sorted(maps.Keys(c.times)) {
		t.Times = append(t.Times, Quarter{start, *c.times[start]})
	}
	for user, events := range c.users {
		t.Users = append(t.Users, UserCount{user, *events})
	}
	for kind, set := range c.pairs {
		if t.Pairs == nil {
			t.Pairs = make(map[event.Type]Pairs, len(c.pairs))
		}
		t.Pairs[kind] = Pairs{Smallest: slices.Sorted(maps.Keys(set))}
	}
	return t
}

func (c *AggregateBuilder) ranking(part Parts) Ranking {
	var ranking Ranking
	for name, events := range c.ranks[part] {
		ranking.Counts = append(ranking.Counts, NameCount{name, events})
	}
	return ranking
}

func addTo[K comparable](counts map[K]*ByType, key K, t event.Type) {
	if counts[key] == nil {
		counts[key] = new(ByType)
	}
	counts[key].Add(t, 1)
}

// Sorted is the ranking with the most frequent first, and the rest by name.
func (r Ranking) Sorted() []NameCount {
	return slices.SortedFunc(slices.Values(r.Counts), compareCounts)
}

func compareCounts(a, b NameCount) int {
	if a.Events != b.Events {
		return cmp.Compare(b.Events, a.Events)
	}
	return cmp.Compare(a.Name, b.Name)
}
