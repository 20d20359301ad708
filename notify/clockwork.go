package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/event"
	"tidings/query"
)

const (
	// sweepOverlap is how far a sweep looks back beyond the one before: what was sent may
	// be seen a moment later by a search.
	sweepOverlap = 10 * time.Minute
	// sweepAgain is how often it looks back as far as sweepBack, for sends that came late.
	sweepAgain = time.Hour
	sweepBack  = 7 * 24 * time.Hour
	// sweptAtOnce is how many sends are read at once, and mostListed how many a rule of a
	// time counts before it says "and more".
	sweptAtOnce = 1000
	mostListed  = 200
	// measureEvery is how often rates and silence are looked at.
	measureEvery = 5 * time.Minute
	// saidLate is from when on a rule says that it was looked at late.
	saidLate = 2 * time.Minute
)

// Timed is what a rule that waits for a time, or counts, concluded.
type Timed struct {
	Rule   Rule
	Kind   Kind
	Reason Reason
	// Cause names it: the rule and what it was about.
	Cause string
	// Due is when it was to be told, and Found says what was found.
	Due   time.Time
	Found string
}

// timed reports whether a rule waits for a time.
func (r Rule) timed() bool { return r.asked() != OnEvent && r.asked() != OnCount }

// cause names a rule as it is asked now.
func (r Rule) cause(what string) string {
	return fmt.Sprintf("rule|%s|%d|%s", r.Name, r.Created, what)
}

// progress is how far a rule that waits has come, in Unix seconds.
type progress struct {
	UpTo int64 `json:"upto"`
	// Back is when it looked back over the last week.
	Back int64 `json:"back,omitempty"`
	// Told is when all was told that had been decided, in Unix milliseconds.
	Told int64 `json:"told,omitempty"`
	// Over says of a rate or a silence that it was told.
	Over bool `json:"over,omitempty"`
}

// Tick looks at all rules that wait for a time. Run it every half a minute, in one
// process at a time; more would do no harm. What was due while nobody looked is told late.
func (x *Engine) Tick(ctx context.Context) error {
	workspaces, err := x.Books.Timed(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, workspace := range workspaces {
		if err := x.tick(ctx, workspace); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (x *Engine) tick(ctx context.Context, workspace string) error {
	book, err := x.Books.Load(ctx, workspace)
	if err != nil {
		return fmt.Errorf("load settings of notifications: %w", err)
	}
	if book.Mode == ModeOff {
		return nil
	}
	var errs []error
	for owner, rules := range book.Rules {
		for _, r := range rules {
			if !r.timed() || !r.Enabled || !r.Done.IsZero() {
				continue
			}
			err := x.look(ctx, book, workspace, r)
			if err != nil && !errors.Is(err, event.ErrInvalid) { // its owner sees that in the list of rules
				errs = append(errs, fmt.Errorf("look at a rule of %s: %w", owner, err))
			}
		}
	}
	return errors.Join(errs...)
}

// look looks at one rule. How far it has come is written after what it told.
func (x *Engine) look(ctx context.Context, book *Book, workspace string, r Rule) error {
	visible, err := x.visible(ctx, workspace, r.Owner)
	if err != nil || len(visible) == 0 {
		return err // whoever may see nothing is told of nothing
	}
	key := r.cause(r.Owner)
	doc, err := x.Store.Note(ctx, workspace, key)
	if err != nil {
		return err
	}
	before := progress{UpTo: r.Created / 1000}
	if doc != nil {
		if err := json.Unmarshal(doc, &before); err != nil {
			return fmt.Errorf("read how far a rule has come: %w", err)
		}
	}
	now := x.Clock()
	if before.UpTo > now.Unix() { // the clock was ahead: do not wait until it is there again
		before.UpTo, before.Back = now.Add(-measureEvery).Unix(), 0
	}
	after := before
	after.UpTo = now.Unix()
	var questions []*question
	told := 0
	switch r.asked() {
	case OnAbsence:
		err = x.sweep(ctx, book, workspace, r, before, &after, func(found []*question) (bool, error) {
			told += len(found)
			return !r.Once || told == 0, x.decideAndTell(ctx, found)
		})
	case OnBy:
		questions, err = x.byNow(ctx, book, workspace, r, before, now)
	case OnReport:
		questions, err = x.reportNow(ctx, book, workspace, r, visible, before, now)
	default:
		if now.Sub(time.Unix(before.UpTo, 0)) < measureEvery {
			return nil
		}
		questions, err = x.measure(ctx, book, workspace, r, before, &after)
	}
	if err == nil {
		err = x.decideAndTell(ctx, questions)
	}
	if told += len(questions); err != nil || told == 0 && now.Sub(time.Unix(before.UpTo, 0)) < measureEvery {
		return err // what was looked at is looked at again
	}
	after.Told = x.Clock().UnixMilli()
	next, err := json.Marshal(after)
	if err != nil {
		return err
	}
	_, err = x.Store.SwapNote(ctx, workspace, key, doc, next, now.UnixMilli()) // another was as far
	return err
}

// decideAndTell decides, keeps and tells what rules concluded, each once.
func (x *Engine) decideAndTell(ctx context.Context, questions []*question) error {
	if len(questions) == 0 {
		return nil
	}
	if err := x.decide(ctx, questions); err != nil {
		return err
	}
	made, err := x.keep(ctx, questions)
	if err != nil {
		return err
	}
	return x.tell(ctx, made)
}

// conclude makes the question of what a rule concluded about an event.
func (x *Engine) conclude(book *Book, r Rule, e event.Event, timed Timed) *question {
	timed.Rule = r
	if late := x.Clock().Sub(timed.Due); late >= saidLate && r.asked() == OnBy {
		zone := book.Settings[r.Owner].location()
		timed.Found += fmt.Sprintf(" It was due at %s and looked at at %s.", timed.Due.In(zone).Format("Mon 15:04"), x.Clock().In(zone).Format("Mon 15:04"))
	}
	return &question{
		book:    book,
		trigger: event.Trigger{Kind: event.AnnounceEvent, Event: e},
		given: Context{
			User: r.Owner, Scope: scopeOf(r.Owner, e), Visible: true, Defaults: book.Defaults, Fresh: x.Fresh,
			Shadow: book.Mode == ModeShadow, Devices: book.Devices[r.Owner], Timed: &timed,
		},
	}
}

// sweep finds the sends whose time is over and of which nothing was heard, and visits
// those of each sweptAtOnce sends until visit returns false.
func (x *Engine) sweep(
	ctx context.Context, book *Book, workspace string, r Rule, before progress, after *progress, visit func([]*question) (bool, error),
) error {
	now, wait, zone := x.Clock(), spanOf(r.After), book.Settings[r.Owner].location()
	from := time.Unix(before.UpTo, 0).Add(-sweepOverlap)
	if now.Sub(time.Unix(before.Back, 0)) >= sweepAgain {
		from, after.Back = now.Add(-sweepBack), now.Unix()
		if back := time.Unix(before.UpTo, 0); back.Before(from) {
			from = back // it was not looked at for more than a week: what is too old says so
		}
	}
	if made := time.UnixMilli(r.Created); from.Before(made) {
		from = made
	}
	q, err := x.previewed(ctx, workspace, r)
	if err != nil {
		return err
	}
	q.Automated = query.AutomatedShow
	q.Where = query.AllOf(query.Types(event.Send), q.Where)
	q.From, q.Until = wait.begins(from.In(zone)).Unix(), wait.begins(now.In(zone)).Unix()
	err = x.Feed.FindEach(ctx, workspace, q, sweptAtOnce, func(sends []event.Event, states map[string]event.State) (bool, error) {
		due := slices.DeleteFunc(sends, func(e event.Event) bool {
			state, known := states[e.Message]
			return !known || !silent(state, e, r)
		})
		untold, err := x.untold(ctx, workspace, r, due, before.Told)
		if err != nil {
			return false, err
		}
		questions := make([]*question, len(untold))
		for i, e := range untold {
			questions[i] = x.conclude(book, r, e, absent(r, e, wait.after(e.At().In(zone))))
		}
		return visit(questions)
	})
	if err != nil {
		return fmt.Errorf("look at sends: %w", err)
	}
	return nil
}

// absent is what a rule of absence says of a send.
func absent(r Rule, e event.Event, due time.Time) Timed {
	kind, words := KindUnopened, "Nobody opened it within "
	if r.No == NoReply {
		kind, words = KindUnreplied, "Nobody answered it within "
	}
	return Timed{Kind: kind, Reason: ReasonAbsence, Cause: r.cause(e.Message), Due: due, Found: words + r.After + "."}
}

// untold are those of which a rule has not told yet, one of each message: all that was
// decided until a time, in Unix milliseconds, was told. After it, a crash may have come
// between the two.
func (x *Engine) untold(ctx context.Context, workspace string, r Rule, sends []event.Event, until int64) ([]event.Event, error) {
	about := make([]About, len(sends))
	for i, e := range sends {
		about[i] = About{workspace, e.ID}
	}
	stored, err := x.Store.OfEvents(ctx, about)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(stored))
	for _, d := range stored {
		seen[d.ID] = d.At <= until || d.At > x.Clock().UnixMilli()
	}
	return slices.DeleteFunc(sends, func(e event.Event) bool {
		id := IDOf(workspace, r.cause(e.Message), e.Message, r.Owner)
		defer func() { seen[id] = true }()
		return seen[id]
	}), nil
}

// silent reports whether nothing was heard of a send: of the person that a rule is about,
// or of anybody who could be reached and wants mail.
func silent(state event.State, e event.Event, r Rule) bool {
	state = state.SentBy(e.User)
	mark := event.MarkOpened
	if r.No == NoReply {
		mark = event.MarkReplied
	}
	if state.Done && mark == event.MarkOpened {
		return false
	}
	waiting := 0
	for key := range state.Recipients {
		if r.Person != "" && key != event.KeyOf(r.Person) {
			continue
		}
		if _, done := state.First[mark][key]; done {
			return false
		}
		if !lost(state, key) {
			waiting++
		}
	}
	return waiting > 0
}

// lost reports whether a recipient could not be reached, or wants no more mail.
func lost(state event.State, key event.RecipientKey) bool {
	for _, mark := range []event.Mark{event.MarkBounced, event.MarkComplained, event.MarkUnsubscribed} {
		if _, marked := state.First[mark][key]; marked {
			return true
		}
	}
	return false
}
