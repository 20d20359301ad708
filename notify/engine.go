package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/event"
)

// Config is what an Engine is made of. Outbox may be nil: then nothing leaves the
// house. Searches may be nil: then rules have no texts.
type Config struct {
	Store    Store
	Books    *Books
	People   People
	History  History
	Events   Events
	Searches Searches
	Feed     Feed
	Counts   Counts
	Outbox   Outbox
	// Announcer tells sockets; nil where there are none.
	Announcer Announcer
	Observer  Observer
	Clock     func() time.Time
	// Fresh is how old an event may be, Fresh when 0.
	Fresh time.Duration
}

// Engine takes triggers through deciding.
type Engine struct {
	Config
	questions *questions
}

// NewEngine makes an Engine.
func NewEngine(c Config) *Engine {
	if c.Fresh == 0 {
		c.Fresh = Fresh
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return &Engine{c, newQuestions(c.Searches, c.Clock)}
}

// Handle decides about triggers for everybody: about new events together, and about
// those that were corrected, or completed by their send, one by one and after them. When it returns nil, all that follows from them
// is durable. It may be repeated.
func (x *Engine) Handle(ctx context.Context, triggers []event.Trigger) error {
	books := make(map[string]*Book)
	var events, corrections []event.Trigger
	var about []About
	seen := make(map[About]bool, len(triggers))
	for _, t := range triggers {
		book, err := x.bookOf(ctx, books, t.Event.Workspace)
		if err != nil {
			return err
		}
		which := About{t.Event.Workspace, t.Event.ID}
		switch {
		case book.Mode == ModeOff:
		case t.Kind == event.AnnounceChanged:
			corrections = append(corrections, t)
		case !seen[which]:
			seen[which] = true
			events, about = append(events, t), append(about, which)
		}
	}
	if len(events) > 0 {
		stored, err := x.Store.OfEvents(ctx, about)
		if err != nil {
			return err
		}
		if err := x.decideAll(ctx, books, events, stored); err != nil {
			return err
		}
	}
	for _, t := range corrections {
		if err := x.correct(ctx, books, t); err != nil {
			return err
		}
	}
	return nil
}

// bookOf loads a workspace's book once.
func (x *Engine) bookOf(ctx context.Context, books map[string]*Book, workspace string) (*Book, error) {
	if book := books[workspace]; book != nil {
		return book, nil
	}
	book, err := x.Books.Load(ctx, workspace)
	if err != nil {
		return nil, fmt.Errorf("load settings of notifications: %w", err)
	}
	books[workspace] = book
	return book, nil
}

// correct takes back what is a machine's now, and decides about what is not any more.
func (x *Engine) correct(ctx context.Context, books map[string]*Book, t event.Trigger) error {
	stored, err := x.Store.OfEvents(ctx, []About{{t.Event.Workspace, t.Event.ID}})
	if err != nil {
		return err
	}
	if t.Event.Automated() {
		if err := x.withdraw(ctx, books[t.Event.Workspace], t, stored); err != nil {
			return err
		}
	}
	return x.decideAll(ctx, books, []event.Trigger{t}, stored)
}

// question is a decision on its way: old is the one before, where decided is set.
type question struct {
	book    *Book
	trigger event.Trigger
	facts   Facts
	old     Decision
	decided bool
	Decision
}

func (q *question) bell() bell { return bell{q.Decision, q.book, &q.trigger.Event, q.trigger.Trace} }

// decideAll decides for all candidates who have no decision yet, and, on a correction,
// anew for those whose decision it overturns.
func (x *Engine) decideAll(ctx context.Context, books map[string]*Book, triggers []event.Trigger, stored []Decision) error {
	before := make(map[string]Decision, len(stored))
	for _, d := range stored {
		before[d.ID] = d
	}
	var questions []*question
	var again []bell
	for _, t := range triggers {
		book := books[t.Event.Workspace]
		for _, user := range book.candidates(t.Event) {
			old, decided := before[IDOf(t.Event.Workspace, t.Event.ID.String(), "", user)]
			if decided && !overturned(t, old) {
				if t.Kind == event.AnnounceEvent {
					again = append(again, bell{old, book, &t.Event, t.Trace}) // a crash may have come between
				}
				continue
			}
			facts, err := x.facts(ctx, t, book, user)
			if err != nil {
				return err
			}
			facts.Corrected = decided
			questions = append(questions, &question{book: book, trigger: t, facts: facts, old: old, decided: decided})
		}
		counted, err := x.countAll(ctx, book, t)
		if err != nil {
			return err
		}
		questions = append(questions, counted...)
	}
	if err := x.decide(ctx, questions); err != nil {
		return err
	}
	made, err := x.keep(ctx, questions)
	if err != nil {
		return err
	}
	told := append(again, made...)
	if err := x.endOnce(ctx, told); err != nil {
		return err
	}
	return x.tell(ctx, told)
}

// tell hands decisions that are kept on to sockets and to what leaves the house.
func (x *Engine) tell(ctx context.Context, bells []bell) error {
	if err := x.ring(ctx, bells); err != nil {
		return err
	}
	var leaving []Decision
	for _, b := range bells {
		if b.Leaves() {
			leaving = append(leaving, b.Decision)
		}
	}
	if x.Outbox == nil || len(leaving) == 0 {
		return nil
	}
	return x.Outbox.Deliver(ctx, leaving)
}

// decide answers questions, and claims what is told only once.
func (x *Engine) decide(ctx context.Context, questions []*question) error {
	now := x.Clock()
	var claims []Claim
	var claiming []*question
	for _, q := range questions {
		q.answer(now)
		if q.Tells() && q.Claim != "" {
			claims, claiming = append(claims, Claim{q.Workspace, q.Claim, q.Event}), append(claiming, q)
		}
	}
	if len(claims) == 0 {
		return x.bound(ctx, questions)
	}
	holders, err := x.Store.Claim(ctx, claims, now.UnixMilli())
	if err != nil {
		return err
	}
	for i, q := range claiming {
		if q.facts.Holder = holders[i]; holders[i] != q.Event {
			q.answer(now)
		}
	}
	return x.bound(ctx, questions)
}

// answer decides with what is known by now.
func (q *question) answer(now time.Time) {
	q.Decision = Decide(q.trigger, q.book.Settings[q.facts.User], q.facts, now)
}

// keep writes the answers that are worth a row and returns those that it wrote.
func (x *Engine) keep(ctx context.Context, questions []*question) ([]bell, error) {
	var added []Decision
	var made []bell
	for _, q := range questions {
		switch {
		case q.decided && q.Tells():
			q.Version, q.Read = q.old.Version+1, false
			if done, err := x.Store.Replace(ctx, q.Decision); err != nil {
				return nil, err
			} else if done {
				made = append(made, q.bell())
			}
		case q.decided:
		case q.kept():
			added, made = append(added, q.Decision), append(made, q.bell())
		}
	}
	if len(added) > 0 {
		if err := x.Store.Add(ctx, added); err != nil {
			return nil, err
		}
	}
	for _, b := range made {
		x.Observer.Decided(b.Decision)
	}
	return made, nil
}

// overturned reports whether a correction asks for another decision: what was a
// machine's is a person's now.
func overturned(t event.Trigger, old Decision) bool {
	if t.Kind != event.AnnounceChanged || t.Event.Automated() {
		return false
	}
	return old.Outcome == Withdrawn || old.Check == CheckPerson || old.Check == CheckKind || old.Check == CheckFirst
}

// facts are what is known of a person and an event.
func (x *Engine) facts(ctx context.Context, t event.Trigger, book *Book, user string) (Facts, error) {
	workspace := t.Event.Workspace
	f := Facts{
		User: user, Scope: scopeOf(user, t.Event),
		Defaults: book.Defaults, Fresh: x.Fresh, Shadow: book.Mode == ModeShadow,
	}
	var err error
	if f.Visible, err = x.sees(ctx, user, t.Event); err != nil {
		return f, err
	}
	addresses, err := x.People.UsersByAddress(ctx, workspace)
	if err != nil {
		return f, fmt.Errorf("ask for own addresses: %w", err)
	}
	if email := t.Event.RecipientEmail(); email != "" {
		f.Own = addresses[email] == user
	}
	if rules := book.Rules[user]; len(rules) > 0 && f.Visible {
		if f.Rules, err = x.matches(ctx, workspace, rules, t.Event, false); err != nil {
			return f, fmt.Errorf("match rules: %w", err)
		}
	}
	return f, nil
}

// sees reports whether a person may see an event now.
func (x *Engine) sees(ctx context.Context, user string, e event.Event) (bool, error) {
	visible, err := x.visible(ctx, e.Workspace, user)
	return slices.Contains(visible, e.User), err
}

// visible are those whose events a person may see now.
func (x *Engine) visible(ctx context.Context, workspace, user string) ([]string, error) {
	visible, err := x.People.Visible(ctx, workspace, user)
	if err != nil {
		return nil, fmt.Errorf("ask what %s may see: %w", user, err)
	}
	return visible, nil
}

// withdraw takes back what was told of an event that a machine made, lets go of its
// claims, and decides about the oldest other that a person made.
func (x *Engine) withdraw(ctx context.Context, book *Book, t event.Trigger, stored []Decision) error {
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
		if d.Outcome == Withdrawn {
			taken := []bell{{d, book, &t.Event, t.Trace}}
			if err := x.ring(ctx, taken); err != nil {
				return err
			}
			if err := x.endOnce(ctx, taken); err != nil {
				return err
			}
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
	return x.Handle(ctx, []event.Trigger{again})
}
