package notify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"tidings/event"
	"tidings/query"
)

// kinds is a set of Kinds.
type kinds uint16

func kindsOf(all ...Kind) kinds {
	var set kinds
	for _, kind := range all {
		if at := slices.Index(Kinds, kind); at >= 0 {
			set |= 1 << at
		}
	}
	return set
}

// rowsOf are the kinds whose rows may tell of an event.
func rowsOf(e event.Event) kinds {
	if e.Automated() {
		return kindsOf(Kind(e.Type), KindAutomated)
	}
	return kindsOf(Kind(e.Type))
}

// interest is of which kinds somebody is told, of their own messages and of others'.
type interest struct{ mine, team kinds }

func interestOf(s Settings, d Defaults) interest {
	var i interest
	for _, kind := range Kinds {
		if cell, _ := row(s, d, Mine, kind); cell.Often != Off {
			i.mine |= kindsOf(kind)
		}
		if cell, _ := row(s, d, Team, kind); cell.Often != Off {
			i.team |= kindsOf(kind)
		}
	}
	return i
}

// index finds of what people are told.
func (b *Book) index() {
	b.usual = interestOf(Settings{}, b.Defaults)
	b.told = make(map[string]interest, len(b.Settings))
	for user, s := range b.Settings {
		i := interestOf(s, b.Defaults)
		if b.told[user] = i; i.team != 0 {
			b.reaching = append(b.reaching, user)
		}
	}
	slices.Sort(b.reaching)
}

// tellsOf reports whether somebody's rows may tell them of an event.
func (b *Book) tellsOf(user string, e event.Event, rows kinds) bool {
	i, known := b.told[user]
	if !known {
		i = b.usual
	}
	if e.User == user {
		return i.mine&rows != 0
	}
	return i.team&rows != 0
}

// asking are the rules of a book that ask about events, with their texts understood. They
// are made when they are asked for first, and are as old as the book.
type asking struct {
	mu      sync.Mutex
	made    bool
	byOwner map[string][]understood
	// byType has those that events of a type may be found by, of a message or of any.
	byType map[event.Type]map[string][]understood
}

// understood is a rule with its text understood.
type understood struct {
	Rule
	query query.Query
}

// asks are a book's rules, understood.
func (x *Engine) asks(ctx context.Context, workspace string, b *Book) (*asking, error) {
	a := &b.asking
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made {
		return a, nil
	}
	a.byOwner, a.byType = make(map[string][]understood), make(map[event.Type]map[string][]understood)
	for owner, rules := range b.Rules {
		all, err := x.understand(ctx, workspace, rules)
		if err != nil {
			return nil, err
		}
		a.byOwner[owner] = all
		for _, r := range all {
			for _, kind := range Kinds {
				typ := event.Type(kind)
				if len(r.Kinds) > 0 && !slices.Contains(r.Kinds, kind) {
					continue
				}
				if a.byType[typ] == nil {
					a.byType[typ] = make(map[string][]understood)
				}
				a.byType[typ][r.Message] = append(a.byType[typ][r.Message], r)
			}
		}
	}
	a.made = true
	return a, nil
}

// understand reads the texts of rules that ask about events, and leaves out what events
// cannot be found by: its owner sees that in the list of rules.
func (x *Engine) understand(ctx context.Context, workspace string, rules []Rule) ([]understood, error) {
	var all []understood
	for _, r := range rules {
		if !r.Enabled || r.asked() != OnEvent && r.asked() != OnCount {
			continue
		}
		u := understood{Rule: r}
		u.query.Automated = query.AutomatedShow
		if r.Q != "" {
			q, err := x.questions.understand(ctx, workspace, r.Owner, r.Q)
			if errors.Is(err, event.ErrInvalid) || err == nil && q.AsksRecipients() {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("match rules: %w", err)
			}
			u.query = q
		}
		all = append(all, u)
	}
	return all, nil
}

// candidates are those who may be told of an event, or of whose log it is, in order: who
// may see it now, with a row or a rule that may find it.
func (x *Engine) candidates(ctx context.Context, b *Book, e event.Event) ([]string, error) {
	viewers, err := x.People.Viewers(ctx, e.Workspace, e.User)
	if err != nil {
		return nil, fmt.Errorf("ask who may see an event: %w", err)
	}
	if e.User == "" || len(viewers) == 0 {
		return nil, nil
	}
	sees := func(user string) bool { _, found := slices.BinarySearch(viewers, user); return found }
	who := make(map[string]bool)
	rows := rowsOf(e)
	among := viewers
	if b.usual.team&rows == 0 && len(b.reaching) < len(viewers) {
		among = append(slices.Clone(b.reaching), e.User) // nobody else's rows reach further
	}
	for _, user := range among {
		if b.tellsOf(user, e, rows) && sees(user) {
			who[user] = true
		}
	}
	asks, err := x.asks(ctx, e.Workspace, b)
	if err != nil {
		return nil, err
	}
	for _, message := range []string{"", e.Message} {
		rules := asks.byType[e.Type][message]
		for i := range rules {
			r := &rules[i]
			if !who[r.Owner] && r.about(&e) && sees(r.Owner) && r.query.MayMatch(&e) {
				who[r.Owner] = true
			}
		}
		if e.Message == "" {
			break
		}
	}
	return slices.Sorted(maps.Keys(who)), nil
}

// Wanted are those triggers of which somebody may be told, or which may take something
// back. The others need not be handed to Handle: nothing follows from them.
func (x *Engine) Wanted(ctx context.Context, triggers []event.Trigger) ([]event.Trigger, error) {
	books := make(map[string]*Book)
	wanted := make([]event.Trigger, 0, len(triggers))
	for _, t := range triggers {
		book, err := x.bookOf(ctx, books, t.Event.Workspace)
		if err != nil {
			return nil, err
		}
		if book.Mode == ModeOff {
			continue
		}
		if t.Kind == event.AnnounceEvent {
			who, err := x.candidates(ctx, book, t.Event)
			if err != nil {
				return nil, err
			}
			if len(who) == 0 {
				continue
			}
		}
		wanted = append(wanted, t)
	}
	return wanted, nil
}
