package feed

import (
	"cmp"
	"slices"

	"golang.org/x/sync/errgroup"

	"tidings/event"
	"tidings/panics"
)

// Parts are what a count brings beside the numbers of events by type, which it
// always does.
type Parts uint8

// The parts, each named after the field of Aggregate that it fills.
const (
	PartTimes Parts = 1 << iota
	PartPairs
	PartUsers
	PartRecipients
	PartDomains
	PartLinks
	PartMessages
)

// Has reports whether part is asked for.
func (p Parts) Has(part Parts) bool { return p&part != 0 }

// Aggregate is what was counted.
type Aggregate struct {
	// Events are the events that match. Their sum is how many items the feed
	// has for the same query.
	Events ByType
	// Automated are opens and clicks that machines made and for which the query
	// holds but for its choice about them: they are counted here even where
	// the query hides them, and in Events too where it shows them.
	Automated ByType
	// Times are the events by quarter of an hour, ascending, those without any
	// left out. No zone's days begin inside of one.
	Times []Quarter
	// Pairs are, by the types of PairTypes, the (message, recipient) pairs that
	// had such an event: of a send, each of its recipients.
	Pairs map[event.Type]Pairs
	// Users are the events by whose message it is, "" where nobody knows.
	Users []UserCount
	// The rankings count events by recipient, by recipient's domain, by link
	// and by message. A send counts once for each of its recipients, and once
	// for each of their domains. Events without a link rank no link.
	Recipients, Domains, Links, Messages Ranking
}

// PairTypes are the types whose pairs are kept apart.
var PairTypes = []event.Type{event.Send, event.Open, event.Click, event.Reply, event.Bounce}

// ByType are numbers of events, in the order of event.Types.
type ByType [11]uint32

// Add adds n events of a type.
func (b *ByType) Add(t event.Type, n int) {
	if at := slices.Index(event.Types, t); at >= 0 {
		b[at] += uint32(n)
	}
}

// Of is the number of a type.
func (b ByType) Of(t event.Type) int {
	if at := slices.Index(event.Types, t); at >= 0 {
		return int(b[at])
	}
	return 0
}

// Sum is the number of all types.
func (b ByType) Sum() int {
	sum := 0
	for _, n := range b {
		sum += int(n)
	}
	return sum
}

func (b *ByType) addAll(other *ByType) {
	for i, n := range other {
		b[i] += n
	}
}

// QuarterSeconds is the length of a Quarter.
const QuarterSeconds = 15 * 60

// Quarter is the events of a quarter of an hour.
type Quarter struct {
	// Start is Unix seconds, a multiple of QuarterSeconds.
	Start  int64
	Events ByType
}

// UserCount is the events of one user's messages.
type UserCount struct {
	User   string
	Events ByType
}

// Ranking is how many events each name has, in any order, each name once.
type Ranking struct {
	Counts []NameCount
	// Cut says that names may be missing, or counted too low: the index had
	// more of them than it would return.
	Cut bool
}

// NameCount is one name of a Ranking.
type NameCount struct {
	Name   string
	Events int
}

// rankings are where an aggregate has its rankings.
var rankings = [...]func(*Aggregate) *Ranking{
	func(t *Aggregate) *Ranking { return &t.Recipients },
	func(t *Aggregate) *Ranking { return &t.Domains },
	func(t *Aggregate) *Ranking { return &t.Links },
	func(t *Aggregate) *Ranking { return &t.Messages },
}

// namePositions are where each name is in each of an aggregate's rankings.
type namePositions [len(rankings)]map[string]int32

// MergeAggregates adds up what was counted of different weeks by one query. Pairs
// are joined, so that a recipient who opens a message in two weeks counts once.
func MergeAggregates(aggregates []Aggregate) Aggregate {
	sum, _ := mergeAggregates(aggregates)
	return sum
}

func mergeAggregates(aggregates []Aggregate) (sum Aggregate, positions namePositions) {
	var merging errgroup.Group
	merging.Go(panics.AsError(func() error {
		sum.Pairs = mergePairs(aggregates)
		return nil
	}))
	for i, of := range rankings {
		merging.Go(panics.AsError(func() error {
			*of(&sum), positions[i] = mergeRankings(aggregates, of)
			return nil
		}))
	}
	for i := range aggregates {
		sum.Events.addAll(&aggregates[i].Events)
		sum.Automated.addAll(&aggregates[i].Automated)
	}
	sum.Times = mergeTimes(aggregates)
	sum.Users = mergeUsers(aggregates)
	if err := merging.Wait(); err != nil {
		panic(err) // in the goroutine of the request, which recovers
	}
	return sum, positions
}

func mergeTimes(aggregates []Aggregate) []Quarter {
	var all []Quarter
	for i := range slices.Backward(aggregates) { // the newest week comes first
		all = append(all, aggregates[i].Times...)
	}
	byStart := func(a, b Quarter) int { return cmp.Compare(a.Start, b.Start) }
	if !slices.IsSortedFunc(all, byStart) {
		slices.SortFunc(all, byStart)
	}
	merged := all[:0]
	for _, quarter := range all {
		if last := len(merged) - 1; last >= 0 && merged[last].Start == quarter.Start {
			merged[last].Events.addAll(&quarter.Events)
		} else {
			merged = append(merged, quarter)
		}
	}
	return merged
}

func mergePairs(aggregates []Aggregate) map[event.Type]Pairs {
	merged := make(map[event.Type]Pairs, len(PairTypes))
	for _, t := range PairTypes {
		var sets []Pairs
		for i := range aggregates {
			if set, ok := aggregates[i].Pairs[t]; ok {
				sets = append(sets, set)
			}
		}
		if len(sets) > 0 {
			merged[t] = UnionPairs(sets)
		}
	}
	if len(merged) == 0 {
		return nil
	}
	return merged
}

func mergeUsers(aggregates []Aggregate) []UserCount {
	var merged []UserCount
	at := make(map[string]int)
	for i := range aggregates {
		for j := range aggregates[i].Users {
			user := &aggregates[i].Users[j]
			position, known := at[user.User]
			if !known {
				position = len(merged)
				at[user.User] = position
				merged = append(merged, UserCount{User: user.User})
			}
			merged[position].Events.addAll(&user.Events)
		}
	}
	return merged
}

func mergeRankings(aggregates []Aggregate, of func(*Aggregate) *Ranking) (merged Ranking, at map[string]int32) {
	total := 0
	for i := range aggregates {
		ranking := of(&aggregates[i])
		merged.Cut = merged.Cut || ranking.Cut
		total += len(ranking.Counts)
	}
	if total == 0 {
		return merged, nil
	}
	at = make(map[string]int32, total)
	merged.Counts = make([]NameCount, 0, total)
	for i := range aggregates {
		for _, count := range of(&aggregates[i]).Counts {
			position, known := at[count.Name]
			if !known {
				at[count.Name] = int32(len(merged.Counts))
				merged.Counts = append(merged.Counts, count)
				continue
			}
			merged.Counts[position].Events += count.Events
		}
	}
	return merged, at
}
