package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

// keptOf are the messages of the workspace w whose states are kept.
func keptOf(s *State, messages ...string) (kept []string) {
	found, _, _ := s.stateCache.find("w", messages)
	for _, message := range messages {
		if _, ok := found[message]; ok {
			kept = append(kept, message)
		}
	}
	return kept
}

func statesOf(t testing.TB, s *State, messages ...string) map[string]event.State {
	states, err := s.Of(t.Context(), "w", messages)
	require.NoError(t, err)
	return states
}

// Whatever is done to states, those that are kept are those in the file.
func TestStatesThatAreKeptAreThoseInTheFile(t *testing.T) {
	messages := []string{"a", "b", "c", "d"}
	now := time.Unix(1000, 0)
	config := StateConfig{Grace: time.Hour, Now: func() time.Time { return now }, CacheKB: 64}
	states, err := OpenState(filepath.Join(t.TempDir(), "state.db"), config)
	require.NoError(t, err)
	defer func() { require.NoError(t, states.Close()) }()
	checks := 0
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		checks++
		workspace := fmt.Sprint("w", checks)
		message, people := rapid.SampledFrom(messages), rapid.SampledFrom([]string{"jo@acme.example", "al@acme.example"})
		change := func(kind event.Type) event.Change {
			e := event.Event{Workspace: workspace, Type: kind, Time: now.Unix(), Message: message.Draw(t, "message")}
			if person := (event.Person{Email: people.Draw(t, "person")}); kind == event.Send {
				e.Recipients = []event.Person{person}
			} else {
				e.Recipient = &person
			}
			return event.ChangeOf(e)
		}
		failing := errors.New("the disk is full")
		t.Repeat(map[string]func(*rapid.T){
			"send": func(*rapid.T) {
				_, err := states.Apply(ctx, []event.Change{change(event.Send)}, nil)
				require.NoError(t, err)
			},
			"open": func(*rapid.T) {
				_, err := states.Apply(ctx, []event.Change{change(event.Open)}, nil)
				require.NoError(t, err)
			},
			"fail": func(*rapid.T) {
				err := states.transact(ctx, func(tx *stateTx) error { _, err := tx.apply(change(event.Open)); return errors.Join(err, failing) })
				require.ErrorIs(t, err, failing)
			},
			"erase": func(*rapid.T) {
				_, err := states.EraseRecipient(ctx, workspace, people.Draw(t, "erased"))
				require.NoError(t, err)
			},
			"replace": func(*rapid.T) {
				found, err := states.Of(ctx, workspace, []string{message.Draw(t, "replaced")})
				require.NoError(t, err)
				for _, state := range found {
					state.Subject += "!"
					_, err := states.Replace(ctx, state)
					require.NoError(t, err)
				}
			},
			"pass": func(*rapid.T) {
				now = now.Add(50 * time.Minute)
				_, err := states.Expire(ctx, now)
				require.NoError(t, err)
			},
			"": func(t *rapid.T) {
				asked := rapid.SliceOfDistinct(message, rapid.ID[string]).Draw(t, "asked")
				want, err := states.ofEach(ctx, workspace, asked)
				require.NoError(t, err)
				got, err := states.Of(ctx, workspace, asked)
				require.NoError(t, err)
				require.Equal(t, want, got)
				require.Empty(t, states.stateCache.committing)
			},
		})
	})
}

func TestStatesThatWereReadAreKept(t *testing.T) {
	s := openTestState(t)
	_, err := s.Apply(t.Context(), []event.Change{sendTo("m"), sendTo("n")}, nil)
	require.NoError(t, err)
	require.Empty(t, keptOf(s, "m", "n"), "nobody has asked yet")
	require.Len(t, statesOf(t, s, "m", "n", "no such"), 2)
	require.Equal(t, []string{"m", "n"}, keptOf(s, "m", "n", "no such"))
	_, err = s.Apply(t.Context(), []event.Change{openOf("m")}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"n"}, keptOf(s, "m", "n"), "it has changed")
	require.NotEmpty(t, statesOf(t, s, "m")["m"].First[event.MarkOpened])
}

func TestWhoeverIsErasedIsInNoStateThatIsKept(t *testing.T) {
	s := openTestState(t)
	_, err := s.Apply(t.Context(), []event.Change{sendTo("m"), openOf("m")}, nil)
	require.NoError(t, err)
	require.Len(t, statesOf(t, s, "m")["m"].Recipients, 1)
	_, err = s.EraseRecipient(t.Context(), "w", "jo@acme.example")
	require.NoError(t, err)
	require.Empty(t, s.stateCache.kept)
	require.Empty(t, statesOf(t, s, "m")["m"].Recipients)
}

// What was read before a change, or while it was committed, is not kept behind it.
func TestAStateThatWasReadBeforeAChangeIsNotKept(t *testing.T) {
	s := openTestState(t)
	_, err := s.Apply(t.Context(), []event.Change{sendTo("m")}, nil)
	require.NoError(t, err)
	key := event.MessageKey{Workspace: "w", Message: "m"}
	_, _, commits := s.stateCache.find("w", []string{"m"})
	old, err := s.readOf(t.Context(), "w", []string{"m"})
	require.NoError(t, err)

	s.stateCache.begin([]event.MessageKey{key, key})
	s.stateCache.put(commits, old)
	require.Empty(t, keptOf(s, "m"), "it is being committed")
	s.stateCache.end([]event.MessageKey{key, key})
	s.stateCache.put(commits, old)
	require.Empty(t, keptOf(s, "m"), "it was read before")
	require.Empty(t, s.stateCache.committing)
	_, _, commits = s.stateCache.find("w", []string{"m"})
	s.stateCache.put(commits, old)
	require.Equal(t, []string{"m"}, keptOf(s, "m"))
}

func TestStatesThatAreKeptAreBounded(t *testing.T) {
	s, err := OpenState(filepath.Join(t.TempDir(), "state.db"), StateConfig{CacheKB: 32})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	var changes []event.Change
	var messages []string
	for n := range 200 {
		messages = append(messages, fmt.Sprint("m", n))
		changes = append(changes, sendTo(messages[n]))
	}
	large := event.Event{Workspace: "w", Type: event.Send, Time: 100, Message: "large"}
	for n := range 100 {
		large.Recipients = append(large.Recipients, event.Person{Email: fmt.Sprint("p", n, "@acme.example")})
	}
	_, err = s.Apply(t.Context(), append(changes, event.ChangeOf(large)), nil)
	require.NoError(t, err)
	require.Len(t, statesOf(t, s, append(messages, "large")...), 201)
	require.Empty(t, keptOf(s, "large"), "one alone would put out all others")
	bytes := 0
	for element := s.stateCache.order.Front(); element != nil; element = element.Next() {
		bytes += element.Value.(*cachedState).bytes
	}
	require.Equal(t, s.stateCache.bytes, bytes)
	require.LessOrEqual(t, bytes, 32<<10)
	require.Greater(t, len(s.stateCache.kept), 10)
	require.Len(t, s.stateCache.kept, s.stateCache.order.Len())
}

// Beside those who write, nobody reads a state that is older than one that was read or
// written before.
func TestStatesAreReadBesideThoseWhoWriteThem(t *testing.T) {
	s := openTestState(t)
	messages := []string{"a", "b", "c"}
	var written [3]atomic.Int64
	for _, message := range messages {
		_, err := s.Apply(t.Context(), []event.Change{sendTo(message)}, nil)
		require.NoError(t, err)
	}
	var reading sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		reading.Go(func() {
			var seen [3]int64
			for {
				select {
				case <-done:
					return
				default:
				}
				var least [3]int64
				for i := range messages {
					least[i] = max(seen[i], written[i].Load())
				}
				states, err := s.Of(context.Background(), "w", messages)
				if err != nil {
					panic(err)
				}
				for i, message := range messages {
					if seen[i] = states[message].Version; seen[i] < least[i] {
						panic(fmt.Sprintf("version %d of %s was there, and now it is %d", least[i], message, seen[i]))
					}
				}
			}
		})
	}
	for n := range 120 {
		change := openOf(messages[n%3])
		change.First[event.MarkOpened] = map[event.RecipientKey]int64{event.KeyOf("jo@acme.example"): int64(10_000 - n)}
		states, err := s.Apply(t.Context(), []event.Change{change}, nil)
		require.NoError(t, err)
		written[n%3].Store(states[0].Version)
	}
	close(done)
	reading.Wait()
	require.Greater(t, written[0].Load(), int64(30))
}
