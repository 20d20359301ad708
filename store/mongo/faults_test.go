package mongo_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tidings/event"
	"tidings/indexer"
	"tidings/store/mongo"
	"tidings/store/mongo/mongotest"
)

var outage = flag.Duration("outage", 2*time.Second, "how long MongoDB is away; 60s for the full form")

func open(t *testing.T, url string) *mongo.State {
	t.Helper()
	state, err := mongo.Open(t.Context(), mongo.Config{URL: url, Timeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, state.Close()) })
	return state
}

// someChanges are what happens to a few messages, in no order and some of it
// twice.
func someChanges(random *rand.Rand, n int) []event.Change {
	var changes []event.Change
	for range n {
		person := event.Person{Email: fmt.Sprintf("p%d@acme.example", random.IntN(4))}
		e := event.Event{
			Workspace: "w", Message: fmt.Sprintf("m-%d", random.IntN(5)), Time: 1000 + random.Int64N(100),
			Type: event.Types[random.IntN(len(event.Types))], Recipient: &person,
		}
		if e.Type == event.Send {
			e.Recipients, e.Subject = []event.Person{person}, fmt.Sprint("subject ", random.IntN(3))
		}
		e.ID = event.NewID(e.Time, "w", "api", true, fmt.Append(nil, e.Type, e.Message, person.Email))
		change := event.ChangeOf(e)
		if random.IntN(4) == 0 {
			change.Pending = []event.ID{e.ID}
		}
		for range 1 + random.IntN(2) {
			changes = append(changes, change)
		}
	}
	random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	return changes
}

// check holds what is stored to the changes, applied one after the other.
func check(t *testing.T, state *mongo.State, changes []event.Change) {
	t.Helper()
	expected := make(map[event.MessageKey]*event.State)
	for _, change := range changes {
		if expected[change.MessageKey] == nil {
			expected[change.MessageKey] = &event.State{MessageKey: change.MessageKey, First: map[event.Mark]map[event.RecipientKey]int64{}}
		}
		expected[change.MessageKey].Apply(change)
	}
	for key, model := range expected {
		found, err := state.Read(t.Context(), []event.MessageKey{key})
		require.NoError(t, err)
		stored := found[key]
		require.Equal(t, model.Complete(), stored.Expire != 0, "%v expires once complete", key)
		stored.Version, stored.Expire = model.Version, 0
		if model.Version > 0 {
			require.Equal(t, *model, stored)
		}
	}
}

// Several processes write while MongoDB goes away and comes back, each change
// again until it is said to be durable.
func TestWhatIsAcknowledgedSurvivesAnOutage(t *testing.T) {
	server := mongotest.Start(t)
	url, proxy := server.Through(t)
	random := rand.New(rand.NewPCG(1, 2))
	changes := someChanges(random, 250)
	const writers = 3
	var writing sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	note := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		refused++
		if !errors.Is(err, event.ErrUnavailable) {
			t.Errorf("not said to be unavailable: %v", err)
		}
	}
	halfway := make(chan struct{})
	for writer := range writers {
		state := open(t, url)
		writing.Go(func() {
			for i := writer; i < len(changes); i += writers {
				if i/writers == len(changes)/writers/2 && writer == 0 {
					close(halfway)
				}
				for {
					_, err := state.Apply(t.Context(), changes[i:i+1], nil)
					if err == nil {
						break
					}
					note(err)
				}
			}
		})
	}
	<-halfway
	proxy.Cut()
	watcher := open(t, server.URL(t)) // another database, which is not away
	require.NoError(t, watcher.Ping(t.Context()))
	<-time.After(*outage)
	proxy.Restore()
	writing.Wait()
	require.Positive(t, refused)
	check(t, open(t, url), changes)
}

func TestNoServerIsUnavailable(t *testing.T) {
	began := time.Now()
	_, err := mongo.Open(t.Context(), mongo.Config{URL: "mongodb://user:secret@127.0.0.1:1/x", Timeout: time.Second})
	require.ErrorIs(t, err, event.ErrUnavailable)
	require.NotContains(t, err.Error(), "secret")
	require.Less(t, time.Since(began), 10*time.Second)
}

func TestAConnectionStringThatIsNone(t *testing.T) {
	for _, url := range []string{"", "x", "http://user:secret@h", "mongodb://user:sec%ret@h", "mongodb://user:secret@:x/", "mongodb://u:secret@h/?w=x&journal=secret"} {
		_, err := mongo.Open(t.Context(), mongo.Config{URL: url, Timeout: 100 * time.Millisecond})
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "secret")
		require.NotContains(t, err.Error(), "sec%ret")
	}
}

// A crash after the write and before the note of its expiry is repaired by the
// repetition that follows every crash.
func TestARepetitionNotesTheExpiryThatACrashLeftOut(t *testing.T) {
	url := mongotest.Start(t).URL(t)
	state, messages := open(t, url), raw(t, url, "messages")
	jo := event.Person{Email: "jo@acme.example"}
	send := event.ChangeOf(event.Event{Workspace: "w", Message: "m", Type: event.Send, Time: 1000, Recipients: []event.Person{jo}})
	opened := event.ChangeOf(event.Event{Workspace: "w", Message: "m", Type: event.Open, Time: 2000, Recipient: &jo})
	for _, change := range []event.Change{send, opened} {
		_, err := state.Apply(t.Context(), []event.Change{change}, nil)
		require.NoError(t, err)
	}
	_, err := messages.UpdateOne(t.Context(), bson.M{"_id": "w|m"}, bson.M{
		"$unset": bson.M{"expire_at": ""}, "$set": bson.M{"waiting": true},
	})
	require.NoError(t, err)
	incomplete, err := state.Incomplete(t.Context(), "w", 0, "", 10)
	require.NoError(t, err)
	require.Empty(t, incomplete, "it is complete all the same")

	states, err := state.Apply(t.Context(), []event.Change{opened}, nil)
	require.NoError(t, err)
	require.NotZero(t, states[0].Expire)
	left, err := messages.CountDocuments(t.Context(), bson.M{"waiting": true})
	require.NoError(t, err)
	require.Zero(t, left)
}

// Expiry, erasure and replacement compare before they write, so that what comes
// meanwhile counts.
func TestReducingAndErasingWhileOthersWrite(t *testing.T) {
	url := mongotest.Start(t).URL(t)
	one, two := open(t, url), open(t, url)
	jo, kim := event.Person{Email: "jo@acme.example"}, event.Person{Email: "kim@acme.example"}
	erased := event.Person{Email: "gone@acme.example"}
	did := func(kind event.Type, message string, at int64, people ...event.Person) event.Change {
		return event.ChangeOf(event.Event{Workspace: "w", Message: message, Type: kind, Time: at, Recipient: &people[0], Recipients: people})
	}
	const messages = 40
	var working sync.WaitGroup
	work := func(do func(i int) error) {
		working.Go(func() {
			for i := range messages {
				if err := do(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work(func(i int) error {
		m := fmt.Sprint("m-", i)
		for _, change := range []event.Change{
			did(event.Send, m, 1000, jo, erased), did(event.Open, m, 2000, jo), did(event.Open, m, 2100, erased),
			did(event.Send, m, 1001, kim), // a second piece of the send
		} {
			if _, err := one.Apply(context.Background(), []event.Change{change}, nil); err != nil {
				return err
			}
		}
		return nil
	})
	work(func(int) error {
		_, err := two.Expire(context.Background(), time.Now().AddDate(1, 0, 0))
		return err
	})
	work(func(int) error {
		_, err := two.EraseRecipient(context.Background(), "w", erased.Email)
		return err
	})
	working.Wait()
	_, err := one.EraseRecipient(t.Context(), "w", erased.Email)
	require.NoError(t, err)
	waiting, err := two.Incomplete(t.Context(), "w", 0, "", messages+1)
	require.NoError(t, err)
	require.Len(t, waiting, messages, "the second recipient of each has not opened")
	for _, state := range waiting {
		require.Equal(t, []event.RecipientKey{event.KeyOf(kim.Email)}, state.Unopened())
		require.False(t, state.Names(event.KeyOf(erased.Email)))
	}
}

// What one process marks and erases, another sees.
func TestProcessesShareTheCatalogueAndTheErasures(t *testing.T) {
	url := mongotest.Start(t).URL(t)
	one, two := open(t, url), open(t, url)
	_, err := one.Apply(t.Context(), nil, []indexer.WorkspaceWeek{{Workspace: "w", Week: 7}})
	require.NoError(t, err)
	weeks, err := two.Weeks(t.Context(), "w")
	require.NoError(t, err)
	require.Equal(t, []event.Week{7}, weeks)
	require.NoError(t, one.MarkErased(t.Context(), "w", "jo@acme.example", 0))
	erased, err := two.Erased(t.Context(), map[string][]string{"w": {"jo@acme.example"}})
	require.NoError(t, err)
	require.Contains(t, erased["w"], "jo@acme.example")
	stored := raw(t, url, "records")
	count, err := stored.CountDocuments(t.Context(), bson.M{"_id": bson.M{"$regex": "jo"}})
	require.NoError(t, err)
	require.Zero(t, count, "the list tells nobody who is on it")
}

// Clicks beyond the latest are taken off, whoever wrote them.
func TestOldClicksAreTakenOff(t *testing.T) {
	url := mongotest.Start(t).URL(t)
	state, messages := open(t, url), raw(t, url, "messages")
	jo := event.Person{Email: "jo@acme.example"}
	for i := range 3 * event.MaxClicks {
		e := event.Event{Workspace: "w", Message: "m", Type: event.Click, Time: int64(1000 + i), Recipient: &jo, Link: fmt.Sprint(i)}
		e.ID = event.NewID(e.Time, "w", "api", true, nil)
		_, err := state.Apply(t.Context(), []event.Change{event.ChangeOf(e)}, nil)
		require.NoError(t, err)
	}
	found, err := state.Of(t.Context(), "w", []string{"m"})
	require.NoError(t, err)
	require.Len(t, found["m"].Clicks[event.KeyOf(jo.Email)], event.MaxClicks)
	var stored struct {
		Clicks map[string]map[string]int64 `bson:"clicks"`
	}
	require.NoError(t, messages.FindOne(t.Context(), bson.M{"_id": "w|m"}).Decode(&stored))
	require.LessOrEqual(t, len(stored.Clicks[string(event.KeyOf(jo.Email))]), event.MaxClicks+1)
}

// A document that has become too large is its own fault, and no outage.
func TestADocumentThatIsTooLargeHoldsNobodyUp(t *testing.T) {
	url := mongotest.Start(t).URL(t)
	state, err := mongo.Open(t.Context(), mongo.Config{URL: url, Timeout: time.Minute})
	require.NoError(t, err)
	defer state.Close()
	const most = 16 << 20
	_, err = raw(t, url, "messages").InsertOne(t.Context(), bson.M{
		"_id": "w|huge", "w": "w", "v": 1, "filling": strings.Repeat("x", most-1000),
	})
	require.NoError(t, err)
	jo := event.Person{Email: "jo@acme.example", Name: strings.Repeat("x", 2000)}
	_, err = state.Apply(t.Context(), []event.Change{event.ChangeOf(event.Event{
		Workspace: "w", Message: "huge", Type: event.Send, Time: 1000, Recipients: []event.Person{jo},
	})}, nil)
	require.Error(t, err)
	require.NotErrorIs(t, err, event.ErrUnavailable)
	require.NotContains(t, err.Error(), "xxx")
}

// raw is a collection as it is.
func raw(t *testing.T, url, collection string) *driver.Collection {
	client, err := driver.Connect(options.Client().ApplyURI(url))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Disconnect(context.Background())) })
	name := url[strings.LastIndex(url, "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	return client.Database(name).Collection(collection)
}
