package feed

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// Horizon is how far back a page looks when it is not told.
const Horizon = 52 * 7 * 24 * time.Hour

// positionMargin is taken off a page's position beyond the index's refresh
// interval: repeats are dropped by id, a gap could not be corrected.
const positionMargin = 5 * time.Second

// Reader reads the feed of any workspace. It is safe for concurrent use.
type Reader struct {
	index      Index
	states     States
	weeks      Catalogue
	directory  Directory
	teams      Teams
	positions  Positions
	clock      func() time.Time
	budget     time.Duration
	timeout    func(context.Context, time.Duration) (context.Context, context.CancelFunc)
	aggregator Aggregator
	statuses   Statuses
	cache      *aggregateCache
	spelling   *spelling // nil where words are not corrected
}

// Config is what a Reader reads from.
type Config struct {
	Index     Index
	States    States
	Catalogue Catalogue
	Directory Directory
	// Teams may be nil where there are none.
	Teams Teams
	// Positions may be nil where nothing is pushed.
	Positions Positions
	Clock     func() time.Time
	// Budget is when a page stops looking further back and returns what it
	// has; 0 means two seconds.
	Budget time.Duration
	// WithTimeout bounds how long the index is asked for suggestions; nil means
	// context.WithTimeout. Tests set one that no machine is too slow for.
	WithTimeout func(context.Context, time.Duration) (context.Context, context.CancelFunc)
	// Aggregator makes statistics fast; nil where the index is no aggregator, and
	// then they read every event.
	Aggregator Aggregator
	// Statuses makes statistics by the state of recipients fast; nil where
	// those read every event.
	Statuses Statuses
	// Remember bounds what is remembered of counted weeks, in bytes; 0 means 64 MiB.
	Remember int
	// Vocabulary corrects misspelt words; nil where they are left as they are.
	Vocabulary Vocabulary
}

// aggregateCacheBytes is Config.Remember unless it is set.
const aggregateCacheBytes = 64 << 20

// NewReader makes a Reader.
func NewReader(c Config) *Reader {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.WithTimeout == nil {
		c.WithTimeout = context.WithTimeout
	}
	if c.Budget == 0 {
		c.Budget = 2 * time.Second
	}
	r := &Reader{
		index: c.Index, states: named{c.States}, weeks: c.Catalogue, directory: c.Directory, teams: c.Teams,
		positions: c.Positions, clock: c.Clock, budget: c.Budget, timeout: c.WithTimeout, aggregator: c.Aggregator, statuses: c.Statuses,
		cache: newAggregateCache(cmp.Or(c.Remember, aggregateCacheBytes)),
	}
	if c.Vocabulary != nil {
		r.spelling = newSpelling(c.Vocabulary, c.Clock)
	}
	return r
}

// pageScan is a question that is read and the search for its page.
type pageScan struct {
	request    PageRequest
	who        *people
	understood Understood
	scan       scan
}

// scanOf reads a question, and is ready to search behind a position.
func (r *Reader) scanOf(request PageRequest, who *people, before Key, now time.Time) *pageScan {
	understood, q := r.understand(request, who, now)
	return &pageScan{
		request, who, understood,
		scan{
			reader: r, scope: request.Scope, query: q, before: before, limit: pageLimit(request.Limit),
			oldest: understood.Order == string(query.OldestFirst),
		},
	}
}

// Page returns the newest events of a question, or those after its cursor. Item
// ids never repeat between pages, whatever arrives meanwhile.
func (r *Reader) Page(ctx context.Context, request PageRequest) (Page, error) {
	who, err := r.people(ctx, request.Scope)
	if err != nil {
		return Page{}, err
	}
	var position string
	if r.positions != nil {
		position = r.positions.PositionBefore(r.index.RefreshInterval() + positionMargin)
	}
	found, now, err := r.find(ctx, request, who)
	if err != nil {
		return Page{}, err
	}
	page, err := found.page(ctx, position, now)
	if err != nil {
		return Page{}, err
	}
	page.Answer, err = r.answerBeside(ctx, found, now)
	return page, err
}

// find searches for a page. A cursor belongs to the text that it was given for,
// or to that text with its words corrected.
func (r *Reader) find(ctx context.Context, request PageRequest, who *people) (*pageScan, time.Time, error) {
	if request.Cursor == "" {
		now := r.clock()
		p := r.scanOf(request, who, Key{}, now)
		if err := p.scan.run(ctx, now); err != nil {
			return nil, now, err
		}
		return p, now, r.correctPage(ctx, p, now)
	}
	from, err := parseCursor(request.Cursor, request.fingerprint())
	if from == (cursor{}) {
		return nil, time.Time{}, err
	}
	now := from.clockOf(r.clock())
	p := r.scanOf(request, who, from.key, now)
	if err != nil {
		corrected, _, ok := r.corrected(ctx, request, p.understood.Chips)
		if !ok || corrected.fingerprint() != from.fingerprint {
			return nil, now, err
		}
		p = r.scanOf(corrected, who, from.key, now)
		p.understood.Showing = corrected.Text
	}
	return p, now, p.scan.run(ctx, now)
}

// page shows what was found, the sends with the state of their recipients.
func (p *pageScan) page(ctx context.Context, position string, now time.Time) (Page, error) {
	page := Page{
		Items:   make([]Item, 0, len(p.scan.found)),
		Reached: time.Unix(p.scan.reached, 0).UTC(),
		Query:   p.understood,
		Live:    position,
		Partial: len(p.scan.damaged) > 0, Warnings: Warnings(p.scan.damaged),
	}
	if p.scan.next != nil {
		next := cursor{*p.scan.next, now.Unix(), p.request.fingerprint()}.String()
		page.Next = &next
	}
	return page, p.scan.inParts(ctx, p.scan.found, func(hit Hit) {
		item := ItemOf(hit.Event, p.scan.stateOf(hit.Event), func(user string) string { return p.who.names[user] })
		item.Highlights = query.Highlights(hit.Event, p.scan.query)
		page.Items = append(page.Items, item)
	})
}

// Understand reads a question as Page does, for those who match it themselves.
func (r *Reader) Understand(ctx context.Context, request PageRequest) (Understood, query.Query, error) {
	who, err := r.people(ctx, request.Scope)
	if err != nil {
		return Understood{}, query.Query{}, err
	}
	understood, q := r.understand(request, who, r.clock())
	q, err = r.withNames(ctx, request.Workspace, q)
	return understood, q, err
}

// Find returns the newest events of a workspace for which a query holds that has
// no condition on recipients, at most limit, with the states of the messages of
// the sends among them.
func (r *Reader) Find(ctx context.Context, workspace string, q query.Query, limit int) ([]event.Event, map[string]event.State, error) {
	s := scan{reader: r, scope: Scope{Workspace: workspace}, query: q, limit: limit}
	if err := s.run(ctx, r.clock()); err != nil {
		return nil, nil, err
	}
	if s.next != nil && len(s.found) < limit {
		return nil, nil, fmt.Errorf("find events in time: %w", event.ErrUnavailable)
	}
	if err := s.decorate(ctx); err != nil {
		return nil, nil, err
	}
	return s.events(), s.states, nil
}

// FindEach visits all events of a workspace for which a query holds that has no condition
// on recipients, newest first, with the states of the messages of the sends among them: at
// most atOnce together, until visit returns false.
func (r *Reader) FindEach(
	ctx context.Context, workspace string, q query.Query, atOnce int, visit func([]event.Event, map[string]event.State) (bool, error),
) error {
	for before := new(Key); before != nil; {
		s := scan{reader: r, scope: Scope{Workspace: workspace}, query: q, before: *before, limit: atOnce}
		if err := s.run(ctx, r.clock()); err != nil {
			return err
		}
		if err := s.decorate(ctx); err != nil {
			return err
		}
		if more, err := visit(s.events(), s.states); err != nil || !more {
			return err
		}
		before = s.next
	}
	return nil
}

// StatesOf returns the states that exist among the messages of a workspace.
func (r *Reader) StatesOf(ctx context.Context, workspace string, messages []string) (map[string]event.State, error) {
	states, err := r.states.Of(ctx, workspace, messages)
	if err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	return states, nil
}

// understand reads the text and joins it with the filters and with what the
// reader may see.
func (r *Reader) understand(request PageRequest, who *people, now time.Time) (Understood, query.Query) {
	result := query.Parse(request.Text, query.Options{
		Now: now, Zone: request.zone(), Me: request.Me, Directory: who,
	})
	filter := request.Filter
	if filter.UnlessTimed && slices.ContainsFunc(result.Chips, func(c query.Chip) bool { return c.Field == "time" }) {
		filter.Since, filter.Until = 0, 0
	}
	q := filter.Apply(result.Query)
	if q.From == 0 {
		q.From = max(0, now.Add(-Horizon).Unix())
	}
	if request.Users != nil {
		q = q.Restrict(request.Users)
	}
	if result.Chips == nil {
		result.Chips = []query.Chip{}
	}
	return Understood{Chips: result.Chips, Words: result.Words, Interpretation: result.Interpretation, Notes: result.Notes, Unused: result.Unused, table: result.Table, Order: string(cmp.Or(result.Order, query.NewestFirst))}, q
}

func pageLimit(limit int) int {
	if limit <= 0 {
		return DefaultLimit
	}
	return min(limit, MaxLimit)
}
