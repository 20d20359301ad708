package mongo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/event"
)

// record is a small document, kept as the text that it was given as.
type record struct {
	ID  string `bson:"_id"`
	Doc string `bson:"doc"`
}

// recordID is unique because neither a workspace nor a kind has a bar in it. The
// records of a kind lie side by side, by id.
func recordID(workspace, kind, id string) string { return workspace + "|" + kind + "|" + id }

// Get returns a record, or event.ErrNotFound when there is none.
func (s *State) Get(ctx context.Context, workspace, kind, id string) (json.RawMessage, error) {
	var found record
	err := s.records.FindOne(ctx, byID(recordID(workspace, kind, id))).Decode(&found)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, fmt.Errorf("reading a record of kind %s: %w", kind, event.ErrNotFound)
	}
	if err != nil {
		return nil, failed("reading a record", err)
	}
	return json.RawMessage(found.Doc), nil
}

// Put writes a record over what it was; it is durable when Put returns.
func (s *State) Put(ctx context.Context, workspace, kind, id string, doc json.RawMessage) error {
	put := mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(byID(recordID(workspace, kind, id))).
		SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: "doc", Value: string(doc)}}}})
	return failed("writing a record", write(ctx, s.records, []mongo.WriteModel{put}))
}

// Swap writes a record where it is still old, or where there is none and old is nil,
// and returns event.ErrConflict otherwise.
func (s *State) Swap(ctx context.Context, workspace, kind, id string, old, doc json.RawMessage) error {
	conflict := fmt.Errorf("swapping a record of kind %s: %w", kind, event.ErrConflict)
	if old == nil {
		_, err := s.records.InsertOne(ctx, record{recordID(workspace, kind, id), string(doc)})
		if mongo.IsDuplicateKeyError(err) {
			return conflict
		}
		return failed("swapping a record", err)
	}
	done, err := s.records.UpdateOne(ctx,
		bson.D{{Key: "_id", Value: recordID(workspace, kind, id)}, {Key: "doc", Value: string(old)}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "doc", Value: string(doc)}}}})
	if err != nil {
		return failed("swapping a record", err)
	}
	if done.MatchedCount == 0 {
		return conflict
	}
	return nil
}

// Delete removes a record; there need not be one.
func (s *State) Delete(ctx context.Context, workspace, kind, id string) error {
	_, err := s.records.DeleteOne(ctx, byID(recordID(workspace, kind, id)))
	return failed("deleting a record", err)
}

// Take returns a record and deletes it, or returns event.ErrNotFound.
func (s *State) Take(ctx context.Context, workspace, kind, id string) (json.RawMessage, error) {
	var found record
	err := s.records.FindOneAndDelete(ctx, byID(recordID(workspace, kind, id))).Decode(&found)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, fmt.Errorf("taking a record of kind %s: %w", kind, event.ErrNotFound)
	}
	if err != nil {
		return nil, failed("taking a record", err)
	}
	return json.RawMessage(found.Doc), nil
}

// List returns all records of a kind, by id.
func (s *State) List(ctx context.Context, workspace, kind string) ([]event.Record, error) {
	prefix := recordID(workspace, kind, "")
	after := prefix[:len(prefix)-1] + string(rune('|'+1))
	cursor, err := s.records.Find(ctx, bson.D{{Key: "_id", Value: bson.D{
		{Key: "$gte", Value: prefix}, {Key: "$lt", Value: after},
	}}}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return nil, failed("listing records", err)
	}
	var found []record
	if err := cursor.All(ctx, &found); err != nil {
		return nil, failed("listing records", err)
	}
	var records []event.Record
	for _, each := range found {
		records = append(records, event.Record{ID: each.ID[len(prefix):], Doc: json.RawMessage(each.Doc)})
	}
	return records, nil
}
