package sqlite

import (
	"slices"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// quartersAWeek is how many quarters of an hour a week has.
const quartersAWeek = 7 * 24 * 4

// factCount counts the rows of facts. Counters are indexed by code.
type factCount struct {
	facts  *facts
	choice query.Automated
	parts  feed.Parts

	tally                                feed.Tally
	times                                []feed.ByType
	users                                map[uint32]*feed.ByType
	pairs                                map[uint8][]bool
	recipients, domains, links, messages []uint32
	// addressMet and domainMet are the last row that met a name, plus one: a
	// row counts once for each.
	addressMet, domainMet []uint32
}

// count counts the rows in [low, high) that match.
func (f *facts) count(low, high int64, c feed.Count, matches func(row int) bool) feed.Tally {
	n := factCount{facts: f, choice: c.Query.Automated, parts: c.Parts}
	n.prepare()
	from, _ := slices.BinarySearchFunc(f.rows, fact{place: low}, byPlace)
	until, _ := slices.BinarySearchFunc(f.rows, fact{place: high}, byPlace)
	for row := from; row < until; row++ {
		if matches(row) {
			n.add(row)
		}
	}
	n.finish()
	return n.tally
}

func (n *factCount) prepare() {
	counter := func(part feed.Parts) []uint32 {
		if !n.parts.Has(part) {
			return nil
		}
		return make([]uint32, len(n.facts.names))
	}
	n.recipients, n.domains = counter(feed.PartRecipients), counter(feed.PartDomains)
	n.links, n.messages = counter(feed.PartLinks), counter(feed.PartMessages)
	n.addressMet, n.domainMet = counter(feed.PartRecipients), counter(feed.PartDomains)
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
	n.tally.Recipients, n.tally.Domains = n.ranking(n.recipients), n.ranking(n.domains)
	n.tally.Links, n.tally.Messages = n.ranking(n.links), n.ranking(n.messages)
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

func (n *factCount) ranking(counts []uint32) feed.Ranking {
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
	for code, count := range counts {
		if count > 0 {
			ranked = append(ranked, feed.NameCount{Name: n.facts.names[code], Events: int(count)})
		}
	}
	return feed.Ranking{Counts: ranked}
}
