package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
)

// facts are what a state must say, computed from the set of a message's events
// alone, in whatever order. Times are by mark and address.
type facts struct {
	Sent          bool
	User, Subject string
	At            int64
	People        map[string]string
	First         map[string]int64
	Clicks        map[string][]event.Clicked
	Complete      bool
	// Senders are by address, where several users have sent the message.
	Senders map[string][]string
	// Subjects are by user, there too.
	Subjects map[string]string
}

func modelOf(events []event.Event) facts {
	f := facts{People: map[string]string{}, First: map[string]int64{}, Clicks: map[string][]event.Clicked{}}
	smaller := func(have, given string) string {
		if have == "" || given != "" && given < have {
			return given
		}
		return have
	}
	for _, e := range events {
		if e.Type == event.Send {
			f.User, f.Subject = smaller(f.User, e.User), smaller(f.Subject, e.Subject)
			if !f.Sent || e.Time < f.At {
				f.At = e.Time
			}
			f.Sent = true
			for _, person := range e.Recipients {
				f.People[person.Email] = smaller(f.People[person.Email], person.Name)
			}
			continue
		}
		if e.Type == event.Click {
			f.Clicks[e.Recipient.Email] = latestClicks(append(f.Clicks[e.Recipient.Email], event.ClickedOf(e)))
		}
		for _, mark := range marksOf(e) {
			name := string(mark) + " " + e.Recipient.Email
			if first, ok := f.First[name]; !ok || e.Time < first {
				f.First[name] = e.Time
			}
		}
	}
	f.Complete = f.Sent
	f.Senders, f.Subjects = sendersOf(events)
	for email := range f.People {
		if _, opened := f.First[string(event.MarkOpened)+" "+email]; !opened {
			f.Complete = false
		}
	}
	return f
}

// sendersOf is who has sent to whom, and what, nil where it is one user.
func sendersOf(events []event.Event) (senders map[string][]string, subjects map[string]string) {
	senders, subjects = make(map[string][]string), make(map[string]string)
	named := 0
	for _, e := range events {
		if e.Type != event.Send {
			continue
		}
		before, known := subjects[e.User]
		if !known && e.User != "" {
			named++
		}
		if before == "" || e.Subject != "" && e.Subject < before {
			subjects[e.User] = e.Subject
		}
		for _, person := range e.Recipients {
			if users := senders[person.Email]; e.User != "" && !slices.Contains(users, e.User) {
				senders[person.Email] = append(users, e.User)
				slices.Sort(senders[person.Email])
			}
		}
	}
	if named < 2 {
		return nil, nil
	}
	return senders, subjects
}

// latestClicks are the distinct clicks that are kept.
func latestClicks(clicks []event.Clicked) []event.Clicked {
	slices.SortFunc(clicks, func(a, b event.Clicked) int {
		return cmp.Or(slices.Compare(a.ID[:], b.ID[:]), cmp.Compare(a.Link, b.Link))
	})
	clicks = slices.Compact(clicks)
	return clicks[max(0, len(clicks)-event.MaxClicks):]
}

// marksOf are the first times that an event may set.
func marksOf(e event.Event) []event.Mark {
	machine := e.Verdict.Is == event.Machine
	switch {
	case e.Type == event.Open && machine:
		return []event.Mark{event.MarkMachineOpened}
	case e.Type == event.Open:
		return []event.Mark{event.MarkOpened}
	case e.Type == event.Click && !machine:
		return []event.Mark{event.MarkOpened, event.MarkClicked}
	case e.Type == event.Download && !machine:
		return []event.Mark{event.MarkOpened, event.MarkDownloaded}
	case e.Type == event.Reply:
		return []event.Mark{event.MarkOpened, event.MarkReplied}
	case e.Type == event.Bounce:
		return []event.Mark{event.MarkBounced}
	case e.Type == event.Delivery:
		return []event.Mark{event.MarkDelivered}
	case e.Type == event.Complaint:
		return []event.Mark{event.MarkComplained}
	case e.Type == event.Unsubscribe:
		return []event.Mark{event.MarkUnsubscribed}
	}
	return nil
}

// factsOf reads a stored state as the model does; the addresses are those that
// the suite uses.
func factsOf(s event.State) facts {
	f := facts{
		Sent: s.Sent, User: s.User, Subject: s.Subject, At: s.At, Complete: s.Complete(),
		People: map[string]string{}, First: map[string]int64{}, Clicks: map[string][]event.Clicked{},
	}
	for _, email := range emails {
		if clicks := s.Clicks[event.KeyOf(email)]; len(clicks) > 0 {
			f.Clicks[email] = clicks
		}
	}
	for _, person := range s.Recipients {
		f.People[person.Email] = person.Name
	}
	if s.Shared() {
		f.Senders, f.Subjects = make(map[string][]string), make(map[string]string)
		for key, person := range s.Recipients {
			if users := s.SendersOf(key); len(users) > 0 {
				f.Senders[person.Email] = users
			}
		}
		for user, part := range s.Parts {
			f.Subjects[user] = part.Subject
		}
	}
	for mark, firsts := range s.First {
		for _, email := range emails {
			if at, ok := firsts[event.KeyOf(email)]; ok {
				f.First[string(mark)+" "+email] = at
			}
		}
	}
	return f
}

// checkFacts holds what is stored of each message to the model.
func (x stateTest) checkFacts(t require.TestingT, workspace string, events []event.Event) {
	byMessage := make(map[string][]event.Event)
	for _, e := range events {
		byMessage[e.Message] = append(byMessage[e.Message], e)
	}
	stored, err := x.Of(context.Background(), workspace, messages)
	require.NoError(t, err)
	for message, events := range byMessage {
		expected := modelOf(events)
		if !expected.Sent && len(expected.First) == 0 && len(expected.Clicks) == 0 {
			require.NotContains(t, stored, message, "nothing is known of it")
			continue
		}
		state := stored[message]
		require.Equal(t, expected, factsOf(state), message)
		require.Equal(t, expected.Complete, state.Expire != 0, "expiry of %s", message)
		require.Equal(t, workspace, state.Workspace)
	}
}

// genHistory makes events of a few messages, as they come: each a number of
// times, in any order.
func genHistory(workspace string) *rapid.Generator[[]event.Event] {
	return rapid.Custom(func(t *rapid.T) []event.Event {
		distinct := func(e event.Event) event.ID { return e.ID }
		events := rapid.SliceOfNDistinct(genEvent(workspace), 1, 25, distinct).Draw(t, "events")
		again := rapid.SliceOfN(rapid.SampledFrom(events), 0, 25).Draw(t, "again")
		return rapid.Permutation(append(slices.Clone(events), again...)).Draw(t, "order")
	})
}

// RunStateModel holds states to the model after any order, repetition and batching of
// generated events. Nothing happens at once in it: RunState has the writers that do.
func RunStateModel(t *testing.T, h StateHarness) {
	x := openState(t, h)
	var cases atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		workspace := fmt.Sprintf("w-%d", cases.Add(1))
		history := genHistory(workspace).Draw(t, "history")
		versions := make(map[event.MessageKey]int64)
		for rest := history; len(rest) > 0; {
			size := rapid.IntRange(1, len(rest)).Draw(t, "batch")
			for key, state := range x.apply(t, rest[:size]...) {
				require.GreaterOrEqual(t, state.Version, versions[key])
				versions[key] = state.Version
			}
			rest = rest[size:]
		}
		x.checkFacts(t, workspace, history)
	})
}

func testStateWriters(t *testing.T, x stateTest) {
	var cases atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		workspace := fmt.Sprintf("w-%d", cases.Add(1))
		history := genHistory(workspace).Draw(t, "history")
		const writers = 3
		var writing sync.WaitGroup
		var problems [writers]error
		for writer := range writers {
			writing.Go(func() {
				for i := writer; i < len(history); i += writers {
					change := event.ChangeOf(history[i])
					_, err := x.Apply(context.Background(), []event.Change{change}, weeksOf(history[i:i+1]))
					if err != nil {
						problems[writer] = err
					}
				}
			})
		}
		writing.Wait()
		for _, problem := range problems {
			require.NoError(t, problem)
		}
		x.checkFacts(t, workspace, history)
	})
}
