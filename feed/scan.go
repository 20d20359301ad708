package feed

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// Candidates are taken from the index in batches when the state of recipients,
// which it does not hold, must be asked for each: two pages' worth at first, then
// twice as many each time up to a bound, since few may match.
const mostCandidates = 500

// States of mailings are large: they are read for sends of so many recipients at a time,
// and let go when there are of so many together.
const (
	statesAtOnce = 5_000
	mostStates   = 20_000
)

// scan walks back over weeks for one page.
type scan struct {
	reader *Reader
	scope  Scope
	query  query.Query
	before Key
	limit  int
	// oldest has the oldest come first; before is then what they come after.
	oldest bool
	// named says that the query asks for messages by all their names.
	named bool

	found   []Hit
	states  map[string]event.State
	stated  int // recipients in states
	next    *Key
	reached int64
	// confirmed is told of each candidate that matches, while the state is at hand of which it
	// does. It may be nil, and hears nothing of a query that the index answers for good.
	confirmed func(event.Event, *event.State)
	// damaged are the weeks that could not be read: what is found is the others'.
	damaged event.DamagedWeeks
}

// events are those that were found.
func (s *scan) events() []event.Event {
	events := make([]event.Event, len(s.found))
	for i, hit := range s.found {
		events[i] = hit.Event
	}
	return events
}

// run fills found, next and reached. Windows widen: the newest week alone, then
// 1, 2, 4, 8 … older ones at a time, until the page is full, the horizon is
// reached or the time is spent.
func (s *scan) run(ctx context.Context, now time.Time) error {
	if !s.named {
		q, err := s.reader.withNames(ctx, s.scope.Workspace, s.query)
		if err != nil {
			return err
		}
		s.query, s.named = q, true
	}
	weeks, err := s.weeks(ctx, now)
	if err != nil {
		return err
	}
	began := s.reader.clock()
	width := 1
	for i := 0; len(weeks) > 0; i++ {
		window := weeks[:min(width, len(weeks))]
		weeks = weeks[len(window):]
		if i > 0 {
			width *= 2
		}
		s.reached = max(window[len(window)-1].Start(), s.query.From)
		if err := s.window(ctx, window, began); err != nil {
			return err
		}
		if s.next != nil {
			s.reached = s.next.Seconds
			return nil
		}
		if len(weeks) > 0 && s.spent(began) {
			s.next = s.endOf(window[len(window)-1])
			if s.oldest {
				s.reached = window[len(window)-1].End()
			}
			return nil
		}
	}
	s.reached = s.query.From
	return nil
}

// endOf is behind whatever a week lists.
func (s *scan) endOf(week event.Week) *Key {
	if s.oldest {
		return &Key{Seconds: week.End() - 1, Tie: math.MaxUint64}
	}
	return &Key{Seconds: week.Start()}
}

// weeks lists where to look, newest first, or the oldest first. The two newest are looked into even
// when the catalogue does not list them yet.
func (s *scan) weeks(ctx context.Context, now time.Time) ([]event.Week, error) {
	listed, err := s.reader.weeks.Weeks(ctx, s.scope.Workspace)
	if err != nil {
		return nil, fmt.Errorf("list weeks: %w", err)
	}
	all := make(map[event.Week]bool, len(listed)+2)
	for _, week := range listed {
		all[week] = true
	}
	newest := event.WeekOf(now.Unix())
	all[newest], all[newest-1] = true, true
	ordered := slices.SortedFunc(maps.Keys(all), func(a, b event.Week) int {
		if s.oldest {
			return int(a) - int(b)
		}
		return int(b) - int(a)
	})
	return slices.DeleteFunc(ordered, func(w event.Week) bool {
		return w.End() <= s.query.From ||
			(s.query.Until != 0 && w.Start() >= s.query.Until) ||
			(!s.before.IsZero() && s.passed(w))
	}), nil
}

// passed reports whether nothing of a week comes behind where the scan begins. A scan that
// ran out of time begins at the end of a week: looking there again would lead nowhere.
func (s *scan) passed(w event.Week) bool {
	if end := *s.endOf(w); s.oldest {
		return s.before.Seconds > end.Seconds || s.before == end
	}
	return w.Start() > s.before.Seconds || s.before == Key{Seconds: w.Start()}
}

// spent reports whether the page has taken its time.
func (s *scan) spent(began time.Time) bool {
	return s.reader.clock().Sub(began) > s.reader.budget
}

// window takes from one run of weeks what the page still lacks, and sets next
// when there is more, or may be.
func (s *scan) window(ctx context.Context, weeks []event.Week, began time.Time) error {
	asked, exact := s.query.Candidates()
	before := s.before
	for batch := 2 * s.limit; ; batch *= 2 {
		search := Search{
			Workspace: s.scope.Workspace, Query: asked, Weeks: weeks, Before: before, Oldest: s.oldest,
			Limit: min(batch, mostCandidates),
		}
		if exact {
			search.Limit = s.limit - len(s.found) + 1
		}
		hits, err := s.search(ctx, search)
		if err != nil {
			return fmt.Errorf("search: %w", err)
		}
		matching := hits
		if !exact {
			if matching, err = s.matching(ctx, hits); err != nil {
				return err
			}
		}
		room := s.limit - len(s.found)
		if len(matching) > room {
			s.found = append(s.found, matching[:room]...)
			s.next = &s.found[len(s.found)-1].Key
			return nil
		}
		s.found = append(s.found, matching...)
		if len(hits) < search.Limit {
			return nil
		}
		before = hits[len(hits)-1].Key
		if s.spent(began) {
			s.next = &before
			return nil
		}
	}
}

// matching keeps the candidates that match once the state is known.
func (s *scan) matching(ctx context.Context, hits []Hit) ([]Hit, error) {
	var kept []Hit
	err := s.inParts(ctx, hits, func(hit Hit) {
		state := s.stateOf(hit.Event)
		if !s.query.Confirm(hit.Event, state) {
			return
		}
		kept = append(kept, hit)
		if s.confirmed != nil {
			s.confirmed(hit.Event, state)
		}
	})
	if err != nil {
		return nil, err
	}
	return s.inHistory(ctx, kept)
}

// inParts visits hits one after the other, with the states of their messages read.
func (s *scan) inParts(ctx context.Context, hits []Hit, visit func(hit Hit)) error {
	for len(hits) > 0 {
		n, people := 0, 0
		for n < len(hits) && (n == 0 || people+len(hits[n].Event.Recipients) <= statesAtOnce) {
			people += len(hits[n].Event.Recipients)
			n++
		}
		if s.stated > mostStates {
			s.states, s.stated = nil, 0
		}
		if err := s.read(ctx, hits[:n]); err != nil {
			return err
		}
		for _, hit := range hits[:n] {
			visit(hit)
		}
		hits = hits[n:]
	}
	return nil
}

// stateOf is what was read of an event's message, nil where there is nothing.
func (s *scan) stateOf(e event.Event) *event.State {
	if known, ok := s.states[e.Message]; ok {
		return &known
	}
	return nil
}

// decorate reads the states of the sends that were found, at most once each.
func (s *scan) decorate(ctx context.Context) error { return s.read(ctx, s.found) }

func (s *scan) read(ctx context.Context, hits []Hit) error {
	wanted, ofActors := make(map[string]bool), s.query.AsksActor()
	for _, hit := range hits {
		if _, known := s.states[hit.Event.Message]; !known && (ofActors || hit.Event.Type == event.Send) {
			wanted[hit.Event.Message] = true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	states, err := s.reader.states.Of(ctx, s.scope.Workspace, slices.Collect(maps.Keys(wanted)))
	if err != nil {
		return fmt.Errorf("read states: %w", err)
	}
	if s.states == nil {
		s.states = make(map[string]event.State, len(states))
	}
	for message, state := range states {
		s.states[message] = state
		s.stated += len(state.Recipients)
	}
	return nil
}
