package feed

import (
	"context"
	"time"

	"tidings/event"
	"tidings/query"
)

// Horizon is how far back a page looks when it is not told.
const Horizon = 52 * 7 * 24 * time.Hour

// Directory knows the names of a workspace's users.
type Directory interface {
	// Names returns name by user id. The map is not changed afterwards.
	Names(ctx context.Context, workspace string) (map[string]string, error)
}

// Positions gives the position on the live stream from which nothing is missed
// of what a search made afterwards may not have seen.
type Positions interface {
	PositionBefore(lag time.Duration) string
}

// positionMargin is taken off a page's position beyond the index's refresh
// interval: repeats are dropped by id, a gap could not be mended.
const positionMargin = 5 * time.Second

// Reader reads the feed of any workspace. It is safe for concurrent use.
type Reader struct {
	index     Index
	states    States
	weeks     Catalogue
	directory Directory
	teams     Teams
	positions Positions
	clock     func() time.Time
	budget    time.Duration
	counter   Counter
	tallies   *tallies
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
	// Counter makes statistics fast; nil where the index is no counter, and
	// then they read every event.
	Counter Counter
}

// talliesKept bounds what is remembered of counted weeks, in bytes.
const talliesKept = 64 << 20

// NewReader makes a Reader.
func NewReader(c Config) *Reader {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Budget == 0 {
		c.Budget = 2 * time.Second
	}
	return &Reader{c.Index, c.States, c.Catalogue, c.Directory, c.Teams, c.Positions, c.Clock, c.Budget, c.Counter, newTallies(talliesKept)}
}

// Page returns the newest events of a question, or those after its cursor. Item
// ids never repeat between pages, whatever arrives meanwhile.
func (r *Reader) Page(ctx context.Context, request PageRequest) (Page, error) {
	from := cursor{}
	fingerprint := request.fingerprint()
	if request.Cursor != "" {
		var err error
		if from, err = parseCursor(request.Cursor, fingerprint); err != nil {
			return Page{}, err
		}
	}
	who, err := r.people(ctx, request.Workspace)
	if err != nil {
		return Page{}, err
	}
	var position string
	if r.positions != nil {
		position = r.positions.PositionBefore(r.index.RefreshInterval() + positionMargin)
	}

	now := from.clockOf(r.clock())
	understood, q := r.understand(request, who, now)
	scan := scan{reader: r, scope: request.Scope, query: q, before: from.key, limit: pageLimit(request.Limit)}
	if err := scan.run(ctx, now); err != nil {
		return Page{}, err
	}

	page := Page{
		Items:   make([]Item, 0, len(scan.found)),
		Reached: time.Unix(scan.reached, 0).UTC(),
		Query:   understood,
		Live:    position,
	}
	if scan.next != nil {
		next := cursor{*scan.next, now.Unix(), fingerprint}.String()
		page.Next = &next
	}
	if err := scan.decorate(ctx); err != nil {
		return Page{}, err
	}
	for _, hit := range scan.found {
		var state *event.State
		if known, ok := scan.states[hit.Event.Message]; ok {
			state = &known
		}
		item := ItemOf(hit.Event, state, func(user string) string { return who.names[user] })
		item.Highlights = query.Highlights(hit.Event, q)
		page.Items = append(page.Items, item)
	}
	return page, nil
}

// Understand reads a question as Page does, for those who match it themselves.
func (r *Reader) Understand(ctx context.Context, request PageRequest) (Understood, query.Query, error) {
	who, err := r.people(ctx, request.Workspace)
	if err != nil {
		return Understood{}, query.Query{}, err
	}
	understood, q := r.understand(request, who, r.clock())
	return understood, q, nil
}

// understand reads the text and joins it with the filters and with what the
// reader may see.
func (r *Reader) understand(request PageRequest, who *people, now time.Time) (Understood, query.Query) {
	result := query.Parse(request.Text, query.Options{
		Now: now, Zone: request.zone(), Me: request.Me, Directory: who,
	})
	q := request.Filter.Apply(result.Query)
	if q.From == 0 {
		q.From = max(0, now.Add(-Horizon).Unix())
	}
	if request.Users != nil {
		q = q.Restrict(request.Users)
	}
	if result.Chips == nil {
		result.Chips = []query.Chip{}
	}
	return Understood{Chips: result.Chips, Words: result.Words, Meant: result.Meant, Notes: result.Notes}, q
}

func pageLimit(limit int) int {
	if limit <= 0 {
		return DefaultLimit
	}
	return min(limit, MaxLimit)
}
