package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tidings/event"
)

// PutStates writes states over what there is, as they are.
func (s *State) PutStates(ctx context.Context, states []event.State) error {
	writes := make([]mongo.WriteModel, len(states))
	for i, state := range states {
		writes[i] = mongo.NewReplaceOneModel().SetUpsert(true).
			SetFilter(byID(idOf(state.MessageKey))).SetReplacement(documentOf(state, s.now()))
	}
	return failed("writing states", write(ctx, s.messages, writes))
}

// SetErasureSecret takes the place of the store's own, from when it is opened
// again.
func (s *State) SetErasureSecret(ctx context.Context, secret []byte) error {
	put := mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(byID("erasure")).
		SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: "value", Value: secret}}}})
	return failed("writing the secret of erasures", write(ctx, s.secrets, []mongo.WriteModel{put}))
}

// Catalogue is the weeks of each workspace.
func (s *State) Catalogue(ctx context.Context) (map[string][]event.Week, error) {
	cursor, err := s.weeks.Find(ctx, bson.D{})
	if err != nil {
		return nil, failed("reading the catalogue", err)
	}
	var found []struct {
		Workspace string     `bson:"w"`
		Week      event.Week `bson:"week"`
	}
	if err := cursor.All(ctx, &found); err != nil {
		return nil, failed("reading the catalogue", err)
	}
	catalogue := make(map[string][]event.Week)
	for _, each := range found {
		catalogue[each.Workspace] = append(catalogue[each.Workspace], each.Week)
	}
	return catalogue, nil
}
