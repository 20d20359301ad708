package indexer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"tidings/event"
	"tidings/verdict"
)

// entry is one event of a batch on its way.
type entry struct {
	delivery Delivery
	event    event.Event
	// again is set when a batch that had the event broke.
	again bool
	// pending is set when the event's send was not known before the batch.
	pending bool
	outcome event.Outcome
	// erased is set when its person was erased, before the batch or meanwhile.
	erased bool
	// evidence is what the event was judged by.
	evidence verdict.Context
	// span is what is traced of the event on its way.
	span  trace.Span
	trace string
}

// repeated reports whether the event may have been through some of the steps.
func (e *entry) repeated() bool { return e.again || e.delivery.Repeated() }

// batch is one batch on its way through the steps.
type batch struct {
	*Indexer
	entries []*entry
	// erased are entries of erased people, which end with the batch.
	erased []*entry
	// barred are the erased people of the batch, and until when, as it began.
	barred map[string]map[string]int64
	// conflicts are entries whose id belongs to another event.
	conflicts []*entry
	// stored are the ids that the index held before.
	stored map[event.ID]bool
	// before and after are the states around Apply.
	before map[event.MessageKey]event.State
	after  map[event.MessageKey]event.State
	// inBatch are the events of the batch.
	inBatch map[event.ID]bool
	// announcements grow in the order in which they will be made.
	announcements []event.Announcement
}

// try takes entries through all steps. An error means that none of them was
// ended: what cannot be repeated is the last step. A panic of a step is an error.
func (x *Indexer) try(ctx context.Context, entries []*entry) (err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			err = fmt.Errorf("panic while indexing: %v", trouble)
		}
	}()
	b := &batch{Indexer: x, entries: slices.Clone(entries), inBatch: make(map[event.ID]bool, len(entries))}
	for _, entry := range entries {
		b.inBatch[entry.event.ID] = true
	}
	x.startSpans(ctx, entries)
	defer func() { endSpans(entries, err) }()
	steps := []struct {
		name Step
		do   func(context.Context) error
	}{
		{StepEnrich, b.enrich},
		{StepJudge, b.judge},
		{StepApply, b.apply},
		{StepCreate, b.create},
		{StepComplete, b.complete},
		{StepAnnounce, b.announce},
		{StepAck, b.ack},
	}
	for _, step := range steps {
		if len(b.entries) == 0 && step.name != StepAck {
			continue
		}
		began := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		x.Observer.Took(step.name, time.Since(began))
		markSpans(b.entries, step.name)
		x.Between(step.name)
	}
	return nil
}

// decode reads the events; one that cannot be read fails by itself.
func (x *Indexer) decode(ctx context.Context, deliveries []Delivery) []*entry {
	entries := make([]*entry, 0, len(deliveries))
	for _, delivery := range deliveries {
		e, err := delivery.Event()
		if err != nil {
			x.fail(ctx, delivery, err)
			continue
		}
		e.TellOwnWords()
		entries = append(entries, &entry{delivery: delivery, event: e})
	}
	return entries
}

// enrich drops who was erased and gives events what is known of their message.
func (b *batch) enrich(ctx context.Context) error {
	if err := b.dropErased(ctx); err != nil {
		return err
	}
	b.rejectConflicts(ctx)
	if err := b.nameEvents(ctx); err != nil {
		return err
	}
	sent := make(map[event.MessageKey]bool)
	for _, entry := range b.entries {
		if entry.event.Type == event.Send {
			sent[keyOf(entry.event)] = true
		}
	}
	for _, entry := range b.entries {
		key := keyOf(entry.event)
		entry.pending = entry.event.Type != event.Send && !b.before[key].Sent && !sent[key]
	}
	return nil
}

// dropErased removes erased people: their events, and their part in sends.
func (b *batch) dropErased(ctx context.Context) error {
	erased, err := b.erasedPeople(ctx)
	b.barred = erased
	if err != nil || len(erased) == 0 {
		return err
	}
	kept := b.entries[:0]
	for _, entry := range b.entries {
		if keep := withoutErased(&entry.event, erased[entry.event.Workspace]); keep {
			kept = append(kept, entry)
			continue
		}
		b.erased = append(b.erased, entry)
	}
	b.entries = kept
	return nil
}

// erasedPeople asks for all people of the batch, by workspace.
func (b *batch) erasedPeople(ctx context.Context) (map[string]map[string]int64, error) {
	people := make(map[string]map[string]bool)
	for _, entry := range b.entries {
		emails := people[entry.event.Workspace]
		if emails == nil {
			emails = make(map[string]bool)
			people[entry.event.Workspace] = emails
		}
		if entry.event.Recipient != nil {
			emails[entry.event.Recipient.Email] = true
		}
		for _, person := range entry.event.Recipients {
			emails[person.Email] = true
		}
	}
	lists := make(map[string][]string, len(people))
	for workspace, emails := range people {
		lists[workspace] = slices.Collect(maps.Keys(emails))
	}
	return b.Erasures.Erased(ctx, lists)
}

// withoutErased takes people off an event who were erased at its time or later, and
// reports whether it is still about anybody.
func withoutErased(e *event.Event, erased map[string]int64) bool {
	if len(erased) == 0 {
		return true
	}
	if e.Recipient != nil {
		return !barred(erased, e.Recipient.Email, e.Time)
	}
	if len(e.Recipients) == 0 {
		return e.Type != event.Send
	}
	e.Recipients = slices.DeleteFunc(slices.Clone(e.Recipients), func(p event.Person) bool {
		return barred(erased, p.Email, e.Time)
	})
	return len(e.Recipients) > 0
}

// barred reports whether what happened to a person at a time stays out.
func barred(erased map[string]int64, email string, at int64) bool {
	until, is := erased[email]
	return is && at <= until
}

// apply makes the batch's effect on its messages durable, one change a message,
// and reads back what holds afterwards. Where a message has come to be known under
// another name meanwhile, it is made once more, under that.
func (b *batch) apply(ctx context.Context) error {
	for range correctTries {
		moved, err := b.applyOnce(ctx)
		if err != nil {
			return err
		}
		if !moved {
			for _, entry := range b.entries {
				fill(&entry.event, b.after[keyOf(entry.event)])
			}
			return b.requestReevaluation(ctx)
		}
		if err := b.nameEvents(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("messages moved %d times to other names: %w", correctTries, event.ErrUnavailable)
}

// applyOnce reports whether a message is known under another name by now.
func (b *batch) applyOnce(ctx context.Context) (moved bool, err error) {
	changes := make(map[event.MessageKey]*event.Change)
	weeks := make(map[WorkspaceWeek]bool)
	order := make([]event.MessageKey, 0, len(b.entries))
	for _, entry := range b.entries {
		change := event.ChangeOf(entry.event)
		if entry.pending {
			change.Pending = []event.ID{entry.event.ID}
		}
		weeks[WorkspaceWeek{entry.event.Workspace, entry.event.Week()}] = true
		key := keyOf(entry.event)
		if known := changes[key]; known != nil {
			known.Merge(change)
			continue
		}
		changes[key] = &change
		order = append(order, key)
	}
	list := make([]event.Change, len(order))
	for i, key := range order {
		list[i] = *changes[key]
	}
	states, err := b.States.Apply(ctx, list, slices.Collect(maps.Keys(weeks)))
	if err != nil {
		return false, err
	}
	if len(states) != len(order) {
		return false, errors.New("the state store answered for another number of messages")
	}
	b.after = make(map[event.MessageKey]event.State, len(order))
	for i, key := range order {
		b.after[key] = states[i]
		moved = moved || states[i].To != ""
	}
	return moved, nil
}

// create writes the events; each has an outcome of its own.
func (b *batch) create(ctx context.Context) error {
	events := make([]event.Event, len(b.entries))
	for i, entry := range b.entries {
		events[i] = entry.event
	}
	outcomes, err := b.Index.Create(ctx, events)
	if err != nil {
		return err
	}
	if len(outcomes) != len(events) {
		return errors.New("the index answered for another number of events")
	}
	for i, outcome := range outcomes {
		b.entries[i].outcome = outcome
	}
	return b.findConflicts(ctx)
}

// ack ends each delivery by its own outcome.
func (b *batch) ack(ctx context.Context) error {
	b.want(ctx)
	for _, entry := range b.erased {
		b.end(ctx, entry, OutcomeErased)
	}
	for _, entry := range b.entries {
		outcome := entry.outcome
		_, blocked := errors.AsType[*event.WeekBlocked](outcome.Err)
		_, damaged := errors.AsType[*event.WeekDamaged](outcome.Err)
		switch {
		case blocked:
			b.giveBackFor(blockedWait, entry)
		case damaged:
			b.holdBack(ctx, entry)
		case outcome.Err == nil:
			if outcome.Created {
				b.end(ctx, entry, OutcomeCreated)
			} else {
				b.end(ctx, entry, OutcomeExisted)
			}
		case errors.Is(outcome.Err, event.ErrUnavailable):
			b.giveBack(entry)
		case errors.Is(outcome.Err, errConflict):
			b.conflicts = append(b.conflicts, entry)
		default:
			b.fail(ctx, entry.delivery, outcome.Err)
		}
	}
	b.endConflicts(ctx)
	return nil
}

// end acknowledges an event that is done with.
func (b *batch) end(ctx context.Context, entry *entry, outcome Outcome) {
	if err := entry.delivery.Ack(); err != nil {
		b.Logger.DebugContext(ctx, "an ack was lost; the event comes again", "error", err)
	}
	b.Observer.Count(outcome, 1)
}

// blockedWait is how long an event of a blocked week waits before it is tried
// again; who takes blocks off looks more often than that.
const blockedWait = 3 * time.Second

// damagedWait is how long an event of a damaged week waits where it cannot be held
// elsewhere, before it is tried again.
const damagedWait = 30 * time.Second

// holdBack lets an event wait for its week, out of the way of the others.
func (b *batch) holdBack(ctx context.Context, entry *entry) {
	if holder, ok := entry.delivery.(Holder); ok {
		err := holder.Hold(ctx, entry.event.Week(), entry.outcome.Err)
		if err == nil {
			b.Observer.Count(OutcomeHeld, 1)
			return
		}
		b.Logger.WarnContext(ctx, "an event of a damaged week could not be kept apart; it is tried again", "error", err)
	}
	b.giveBackFor(damagedWait, entry)
}

// want asks for the blocked weeks of the batch. When asking fails, the events
// ask again as they come back.
func (b *batch) want(ctx context.Context) {
	wanted := make(map[event.Week]bool)
	for _, entry := range b.entries {
		if blocked, ok := errors.AsType[*event.WeekBlocked](entry.outcome.Err); ok {
			wanted[blocked.Week] = true
		}
	}
	if len(wanted) == 0 || b.Blocks == nil {
		return
	}
	if err := b.Blocks.Wanted(ctx, slices.Sorted(maps.Keys(wanted))); err != nil {
		b.Logger.WarnContext(ctx, "asking for blocked weeks failed; their events wait longer", "error", err)
	}
}

func keyOf(e event.Event) event.MessageKey {
	return event.MessageKey{Workspace: e.Workspace, Message: e.Message}
}
