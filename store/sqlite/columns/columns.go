package columns

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

// Columns are those of the events of one workspace in one week. They are not safe
// for concurrent use while they change.
type Columns struct {
	week event.Week
	// rows are in the order of their rowids.
	rows []row
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

// row is one event. Its message is that of its pairs.
type row struct {
	Rowid              int64
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

type pairKey struct {
	message, recipient uint32
	// counted is whether the pair is one that unique figures count.
	counted bool
}

// New are the Columns of no event. The first name and the first link are "".
func New(week event.Week) *Columns {
	return &Columns{week: week, names: []string{""}, links: []string{""}, linkCount: 1}
}

// Event is an event at its Rowid.
type Event struct {
	Rowid int64
	Event event.Event
}

// Put adds events, or replaces those whose rowid is known. All links must be
// there, as they are in an open week.
func (f *Columns) Put(events []Event) {
	f.indexNames()
	added := make([]row, len(events))
	for i, e := range events {
		added[i] = f.rowOf(e)
	}
	slices.SortStableFunc(added, byRowid)
	f.rows = merge(f.rows, added)
}

// Collect makes columns of the events of a week, which come newest first.
func Collect(week event.Week, newestFirst iter.Seq2[Event, error]) (*Columns, error) {
	f := New(week)
	f.indexNames()
	for e, err := range newestFirst {
		if err != nil {
			return nil, err
		}
		f.rows = append(f.rows, f.rowOf(e))
	}
	slices.Reverse(f.rows)
	return f, nil
}

// indexNames makes the maps that adding needs.
func (f *Columns) indexNames() {
	if f.codes != nil {
		return
	}
	f.codes, f.linkCodes = codesOf(f.names), codesOf(f.links)
	f.pairCodes = make(map[pairKey]uint32, len(f.pairs))
	for code, p := range f.pairs {
		f.pairCodes[pairKey{p.message, p.recipient, p.number != uncounted}] = uint32(code)
	}
}

func codesOf(names []string) map[string]uint32 {
	codes := make(map[string]uint32, len(names))
	for code, name := range names {
		codes[name] = uint32(code)
	}
	return codes
}

func (f *Columns) rowOf(e Event) row {
	made := row{
		Rowid: e.Rowid, first: uint32(len(f.people)),
		user: f.code(e.Event.User), link: f.linkCode(e.Event.Link), source: f.code(e.Event.Source),
		verdict: f.code(e.Event.Verdict.Is), answer: noMeeting,
		kind: uint8(slices.Index(event.Types, e.Event.Type)), automated: e.Event.Automated(),
	}
	if e.Event.Meeting != nil {
		made.answer = f.code(e.Event.Meeting.Answer)
	}
	message := f.code(e.Event.Message)
	for _, person := range peopleOf(e.Event) {
		f.people = append(f.people, f.pair(message, e.Event, person.Email))
		made.people++
	}
	return made
}

func peopleOf(e event.Event) []event.Person {
	if e.Recipient != nil {
		return []event.Person{*e.Recipient}
	}
	if len(e.Recipients) == 0 {
		return []event.Person{{}} // a row has its message from a pair
	}
	return e.Recipients
}

func (f *Columns) code(name string) uint32 {
	code, known := f.codes[name]
	if !known {
		code = uint32(len(f.names))
		f.names = append(f.names, name)
		f.codes[name] = code
		f.textBytes += len(name)
	}
	return code
}

func (f *Columns) linkCode(link string) uint32 {
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

// uncounted is the number of a pair that no unique figure counts.
const uncounted = 0

func (f *Columns) pair(message uint32, e event.Event, email string) uint32 {
	key := pairKey{message, f.code(email), e.Counted() && email != ""}
	code, known := f.pairCodes[key]
	if !known {
		code = uint32(len(f.pairs))
		f.pairs = append(f.pairs, pair{
			message: message, recipient: key.recipient, domain: f.code(query.Domain(email)),
		})
		if key.counted {
			f.pairs[code].number = max(feed.PairOf(e.Message, email), uncounted+1)
		}
		f.pairCodes[key] = code
	}
	return code
}

// sortPairs puts pairs in the order of their numbers, in which they are counted.
func (f *Columns) sortPairs() {
	order := make([]uint32, len(f.pairs))
	for code := range order {
		order[code] = uint32(code)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(f.pairs[a].number, f.pairs[b].number) })
	sorted, position := make([]pair, len(order)), make([]uint32, len(order))
	for at, code := range order {
		sorted[at], position[code] = f.pairs[code], uint32(at)
	}
	for i, code := range f.people {
		f.people[i] = position[code]
	}
	f.pairs, f.codes, f.linkCodes, f.pairCodes = sorted, nil, nil, nil
}

// sortLinks puts the links with the most events first, and forgets the texts of
// all but so many, and of so many bytes. It keeps one that is longer alone.
func (f *Columns) sortLinks(most, bytes int) {
	counts := make([]int, f.linkCount)
	for i := range f.rows {
		counts[f.rows[i].link]++
	}
	order := make([]int, f.linkCount)
	for code := range order {
		order[code] = code
	}
	slices.SortStableFunc(order[1:], func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
	position, texts := make([]uint32, len(order)), make([]string, 0, min(len(order), most+1))
	for at, code := range order {
		position[code] = uint32(at)
	}
	for at, code := range order[:min(most+1, len(order))] {
		if code >= len(f.links) {
			break // its text was left out before, and of all behind it
		}
		if bytes -= len(f.links[code]); bytes < 0 && at > 1 {
			break
		}
		texts = append(texts, f.links[code])
	}
	for i := range f.rows {
		f.rows[i].link = position[f.rows[i].link]
	}
	f.links, f.linkCodes = texts, nil
}

// codeOf is the code of a name that some event may have.
func (f *Columns) codeOf(name string) (uint32, bool) {
	if f.codes != nil {
		code, known := f.codes[name]
		return code, known
	}
	at := slices.Index(f.names, name)
	return uint32(at), at >= 0
}

// peopleIn are the pairs of a row.
func (f *Columns) peopleIn(row *row) []uint32 {
	return f.people[row.first : row.first+uint32(row.people)]
}

// message is the code of a row's message.
func (f *Columns) message(row *row) uint32 { return f.pairs[f.people[row.first]].message }

// bytes is about how much memory the columns take.
func (f *Columns) bytes() int {
	const row, person, pair, name, indexed = 40, 4, 24, 16, 40
	size := len(f.rows)*row + len(f.people)*person + len(f.pairs)*pair + (len(f.names)+len(f.links))*name + f.textBytes
	if f.codes != nil {
		size += (len(f.names) + len(f.links) + len(f.pairs)) * indexed
	}
	return size
}

func byRowid(a, b row) int { return cmp.Compare(a.Rowid, b.Rowid) }

// merge joins rows that are in order; of those with one Rowid the last
// added counts. Most of what is added lies behind all that is there.
func merge(rows, added []row) []row {
	if len(added) == 0 {
		return rows
	}
	at, _ := slices.BinarySearchFunc(rows, added[0], byRowid)
	behind := slices.Clone(rows[at:])
	rows = rows[:at]
	for len(behind) > 0 || len(added) > 0 {
		switch {
		case len(added) == 0:
			return append(rows, behind...)
		case len(added) > 1 && added[1].Rowid == added[0].Rowid:
			added = added[1:]
		case len(behind) == 0 || added[0].Rowid < behind[0].Rowid:
			rows, added = append(rows, added[0]), added[1:]
		default:
			if behind[0].Rowid != added[0].Rowid {
				rows = append(rows, behind[0])
			}
			behind = behind[1:]
		}
	}
	return rows
}

// between are the rows whose rowids are in [low, high).
func (f *Columns) between(low, high int64) (from, until int) {
	from, _ = slices.BinarySearchFunc(f.rows, row{Rowid: low}, byRowid)
	until, _ = slices.BinarySearchFunc(f.rows, row{Rowid: high}, byRowid)
	return from, until
}
