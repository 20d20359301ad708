package sqlite

import (
	"slices"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// quartersAWeek is how many quarters of an hour a week has.
const quartersAWeek = 7 * 24 * 4

// Bounds of the names that a week's ranking has, the most frequent ones. Links
// can be very long.
const (
	mostNames = 20_000
	mostLinks = 256
)

// factCount counts the rows of facts. Counters are indexed by code.
type factCount struct {
	facts  *facts
	choice query.Automated
	parts  feed.Parts

	tally                                feed.Aggregate
	times                                []feed.ByType
	users                                map[uint32]*feed.ByType
	pairs                                map[uint8][]bool
	recipients, domains, links, messages []uint32
	// addressMet and domainMet are the last row that met a name, plus one: a
	// row counts once for each.
	addressMet, domainMet []uint32
}

// count counts the rows in [low, high) that match.
func (f *facts) count(low, high int64, c feed.AggregateRequest, matches condition) feed.Aggregate {
	n := factCount{facts: f, choice: c.Query.Automated, parts: c.Parts}
	n.prepare()
	from, until := f.between(low, high)
	for row := from; row < until; row++ {
		if matches(row) {
			n.add(row)
		}
	}
	n.finish()
	return n.tally
}

func (n *factCount) prepare() {
	counter := func(part feed.Parts, codes int) []uint32 {
		if !n.parts.Has(part) {
			return nil
		}
		return make([]uint32, codes)
	}
	names := len(n.facts.names)
	n.recipients, n.addressMet = counter(feed.PartRecipients, names), counter(feed.PartRecipients, names)
	n.domains, n.domainMet = counter(feed.PartDomains, names), counter(feed.PartDomains, names)
	n.messages, n.links = counter(feed.PartMessages, names), counter(feed.PartLinks, n.facts.linkCount)
	if n.parts.Has(feed.PartTimes) {
		n.times = make([]feed.ByType, quartersAWeek)
	}
	if n.parts.Has(feed.PartUsers) {
		n.users = make(map[uint32]*feed.ByType)
	}
	if n.parts.Has(feed.PartPairs) {
		n.pairs = make(map[uint8][]bool, len(feed.PairTypes))
		for _, t := range feed.PairTypes {
			n.pairs[uint8(slices.Index(event.Types, t))] = make([]bool, len(n.facts.pairs))
		}
	}
}

func (n *factCount) add(at int) {
	row := &n.facts.rows[at]
	if row.automated {
		n.tally.Automated[row.kind]++
	}
	switch n.choice {
	case query.AutomatedShow:
	case query.AutomatedOnly:
		if !row.automated {
			return
		}
	default:
		if row.automated {
			return
		}
	}
	n.tally.Events[row.kind]++
	if n.times != nil {
		n.times[(row.place>>tieBits)/feed.QuarterSeconds][row.kind]++
	}
	if n.users != nil {
		if n.users[row.user] == nil {
			n.users[row.user] = new(feed.ByType)
		}
		n.users[row.user][row.kind]++
	}
	if n.links != nil && row.link != 0 {
		n.links[row.link]++
	}
	if n.messages != nil {
		n.messages[n.facts.message(row)]++
	}
	if set := n.pairs[row.kind]; set != nil {
		for _, code := range n.facts.peopleIn(row) {
			set[code] = true
		}
	}
	if n.recipients != nil || n.domains != nil {
		n.addPeople(row, uint32(at)+1)
	}
}

func (n *factCount) addPeople(row *fact, mark uint32) {
	for _, code := range n.facts.peopleIn(row) {
		p := &n.facts.pairs[code]
		if n.recipients != nil && n.addressMet[p.recipient] != mark {
			n.addressMet[p.recipient] = mark
			n.recipients[p.recipient]++
		}
		if n.domains != nil && n.domainMet[p.domain] != mark {
			n.domainMet[p.domain] = mark
			n.domains[p.domain]++
		}
	}
}

func (n *factCount) finish() {
	for quarter, events := range n.times {
		if events.Sum() > 0 {
			start := n.facts.week.Start() + int64(quarter)*feed.QuarterSeconds
			n.tally.Times = append(n.tally.Times, feed.Quarter{Start: start, Events: events})
		}
	}
	for user, events := range n.users {
		n.tally.Users = append(n.tally.Users, feed.UserCount{User: n.facts.names[user], Events: *events})
	}
	for kind, set := range n.pairs {
		if numbers := n.numbers(set); len(numbers) > 0 {
			if n.tally.Pairs == nil {
				n.tally.Pairs = make(map[event.Type]feed.Pairs, len(n.pairs))
			}
			n.tally.Pairs[event.Types[kind]] = feed.Pairs{Smallest: numbers}
		}
	}
	names := n.facts.names
	n.tally.Recipients, n.tally.Domains = ranking(n.recipients, names, mostNames), ranking(n.domains, names, mostNames)
	n.tally.Messages, n.tally.Links = ranking(n.messages, names, mostNames), ranking(n.links, n.facts.links, mostLinks)
}

// numbers are those of the pairs in a set, ascending.
func (n *factCount) numbers(set []bool) []uint64 {
	size := 0
	for _, in := range set {
		if in {
			size++
		}
	}
	numbers := make([]uint64, 0, size)
	for code, in := range set {
		if in {
			numbers = append(numbers, n.facts.pairs[code].number)
		}
	}
	if !slices.IsSorted(numbers) {
		slices.Sort(numbers)
	}
	return slices.Compact(numbers)
}

// ranking is the most frequent of the names. Codes behind them have a name that
// is not kept.
func ranking(counts []uint32, names []string, most int) feed.Ranking {
	size := 0
	for _, count := range counts {
		if count > 0 {
			size++
		}
	}
	if size == 0 {
		return feed.Ranking{}
	}
	ranked := make([]feed.NameCount, 0, size)
	cut := false
	for code, count := range counts {
		switch {
		case count == 0:
		case code >= len(names):
			cut = true
		default:
			ranked = append(ranked, feed.NameCount{Name: names[code], Events: int(count)})
		}
	}
	if len(ranked) <= most {
		return feed.Ranking{Counts: ranked, Cut: cut}
	}
	kept := slices.Clone(feed.Ranking{Counts: ranked}.Sorted()[:most])
	return feed.Ranking{Counts: kept, Cut: true}
}
