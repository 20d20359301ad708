package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

// Bounds of a simulation.
const (
	LongestSimulation = 31 * 24 * time.Hour
	// mostSimulated is how many events it looks at, the newest.
	mostSimulated = 20_000
	// mostDiffering is how many it names of what would be told more, and less.
	mostDiffering = 100
)

// Simulation is what other settings would have told, beside those of now.
type Simulation struct {
	Since, Until time.Time
	Now, Then    int
	Days         []SimulatedDay
	Kinds        map[Kind]NowThen
	// Gained and Lost are events that would be told more and less, the newest first.
	Gained, Lost []event.ID
	// Partial says that there were more events than are looked at, and Since is moved.
	Partial bool
}

// NowThen are numbers with the settings of now, and with the others.
type NowThen struct {
	Now  int `json:"now"`
	Then int `json:"then"`
}

// SimulatedDay is a day of the person's zone.
type SimulatedDay struct {
	Date string `json:"date"`
	NowThen
}

// Rehearsal is what Rehearse decides for.
type Rehearsal struct {
	User     string
	Settings Settings
	Defaults Defaults
	// Own are the person's own addresses.
	Own map[string]bool
	// Devices says that they have one that is pushed to.
	Devices bool
	// Rules finds their rules that match an event; nil for none.
	Rules func(event.Event) []Rule
}

// Rehearse decides about events, the oldest first, as if each came when it happened,
// with claims in memory. It is what the log has where events came in order and their
// verdicts stayed.
func Rehearse(r Rehearsal, events []event.Event) ([]Decision, error) {
	claims := make(map[string]event.ID)
	var decided []Decision
	for _, e := range events {
		t, ok := event.TriggerOf(event.Announcement{Kind: event.AnnounceEvent, Event: &e})
		if !ok {
			continue
		}
		given := Context{
			User: r.User, Visible: true, Scope: scopeOf(r.User, e), Own: r.Own[e.RecipientEmail()], Defaults: r.Defaults, Fresh: Fresh, Devices: r.Devices,
		}
		if r.Rules != nil {
			given.Rules = r.Rules(e)
		}
		d := Decide(t, r.Settings, given, e.At())
		if d.Tells() && d.Claim != "" {
			if holder, held := claims[d.Claim]; held {
				given.Holder = holder
				d = Decide(t, r.Settings, given, e.At())
			} else {
				claims[d.Claim] = e.ID
			}
		}
		decided = append(decided, d)
	}
	return decided, nil
}

// Simulate says what other settings of a person would have told since a time. Nobody is
// told, and nothing is kept.
func (x *Engine) Simulate(ctx context.Context, workspace, user string, other Settings, since time.Time) (Simulation, error) {
	if err := other.Check(); err != nil {
		return Simulation{}, err
	}
	now := x.Clock()
	if since.After(now) || now.Sub(since) > LongestSimulation {
		return Simulation{}, event.Invalid("since", "is within the last 31 days")
	}
	book, err := x.Books.Load(ctx, workspace)
	if err != nil {
		return Simulation{}, fmt.Errorf("load settings of notifications: %w", err)
	}
	visible, err := x.visible(ctx, workspace, user)
	if err != nil {
		return Simulation{}, err
	}
	q := query.Query{From: since.Unix(), Automated: query.AutomatedShow, Where: query.Not{Expr: query.Types(event.Send, event.Delivery)}}
	events, _, err := x.Feed.Find(ctx, workspace, q.Restrict(visible), mostSimulated)
	if err != nil {
		return Simulation{}, fmt.Errorf("find events to simulate: %w", err)
	}
	slices.SortFunc(events, func(a, b event.Event) int { return int(a.Time - b.Time) })
	addresses, err := x.People.UsersByAddress(ctx, workspace)
	if err != nil {
		return Simulation{}, fmt.Errorf("ask for own addresses: %w", err)
	}
	r := Rehearsal{User: user, Settings: book.Settings[user], Defaults: book.Defaults, Own: make(map[string]bool)}
	for address, whose := range addresses {
		r.Own[address] = whose == user
	}
	if rules := book.Rules[user]; len(rules) > 0 {
		asks, err := x.understand(ctx, workspace, rules)
		if err != nil {
			return Simulation{}, err
		}
		r.Rules = func(e event.Event) []Rule { return matches(asks, query.DocumentLater(e), false) }
	}
	before, err := Rehearse(r, events)
	if err != nil {
		return Simulation{}, err
	}
	r.Settings = other
	after, err := Rehearse(r, events)
	if err != nil {
		return Simulation{}, err
	}
	s := compare(before, after, events, other.location())
	s.Since, s.Until, s.Partial = since, now, len(events) == mostSimulated
	if s.Partial {
		s.Since = events[0].At()
	}
	return s, nil
}

// compare sets two rehearsals of the same events against each other.
func compare(before, after []Decision, events []event.Event, zone *time.Location) Simulation {
	s := Simulation{Kinds: make(map[Kind]NowThen)}
	at := make(map[event.ID]time.Time, len(events))
	for _, e := range events {
		at[e.ID] = e.At()
	}
	count := func(d Decision, add func(*NowThen)) {
		date := at[d.Event].In(zone).Format(time.DateOnly)
		if n := len(s.Days); n == 0 || s.Days[n-1].Date != date {
			s.Days = append(s.Days, SimulatedDay{Date: date})
		}
		add(&s.Days[len(s.Days)-1].NowThen)
		kind := s.Kinds[d.Kind]
		add(&kind)
		s.Kinds[d.Kind] = kind
	}
	for i := range before {
		was, is := before[i].Tells(), after[i].Tells()
		if was {
			s.Now++
			count(before[i], func(n *NowThen) { n.Now++ })
		}
		if is {
			s.Then++
			count(after[i], func(n *NowThen) { n.Then++ })
		}
		switch {
		case is && !was:
			s.Gained = append(s.Gained, after[i].Event)
		case was && !is:
			s.Lost = append(s.Lost, before[i].Event)
		}
	}
	for _, list := range []*[]event.ID{&s.Gained, &s.Lost} {
		slices.Reverse(*list)
		*list = (*list)[:min(len(*list), mostDiffering)]
	}
	return s
}
