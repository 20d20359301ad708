package mongo

import (
	"context"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/event"
)

// Read returns the states that exist among keys.
func (s *State) Read(ctx context.Context, keys []event.MessageKey) (map[event.MessageKey]event.State, error) {
	found, err := s.find(ctx, keys)
	if err != nil {
		return nil, failed("reading states", err)
	}
	states := make(map[event.MessageKey]event.State, len(found))
	for key, d := range found {
		states[key] = d.state()
	}
	return states, nil
}

// Of returns the states that exist among the messages of a workspace.
func (s *State) Of(ctx context.Context, workspace string, messages []string) (map[string]event.State, error) {
	keys := make([]event.MessageKey, len(messages))
	for i, message := range messages {
		keys[i] = event.MessageKey{Workspace: workspace, Message: message}
	}
	found, err := s.find(ctx, keys)
	if err != nil {
		return nil, failed("reading states", err)
	}
	states := make(map[string]event.State, len(found))
	for key, d := range found {
		states[key.Message] = d.state()
	}
	return states, nil
}

// find returns the documents that exist among keys.
func (s *State) find(ctx context.Context, keys []event.MessageKey) (map[event.MessageKey]document, error) {
	found := make(map[event.MessageKey]document, len(keys))
	if len(keys) == 0 {
		return found, nil
	}
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = idOf(key)
	}
	documents, err := s.documents(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, options.Find())
	if err != nil {
		return nil, err
	}
	for _, d := range documents {
		found[event.MessageKey{Workspace: d.Workspace, Message: d.ID[len(d.Workspace)+1:]}] = d
	}
	return found, nil
}

func (s *State) documents(ctx context.Context, filter bson.D, how *options.FindOptionsBuilder) ([]document, error) {
	cursor, err := s.messages.Find(ctx, filter, how)
	if err != nil {
		return nil, err
	}
	var documents []document
	return documents, cursor.All(ctx, &documents)
}

// Weeks returns the weeks that may hold events of the workspace, newest first.
func (s *State) Weeks(ctx context.Context, workspace string) ([]event.Week, error) {
	cursor, err := s.weeks.Find(ctx, bson.D{{Key: "w", Value: workspace}},
		options.Find().SetSort(bson.D{{Key: "week", Value: -1}}))
	if err != nil {
		return nil, failed("reading the catalogue", err)
	}
	var found []struct {
		Week int64 `bson:"week"`
	}
	if err := cursor.All(ctx, &found); err != nil {
		return nil, failed("reading the catalogue", err)
	}
	var weeks []event.Week
	for _, each := range found {
		weeks = append(weeks, event.Week(each.Week))
	}
	return weeks, nil
}

// Incomplete returns the states of sends that somebody has not opened, newest
// first and at most limit, from behind the send of message at before, or from
// the newest when before is 0.
func (s *State) Incomplete(ctx context.Context, workspace string, before int64, message string, limit int) ([]event.State, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	last := idOf(event.MessageKey{Workspace: workspace, Message: message})
	var states []event.State
	for {
		documents, err := s.documents(ctx, bson.D{
			{Key: "w", Value: workspace},
			{Key: "waiting", Value: true},
			{Key: "$or", Value: bson.A{
				bson.D{{Key: "at", Value: bson.D{{Key: "$lt", Value: before}}}},
				bson.D{{Key: "at", Value: before}, {Key: "_id", Value: bson.D{{Key: "$lt", Value: last}}}},
			}},
		}, options.Find().SetSort(bson.D{{Key: "at", Value: -1}, {Key: "_id", Value: -1}}).SetLimit(int64(limit)))
		if err != nil {
			return nil, failed("reading incomplete sends", err)
		}
		for _, d := range documents {
			state := d.state()
			before, last = state.At, d.ID
			if !state.Complete() && len(states) < limit {
				states = append(states, state)
			}
		}
		if len(states) == limit || len(documents) < limit {
			return states, nil
		}
	}
}
