package mongo

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"tidings/event"
	"tidings/indexer"
	"tidings/migrations"
)

// Config is where MongoDB is and how states are kept there.
type Config struct {
	// URL is a connection string. The database is the one that it names, or
	// tidings. What it says of write concern, read concern and retries does
	// not count.
	URL string
	// Grace is how long the state of a message that everyone has opened is
	// kept in full, longer than any event may be repeated. 0 means 30 days.
	Grace time.Duration
	// Now is the clock, the system's when nil.
	Now func() time.Time
	// Timeout bounds an operation with all its retries. 0 means what the connection string
	// says (timeoutMS), or 10 seconds, more than an election takes.
	Timeout time.Duration
}

// database is where things are kept when the connection string names none.
const database = "tidings"

// State is the store. It is safe for concurrent use, by several processes too.
type State struct {
	client *mongo.Client
	grace  time.Duration
	now    func() time.Time
	secret []byte

	messages, weeks, records, secrets *mongo.Collection

	mu sync.Mutex
	// marked are weeks that were in the catalogue a moment ago.
	marked map[indexer.WorkspaceWeek]time.Time
}

// indexes are what reading messages needs beside _id. Most hold only the few
// messages that wait for something.
var indexes = []mongo.IndexModel{
	index("waiting", bson.D{{Key: "waiting", Value: true}}, "w", "-at", "-_id"),
	index("expiring", exists("expire_at"), "expire_at"),
	index("finished", exists("finished"), "finished"),
	index("unsent", exists("seen"), "seen"),
	index("sent", exists("at"), "at"),
	index("recipients", nil, "w", "k"),
}

// index describes an index, of the documents that a filter takes where there is
// one. A field with a dash in front is in descending order.
func index(name string, filter bson.D, fields ...string) mongo.IndexModel {
	var keys bson.D
	for _, field := range fields {
		field, descending := strings.CutPrefix(field, "-")
		order := 1
		if descending {
			order = -1
		}
		keys = append(keys, bson.E{Key: field, Value: order})
	}
	how := options.Index().SetName(name)
	if filter != nil {
		how.SetPartialFilterExpression(filter)
	}
	return mongo.IndexModel{Keys: keys, Options: how}
}

func exists(field string) bson.D {
	return bson.D{{Key: field, Value: bson.D{{Key: "$exists", Value: true}}}}
}

// Open connects and makes what is not there yet. It returns ErrUnavailable when
// MongoDB does not answer.
func Open(ctx context.Context, config Config) (*State, error) {
	if config.Grace == 0 {
		config.Grace = 30 * 24 * time.Hour
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	client, err := connect(config)
	if err != nil {
		return nil, err
	}
	s := &State{client: client, grace: config.Grace, now: config.Now, marked: make(map[indexer.WorkspaceWeek]time.Time)}
	db := client.Database(databaseOf(config.URL))
	s.messages, s.weeks = db.Collection("messages"), db.Collection("weeks")
	s.records, s.secrets = db.Collection("records"), db.Collection("secrets")
	err = current(ctx, db)
	if _, other := errors.AsType[*migrations.Mismatch](err); other {
		return nil, errors.Join(err, s.Close())
	}
	if err == nil {
		err = s.prepare(ctx)
	}
	if err != nil {
		return nil, errors.Join(failed("opening the state store", err), s.Close())
	}
	return s, nil
}

// connect makes a client; it reaches no server yet.
func connect(config Config) (*mongo.Client, error) {
	client, err := mongo.Connect(clientOptions(config))
	if err != nil {
		// The driver's own error may hold the password.
		return nil, event.Invalid("state", "is not a connection string such as mongodb://HOST:PORT/DATABASE "+
			"(special characters of a password are percent-encoded)")
	}
	return client, nil
}

func clientOptions(config Config) *options.ClientOptions {
	journal := true
	o := options.Client().ApplyURI(config.URL).
		SetAppName("tidings").
		SetWriteConcern(&writeconcern.WriteConcern{W: writeconcern.WCMajority, Journal: &journal}).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary()).
		SetRetryWrites(true).
		SetRetryReads(true)
	// What the connection string says of them holds, unless the caller knows better.
	if config.Timeout != 0 || o.Timeout == nil {
		o.SetTimeout(cmp.Or(config.Timeout, timeout))
	}
	if *o.Timeout > 0 && (config.Timeout != 0 || o.ServerSelectionTimeout == nil) {
		o.SetServerSelectionTimeout(*o.Timeout / 2)
	}
	return o
}

// timeout is how long an operation may take, half of it to find a server.
const timeout = 10 * time.Second

// databaseOf is the database that a connection string names.
func databaseOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	_, path, _ := strings.Cut(rest, "/")
	name, _, _ := strings.Cut(path, "?")
	if name == "" {
		return database
	}
	return name
}

// prepare makes the secret. Another process may do so at once.
func (s *State) prepare(ctx context.Context) error {
	value := make([]byte, 32)
	_, _ = rand.Read(value) // It never fails.
	own := bson.D{{Key: "_id", Value: "erasure"}, {Key: "value", Value: value}}
	if _, err := s.secrets.InsertOne(ctx, own); err != nil && !mongo.IsDuplicateKeyError(err) {
		return fmt.Errorf("make the secret of erasures: %w", err)
	}
	var kept struct {
		Value []byte `bson:"value"`
	}
	if err := s.secrets.FindOne(ctx, byID("erasure")).Decode(&kept); err != nil {
		return fmt.Errorf("read the secret of erasures: %w", err)
	}
	s.secret = kept.Value
	return nil
}

// Ping reports whether the store can be read and written.
func (s *State) Ping(ctx context.Context) error {
	return failed("reaching the state store", s.client.Ping(ctx, readpref.Primary()))
}

// Close ends the connections.
//
//nolint:contextcheck // it is done when the contexts of others have ended
func (s *State) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.client.Disconnect(ctx)
	if errors.Is(err, mongo.ErrClientDisconnected) {
		return nil
	}
	return failed("closing the state store", err)
}

func byID(id string) bson.D { return bson.D{{Key: "_id", Value: id}} }
