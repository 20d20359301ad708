package mongo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/event"
	"tidings/migrations"
)

// step is one of the history of the database; it is never changed once it was
// released, and may be taken again.
type step struct {
	about string
	take  func(context.Context, *mongo.Database) error
}

var steps = []step{
	{"make the indexes of messages and weeks", makeIndexes},
	{"have messages looked for that several users have sent", searchSenders},
}

// searchSenders leaves the record that a migrations.SenderSearch begins with.
func searchSenders(ctx context.Context, db *mongo.Database) error {
	err := db.Collection("messages").FindOne(ctx, bson.D{}).Err()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil // there is nothing to look for
	}
	if err != nil {
		return err
	}
	_, err = db.Collection("records").InsertOne(ctx, record{recordID("", migrations.KindSearch, "senders"), "{}"})
	if mongo.IsDuplicateKeyError(err) {
		return nil
	}
	return err
}

func makeIndexes(ctx context.Context, db *mongo.Database) error {
	if _, err := db.Collection("messages").Indexes().CreateMany(ctx, indexes); err != nil {
		return fmt.Errorf("make indexes: %w", err)
	}
	if _, err := db.Collection("weeks").Indexes().CreateOne(ctx, index("catalogue", nil, "w", "-week")); err != nil {
		return fmt.Errorf("make indexes: %w", err)
	}
	return nil
}

// part is the name of the database as a part of the schema.
const part = "mongodb"

// Schema is the schema of a database, whatever its version.
type Schema struct {
	client *mongo.Client
	db     *mongo.Database
}

// OpenSchema connects, and changes nothing.
func OpenSchema(config Config) (*Schema, error) {
	client, err := connect(config)
	if err != nil {
		return nil, err
	}
	return &Schema{client, client.Database(databaseOf(config.URL))}, nil
}

// Close ends the connections.
//
//nolint:contextcheck // it is done when the contexts of others have ended
func (s *Schema) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return failed("closing the state store", s.client.Disconnect(ctx))
}

// Parts describes the database, unless it has nothing yet.
func (s *Schema) Parts(ctx context.Context) ([]migrations.Part, error) {
	version, err := versionOf(ctx, s.db)
	if err != nil || version == 0 {
		return nil, failed("reading the schema", err)
	}
	found := migrations.Part{Name: part, Have: version, Want: len(steps)}
	for at := version; at < len(steps); at++ {
		found.Steps = append(found.Steps, steps[at].about)
	}
	return []migrations.Part{found}, nil
}

// Up takes the next step. Its number is written after it: a step that a crash
// cut off from its number is taken again.
func (s *Schema) Up(ctx context.Context, name string) error {
	if name != part {
		return fmt.Errorf("migrating %s: %w", name, event.ErrNotFound)
	}
	version, err := versionOf(ctx, s.db)
	if err != nil || version >= len(steps) {
		return failed("migrating the state store", err)
	}
	return failed("migrating the state store", takeStep(ctx, s.db, version))
}

func takeStep(ctx context.Context, db *mongo.Database, version int) error {
	if err := steps[version].take(ctx, db); err != nil {
		return err
	}
	rise := mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(byID("schema")).
		SetUpdate(bson.D{{Key: "$max", Value: bson.D{{Key: "version", Value: version + 1}}}})
	return write(ctx, db.Collection("migrations"), []mongo.WriteModel{rise})
}

// versionOf is the version of a database, 0 when it has none yet.
func versionOf(ctx context.Context, db *mongo.Database) (int, error) {
	var kept struct {
		Version int `bson:"version"`
	}
	err := db.Collection("migrations").FindOne(ctx, byID("schema")).Decode(&kept)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return 0, nil
	}
	return kept.Version, err
}

// current takes all steps in a new database, and refuses one of another version.
func current(ctx context.Context, db *mongo.Database) error {
	version, err := versionOf(ctx, db)
	if err != nil || version == len(steps) {
		return err
	}
	if version != 0 {
		return &migrations.Mismatch{What: "the state store", Have: version, Want: len(steps)}
	}
	for version := range steps {
		if err := takeStep(ctx, db, version); err != nil {
			return err
		}
	}
	return nil
}

// Note adds a step that was taken.
func (s *Schema) Note(ctx context.Context, taken migrations.Taken) error {
	doc, err := json.Marshal(taken)
	if err != nil {
		return failed("noting a migration", err)
	}
	id := fmt.Sprintf("taken %s %s %d", taken.At.UTC().Format("2006-01-02T15:04:05.000000000Z"), taken.Part, taken.To)
	note := mongo.NewUpdateOneModel().SetUpsert(true).SetFilter(byID(id)).
		SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: "doc", Value: string(doc)}}}})
	return failed("noting a migration", write(ctx, s.db.Collection("migrations"), []mongo.WriteModel{note}))
}

// Taken lists the steps that were taken, the oldest first.
func (s *Schema) Taken(ctx context.Context) ([]migrations.Taken, error) {
	cursor, err := s.db.Collection("migrations").Find(ctx, exists("doc"), options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		return nil, failed("reading migrations", err)
	}
	var found []record
	if err := cursor.All(ctx, &found); err != nil {
		return nil, failed("reading migrations", err)
	}
	all := make([]migrations.Taken, len(found))
	for i, each := range found {
		if err := json.Unmarshal([]byte(each.Doc), &all[i]); err != nil {
			return nil, failed("reading migrations", err)
		}
	}
	return all, nil
}
