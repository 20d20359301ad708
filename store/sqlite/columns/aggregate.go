package columns

import (
	"errors"
	"fmt"
	"slices"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
	"tidings/store/sqlite/rowids"
)

// quartersAWeek is how many quarters of an hour a week has.
const quartersAWeek = 7 * 24 * 4

// Bounds of the names that a week's ranking has, the most frequent ones. Links
// can be very long: of a sealed week so many bytes of a workspace's are kept, and one at least.
const (
	mostNames = 20_000
	mostLinks = 256
	linkBytes = 16 << 10
)

// aggregation counts the rows of columns. Counters are indexed by code.
type aggregation struct {
	columns *Columns
	choice  query.Automated
	parts   feed.Parts

	aggregate                            feed.Aggregate
	times                                []feed.ByType
	users                                map[uint32]*feed.ByType
	pairs                                map[uint8][]bool
	recipients, domains, links, messages []uint32
	// addressMet and domainMet are the last row that met a name, plus one: a
	// row counts once for each.
	addressMet, domainMet []uint32
}

// Words looks up the rowids in [low, high), ascending, where a condition on words
// alone holds. It is asked of the full text, which columns do not have.
type Words func(where query.Expr, low, high int64) ([]int64, error)

// Aggregate counts the events for which a query holds. A query that asks for the
// state of recipients needs c.Statuses.
func (f *Columns) Aggregate(c feed.AggregateRequest, words Words) (feed.Aggregate, error) {
	low, high := rowids.Range(f.week, feed.Search{Query: c.Query})
	if low >= high {
		return feed.Aggregate{}, nil
	}
	q := filter{columns: f, now: c.Query.Now, words: func(where query.Expr) ([]int64, error) { return words(where, low, high) }}
	if c.Statuses != nil {
		q.statuses = f.statuses(low, high, c.Statuses)
		if slices.Contains(q.statuses, query.StatusShared) {
			return feed.Aggregate{}, fmt.Errorf("the state of a message with several senders is not known here: %w", errors.ErrUnsupported)
		}
	}
	matches, err := q.condition(c.Query.Where)
	if err != nil {
		return feed.Aggregate{}, err
	}
	return f.aggregate(low, high, c, matches), nil
}

// aggregate counts the rows in [low, high) that match.
func (f *Columns) aggregate(low, high int64, c feed.AggregateRequest, matches condition) feed.Aggregate {
	n := aggregation{columns: f, choice: c.Query.Automated, parts: c.Parts}
	n.prepare()
	from, until := f.between(low, high)
	for row := from; row < until; row++ {
		if matches(row) {
			n.add(row)
		}
	}
	n.finish()
	return n.aggregate
}

// statuses are those of the messages of the sends in [low, high), by code.
func (f *Columns) statuses(low, high int64, of feed.StatusesOf) []query.RecipientStatus {
	byCode := make([]query.RecipientStatus, len(f.names))
	met := make([]bool, len(f.names))
	var codes []uint32
	var messages []string
	send := uint8(slices.Index(event.Types, event.Send))
	from, until := f.between(low, high)
	for row := from; row < until; row++ {
		if f.rows[row].kind != send {
			continue
		}
		if code := f.message(&f.rows[row]); !met[code] {
			met[code] = true
			codes, messages = append(codes, code), append(messages, f.names[code])
		}
	}
	for i, status := range of(messages) {
		byCode[codes[i]] = status
	}
	return byCode
}

func (n *aggregation) prepare() {
	counter := func(part feed.Parts, codes int) []uint32 {
		if !n.parts.Has(part) {
			return nil
		}
		return make([]uint32, codes)
	}
	names := len(n.columns.names)
	n.recipients, n.addressMet = counter(feed.PartRecipients, names), counter(feed.PartRecipients, names)
	n.domains, n.domainMet = counter(feed.PartDomains, names), counter(feed.PartDomains, names)
	n.messages, n.links = counter(feed.PartMessages, names), counter(feed.PartLinks, n.columns.linkCount)
	if n.parts.Has(feed.PartTimes) {
		n.times = make([]feed.ByType, quartersAWeek)
	}
	if n.parts.Has(feed.PartUsers) {
		n.users = make(map[uint32]*feed.ByType)
	}
	if n.parts.Has(feed.PartPairs) {
		n.pairs = make(map[uint8][]bool, len(feed.PairTypes))
		for _, t := range feed.PairTypes {
			n.pairs[uint8(slices.Index(event.Types, t))] = make([]bool, len(n.columns.pairs))
		}
	}
}

func (n *aggregation) add(at int) {
	row := &n.columns.rows[at]
	if row.automated {
		n.aggregate.Automated[row.kind]++
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
	n.aggregate.Events[row.kind]++
	if n.times != nil {
		n.times[rowids.SinceStart(row.Rowid)/feed.QuarterSeconds][row.kind]++
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
		n.messages[n.columns.message(row)]++
	}
	if set := n.pairs[row.kind]; set != nil {
		for _, code := range n.columns.peopleIn(row) {
			set[code] = n.columns.pairs[code].number != uncounted
		}
	}
	if n.recipients != nil || n.domains != nil {
		n.addPeople(row, uint32(at)+1)
	}
}

func (n *aggregation) addPeople(row *row, mark uint32) {
	for _, code := range n.columns.peopleIn(row) {
		p := &n.columns.pairs[code]
		if n.columns.names[p.recipient] == "" {
			continue
		}
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

func (n *aggregation) finish() {
	for quarter, events := range n.times {
		if events.Sum() > 0 {
			start := n.columns.week.Start() + int64(quarter)*feed.QuarterSeconds
			n.aggregate.Times = append(n.aggregate.Times, feed.Quarter{Start: start, Events: events})
		}
	}
	for user, events := range n.users {
		n.aggregate.Users = append(n.aggregate.Users, feed.UserCount{User: n.columns.names[user], Events: *events})
	}
	for kind, set := range n.pairs {
		if numbers := n.numbers(set); len(numbers) > 0 {
			if n.aggregate.Pairs == nil {
				n.aggregate.Pairs = make(map[event.Type]feed.Pairs, len(n.pairs))
			}
			n.aggregate.Pairs[event.Types[kind]] = feed.Pairs{Smallest: numbers}
		}
	}
	names := n.columns.names
	n.aggregate.Recipients, n.aggregate.Domains = ranking(n.recipients, names, mostNames), ranking(n.domains, names, mostNames)
	n.aggregate.Messages, n.aggregate.Links = ranking(n.messages, names, mostNames), ranking(n.links, n.columns.links, mostLinks)
}

// numbers are those of the pairs in a set, ascending.
func (n *aggregation) numbers(set []bool) []uint64 {
	size := 0
	for _, in := range set {
		if in {
			size++
		}
	}
	numbers := make([]uint64, 0, size)
	for code, in := range set {
		if in {
			numbers = append(numbers, n.columns.pairs[code].number)
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
