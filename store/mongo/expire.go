package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/event"
	"tidings/rollover"
)

// expireBatch is how many states are reduced or removed in one go.
const expireBatch = 500

// Expire reduces the complete states whose time has passed to what is kept for
// good, and returns how many. Each write repeats the version that was read, so
// that a recipient or an open that comes meanwhile counts. It may be stopped and
// repeated.
func (s *State) Expire(ctx context.Context, now time.Time) (int, error) {
	total := 0
	for {
		documents, err := s.documents(ctx, atMost("expire_at", now), inOrderOf("expire_at").SetLimit(expireBatch))
		if err != nil {
			return total, failed("reducing complete states", err)
		}
		reduced, err := s.reduce(ctx, documents, now)
		if err != nil {
			return total, failed("reducing complete states", err)
		}
		total += reduced
		if len(documents) < expireBatch {
			return total, nil
		}
	}
}

// reduce lets the first opens of complete states go and returns of how many.
func (s *State) reduce(ctx context.Context, documents []document, now time.Time) (int, error) {
	var writes []mongo.WriteModel
	for _, d := range documents {
		state := d.state()
		if state.Complete() {
			state.Finish()
		} else {
			s.schedule(&state)
		}
		writes = append(writes, mongo.NewReplaceOneModel().
			SetFilter(unmoved(state.MessageKey, d.Version)).SetReplacement(documentOf(state, now)))
	}
	if len(writes) == 0 {
		return 0, nil
	}
	result, err := s.messages.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	if err != nil {
		return 0, err
	}
	return int(result.MatchedCount), nil
}

// Finished lists messages whose states were reduced before a time and whose
// sends were not purged since. Those that are not complete any more are taken
// off.
func (s *State) Finished(ctx context.Context, before time.Time, most int) ([]rollover.Finished, error) {
	for {
		documents, err := s.documents(ctx, atMost("finished", before), inOrderOf("finished").SetLimit(int64(most)))
		if err != nil {
			return nil, failed("listing finished messages", err)
		}
		var finished []rollover.Finished
		var reopened []mongo.WriteModel
		for _, d := range documents {
			if state := d.state(); state.Done {
				finished = append(finished, rollover.Finished{MessageKey: state.MessageKey, At: state.At})
			} else {
				reopened = append(reopened, mongo.NewUpdateOneModel().
					SetFilter(unmoved(state.MessageKey, d.Version)).SetUpdate(notFinished))
			}
		}
		if err := write(ctx, s.messages, reopened); err != nil {
			return nil, failed("listing finished messages", err)
		}
		if len(finished) > 0 || len(documents) == 0 {
			return finished, nil
		}
	}
}

// notFinished takes a message off the list.
var notFinished = bson.D{{Key: "$unset", Value: bson.D{{Key: "finished", Value: ""}}}}

// Purged notes that the sends of messages are out of the index.
func (s *State) Purged(ctx context.Context, messages []event.MessageKey) error {
	ids := make([]string, len(messages))
	for i, key := range messages {
		ids[i] = idOf(key)
	}
	_, err := s.messages.UpdateMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, notFinished)
	return failed("noting purged sends", err)
}

// Forget removes what is known of messages that were sent before a time, and of
// those without a send of which nothing later is known.
func (s *State) Forget(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for _, age := range []string{"at", "seen"} {
		for {
			older := bson.D{{Key: age, Value: bson.D{{Key: "$lt", Value: before.Unix()}}}}
			documents, err := s.documents(ctx, older,
				inOrderOf(age).SetLimit(expireBatch).SetProjection(bson.D{{Key: "_id", Value: 1}}))
			if err != nil {
				return total, failed("forgetting old states", err)
			}
			ids := make([]string, len(documents))
			for i, d := range documents {
				ids[i] = d.ID
			}
			// Once more that it is old: a send may have come for it.
			gone, err := s.messages.DeleteMany(ctx, append(older, bson.E{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}))
			if err != nil {
				return total, failed("forgetting old states", err)
			}
			total += int(gone.DeletedCount)
			if len(documents) < expireBatch {
				break
			}
		}
	}
	return total, nil
}

// Unlist takes all weeks before a week off the catalogue.
func (s *State) Unlist(ctx context.Context, before event.Week) error {
	_, err := s.weeks.DeleteMany(ctx, bson.D{{Key: "week", Value: bson.D{{Key: "$lt", Value: int64(before)}}}})
	if err != nil {
		return failed("unlisting weeks", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for mark := range s.marked {
		if mark.Week < before {
			delete(s.marked, mark)
		}
	}
	return nil
}

func atMost(field string, t time.Time) bson.D {
	return bson.D{{Key: field, Value: bson.D{{Key: "$lte", Value: t.Unix()}}}}
}

func inOrderOf(field string) *options.FindOptionsBuilder {
	return options.Find().SetSort(bson.D{{Key: field, Value: 1}})
}
