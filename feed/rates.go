package feed

import (
	"context"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// ratedSends bounds the sends whose states are read for rates. A question that
// finds more, and whose conditions sends and other events may meet differently,
// has rates that are not known.
const ratedSends = 5000

// rates are shares of the recipients of the counted sends. Where a send and what
// its recipients did meet the question's conditions alike, both were counted, and
// their pairs tell. Elsewhere, as for "type:send" or "is:unopened", what
// recipients did was not counted: it is looked up in the state of each message.
func (r *Reader) rates(ctx context.Context, scope Scope, q query.Query, counted counted, now time.Time) (*Rates, error) {
	if q.OfMessagesAlone() {
		return ratesOf(counted.aggregate), nil
	}
	unknown := &Rates{
		Open: Rate{Denominator: "delivered"}, Click: Rate{Denominator: "delivered"},
		Reply: Rate{Denominator: "delivered"}, Bounce: Rate{Denominator: "recipients"},
	}
	sends := counted.aggregate.Events.Of(event.Send)
	if sends == 0 || sends > ratedSends || counted.partial {
		return unknown, nil
	}
	if counted.sends != nil {
		return counted.sends.rates(), nil
	}
	q.Where = query.AllOf(query.Types(event.Send), q.Where)
	s := scan{reader: r, scope: scope, query: q}
	weeks, err := s.weeks(ctx, now)
	if err != nil {
		return nil, err
	}
	began := r.clock()
	sum := stateRates{choice: q.Automated}
	w := r.walkThrough(scope, q, weeks, readBatch)
	for more := len(weeks) > 0; more; {
		var hits []Hit
		if hits, more, err = w.next(ctx); err != nil {
			return nil, err
		}
		if err := w.read(ctx, hits); err != nil {
			return nil, err
		}
		for _, hit := range hits {
			sum.add(hit.Event, w.stateOf(hit.Event))
		}
		if more && w.spent(began) {
			return unknown, nil
		}
	}
	return sum.rates(), nil
}

// stateRates adds up the recipients of sends by their state.
type stateRates struct {
	// choice is about automated events: whether a machine's open is one.
	choice                                          query.Automated
	sends                                           int
	seen                                            map[uint64]bool
	recipients, bounced, opened, clicked, repliedTo int
}

// addSend is add for a send while there are not too many to be rated.
func (s *stateRates) addSend(e event.Event, state *event.State) {
	if e.Type == event.Send && s.sends <= ratedSends {
		s.add(e, state)
	}
}

func (s *stateRates) add(e event.Event, state *event.State) {
	s.sends++
	if s.seen == nil {
		s.seen = make(map[uint64]bool)
	}
	if state == nil {
		state = &event.State{}
	}
	for _, person := range e.Recipients {
		pair := PairOf(e.Message, person.Email)
		if s.seen[pair] {
			continue
		}
		s.seen[pair] = true
		key := event.KeyOf(person.Email)
		has := func(mark event.Mark) bool { _, ok := state.First[mark][key]; return ok }
		s.recipients++
		if has(event.MarkBounced) {
			s.bounced++
			continue
		}
		if state.Done || has(event.MarkOpened) || s.choice == query.AutomatedShow && has(event.MarkMachineOpened) {
			s.opened++
		}
		if has(event.MarkClicked) {
			s.clicked++
		}
		if has(event.MarkReplied) {
			s.repliedTo++
		}
	}
}

func (s *stateRates) rates() *Rates {
	rate := func(denominator string, count, of int) Rate {
		return Rate{Rate: ratio(count, of), Count: count, Of: of, Denominator: denominator}
	}
	delivered := s.recipients - s.bounced
	return &Rates{
		Open: rate("delivered", s.opened, delivered), Click: rate("delivered", s.clicked, delivered),
		Reply: rate("delivered", s.repliedTo, delivered), Bounce: rate("recipients", s.bounced, s.recipients),
	}
}

// mostActive are the recipients who did the most themselves: what people did, not
// machines, and no mails to them.
func (r *Reader) mostActive(ctx context.Context, scope Scope, q query.Query, now time.Time) (counted, error) {
	choice := q.Automated
	if choice != query.AutomatedOnly {
		choice = query.AutomatedHide
	}
	if q.History != nil {
		// What other events decide is decided by all that the question finds.
		s := scan{reader: r, scope: scope, query: q}
		weeks, err := s.weeks(ctx, now)
		if err != nil {
			return counted{}, err
		}
		isAct := func(e event.Event) bool { return slices.Contains(query.ActTypes, e.Type) }
		builder := NewAggregateBuilder(choice, PartRecipients)
		return r.aggregateInto(ctx, builder, isAct, r.walkThrough(scope, q, weeks, readBatch), r.clock())
	}
	q.Where = query.AllOf(query.Types(query.ActTypes...), q.Where)
	q.Automated = choice
	return r.aggregate(ctx, scope, q, PartRecipients, now)
}

// before is the time that a period is compared with: of the same length and the
// same days of the week, the latest that lies wholly before.
func (p period) before(zone *time.Location) period {
	const day = 24 * 60 * 60
	weeks := (p.until - p.from + 7*day - 1) / (7 * day)
	back := func(at int64) int64 {
		return time.Unix(at, 0).In(zone).AddDate(0, 0, -7*int(weeks)).Unix()
	}
	return period{back(p.from), min(back(p.until), p.from)}
}
