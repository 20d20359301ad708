package indexer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/indexer"
	"tidings/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var people = []event.Person{
	{Email: "jo@acme.example", Name: "Jo"}, {Email: "li@acme.example", Name: "Li"}, {Email: "sam@globex.example"},
}

// start is an hour before a week ends, so that a message's events lie in two.
const start = 1_763_337_600 - 3600

// anyEvent draws something that happens to one of three messages.
func anyEvent(t *rapid.T) event.Event {
	e := event.Event{
		Workspace: rapid.SampledFrom([]string{"w", "v"}).Draw(t, "workspace"),
		Message:   rapid.SampledFrom([]string{"m-1", "m-2", "m-3"}).Draw(t, "message"),
		Type:      rapid.SampledFrom([]event.Type{event.Send, event.Open, event.Click, event.Reply, event.Delivery}).Draw(t, "type"),
		Time:      start + rapid.Int64Range(0, 2*3600).Draw(t, "time"),
		Source:    "api",
	}
	if e.Type == event.Send {
		e.Subject, e.User = "About "+e.Message, "u_ana"
		e.Recipients = people
	} else {
		e.Recipient = &event.Person{Email: rapid.SampledFrom(people).Draw(t, "recipient").Email}
	}
	key := fmt.Sprint(e.Type, e.Message, e.Recipient, rapid.IntRange(0, 1).Draw(t, "key"))
	e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, []byte(key))
	return e
}

// stores are real ones in a directory of their own.
type stores struct {
	index *sqlite.Index
	state *sqlite.State
	// pending is what waits to be judged again.
	pending *pending
}

func openStores(t require.TestingT) (stores, func()) {
	dir, err := os.MkdirTemp("", "indexer")
	require.NoError(t, err)
	index, err := sqlite.OpenIndex(filepath.Join(dir, "weeks"), sqlite.IndexConfig{})
	require.NoError(t, err)
	state, err := sqlite.OpenState(filepath.Join(dir, "state.db"), sqlite.StateConfig{})
	require.NoError(t, err)
	return stores{index, state, newPending()}, func() {
		require.NoError(t, errors.Join(index.Close(), state.Close(), os.RemoveAll(dir)))
	}
}

func (s stores) config(q *queue, l *listener) indexer.Config {
	return indexer.Config{
		Queue: q, Index: s.index, States: s.state, Erasures: s.state, Announcer: l,
		Rules: testRules, Reevaluations: &indexer.Reevaluator{Pending: s.pending},
		Eraser: &indexer.Eraser{Index: s.index, States: s.state, DeadLetters: noLetters{}, Triggers: noLetters{}, Announcer: l},
		Logger: slog.New(slog.DiscardHandler),
	}
}

// noLetters has no dead letters.
type noLetters struct{}

func (noLetters) DropWhere(context.Context, string, func(event.Event) bool) (int, error) {
	return 0, nil
}

func (noLetters) EraseTriggers(context.Context, string, func(event.Event) bool) error { return nil }

// handle takes one batch through an indexer that may crash after a step, the
// way a killed process does: nothing is given back and no deferred work runs on.
func handle(x *indexer.Indexer, batch []indexer.Delivery) error {
	var err error
	var done sync.WaitGroup
	done.Go(func() { err = x.Handle(context.Background(), batch) })
	done.Wait()
	return err
}

// crashAfter ends what is under way after a step.
func crashAfter(at indexer.Step) func(indexer.Step) {
	return func(step indexer.Step) {
		if step == at {
			runtime.Goexit()
		}
	}
}

var steps = []indexer.Step{
	indexer.StepEnrich, indexer.StepJudge, indexer.StepApply, indexer.StepCreate,
	indexer.StepComplete, indexer.StepAnnounce, indexer.StepAck,
}

func TestTwoIndexersAtOnceCompleteEveryPendingEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(anyEvent), 2, 25).Draw(t, "events")
		s, closeStores := openStores(t)
		defer closeStores()
		q, l := newQueue(events...), &listener{}
		size := rapid.IntRange(1, 4).Draw(t, "batch")
		for q.waiting() > 0 {
			var both sync.WaitGroup
			for range 2 {
				batch := q.take(size)
				both.Go(func() {
					if err := indexer.New(s.config(q, l)).Handle(context.Background(), batch); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			q.redeliver()
		}
		checkAgainstModel(t, s, l, events)
	})
}

// model is what the feed should hold: each event once, with what the send of
// its message says, whenever that came.
func model(events []event.Event) map[event.ID]event.Event {
	sends := make(map[event.MessageKey]event.State)
	for _, e := range events {
		if e.Type == event.Send {
			state := sends[event.MessageKey{Workspace: e.Workspace, Message: e.Message}]
			state.Apply(event.ChangeOf(e))
			sends[event.MessageKey{Workspace: e.Workspace, Message: e.Message}] = state
		}
	}
	want := make(map[event.ID]event.Event)
	for _, e := range events {
		if first, ok := want[e.ID]; ok && first.Type == event.Send {
			continue
		}
		if state := sends[event.MessageKey{Workspace: e.Workspace, Message: e.Message}]; state.Sent && e.Type != event.Send {
			e.Subject, e.User = state.Subject, state.User
			person := *e.Recipient
			person.Name = state.Recipients[event.KeyOf(person.Email)].Name
			e.Recipient = &person
		}
		want[e.ID] = e
	}
	return want
}

func checkAgainstModel(t *rapid.T, s stores, l *listener, events []event.Event) {
	ctx := context.Background()
	want := model(events)
	announced := make(map[event.ID]bool)
	for _, announcements := range l.announcements {
		if announcements.Kind == event.AnnounceEvent {
			announced[announcements.Event.ID] = true
		}
	}
	for _, workspace := range []string{"w", "v"} {
		var ids []event.ID
		for id, e := range want {
			if e.Workspace == workspace {
				ids = append(ids, id)
				require.True(t, announced[id], "%s was never announced", id)
			}
		}
		found, err := s.index.Get(ctx, workspace, ids)
		require.NoError(t, err)
		require.Len(t, found, len(ids))
		for _, e := range found {
			e.Verdict = event.Verdict{}
			if e.Type == event.Send {
				require.Equal(t, want[e.ID].Subject, e.Subject)
				continue
			}
			if diff := cmp.Diff(want[e.ID], e); diff != "" {
				t.Fatal(diff)
			}
		}
	}
	infos, err := s.index.WeekInfos(ctx)
	require.NoError(t, err)
	total := int64(0)
	for _, info := range infos {
		total += info.Events
	}
	require.Equal(t, int64(len(want)), total, "events in the index")
}

func TestAnErasedPersonDoesNotComeBack(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	send := event.Event{
		Workspace: "w", Message: "m", Type: event.Send, Time: start, Source: "api", Subject: "Hello",
		Recipients: []event.Person{people[0], people[1]},
	}
	send.ID = event.NewID(start, "w", "api", true, []byte("send"))
	events := append(someOpens(3), send)
	q, l := newQueue(events...), &listener{}
	c := s.config(q, l)
	x := indexer.New(c)
	require.NoError(t, x.Handle(t.Context(), q.take(10)))

	erased, err := c.Eraser.Erase(t.Context(), "w", "JO@acme.example")
	require.NoError(t, err)
	require.Equal(t, indexer.Erased{EventsDeleted: 3, SendsRewritten: 1, MessagesTouched: 1}, erased)

	again := newQueue(events...)
	written := &noting{Index: s.index}
	c.Queue, c.Index = again, written
	require.NoError(t, indexer.New(c).Handle(t.Context(), again.take(10)))
	for _, e := range written.events {
		require.NotEqual(t, &people[0], e.Recipient, "not for a moment")
		require.NotContains(t, e.Recipients, people[0], "not for a moment")
	}
	require.Zero(t, again.waiting())
	found, err := s.index.Get(t.Context(), "w", []event.ID{events[0].ID, events[1].ID, send.ID})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, []event.Person{people[1]}, found[0].Recipients)
	state, err := s.state.Of(t.Context(), "w", []string{"m"})
	require.NoError(t, err)
	require.Len(t, state["m"].Recipients, 1)
}

// erasing is an index before which a person is erased, once: after the batch has
// looked who is, and before it writes.
type erasing struct {
	indexer.Index
	erase func(context.Context) error
}

func (e *erasing) Create(ctx context.Context, events []event.Event) ([]event.Outcome, error) {
	if e.erase != nil {
		erase := e.erase
		e.erase = nil
		if err := erase(ctx); err != nil {
			return nil, err
		}
	}
	return e.Index.Create(ctx, events)
}

func TestAPersonWhoIsErasedWhileABatchIsUnderWayDoesNotStay(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	opens := someOpens(3)
	q, l := newQueue(opens...), &listener{}
	c := s.config(q, l)
	c.Index = &erasing{s.index, func(ctx context.Context) error {
		_, err := c.Eraser.Erase(ctx, "w", people[0].Email)
		return err
	}}
	require.NoError(t, indexer.New(c).Handle(t.Context(), q.take(10)))
	require.Zero(t, q.waiting())
	found, err := s.index.Get(t.Context(), "w", []event.ID{opens[0].ID, opens[1].ID, opens[2].ID})
	require.NoError(t, err)
	require.Empty(t, found)
	state, err := s.state.Of(t.Context(), "w", []string{"m"})
	require.NoError(t, err)
	require.Empty(t, state["m"].First)
	for _, announcements := range l.announcements {
		require.Nil(t, announcements.Event, "nobody hears of it")
	}
}
