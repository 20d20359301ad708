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
	states := make([]event.State, len(changes))
	pending := make([]int, len(changes))
	for i := range changes {
		pending[i] = i
	}
	var written []int
	for range conflictTries {
		if len(pending) == 0 {
			break
		}
		made, refused, err := s.apply(ctx, changes, states, pending)
		if err != nil {
			return nil, failed("changing states", err)
		}
		written, pending = append(written, made...), refused
	}
	if len(pending) > 0 {
		return nil, failed("changing states", errBusy)
	}
	if err := s.readBack(ctx, states, written); err != nil {
		return nil, failed("reading states", err)
	}
	return states, failed("scheduling states", s.scheduleExpiry(ctx, states, written))
}

// apply makes those of the changes that are pending, and sets the states as they
// were before. It returns which were written, and which met another write and are
// to be tried again.
func (s *State) apply(ctx context.Context, changes []event.Change, states []event.State, pending []int) (made, refused []int, err error) {
	keys := make([]event.MessageKey, len(pending))
	for n, i := range pending {
		keys[n] = changes[i].MessageKey
	}
	before, err := s.find(ctx, keys)
	if err != nil {
		return nil, nil, err
	}
	var writes []mongo.WriteModel
	var of []int
	for _, i := range pending {
		key := changes[i].MessageKey
		states[i] = stateOf(before, key)
		if states[i].Done && changes[i].Sent {
			writes, of = append(writes, s.finishAgain(key)), append(of, i)
		}
		after := states[i].Clone()
		if !after.Apply(changes[i]) {
			continue
		}
		if after.Parts != nil {
			// Who has sent to whom depends on what was known: see guard.
			s.schedule(&after)
			replaced, err := s.replace(ctx, states[i].Version, after)
			if err != nil {
				return nil, nil, err
			}
			if replaced {
				made = append(made, i)
			} else {
				refused = append(refused, i)
			}
			continue
		}
		writes, of = append(writes, mongo.NewUpdateOneModel().SetUpsert(true).
			SetFilter(guard(changes[i])).SetUpdate(update(before[key], changes[i]))), append(of, i)
		made = append(made, i)
	}
	collided, err := writeOnce(ctx, s.messages, writes)
	for _, n := range collided {
		refused = append(refused, of[n])
		made = slices.DeleteFunc(made, func(i int) bool { return i == of[n] })
	}
	return made, refused, err
}

// guard finds the document of a change. It is written by operators that commute only
// where no other user has sent the message; where one has, the upsert collides and
// the change is made anew with what is known then; so it does where the message has come
// to be known under another name.
func guard(c event.Change) bson.D {
	missing := bson.D{{Key: "$exists", Value: false}}
	filter := append(byID(idOf(c.MessageKey)), bson.E{Key: "by", Value: missing}, bson.E{Key: "to", Value: missing})
	if !c.Sent {
		return filter
	}
	same := bson.D{{Key: "u", Value: c.User}}
	if c.User == "" {
		same = bson.D{{Key: "u", Value: missing}}
	}
	return append(filter, bson.E{Key: "$or", Value: bson.A{
		bson.D{{Key: "sent", Value: missing}}, same,
	}})
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

// writeOnce makes writes in any order, and returns which of them collided with
// another one's document.
func writeOnce(ctx context.Context, to *mongo.Collection, writes []mongo.WriteModel) (collided []int, err error) {
	if len(writes) == 0 {
		return nil, nil
	}
	_, err = to.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	var refused mongo.BulkWriteException
	if err == nil || !errors.As(err, &refused) || refused.WriteConcernError != nil {
		return nil, err
	}
	for _, each := range refused.WriteErrors {
		if !mongo.IsDuplicateKeyError(each) {
			return nil, err
		}
		collided = append(collided, each.Index)
	}
	return collided, nil
}

// write makes writes that may be repeated, in any order. Two upserts of one
// document may both find it missing: the one that comes second is made again.
func write(ctx context.Context, to *mongo.Collection, writes []mongo.WriteModel) error {
	for range conflictTries {
		if len(writes) == 0 {
			return nil
		}
		collided, err := writeOnce(ctx, to, writes)
		if err != nil {
			return err
		}
		again := make([]mongo.WriteModel, len(collided))
		for n, i := range collided {
			again[n] = writes[i]
		}
		writes = again
	}
	return errBusy
}
