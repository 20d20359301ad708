package indexer_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tidings/event"
	"tidings/indexer"
)

// brokenLetters fails, as a process does that is killed when most of an erasure is done.
type brokenLetters struct{}

func (brokenLetters) DropWhere(context.Context, string, func(event.Event) bool) (int, error) {
	return 0, errors.New("killed")
}

// erasureModel knows what must be there: whatever happened to a person after until.
type erasureModel struct {
	stores
	queue *queue
	heard *listener
	// now is the clock, of the store too.
	now   int64
	until map[string]int64
	given map[event.ID]event.Event
}

func (m *erasureModel) config() indexer.Config {
	return m.stores.config(m.queue, m.heard)
}

func (m *erasureModel) keeps(e event.Event, p event.Person) bool {
	until, erased := m.until[p.Email]
	return !erased || e.Time > until
}

// happens draws something new, or something of before again.
func (m *erasureModel) happens(t *rapid.T) {
	var e event.Event
	if len(m.given) > 0 && rapid.Bool().Draw(t, "again") {
		ids := make([]event.ID, 0, len(m.given))
		for id := range m.given {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, func(a, b event.ID) int { return bytes.Compare(a[:], b[:]) })
		e = m.given[rapid.SampledFrom(ids).Draw(t, "which")]
	} else {
		e = anyEvent(t)
		e.Workspace = "w"
		// Late, now, or by a clock that is ahead.
		e.Time = m.now + rapid.Int64Range(-600, 30).Draw(t, "late by")
		e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, fmt.Append(nil, e.Type, e.Message, e.Recipient))
		if known, is := m.given[e.ID]; is {
			e = known
		}
	}
	m.given[e.ID] = e
	m.queue.items = append(m.queue.items, newQueue(e).items...)
	m.queue.items[len(m.queue.items)-1].queue = m.queue
}

func (m *erasureModel) index(t *rapid.T) {
	c := m.config()
	if rapid.IntRange(0, 3).Draw(t, "crash") == 0 {
		c.Between = crashAfter(rapid.SampledFrom(steps).Draw(t, "crash after"))
	}
	require.NoError(t, handle(indexer.New(c), m.queue.take(rapid.IntRange(1, 10).Draw(t, "batch"))))
	m.queue.redeliver()
}

func (m *erasureModel) drain(t *rapid.T) {
	for m.queue.waiting() > 0 {
		require.NoError(t, handle(indexer.New(m.config()), m.queue.take(10)))
		m.queue.redeliver()
	}
}

func (m *erasureModel) present(t *rapid.T) map[event.ID]event.Event {
	ids := make([]event.ID, 0, len(m.given))
	for id := range m.given {
		ids = append(ids, id)
	}
	found, err := m.stores.index.Get(context.Background(), "w", ids)
	require.NoError(t, err)
	byID := make(map[event.ID]event.Event, len(found))
	for _, e := range found {
		byID[e.ID] = e
	}
	return byID
}

// erase removes a person, killed before the end or not, and until then again.
func (m *erasureModel) erase(t *rapid.T) {
	person := rapid.SampledFrom(people).Draw(t, "person")
	until := m.now
	for _, e := range m.present(t) {
		named := e.Recipients
		if e.Recipient != nil {
			named = []event.Person{*e.Recipient}
		}
		if slices.ContainsFunc(named, func(p event.Person) bool { return p.Email == person.Email }) {
			until = max(until, e.Time)
		}
	}
	m.until[person.Email] = max(m.until[person.Email], until)
	c := m.config()
	if rapid.Bool().Draw(t, "killed") {
		c.Eraser.DeadLetters = brokenLetters{}
		_, err := c.Eraser.Erase(context.Background(), "w", person.Email)
		require.Error(t, err)
		c.Eraser.DeadLetters = noLetters{}
	}
	_, err := c.Eraser.Erase(context.Background(), "w", person.Email)
	require.NoError(t, err)
}

// night writes the weeks anew, as sealing does, and lets go of old state.
func (m *erasureModel) night(t *rapid.T) {
	for _, week := range []event.Week{event.WeekOf(start), event.WeekOf(start) + 1} {
		require.NoError(t, m.stores.index.Seal(context.Background(), week))
		require.NoError(t, m.stores.index.Unseal(context.Background(), week))
	}
	_, err := m.state.Expire(context.Background(), time.Unix(m.now, 0))
	require.NoError(t, err)
}

// check holds the stores to the model.
func (m *erasureModel) check(t *rapid.T) {
	m.drain(t)
	present := m.present(t)
	sentTo := make(map[string]map[event.RecipientKey]bool)
	for id, e := range m.given {
		found, is := present[id]
		if e.Recipient != nil {
			require.Equal(t, m.keeps(e, *e.Recipient), is, "%s of %s at %d", e.Type, e.Recipient.Email, e.Time-start)
			continue
		}
		var left []event.Person
		for _, p := range e.Recipients {
			if m.keeps(e, p) {
				left = append(left, p)
				if sentTo[e.Message] == nil {
					sentTo[e.Message] = make(map[event.RecipientKey]bool)
				}
				sentTo[e.Message][event.KeyOf(p.Email)] = true
			}
		}
		require.Equal(t, len(left) > 0, is)
		if is {
			require.ElementsMatch(t, left, found.Recipients)
		}
	}
	states, err := m.state.Of(context.Background(), "w", []string{"m-1", "m-2", "m-3"})
	require.NoError(t, err)
	for message, state := range states {
		for key := range state.Recipients {
			require.True(t, sentTo[message][key], "the state of %s names who was erased from it", message)
		}
		require.Len(t, state.Recipients, len(sentTo[message]))
	}
}

// fewerChecks makes rapid try less often by default, where each try writes files.
func fewerChecks(t *testing.T, n string) {
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	if before != checks.DefValue {
		return // asked for
	}
	require.NoError(t, checks.Value.Set(n))
	t.Cleanup(func() { require.NoError(t, checks.Value.Set(before)) })
}
