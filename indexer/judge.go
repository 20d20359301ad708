package indexer

import (
	"context"
	"maps"
	"math"
	"slices"

	"tidings/event"
	"tidings/verdict"
)

// judge gives each event its verdict by what is known before the batch and what
// the batch itself brings.
func (b *batch) judge(ctx context.Context) error {
	brought := make(map[event.MessageKey]*event.Change)
	for _, entry := range b.entries {
		change := evidenceOf(entry.event)
		if change.Empty() {
			continue
		}
		if known := brought[change.MessageKey]; known != nil {
			known.Merge(change)
		} else {
			brought[change.MessageKey] = &change
		}
	}
	known := make(map[event.MessageKey]event.State, len(brought))
	internals := make(map[string]verdict.Internal)
	for _, entry := range b.entries {
		if !verdict.Judged(entry.event.Type) {
			entry.event.Verdict = b.Rules.Judge(entry.event, verdict.Context{})
			continue
		}
		key := keyOf(entry.event)
		state, done := known[key]
		if !done {
			state = b.before[key]
			if change := brought[key]; change != nil {
				state = withEvidence(state, *change)
			}
			known[key] = state
		}
		internal, err := b.internalOf(ctx, internals, key.Workspace)
		if err != nil {
			return err
		}
		entry.evidence = verdict.ContextOf(entry.event, state)
		entry.evidence.Internal, entry.evidence.Scanner = internal.Includes(entry.event), internal.Scanner(entry.event)
		entry.event.Verdict = b.Rules.Judge(entry.event, entry.evidence)
	}
	return nil
}

// internalOf reads what is known of a workspace's own people, once a batch.
func (b *batch) internalOf(ctx context.Context, read map[string]verdict.Internal, workspace string) (verdict.Internal, error) {
	if b.Internal == nil {
		return verdict.Internal{}, nil
	}
	internal, done := read[workspace]
	if done {
		return internal, nil
	}
	internal, err := b.Internal.Internal(ctx, workspace)
	read[workspace] = internal
	return internal, err
}

// evidenceOf is the part of an event's effect that others are judged by, and
// that no verdict changes.
func evidenceOf(e event.Event) event.Change {
	change := event.Change{MessageKey: keyOf(e)}
	switch e.Type {
	case event.Send:
		change.Sent, change.At = true, e.Time
	case event.Delivery:
		change.First = event.ChangeOf(e).First
	case event.Click:
		change.Clicks = event.ChangeOf(e).Clicks
	}
	return change
}

// withEvidence is what a state knows that events are judged by, with a change.
// It shares nothing that the change writes.
func withEvidence(s event.State, change event.Change) event.State {
	evidence := event.State{
		MessageKey: s.MessageKey, Sent: s.Sent, At: s.At, Overrides: s.Overrides, Clicks: maps.Clone(s.Clicks),
	}
	if delivered := s.First[event.MarkDelivered]; delivered != nil {
		evidence.First = map[event.Mark]map[event.RecipientKey]int64{event.MarkDelivered: maps.Clone(delivered)}
	}
	evidence.Apply(change)
	return evidence
}

// judgeAgain looks at the batch's events with what is known after it was
// applied: another indexer may have brought evidence meanwhile. It returns the
// messages of which something was judged otherwise than it counts.
func (b *batch) judgeAgain() map[event.MessageKey]bool {
	pending := make(map[event.MessageKey]bool)
	for _, entry := range b.entries {
		if !verdict.Judged(entry.event.Type) {
			continue
		}
		key := keyOf(entry.event)
		evidence := verdict.ContextOf(entry.event, b.after[key])
		evidence.Internal, evidence.Scanner = entry.evidence.Internal, entry.evidence.Scanner
		if evidence.Same(entry.evidence) {
			continue
		}
		again := b.Rules.Judge(entry.event, evidence)
		if again.Is != entry.event.Verdict.Is {
			pending[key] = true
		}
		entry.event.Verdict = again
	}
	return pending
}

// requestReevaluation notes the messages of which events that were judged earlier may have to
// be judged again, before anything of the batch is acknowledged. It may note
// too much, never too little: the Reevaluator finds out.
func (b *batch) requestReevaluation(ctx context.Context) error {
	pending := b.judgeAgain()
	b.sharedAnew(pending)
	for _, entry := range b.entries {
		key := keyOf(entry.event)
		if pending[key] || evidenceOf(entry.event).Empty() {
			continue
		}
		if b.overturns(entry, b.before[key], b.after[key]) {
			pending[key] = true
		}
	}
	for key, after := range b.after {
		// The list of pending events is full: others may wait for the send too.
		if after.Sent && max(len(after.Pending), len(b.before[key].Pending)) >= event.MaxPending {
			pending[key] = true
		}
	}
	if len(pending) == 0 {
		return nil
	}
	b.Observer.Reevaluates(len(pending))
	return b.Reevaluations.Reevaluate(ctx, slices.Collect(maps.Keys(pending)))
}

// overturns reports whether an event's evidence may change the verdict on an
// event that is not of this batch.
func (b *batch) overturns(entry *entry, before, after event.State) bool {
	// Where others have brought something meanwhile, before is not what the state was just
	// before Apply. Nor is it on a repeated delivery, which may be one whose process died
	// after Apply: what the event brought is in before already.
	unsure := entry.repeated() || after.Version > before.Version+1
	earlier := before
	if unsure {
		earlier = after
	}
	if entry.event.Type == event.Click {
		return b.joinsBurst(entry.event, before, after, unsure)
	}
	if entry.event.Type == event.Delivery {
		key := event.KeyOf(entry.event.RecipientEmail())
		return b.movesArrival(key, before, after, earlier, unsure)
	}
	for key := range judgedPeople(earlier) {
		if b.movesArrival(key, before, after, earlier, unsure) {
			return true
		}
	}
	return false
}

// judgedPeople are those of whom a state knows an open, a click or a download.
func judgedPeople(s event.State) map[event.RecipientKey]bool {
	people := make(map[event.RecipientKey]bool)
	for _, mark := range []event.Mark{event.MarkOpened, event.MarkMachineOpened} {
		for key := range s.First[mark] {
			people[key] = true
		}
	}
	for key := range s.Clicks {
		people[key] = true
	}
	return people
}

// movesArrival reports whether a message arrived at a recipient at another time
// than was known, so that something may be too soon now, or not any more. The
// first open of each kind is enough to know whether any may be. By which time others
// have judged meanwhile is not known, so that anything they judged may be.
func (b *batch) movesArrival(key event.RecipientKey, before, after, earlier event.State, unsure bool) bool {
	was, is := verdict.ArrivedOf(before, key), verdict.ArrivedOf(after, key)
	if was == is && !unsure {
		return false
	}
	end := max(was, is) + b.Rules.Reach()
	if unsure {
		end = math.MaxInt64
	}
	for _, mark := range []event.Mark{event.MarkOpened, event.MarkMachineOpened} {
		if at, known := earlier.First[mark][key]; known && at < end {
			return true
		}
	}
	clicks := earlier.Clicks[key]
	return len(clicks) > 0 && (clicks[0].ID.Seconds() < end || len(clicks) == event.MaxClicks)
}

// joinsBurst reports whether a click makes a burst of one that was none before
// the batch, or may do so to one that is not kept any more. Where others may have brought
// something, that may be a click of the batch too, judged without the rest.
func (b *batch) joinsBurst(e event.Event, before, after event.State, unsure bool) bool {
	key := event.KeyOf(e.RecipientEmail())
	known, all := before.Clicks[key], after.Clicks[key]
	if len(all) == event.MaxClicks && (b.Rules.Near(all[0].ID, e.ID) || e.Time < all[0].ID.Seconds()) {
		return true
	}
	if unsure {
		known = nil
	}
	for _, other := range all {
		if b.inBatch[other.ID] && !unsure && !slices.Contains(known, other) {
			continue // it is judged with this one
		}
		if b.Rules.Burst(other, all) && !b.Rules.Burst(other, known) {
			return true
		}
	}
	return false
}
