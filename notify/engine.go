package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
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
	// Limits are the defaults where they are not given.
	Limits Limits
}

// Engine takes triggers through deciding.
type Engine struct {
	Config
	questions *questions
	spent     *spent
}

// NewEngine makes an Engine.
func NewEngine(c Config) *Engine {
	if c.Fresh == 0 {
		c.Fresh = Fresh
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	c.Limits = c.Limits.orDefaults()
	return &Engine{c, newQuestions(c.Searches, c.People, c.Clock), newSpent()}
}

// Handle decides about triggers for everybody: about new events together, and about
// those that were corrected, or completed by their send, one by one and after them. When it returns nil, all that follows from them
// is durable. It may be repeated.
func (x *Engine) Handle(ctx context.Context, triggers []event.Trigger) error {
	books := make(map[string]*Book)
	var events []asked
	var corrections []event.Trigger
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
			who, err := x.candidates(ctx, book, t.Event)
			if err != nil {
				return err
			}
			events = append(events, asked{t, who})
		}
	}
	for rest := events; len(rest) > 0; {
		some := x.together(rest)
		rest = rest[len(some):]
		if err := x.decideNew(ctx, books, some); err != nil {
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

// asked is a trigger with those who may be told of it.
type asked struct {
	event.Trigger
	candidates []string
}

// together are as many of the first triggers as concern Limits.AtOnce people, one at least.
func (x *Engine) together(triggers []asked) []asked {
	people := 0
	for i, t := range triggers {
		people += len(t.candidates)
		if i > 0 && people > x.Limits.AtOnce {
			return triggers[:i]
		}
	}
	return triggers
}

// decideNew decides about new events at once.
func (x *Engine) decideNew(ctx context.Context, books map[string]*Book, triggers []asked) error {
	about := make([]About, len(triggers))
	for i, t := range triggers {
		about[i] = About{t.Event.Workspace, t.Event.ID}
	}
	stored, err := x.Store.OfEvents(ctx, about)
	if err != nil {
		return err
	}
	return x.decideAll(ctx, books, triggers, stored)
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
	who, err := x.candidates(ctx, books[t.Event.Workspace], t.Event)
	if err != nil {
		return err
	}
	return x.decideAll(ctx, books, []asked{{t, who}}, stored)
}

// question is a decision on its way: old is the one before, where decided is set.
type question struct {
	book    *Book
	trigger event.Trigger
	given   Context
	old     Decision
	decided bool
	Decision
}

func (q *question) bell() bell { return bell{q.Decision, q.book, &q.trigger.Event, q.trigger.Trace} }

// decideAll decides for all candidates who have no decision yet, and, on a correction,
// anew for those whose decision it overturns.
func (x *Engine) decideAll(ctx context.Context, books map[string]*Book, triggers []asked, stored []Decision) error {
	before := make(map[string]Decision, len(stored))
	known := make(map[About][]string) // those who had a decision and may not see it any more
	for _, d := range stored {
		before[d.ID] = d
		known[About{d.Workspace, d.Event}] = append(known[About{d.Workspace, d.Event}], d.User)
	}
	var questions []*question
	var again []bell
	for _, t := range triggers {
		book := books[t.Event.Workspace]
		d := query.DocumentLater(t.Event)
		asks, err := x.asks(ctx, t.Event.Workspace, book)
		if err != nil {
			return err
		}
		for _, user := range withKnown(t.candidates, known[About{t.Event.Workspace, t.Event.ID}]) {
			if len(questions)+len(again) >= x.Limits.AtOnce {
				if err := x.answerAll(ctx, questions, again); err != nil {
					return err
				}
				questions, again = nil, nil
			}
			old, decided := before[IDOf(t.Event.Workspace, t.Event.ID.String(), "", user)]
			if decided && !overturned(t.Trigger, old) {
				// What a correction tells anew is told again with it, as new events are.
				if t.Kind == event.AnnounceEvent || old.Version > 1 && old.Tells() {
					again = append(again, bell{old, book, &t.Event, t.Trace}) // a crash may have come between
				}
				continue
			}
			given, err := x.contextOf(ctx, t.Trigger, book, user, asks.byOwner[user], d)
			if err != nil {
				return err
			}
			given.Corrected = decided
			questions = append(questions, &question{book: book, trigger: t.Trigger, given: given, old: old, decided: decided})
		}
		counted, err := x.countAll(ctx, book, t.Trigger, t.candidates, asks, d)
		if err != nil {
			return err
		}
		questions = append(questions, counted...)
	}
	return x.answerAll(ctx, questions, again)
}

// withKnown are the candidates and those who have a decision already, each once and in order.
func withKnown(candidates, known []string) []string {
	if len(known) == 0 {
		return candidates
	}
	all := slices.Concat(candidates, known)
	slices.Sort(all)
	return slices.Compact(all)
}

// answerAll answers questions, keeps the answers, and tells them with those that were kept before.
func (x *Engine) answerAll(ctx context.Context, questions []*question, again []bell) error {
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
		return x.limit(ctx, questions)
	}
	holders, err := x.Store.Claim(ctx, claims, now.UnixMilli())
	if err != nil {
		return err
	}
	for i, q := range claiming {
		if q.given.Holder = holders[i]; holders[i] != q.Event {
			q.answer(now)
		}
	}
	return x.limit(ctx, questions)
}

// limit has what is too much not told, and what leaves the house go together.
func (x *Engine) limit(ctx context.Context, questions []*question) error {
	if err := x.capped(ctx, questions); err != nil {
		return err
	}
	return x.bound(ctx, questions)
}

// answer decides with what is known by now.
func (q *question) answer(now time.Time) {
	q.Decision = Decide(q.trigger, q.book.Settings[q.given.User], q.given, now)
}

// keep writes the answers that are worth a row and returns those that it wrote.
func (x *Engine) keep(ctx context.Context, questions []*question) ([]bell, error) {
	var added []Decision
	var made []bell
	now := x.Clock()
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
		case x.keeps(q.Decision, now):
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
		if b.Tells() {
			x.spent.add(Reader{b.Workspace, b.User}, "told", hourOf(now))
			x.spent.add(Reader{Workspace: b.Workspace}, "told", hourOf(now))
		}
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

// contextOf is what is known of a person and an event.
func (x *Engine) contextOf(ctx context.Context, t event.Trigger, book *Book, user string, rules []understood, d query.Document) (Context, error) {
	workspace := t.Event.Workspace
	f := Context{
		User: user, Scope: scopeOf(user, t.Event),
		Defaults: book.Defaults, Fresh: x.Fresh, Shadow: book.Mode == ModeShadow, Devices: book.Devices[user],
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
	if f.Visible {
		f.Rules = matches(rules, d, false)
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
