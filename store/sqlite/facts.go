package sqlite

import (
	"cmp"
	"math"
	"slices"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// facts are what statistics ask of the events of one workspace in one week, by
// columns instead of documents: a count of them takes nanoseconds an event. Open
// weeks have them in memory alone, and a sealed week in its file.
//
// Not safe for concurrent use while they change.
type facts struct {
	week event.Week
	// rows are in the order of their places.
	rows []fact
	// people are the pairs of every row: those of a row are
	// people[row.first : row.first+row.people].
	people []uint32
	pairs  []pair
	// names are what codes stand for, and links what those of links do. Of the
	// linkCount links of a sealed week the rarest are not kept.
	names     []string
	links     []string
	linkCount int
	// textBytes is about how much memory names and links take.
	textBytes int

	// The codes are for adding, and nil until then.
	codes     map[string]uint32
	linkCodes map[string]uint32
	pairCodes map[pairKey]uint32
}

// fact is one event. Its message is that of its pairs.
type fact struct {
	place              int64
	first              uint32
	user, link, source uint32
	verdict, answer    uint32
	people             uint16
	kind               uint8 // in event.Types
	automated          bool
}

// noMeeting is the answer of an event that is no meeting.
const noMeeting = math.MaxUint32

// pair is a message and one of its recipients. Names are codes.
type pair struct {
	message, recipient, domain uint32
	number                     uint64 // feed.PairOf
}

type pairKey struct{ message, recipient uint32 }

// newFacts are the facts of no event. The first name and the first link are "".
func newFacts(week event.Week) *facts {
	return &facts{week: week, names: []string{""}, links: []string{""}, linkCount: 1}
}

// factEvent is an event at its place.
type factEvent struct {
	place int64
	event event.Event
}

// put adds events, or replaces those whose place is known. All links must be
// there, as they are in an open week.
func (f *facts) put(events []factEvent) {
	f.index()
	added := make([]fact, len(events))
	for i, e := range events {
		added[i] = f.factOf(e)
	}
	slices.SortStableFunc(added, byPlace)
	f.rows = mergeFacts(f.rows, added)
}

// index makes the maps that adding needs.
func (f *facts) index() {
	if f.codes != nil {
		return
	}
	f.codes, f.linkCodes = codesOf(f.names), codesOf(f.links)
	f.pairCodes = make(map[pairKey]uint32, len(f.pairs))
	for code, p := range f.pairs {
		f.pairCodes[pairKey{p.message, p.recipient}] = uint32(code)
	}
}

func codesOf(names []string) map[string]uint32 {
	codes := make(map[string]uint32, len(names))
	for code, name := range names {
		codes[name] = uint32(code)
	}
	return codes
}

func (f *facts) factOf(e factEvent) fact {
	made := fact{
		place: e.place, first: uint32(len(f.people)),
		user: f.code(e.event.User), link: f.linkCode(e.event.Link), source: f.code(e.event.Source),
		verdict: f.code(e.event.Verdict.Is), answer: noMeeting,
		kind: uint8(slices.Index(event.Types, e.event.Type)), automated: e.event.Automated(),
	}
	if e.event.Meeting != nil {
		made.answer = f.code(e.event.Meeting.Answer)
	}
	message := f.code(e.event.Message)
	for _, person := range peopleOf(e.event) {
		f.people = append(f.people, f.pair(message, e.event.Message, person.Email))
		made.people++
	}
	return made
}

func peopleOf(e event.Event) []event.Person {
	if e.Recipient != nil {
		return []event.Person{*e.Recipient}
	}
	return e.Recipients
}

func (f *facts) code(name string) uint32 {
	code, known := f.codes[name]
	if !known {
		code = uint32(len(f.names))
		f.names = append(f.names, name)
		f.codes[name] = code
		f.textBytes += len(name)
	}
	return code
}

func (f *facts) linkCode(link string) uint32 {
	code, known := f.linkCodes[link]
	if !known {
		code = uint32(len(f.links))
		f.links = append(f.links, link)
		f.linkCount = len(f.links)
		f.linkCodes[link] = code
		f.textBytes += len(link)
	}
	return code
}

func (f *facts) pair(message uint32, messageName, email string) uint32 {
	key := pairKey{message, f.code(email)}
	code, known := f.pairCodes[key]
	if !known {
		code = uint32(len(f.pairs))
		f.pairs = append(f.pairs, pair{
			message: message, recipient: key.recipient, domain: f.code(query.Domain(email)),
			number: feed.PairOf(messageName, email),
		})
		f.pairCodes[key] = code
	}
	return code
}

// sortPairs puts pairs in the order of their numbers, in which they are counted.
func (f *facts) sortPairs() {
	order := make([]uint32, len(f.pairs))
	for code := range order {
		order[code] = uint32(code)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(f.pairs[a].number, f.pairs[b].number) })
	sorted, place := make([]pair, len(order)), make([]uint32, len(order))
	for at, code := range order {
		sorted[at], place[code] = f.pairs[code], uint32(at)
	}
	for i, code := range f.people {
		f.people[i] = place[code]
	}
	f.pairs, f.codes, f.linkCodes, f.pairCodes = sorted, nil, nil, nil
}

// sortLinks puts the links with the most events first, and forgets the texts of
// all but so many.
func (f *facts) sortLinks(most int) {
	counts := make([]int, f.linkCount)
	for i := range f.rows {
		counts[f.rows[i].link]++
	}
	order := make([]int, f.linkCount)
	for code := range order {
		order[code] = code
	}
	slices.SortStableFunc(order[1:], func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
	place, texts := make([]uint32, len(order)), make([]string, 0, min(len(order), most+1))
	for at, code := range order {
		place[code] = uint32(at)
		if at <= most {
			texts = append(texts, f.links[code])
		}
	}
	for i := range f.rows {
		f.rows[i].link = place[f.rows[i].link]
	}
	f.links, f.linkCodes = texts, nil
}

// codeOf is the code of a name that some event may have.
func (f *facts) codeOf(name string) (uint32, bool) {
	if f.codes != nil {
		code, known := f.codes[name]
		return code, known
	}
	at := slices.Index(f.names, name)
	return uint32(at), at >= 0
}

// peopleIn are the pairs of a row.
func (f *facts) peopleIn(row *fact) []uint32 {
	return f.people[row.first : row.first+uint32(row.people)]
}

// message is the code of a row's message.
func (f *facts) message(row *fact) uint32 { return f.pairs[f.people[row.first]].message }

// bytes is about how much memory the facts take.
func (f *facts) bytes() int {
	const row, person, pair, name, indexed = 40, 4, 24, 16, 40
	size := len(f.rows)*row + len(f.people)*person + len(f.pairs)*pair + (len(f.names)+len(f.links))*name + f.textBytes
	if f.codes != nil {
		size += (len(f.names) + len(f.links) + len(f.pairs)) * indexed
	}
	return size
}

func byPlace(a, b fact) int { return cmp.Compare(a.place, b.place) }

// mergeFacts joins rows that are in order; of those with one place the last
// added counts. Most of what is added lies behind all that is there.
func mergeFacts(rows, added []fact) []fact {
	if len(added) == 0 {
		return rows
	}
	at, _ := slices.BinarySearchFunc(rows, added[0], byPlace)
	behind := slices.Clone(rows[at:])
	rows = rows[:at]
	for len(behind) > 0 || len(added) > 0 {
		switch {
		case len(added) == 0:
			return append(rows, behind...)
		case len(added) > 1 && added[1].place == added[0].place:
			added = added[1:]
		case len(behind) == 0 || added[0].place < behind[0].place:
			rows, added = append(rows, added[0]), added[1:]
		default:
			if behind[0].place != added[0].place {
				rows = append(rows, behind[0])
			}
			behind = behind[1:]
		}
	}
	return rows
}

// standings are those of the messages of the sends in [low, high), by code.
func (f *facts) standings(low, high int64, of feed.StatusesOf) []query.RecipientStatus {
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
	for i, standing := range of(messages) {
		byCode[codes[i]] = standing
	}
	return byCode
}

// between are the rows whose places are in [low, high).
func (f *facts) between(low, high int64) (from, until int) {
	from, _ = slices.BinarySearchFunc(f.rows, fact{place: low}, byPlace)
	until, _ = slices.BinarySearchFunc(f.rows, fact{place: high}, byPlace)
	return from, until
}
