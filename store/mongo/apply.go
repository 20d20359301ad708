package mongo

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/event"
	"tidings/indexer"
)

const (
	// conflictTries is how often a write is repeated that met another one.
	conflictTries = 10
	// markedFor is how long a week counts as being in the catalogue without
	// looking: another process may take it out when it drops the week.
	markedFor = time.Minute
)

// Apply marks the weeks, makes the changes and returns the states after them in
// the order of the changes. It reads first, to leave out changes without effect:
// a state only ever takes in more, so what had none then has none later.
func (s *State) Apply(ctx context.Context, changes []event.Change, weeks []indexer.WorkspaceWeek) ([]event.State, error) {
	if err := s.mark(ctx, weeks); err != nil {
		return nil, failed("marking weeks", err)
	}
	keys := make([]event.MessageKey, len(changes))
	for i, change := range changes {
		keys[i] = change.MessageKey
	}
	before, err := s.find(ctx, keys)
	if err != nil {
		return nil, failed("reading states", err)
	}
	states := make([]event.State, len(changes))
	var writes []mongo.WriteModel
	var written []int
	for i, change := range changes {
		states[i] = stateOf(before, change.MessageKey)
		if states[i].Done && change.Sent {
			writes = append(writes, s.finishAgain(change.MessageKey))
		}
		if after := states[i].Clone(); !after.Apply(change) {
			continue
		}
		writes = append(writes, mongo.NewUpdateOneModel().SetUpsert(true).
			SetFilter(byID(idOf(change.MessageKey))).SetUpdate(update(before[change.MessageKey], change)))
		written = append(written, i)
	}
	if err := write(ctx, s.messages, writes); err != nil {
		return nil, failed("changing states", err)
	}
	if err := s.readBack(ctx, states, written); err != nil {
		return nil, failed("reading states", err)
	}
	return states, failed("scheduling states", s.scheduleExpiry(ctx, states, written))
}

// finishAgain notes on a done message that its send comes again: it may have been
// purged, and is about to be in the index once more.
func (s *State) finishAgain(key event.MessageKey) mongo.WriteModel {
	return mongo.NewUpdateOneModel().
		SetFilter(append(byID(idOf(key)), bson.E{Key: "finished", Value: bson.D{{Key: "$exists", Value: false}}})).
		SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: "finished", Value: s.now().Unix()}}}})
}

// stateOf is what was found of a message; of one that does not exist, nothing.
func stateOf(found map[event.MessageKey]document, key event.MessageKey) event.State {
	if d, ok := found[key]; ok {
		return d.state()
	}
	return event.State{MessageKey: key}
}

// readBack reads the states that were written.
func (s *State) readBack(ctx context.Context, states []event.State, written []int) error {
	keys := make([]event.MessageKey, len(written))
	for n, i := range written {
		keys[n] = states[i].MessageKey
	}
	found, err := s.find(ctx, keys)
	if err != nil {
		return err
	}
	for _, i := range written {
		states[i] = stateOf(found, states[i].MessageKey)
	}
	return nil
}

// scheduleExpiry notes on complete states when they may be reduced, and that nobody
// waits for them. One that was written again waits its grace again, since it is
// being delivered; one that was not may lack the note after a crash. Where v has
// moved, whoever moved it schedules.
func (s *State) scheduleExpiry(ctx context.Context, states []event.State, written []int) error {
	var writes []mongo.WriteModel
	for i := range states {
		state := &states[i]
		noted := state.Done || state.Expire != 0
		if !state.Complete() || noted && !slices.Contains(written, i) {
			continue
		}
		s.schedule(state)
		note := bson.D{{Key: "$unset", Value: bson.D{{Key: "waiting", Value: ""}}}}
		if state.Expire != 0 {
			note = append(note, bson.E{Key: "$set", Value: bson.D{{Key: "expire_at", Value: state.Expire}}})
		}
		writes = append(writes, mongo.NewUpdateOneModel().
			SetFilter(unmoved(state.MessageKey, state.Version)).SetUpdate(note))
	}
	return write(ctx, s.messages, writes)
}

// schedule sets when a state that has just changed may be reduced.
func (s *State) schedule(state *event.State) {
	state.Expire = 0
	if !state.Done && state.Complete() {
		state.Expire = s.now().Add(s.grace).Unix()
	}
}

// unmoved finds a document that is still as it was read.
func unmoved(key event.MessageKey, version int64) bson.D {
	return bson.D{{Key: "_id", Value: idOf(key)}, {Key: "v", Value: version}}
}

// Replace writes a state over the one with its version, as it is but for its
// version, which rises, and its expiry.
func (s *State) Replace(ctx context.Context, state event.State) (bool, error) {
	before := state.Version
	state.Version++
	s.schedule(&state)
	replaced, err := s.replace(ctx, before, state)
	return replaced, failed("replacing a state", err)
}

// replace writes a state over the one with the version before, 0 for none. It
// reports false when the state has moved.
func (s *State) replace(ctx context.Context, before int64, state event.State) (bool, error) {
	if before == 0 {
		_, err := s.messages.InsertOne(ctx, documentOf(state, s.now()))
		if mongo.IsDuplicateKeyError(err) {
			return false, nil
		}
		return err == nil, err
	}
	result, err := s.messages.ReplaceOne(ctx, unmoved(state.MessageKey, before), documentOf(state, s.now()))
	return err == nil && result.MatchedCount == 1, err
}

// mark puts weeks into the catalogue.
func (s *State) mark(ctx context.Context, weeks []indexer.WorkspaceWeek) error {
	now := s.now()
	var writes []mongo.WriteModel
	var marked []indexer.WorkspaceWeek
	for _, week := range weeks {
		if s.isMarked(week, now) {
			continue
		}
		id := idOf(event.MessageKey{Workspace: week.Workspace, Message: week.Week.String()})
		writes = append(writes, mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(byID(id)).
			SetUpdate(bson.D{{Key: "$set", Value: bson.D{
				{Key: "w", Value: week.Workspace}, {Key: "week", Value: int64(week.Week)},
			}}}))
		marked = append(marked, week)
	}
	if err := write(ctx, s.weeks, writes); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, week := range marked {
		s.marked[week] = now
	}
	return nil
}

func (s *State) isMarked(week indexer.WorkspaceWeek, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, known := s.marked[week]
	return known && now.Sub(at) < markedFor
}

// Completed takes ids off a message's Pending.
func (s *State) Completed(ctx context.Context, key event.MessageKey, ids []event.ID) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := s.messages.UpdateOne(ctx, byID(idOf(key)), bson.D{
		{Key: "$pullAll", Value: bson.D{{Key: "early", Value: binaries(ids)}}},
	})
	return failed("noting completed events", err)
}

// write makes writes that may be repeated, in any order. Two upserts of one
// document may both find it missing: the one that comes second is made again.
func write(ctx context.Context, to *mongo.Collection, writes []mongo.WriteModel) error {
	for range conflictTries {
		if len(writes) == 0 {
			return nil
		}
		_, err := to.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
		var refused mongo.BulkWriteException
		if err == nil || !errors.As(err, &refused) || refused.WriteConcernError != nil {
			return err
		}
		var again []mongo.WriteModel
		for _, each := range refused.WriteErrors {
			if !mongo.IsDuplicateKeyError(each) {
				return err
			}
			again = append(again, writes[each.Index])
		}
		writes = again
	}
	return errBusy
}
