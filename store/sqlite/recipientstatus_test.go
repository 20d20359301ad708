package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

func TestStatusesAreReadAsStatesAre(t *testing.T) {
	marks := []event.Mark{
		event.MarkOpened, event.MarkMachineOpened, event.MarkClicked, event.MarkDownloaded, event.MarkReplied, event.MarkBounced,
	}
	rapid.Check(t, func(t *rapid.T) {
		s := genState().Draw(t, "state")
		for key := range s.Recipients {
			for _, mark := range rapid.SliceOfDistinct(rapid.SampledFrom(marks), rapid.ID[event.Mark]).Draw(t, "marks") {
				if s.First == nil {
					s.First = make(map[event.Mark]map[event.RecipientKey]int64)
				}
				if s.First[mark] == nil {
					s.First[mark] = make(map[event.RecipientKey]int64)
				}
				s.First[mark][key] = 7
			}
		}
		raw := encodeState(s)
		status, err := decodeStatus(raw)
		require.NoError(t, err)
		require.Equal(t, query.StatusOf(s), status)
	})
}

func FuzzDecodeStatus(f *testing.F) {
	f.Add(encodeState(event.State{Sent: true, Subject: "s"}))
	f.Add([]byte{statePlain, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		status, err := decodeStatus(raw)
		s, whole := decodeState(event.MessageKey{}, raw)
		if whole != nil {
			return // Statuses end before states do.
		}
		require.NoError(t, err)
		// A state that names somebody twice is not written so.
		if again := encodeState(s); string(again) == string(raw) {
			require.Equal(t, query.StatusOf(s), status)
		}
	})
}

func openTestState(t testing.TB) *State {
	s, err := OpenState(filepath.Join(t.TempDir(), "state.db"), StateConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// sendTo is the effect of a send to one person.
func sendTo(message string) event.Change {
	jo := event.Person{Email: "jo@acme.example"}
	return event.ChangeOf(event.Event{Workspace: "w", Type: event.Send, Time: 100, Message: message, Recipients: []event.Person{jo}})
}

func openOf(message string) event.Change {
	return event.ChangeOf(event.Event{
		Workspace: "w", Type: event.Open, Time: 200, Message: message, Recipient: &event.Person{Email: "jo@acme.example"},
	})
}

func unopened(t testing.TB, s *State, message string) bool {
	of, err := s.Statuses(context.Background(), "w")
	require.NoError(t, err)
	return of([]string{message})[0].Has(query.IsUnopened)
}

func TestStatusesFollowStates(t *testing.T) {
	ctx, s := context.Background(), openTestState(t)
	apply := func(changes ...event.Change) {
		_, err := s.Apply(ctx, changes, nil)
		require.NoError(t, err)
	}
	apply(sendTo("before"))
	require.True(t, unopened(t, s, "before"), "what was written before the first question")
	require.False(t, unopened(t, s, "never"))
	apply(sendTo("after"))
	require.True(t, unopened(t, s, "after"), "what was written after it")
	apply(openOf("before"))
	require.False(t, unopened(t, s, "before"))
	_, err := s.EraseRecipient(ctx, "w", "jo@acme.example")
	require.NoError(t, err)
	require.False(t, unopened(t, s, "after"), "a message without anybody is not known")
}

func TestStatusesForgetWhatWasNotCommitted(t *testing.T) {
	ctx, s := context.Background(), openTestState(t)
	_, err := s.Apply(ctx, []event.Change{sendTo("m")}, nil)
	require.NoError(t, err)
	require.True(t, unopened(t, s, "m"))
	full := errors.New("the disk is full")
	err = s.transact(ctx, func(tx *stateTx) error {
		_, err := tx.apply(openOf("m"))
		require.NoError(t, err)
		return full
	})
	require.ErrorIs(t, err, full)
	require.True(t, unopened(t, s, "m"))
}

func TestStatusesReadWhileOthersWrite(t *testing.T) {
	ctx, s := context.Background(), openTestState(t)
	const writers, each = 4, 25
	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			for i := range each {
				message := fmt.Sprint(writer, "-", i)
				if _, err := s.Apply(ctx, []event.Change{sendTo(message)}, nil); err != nil {
					panic(err)
				}
				if i%7 == 0 {
					s.statusCache.forget(map[string]bool{"w": true}) // to be read again
				}
				if !unopened(t, s, message) {
					panic("a state that was written is not known: " + message)
				}
			}
		})
	}
	group.Wait()
	of, err := s.Statuses(ctx, "w")
	require.NoError(t, err)
	for writer := range writers {
		for i := range each {
			require.True(t, of([]string{fmt.Sprint(writer, "-", i)})[0].Has(query.IsUnopened))
		}
	}
}

func TestStatusesAreBounded(t *testing.T) {
	ctx, s := context.Background(), openTestState(t)
	s.statusCache = newStatusCache(2)
	for _, workspace := range []string{"w", "v", "u"} {
		change := sendTo("m")
		change.Workspace = workspace
		_, err := s.Apply(ctx, []event.Change{change}, nil)
		require.NoError(t, err)
		_, err = s.Statuses(ctx, workspace)
		require.NoError(t, err)
	}
	require.Len(t, s.statusCache.kept, 2)
	require.NotContains(t, s.statusCache.kept, "w")
	_, err := s.Apply(ctx, []event.Change{sendTo("m-2"), sendTo("m-3")}, nil)
	require.NoError(t, err)
	_, err = s.Statuses(ctx, "w")
	require.ErrorIs(t, err, errors.ErrUnsupported)

	// One that has grown since it was read is not kept either.
	for _, message := range []string{"m-2", "m-3"} {
		change := sendTo(message)
		change.Workspace = "u"
		_, err = s.Apply(ctx, []event.Change{change}, nil)
		require.NoError(t, err)
	}
	_, err = s.Statuses(ctx, "u")
	require.NoError(t, err)
	require.Empty(t, s.statusCache.kept)
	_, err = s.Statuses(ctx, "u")
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

func TestCountsByTheStateOfRecipients(t *testing.T) {
	ctx := context.Background()
	index, err := OpenIndex(t.TempDir(), IndexConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, index.Close()) }()
	week := event.Week(2900)
	jo := event.Person{Email: "jo@acme.example"}
	var events []event.Event
	for i, subject := range []string{"pricing", "pricing", "meeting"} {
		at := week.Start() + int64(i)
		events = append(events, event.Event{
			ID: event.NewID(at, "w", "s", true, []byte{byte(i)}), Workspace: "w", Type: event.Send, Time: at,
			Message: fmt.Sprint("m-", i), Source: "s", Subject: subject, Recipients: []event.Person{jo},
		})
	}
	_, err = index.Create(ctx, events)
	require.NoError(t, err)
	statusCache := func(messages []string) []query.RecipientStatus {
		found := make([]query.RecipientStatus, len(messages))
		for i, message := range messages {
			if message != "m-0" {
				found[i] = query.StatusWhere(func(is query.RecipientState) bool { return is == query.IsUnopened })
			}
		}
		return found
	}
	pricing := query.Words{Form: query.FormStem, Terms: []string{"price"}}
	isUnopened := query.Recipients{Is: query.IsUnopened}
	for _, test := range []struct {
		name  string
		where query.Expr
		now   int64
		want  int
	}{
		{"unopened", isUnopened, 0, 2},
		{"opened", query.Not{Expr: isUnopened}, 0, 1},
		{"and a word", query.And{isUnopened, pricing}, 0, 1},
		{"or a word", query.Or{isUnopened, pricing}, 0, 3},
		{"without a word", query.And{isUnopened, query.Not{Expr: pricing}}, 0, 1},
		{"or a time", query.Or{isUnopened, query.Time{Until: week.Start() + 1}}, 0, 3},
		{"old enough", query.Recipients{Is: query.IsUnopened, OlderThan: 10}, week.Start() + 11, 1},
		{"of another type", query.And{isUnopened, query.Types(event.Open)}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			aggregate, err := index.Aggregate(ctx, feed.AggregateRequest{
				Workspace: "w", Week: week, Query: query.Query{Where: test.where, Now: test.now}, Statuses: statusCache,
			})
			require.NoError(t, err)
			require.Equal(t, test.want, aggregate.Events.Sum())
		})
	}
}
