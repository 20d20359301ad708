package indexer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"tidings/backoff"
	"tidings/event"
	"tidings/verdict"
)

// Reevaluator judges events of messages again: because
// evidence came after the event that it is about, or because a person overrode
// them. It is the only one who takes marks of a state away.
//
// A request is on disk before anybody is told of what caused it, and stays until
// a pass over its messages, made when everything that was under way when it was
// noted has ended, finds nothing to do. So a crash between any two lines is
// followed by another pass, and an event that was applied but not yet written
// while a pass looked is found by the next one.
type Reevaluator struct {
	Rules     *verdict.Rules
	Index     Index
	States    States
	History   History
	Pending   PendingReevaluations
	Announcer Announcer
	// Triggers may be nil.
	Triggers Triggers
	// Blocks hears which weeks corrections wait for; it and Internal may be nil, as
	// in Config.
	Blocks   Blocks
	Internal Internal
	// Observer may be nil.
	Observer Observer
	Logger   *slog.Logger
	// Refresh is how long an index may hide what was written.
	Refresh time.Duration
	// InFlight is how long the events of a batch may be under way, longer than
	// the time after which the queue gives them out again.
	InFlight time.Duration
	Clock    func() time.Time

	// lists is how far the lists that are pending have come.
	lists map[string]*progress
}

// progress is how far a list has come since this process knows of it.
type progress struct {
	// due is when the next pass may be made.
	due time.Time
	// last says that the next pass may be the last.
	last   bool
	failed backoff.Failures
}

// Reevaluate notes messages of which something must be judged again.
func (c *Reevaluator) Reevaluate(ctx context.Context, keys []event.MessageKey) error {
	if err := c.Pending.Note(ctx, rand.Text(), keys); err != nil {
		return fmt.Errorf("note messages to re-evaluate: %w", err)
	}
	return nil
}

// Run looks for requests every second. After a pass that took longer it rests, so
// that corrections take a twentieth of one processor however many there are:
// what is new goes first, and what is requested often meanwhile is looked at once.
const (
	lookEvery = time.Second
	restTimes = 20
	restMost  = 5 * time.Minute
)

// Run re-evaluates what was requested until ctx ends. One at a time is enough; two do
// no harm.
func (c *Reevaluator) Run(ctx context.Context) error {
	rest := lookEvery
	for {
		sleep(ctx, rest)
		if ctx.Err() != nil {
			return nil
		}
		began := time.Now()
		if err := c.Pass(ctx); err != nil && ctx.Err() == nil {
			c.Logger.WarnContext(ctx, "pending re-evaluations cannot be read; trying again", "error", err)
		}
		rest = min(max(lookEvery, restTimes*time.Since(began)), restMost)
	}
}

// Pass makes every pass that is due.
func (c *Reevaluator) Pass(ctx context.Context) error {
	pending, err := c.Pending.Noted(ctx)
	if err != nil {
		return err
	}
	if c.lists == nil {
		c.lists = make(map[string]*progress)
	}
	maps.DeleteFunc(c.lists, func(id string, _ *progress) bool { _, is := pending[id]; return !is })
	done := make(map[event.MessageKey]bool)
	for _, id := range slices.Sorted(maps.Keys(pending)) {
		list := c.lists[id]
		if list == nil {
			list = &progress{due: c.Clock().Add(c.Refresh)}
			c.lists[id] = list
		}
		if ctx.Err() != nil || c.Clock().Before(list.due) {
			continue
		}
		if err := c.pass(ctx, id, list, pending[id], done); err != nil && ctx.Err() == nil {
			wait := max(list.failed.Failed(pauses), lookEvery)
			list.due = c.Clock().Add(wait)
			c.Logger.WarnContext(ctx, "re-evaluation failed; trying again", "error", err, "wait", wait)
		}
	}
	return nil
}

// pass looks at the messages of one list; done are those that this Pass has
// looked at, and whether they moved.
func (c *Reevaluator) pass(ctx context.Context, id string, list *progress, keys []event.MessageKey, done map[event.MessageKey]bool) error {
	anyMoved := false
	for _, key := range keys {
		moved, known := done[key]
		if !known {
			var err error
			if moved, err = c.Correct(ctx, key); err != nil {
				return err
			}
			done[key] = moved
		}
		anyMoved = anyMoved || moved
	}
	list.failed.Reset()
	if list.last && !anyMoved {
		return c.Pending.Forget(ctx, id)
	}
	list.due, list.last = c.Clock().Add(c.InFlight), true
	return nil
}

// correctTries is how often a state may move under a correction.
const correctTries = 20

// Correct judges the events of one message again, rewrites those whose verdict
// differs, makes the marks of its state anew and announces what moved. It may be
// repeated.
func (c *Reevaluator) Correct(ctx context.Context, key event.MessageKey) (moved bool, err error) {
	for range correctTries {
		states, err := follow(ctx, c.States, []event.MessageKey{key})
		if err != nil {
			return moved, fmt.Errorf("read state: %w", err)
		}
		state, known := states[key]
		if !known {
			return moved, nil // nothing counts any more, or nothing does yet
		}
		key = state.MessageKey
		events, err := c.History.History(ctx, key)
		if errors.Is(err, event.ErrTooMuch) {
			c.Logger.WarnContext(ctx, "a message has too many events to judge them again")
			return c.completeAll(ctx, key, state)
		}
		if err != nil {
			return moved, fmt.Errorf("find events: %w", err)
		}
		tried, healed, err := c.heal(ctx, state, events)
		if moved = moved || healed; err != nil {
			return moved, err
		}
		if tried {
			continue
		}
		judged, err := c.rewrite(ctx, key, state, events)
		if err != nil {
			return moved, err
		}
		moved = moved || judged.changed
		next, differs := state.Corrected(judged.events)
		if !differs {
			return moved, nil
		}
		replaced, err := c.States.Replace(ctx, next)
		if err != nil {
			return moved, fmt.Errorf("replace state: %w", err)
		}
		if replaced {
			return true, c.announceState(ctx, key, state)
		}
	}
	return moved, fmt.Errorf("a state moved %d times while it was corrected: %w", correctTries, event.ErrUnavailable)
}

// judgedEvents are a message's opens, clicks and downloads as they are judged
// now.
type judgedEvents struct {
	events  []event.Event
	changed bool
}

// rewrite judges events and puts right those that are stored otherwise.
func (c *Reevaluator) rewrite(ctx context.Context, key event.MessageKey, state event.State, events []event.Event) (judgedEvents, error) {
	var changed []event.Event
	owners := ownersOf(events)
	events = slices.DeleteFunc(events, func(e event.Event) bool {
		if verdict.Judged(e.Type) {
			return false
		}
		if refill(&e, state) {
			changed = append(changed, e)
		}
		return true
	})
	internal := verdict.Internal{}
	if len(events) > 0 {
		var err error
		if internal, err = c.internalOf(ctx, key.Workspace); err != nil {
			return judgedEvents{}, err
		}
	}
	clicks := make(map[event.RecipientKey][]event.Clicked)
	for _, e := range events {
		if e.Type == event.Click {
			clicks[event.KeyOf(e.RecipientEmail())] = append(clicks[event.KeyOf(e.RecipientEmail())], event.ClickedOf(e))
		}
	}
	for i := range events {
		e := &events[i]
		evidence := verdict.ContextOf(*e, state)
		evidence.Clicks = append(evidence.Clicks[:len(evidence.Clicks):len(evidence.Clicks)], clicks[event.KeyOf(e.RecipientEmail())]...)
		// A session that nobody remembers was remembered when it was judged.
		evidence.Internal, evidence.Scanner = internal.Includes(*e) || e.Verdict.Rule == verdict.RuleSelf, internal.Scanner(*e)
		again := c.Rules.Judge(*e, evidence)
		filled := refill(e, state)
		if differs(e.Verdict, again) {
			e.Verdict, filled = again, true
		}
		if filled {
			changed = append(changed, *e)
		}
	}
	if len(changed) == 0 {
		return judgedEvents{events, false}, nil
	}
	return judgedEvents{events, true}, c.store(ctx, key, changed, owners)
}

// completeAll gives the events of a message that has too many to be judged again
// what its send says.
func (c *Reevaluator) completeAll(ctx context.Context, key event.MessageKey, state event.State) (moved bool, err error) {
	err = c.History.EachOf(ctx, key, func(events []event.Event) error {
		var changed []event.Event
		for _, e := range events {
			if refill(&e, state) {
				changed = append(changed, e)
			}
		}
		if len(changed) == 0 {
			return nil
		}
		moved = true
		return c.store(ctx, key, changed, ownersOf(events))
	})
	return moved, err
}

// store rewrites events of a message and announces them; owners are whose they were.
func (c *Reevaluator) store(ctx context.Context, key event.MessageKey, changed []event.Event, owners map[event.ID]string) error {
	if _, err := event.SplitDamaged(c.Index.Rewrite(ctx, changed)); err != nil {
		if blocked, ok := errors.AsType[*event.WeekBlocked](err); ok && c.Blocks != nil {
			err = errors.Join(err, c.Blocks.Wanted(ctx, []event.Week{blocked.Week}))
		}
		return fmt.Errorf("rewrite events: %w", err)
	}
	if c.Observer != nil {
		c.Observer.Corrected(len(changed))
	}
	announcements := corrections(key, changed, owners)
	if err := c.Announcer.Announce(ctx, announcements); err != nil {
		return fmt.Errorf("announce corrections: %w", err)
	}
	return c.trigger(ctx, announcements)
}

// trigger tells of corrections those who were told of the events.
func (c *Reevaluator) trigger(ctx context.Context, announcements []event.Announcement) error {
	if c.Triggers == nil {
		return nil
	}
	var triggers []event.Trigger
	for _, a := range announcements {
		if t, ok := event.TriggerOf(a); ok {
			triggers = append(triggers, t)
		}
	}
	if err := c.Triggers.Trigger(ctx, triggers); err != nil {
		return fmt.Errorf("trigger corrections: %w", err)
	}
	return nil
}

// internalOf is what a workspace knows for itself.
func (c *Reevaluator) internalOf(ctx context.Context, workspace string) (verdict.Internal, error) {
	if c.Internal == nil {
		return verdict.Internal{}, nil
	}
	internal, err := c.Internal.Internal(ctx, workspace)
	if err != nil {
		return internal, fmt.Errorf("read what the workspace knows for itself: %w", err)
	}
	return internal, nil
}

// differs reports whether two verdicts say another thing, whatever version of
// the rules said it.
func differs(a, b event.Verdict) bool {
	a.Version = b.Version
	return a != b
}

// announceState tells what holds of a message after its marks were made anew, or
// its senders.
func (c *Reevaluator) announceState(ctx context.Context, key event.MessageKey, before event.State) error {
	states, err := follow(ctx, c.States, []event.MessageKey{key})
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	state, known := states[key]
	if !known || !state.Sent {
		return nil
	}
	err = c.Announcer.Announce(ctx, []event.Announcement{{
		Kind: event.AnnounceState, Workspace: key.Workspace, User: state.User, State: &state, Users: state.Moved(before),
	}})
	if err != nil {
		return fmt.Errorf("announce state: %w", err)
	}
	return nil
}

// Again returns stored events with the verdicts of the present rules, for those
// who rebuild a week. Messages of which something is judged otherwise now are
// re-evaluated, so that their states follow.
func (c *Reevaluator) Again(ctx context.Context, stored []event.Event) ([]event.Event, error) {
	asked := make(map[event.MessageKey]bool)
	for _, e := range stored {
		if verdict.Judged(e.Type) {
			asked[keyOf(e)] = true
		}
	}
	if len(asked) == 0 {
		return stored, nil
	}
	states, err := follow(ctx, c.States, slices.Collect(maps.Keys(asked)))
	if err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	judged, internals := slices.Clone(stored), make(map[string]verdict.Internal)
	pending := make(map[event.MessageKey]bool)
	for i := range judged {
		e := &judged[i]
		if !verdict.Judged(e.Type) {
			continue
		}
		internal, known := internals[e.Workspace]
		if !known {
			if internal, err = c.internalOf(ctx, e.Workspace); err != nil {
				return nil, err
			}
			internals[e.Workspace] = internal
		}
		again := c.Rules.Again(*e, states[keyOf(*e)], internal)
		if again.Is != e.Verdict.Is {
			pending[keyOf(*e)] = true
		}
		e.Verdict = again
	}
	if len(pending) == 0 {
		return judged, nil
	}
	return judged, c.Reevaluate(ctx, slices.Collect(maps.Keys(pending)))
}
