package query

import (
	"cmp"
	"math"
	"slices"

	"tidings/event"
)

// History is a condition on an event among the others of its recipient: how often
// something was done, whether this was the first time, how long after. Of the
// events that the rest of the query finds, those that the same recipient did with
// the same mail are one series. An event alone does not tell, so an index does
// not know it and Match leaves it out: see Series and Among.
//
// Only events with one recipient are in a series: sends are not.
type History struct {
	// Least and Most bound how many events of the series lie in the query's
	// time; 0 leaves that end open.
	Least, Most int
	// First and Last bound the place in the series, whatever the query's time:
	// 1 is the first event. 0 leaves that end open.
	First, Last int
	// Pause is the least time since the event before in the series, in seconds.
	Pause int64
	// From and Within bound the time since the mail was sent, [From, Within) in
	// seconds; 0 leaves that end open. Where its send is not known they do not
	// hold.
	From, Within int64
	// Quiet holds for the last event of a recipient with any mail, where nothing
	// came after it. How long ago that is, the query's Until says.
	Quiet bool
}

// ActTypes are what recipients do themselves.
var ActTypes = []event.Type{
	event.Open, event.Click, event.Download, event.Reply, event.Meeting, event.Complaint, event.Unsubscribe,
}

func (h History) counts() bool { return h.Least != 0 || h.Most != 0 }

func (h History) ranks() bool { return h.First != 0 || h.Last != 0 || h.Pause != 0 }

func (h History) measures() bool { return h.From != 0 || h.Within != 0 }

// with is both conditions; ok is false where they exclude one another.
func (h History) with(other History) (both History, ok bool) {
	most := func(a, b int) int {
		if a == 0 || b != 0 && b < a {
			return b
		}
		return a
	}
	both = History{
		Least: max(h.Least, other.Least), Most: most(h.Most, other.Most),
		First: max(h.First, other.First), Last: most(h.Last, other.Last),
		Pause: max(h.Pause, other.Pause), From: max(h.From, other.From),
		Within: int64(most(int(h.Within), int(other.Within))), Quiet: h.Quiet || other.Quiet,
	}
	ok = (both.Most == 0 || both.Least <= both.Most) && (both.Last == 0 || both.First <= both.Last) &&
		(both.Within == 0 || both.From < both.Within)
	return both, ok
}

// Series is the query for whatever belongs to the series of these events. It has
// no History itself.
func (q Query) Series(events []event.Event) Query {
	history := q.History
	q.History, q.From, q.Until = nil, 0, 0
	if history == nil {
		return q
	}
	messages, recipients, sent := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, e := range events {
		messages[e.Message] = true
		if e.Type == event.Send {
			sent[e.Message] = true
			continue
		}
		recipients[e.RecipientEmail()] = true
	}
	var own Expr = Keyword{FieldRecipient, sorted(recipients)}
	if !history.Quiet {
		own = And{Keyword{FieldMessage, sorted(messages)}, own}
	}
	if history.measures() && len(sent) > 0 {
		// When a mail was sent matters to whatever was done with it.
		own = Or{own, Keyword{FieldMessage, sorted(sent)}}
	}
	q.Where = AllOf(own, q.Where)
	if history.measures() {
		q.Where = Or{q.Where, And{Types(event.Send), Keyword{FieldMessage, sorted(messages)}}}
	}
	return q
}

func sorted(set map[string]bool) []string {
	all := make([]string, 0, len(set))
	for text := range set {
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

// pair is whose series an event is in.
type pair struct{ message, recipient string }

// mail is one user's message: two users may give the same id to mails of their own.
type mail struct{ message, user string }

// Among reports for which of the events the query's History holds. series are
// those that Series finds for them, in any order, each once.
func (q Query) Among(events, series []event.Event) map[event.ID]bool {
	holds := make(map[event.ID]bool, len(events))
	if q.History == nil {
		for _, e := range events {
			holds[e.ID] = true
		}
		return holds
	}
	all := q.seriesOf(series)
	for _, e := range events {
		if e.Recipient != nil {
			holds[e.ID] = all.hold(*q.History, e)
		}
	}
	return holds
}

// allSeries are the series of several recipients.
type allSeries struct {
	// of are the events of each, the oldest first; counted is how many of them lie
	// in the query's time.
	of      map[pair][]event.Event
	counted map[pair]int
	// sent is when each user first sent each message.
	sent map[mail]int64
	// newest is the last event of each recipient.
	newest map[string]event.ID
}

func (q Query) seriesOf(series []event.Event) allSeries {
	all := allSeries{
		of: map[pair][]event.Event{}, counted: map[pair]int{}, sent: map[mail]int64{}, newest: map[string]event.ID{},
	}
	sortedSeries := slices.Clone(series)
	slices.SortFunc(sortedSeries, before)
	for _, e := range sortedSeries {
		own := mail{e.Message, e.User}
		if at, known := all.sent[own]; e.Type == event.Send && (!known || e.Time < at) {
			all.sent[own] = e.Time
		}
		if e.Recipient == nil {
			continue
		}
		key := pair{e.Message, e.Recipient.Email}
		all.of[key] = append(all.of[key], e)
		all.newest[e.Recipient.Email] = e.ID
		if (Time{q.From, q.Until}).match(&e) {
			all.counted[key]++
		}
	}
	return all
}

// before orders events by time; those of one second by id.
func before(a, b event.Event) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), slices.Compare(a.ID[:], b.ID[:]))
}

func (s allSeries) hold(h History, e event.Event) bool {
	key := pair{e.Message, e.Recipient.Email}
	own := s.of[key]
	if h.counts() {
		count := s.counted[key]
		if count < h.Least || h.Most != 0 && count > h.Most {
			return false
		}
	}
	if h.ranks() {
		at := slices.IndexFunc(own, func(other event.Event) bool { return other.ID == e.ID })
		if at < 0 || at+1 < h.First || h.Last != 0 && at+1 > h.Last {
			return false
		}
		if h.Pause != 0 && (at == 0 || e.Time-own[at-1].Time < h.Pause) {
			return false
		}
	}
	if h.measures() {
		sent, known := s.sent[mail{e.Message, e.User}]
		after := e.Time - sent
		if !known || after < h.From || after >= cmp.Or(h.Within, math.MaxInt64) {
			return false
		}
	}
	return !h.Quiet || s.newest[e.Recipient.Email] == e.ID
}

// AsksBeyondIndex reports whether the query asks for what neither an index nor the
// state of recipients tells: a History, or what a mail was read with. Such a query
// is answered from the events.
func (q Query) AsksBeyondIndex() bool {
	asks := q.History != nil
	walk(q.Where, true, func(leaf Expr, _ bool) {
		k, ok := leaf.(Keyword)
		asks = asks || ok && k.Field.unindexed()
	})
	return asks
}
