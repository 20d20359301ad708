package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"tidings/event"
)

// Config is what an Engine is made of. Outbox may be nil: then nothing leaves the
// house. Questions may be nil: then no rule matches.
type Config struct {
	Store     Store
	Books     *Books
	People    People
	History   History
	Questions Questions
	Outbox    Outbox
	Observer  Observer
	Clock     func() time.Time
	// Fresh is how old an event may be, Fresh when 0.
	Fresh time.Duration
}

// Engine takes triggers through deciding.
type Engine struct{ Config }

// NewEngine makes an Engine.
func NewEngine(c Config) *Engine {
	if c.Fresh == 0 {
		c.Fresh = Fresh
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return &Engine{c}
}

// Handle decides about a trigger for everybody. When it returns nil, all that follows
// from the trigger is durable. It may be repeated.
func (x *Engine) Handle(ctx context.Context, t event.Trigger) error {
	book, err := x.Books.Load(ctx, t.Event.Workspace)
	if err != nil {
		return fmt.Errorf("load settings of notifications: %w", err)
	}
	if book.Mode == ModeOff {
		return nil
	}
	stored, err := x.Store.OfEvent(ctx, t.Event.Workspace, t.Event.ID)
	if err != nil {
		return err
	}
	before := make(map[string]Decision, len(stored))
	for _, d := range stored {
		before[d.User] = d
	}
	if t.Kind == event.AnnounceChanged && t.Event.Automated() {
		if err := x.withdraw(ctx, t, stored); err != nil {
			return err
		}
	}
	return x.decideAll(ctx, t, book, before)
}

// decideAll decides for all candidates who have no decision yet, and, on a correction,
// anew for those whose decision it overturns.
func (x *Engine) decideAll(ctx context.Context, t event.Trigger, book *Book, before map[string]Decision) error {
	var added []Decision
	for _, user := range candidates(book, t.Event.User) {
		old, decided := before[user]
		if decided && !overturned(t, old) {
			if old.Leaves() && t.Kind == event.AnnounceEvent { // a crash may have come between
				added = append(added, old)
			}
			continue
		}
		d, err := x.decide(ctx, t, book, user, decided)
		if err != nil {
			return err
		}
		switch {
		case decided && d.Tells():
			d.Version, d.Read = old.Version+1, false
			if done, err := x.Store.Replace(ctx, d); err != nil {
				return err
			} else if done {
				x.Observer.Decided(d)
				added = append(added, d)
			}
		case decided:
		case d.kept() || t.Kind == event.AnnounceChanged:
			added = append(added, d)
		}
	}
	if len(added) == 0 {
		return nil
	}
	if err := x.Store.Add(ctx, added); err != nil {
		return err
	}
	for _, d := range added {
		if _, decided := before[d.User]; !decided {
			x.Observer.Decided(d)
		}
	}
	leaving := slices.DeleteFunc(added, func(d Decision) bool { return !d.Leaves() })
	if x.Outbox == nil || len(leaving) == 0 {
		return nil
	}
	return x.Outbox.Deliver(ctx, leaving)
}

// overturned reports whether a correction asks for another decision: what was a
// machine's is a person's now.
func overturned(t event.Trigger, old Decision) bool {
	if t.Kind != event.AnnounceChanged || t.Event.Automated() {
		return false
	}
	return old.Outcome == Withdrawn || old.Check == CheckPerson || old.Check == CheckKind || old.Check == CheckFirst
}

// decide decides for one person, and claims what is told only once.
func (x *Engine) decide(ctx context.Context, t event.Trigger, book *Book, user string, again bool) (Decision, error) {
	facts, err := x.facts(ctx, t, book, user)
	if err != nil {
		return Decision{}, err
	}
	facts.Corrected = again
	now := x.Clock()
	d := Decide(t, book.Settings[user], facts, now)
	if !d.Tells() || d.Claim == "" {
		return d, nil
	}
	facts.Holder, err = x.Store.Claim(ctx, d.Workspace, d.Claim, d.Event, now.UnixMilli())
	if err != nil {
		return Decision{}, err
	}
	return Decide(t, book.Settings[user], facts, now), nil
}

// facts are what is known of a person and an event.
func (x *Engine) facts(ctx context.Context, t event.Trigger, book *Book, user string) (Facts, error) {
	workspace := t.Event.Workspace
	f := Facts{
		User: user, Scope: Mine, Visible: user == t.Event.User,
		Defaults: book.Defaults, Fresh: x.Fresh, Shadow: book.Mode == ModeShadow,
	}
	if !f.Visible {
		visible, err := x.People.Visible(ctx, workspace, user)
		if err != nil {
			return f, fmt.Errorf("ask what %s may see: %w", user, err)
		}
		f.Visible, f.Scope = slices.Contains(visible, t.Event.User), Team
	}
	addresses, err := x.People.UsersByAddress(ctx, workspace)
	if err != nil {
		return f, fmt.Errorf("ask for own addresses: %w", err)
	}
	if email := t.Event.RecipientEmail(); email != "" {
		f.Own = addresses[email] == user
	}
	if rules := book.Rules[user]; len(rules) > 0 && f.Visible && x.Questions != nil {
		if f.Rules, err = x.Questions.Matches(ctx, workspace, rules, t.Event); err != nil {
			return f, fmt.Errorf("match rules: %w", err)
		}
	}
	return f, nil
}

// candidates are those who may want to be told of an owner's event: the owner, and
// those whose settings or rules reach beyond their own messages.
func candidates(book *Book, owner string) []string {
	who := make(map[string]bool)
	if owner != "" {
		who[owner] = true
	}
	for user, s := range book.Settings {
		if len(s.Cells[Team]) > 0 || len(s.Cells[Everyone]) > 0 || s.Preset == PresetAll ||
			len(book.Defaults.Cells[Team]) > 0 || len(book.Defaults.Cells[Everyone]) > 0 {
			who[user] = true
		}
	}
	for user := range book.Rules {
		who[user] = true
	}
	delete(who, "")
	return slices.Sorted(maps.Keys(who))
}

// withdraw takes back what was told of an event that a machine made, lets go of its
// claims, and decides about the oldest other that a person made.
func (x *Engine) withdraw(ctx context.Context, t event.Trigger, stored []Decision) error {
	for _, d := range stored {
		claim := d.Claim
		if d.Tells() {
			d.Outcome, d.Check = Withdrawn, CheckPerson
			d.Found = fmt.Sprintf("It turned out that a machine did this (rule %s).", t.Event.Verdict.Rule)
			d.Version++
			done, err := x.Store.Replace(ctx, d)
			if err != nil {
				return err
			}
			if !done {
				return fmt.Errorf("withdraw a notification: %w", event.ErrUnavailable) // it comes again
			}
			x.Observer.Decided(d)
		}
		if d.Outcome != Withdrawn || claim == "" {
			continue
		}
		if x.Outbox != nil {
			if err := x.Outbox.Cancel(ctx, d); err != nil {
				return err
			}
		}
		if err := x.Store.Release(ctx, d.Workspace, claim, d.Event); err != nil {
			return err
		}
		if err := x.decideNext(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// decideNext decides about the oldest other event of the same kind and person that is
// no machine's and recent.
func (x *Engine) decideNext(ctx context.Context, t event.Trigger) error {
	key := event.MessageKey{Workspace: t.Event.Workspace, Message: t.Event.Message}
	events, err := x.History.History(ctx, key)
	if err != nil {
		return fmt.Errorf("find the other events of a message: %w", err)
	}
	oldest := x.Clock().Add(-x.Fresh).Unix()
	var next *event.Event
	for i, e := range events {
		if e.ID == t.Event.ID || e.Type != t.Event.Type || e.RecipientEmail() != t.Event.RecipientEmail() ||
			e.Automated() || e.Time < oldest || (next != nil && e.Time >= next.Time) {
			continue
		}
		next = &events[i]
	}
	if next == nil {
		return nil
	}
	again, _ := event.TriggerOf(event.Announcement{Kind: event.AnnounceChanged, Event: next, Trace: t.Trace})
	return x.Handle(ctx, again)
}
