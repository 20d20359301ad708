package sqlite

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
)

var cachedWeek = event.Week(2900)

func mailTo(n int, people ...string) event.Event {
	at, message := cachedWeek.Start()+int64(n), fmt.Sprint("m-", n)
	e := event.Event{
		ID: event.NewID(at, "w", "s", true, []byte(message)), Workspace: "w", Type: event.Send, Time: at,
		Message: message, Source: "s", Subject: "quarterly figures", User: "u1",
	}
	for _, email := range people {
		e.Recipients = append(e.Recipients, event.Person{Email: email})
	}
	return e
}

func cachedIndex(t *testing.T, kilobytes int, events ...event.Event) *Index {
	index, err := OpenIndex(t.TempDir(), IndexConfig{EventCacheKB: kilobytes})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, index.Close()) })
	_, err = index.Create(t.Context(), events)
	require.NoError(t, err)
	return index
}

func pageOf(t *testing.T, x *Index, q query.Query) []event.Event {
	hits, err := x.Search(t.Context(), feed.Search{Workspace: "w", Query: q, Weeks: []event.Week{cachedWeek}, Limit: 50})
	require.NoError(t, err)
	var events []event.Event
	for _, hit := range hits {
		events = append(events, hit.Event)
	}
	return events
}

// holds reports whether any event that is kept in memory names an address.
func (c *eventCache) holds(email string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for element := c.order.Front(); element != nil; element = element.Next() {
		for _, person := range element.Value.(*cachedEvent).event.Recipients {
			if person.Email == email {
				return true
			}
		}
	}
	return false
}

func TestWhoIsErasedIsNotKeptInMemory(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		x := cachedIndex(t, 0, mailTo(1, "jo@acme.example"), mailTo(2, "jo@acme.example", "cy@acme.example"), mailTo(3, "cy@acme.example"))
		if sealed {
			require.NoError(t, x.Seal(t.Context(), cachedWeek))
		}
		require.Len(t, pageOf(t, x, query.Query{}), 3)
		require.Len(t, pageOf(t, x, query.Query{}), 3)
		require.True(t, x.events.holds("jo@acme.example"), "the page was kept")
		_, _, err := x.EraseRecipient(t.Context(), "w", "jo@acme.example")
		require.NoError(t, err)
		require.False(t, x.events.holds("jo@acme.example"), "sealed: %v", sealed)
		require.Equal(t, []event.Event{mailTo(3, "cy@acme.example"), mailTo(2, "cy@acme.example")}, pageOf(t, x, query.Query{}))
	}
}

func TestAPageHasWhatWasWrittenLast(t *testing.T) {
	x := cachedIndex(t, 0, mailTo(1, "jo@acme.example"))
	of := func(user string) query.Query { return query.Query{}.Restrict([]string{user}) }
	require.Len(t, pageOf(t, x, of("u1")), 1)
	changed := mailTo(1, "jo@acme.example")
	changed.User, changed.Subject = "u2", "yearly figures"
	require.NoError(t, x.Rewrite(t.Context(), []event.Event{changed}))
	require.Empty(t, pageOf(t, x, of("u1")), "it is another user's now")
	require.Equal(t, []event.Event{changed}, pageOf(t, x, of("u2")))
}

func TestKeptEventsStayWithinTheirBound(t *testing.T) {
	var events []event.Event
	for n := range 300 {
		e := mailTo(n, "jo@acme.example")
		e.Body = strings.Repeat("figures ", 100)
		events = append(events, e)
	}
	x := cachedIndex(t, 32, events...)
	for range 3 {
		require.Len(t, pageOf(t, x, query.Query{}), 50)
	}
	hits, err := x.Search(t.Context(), feed.Search{Workspace: "w", Weeks: []event.Week{cachedWeek}, Limit: mostCachedPage})
	require.NoError(t, err)
	require.Len(t, hits, 300)
	bytes := 0
	for element := x.events.order.Front(); element != nil; element = element.Next() {
		bytes += element.Value.(*cachedEvent).bytes
	}
	require.Equal(t, x.events.bytes, bytes)
	require.LessOrEqual(t, bytes, 32<<10)
	require.Greater(t, len(x.events.kept), 10)
	require.Len(t, x.events.kept, x.events.order.Len())
}

// Who read a row before it was changed does not put it back behind the change.
func TestWhatWasReadBeforeAChangeIsNotKept(t *testing.T) {
	x := cachedIndex(t, 0, mailTo(1, "jo@acme.example"))
	file := x.slot(cachedWeek).file
	before := file.changes.Load()
	changed := mailTo(1, "jo@acme.example")
	changed.Subject = "yearly figures"
	require.NoError(t, x.Rewrite(t.Context(), []event.Event{changed}))
	x.events.put(file, before, map[int64]*event.Event{7: new(mailTo(1, "jo@acme.example"))})
	found, missing := x.events.find(file, []int64{7})
	require.Equal(t, []*event.Event{nil}, found)
	require.Equal(t, 1, missing)
	require.Zero(t, file.changes.Load()%2)
}

// Pages that are read while events are judged anew have each event as it was or as it is,
// and what matched is what is shown.
func TestPagesBesideChangesAreOfOneMoment(t *testing.T) {
	var events []event.Event
	for n := range 20 {
		events = append(events, mailTo(n, "jo@acme.example"))
	}
	x := cachedIndex(t, 0, events...)
	var reading sync.WaitGroup
	done := make(chan struct{})
	for reader := range 3 {
		reading.Go(func() {
			user := fmt.Sprint("u", 1+reader%2)
			for {
				for _, e := range pageOf(t, x, query.Query{}.Restrict([]string{user})) {
					if e.User != user {
						t.Errorf("%s's page has an event of %s", user, e.User)
					}
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for round := range 60 {
		for i := range events {
			events[i].User = fmt.Sprint("u", 1+(round+i)%2)
		}
		require.NoError(t, x.Rewrite(t.Context(), events))
	}
	close(done)
	reading.Wait()
	require.Len(t, pageOf(t, x, query.Query{}), 20)
	require.Equal(t, pageOf(t, x, query.Query{}), pageOf(t, x, query.Query{}))
}

func TestAnEventIsCountedWithAllItsTexts(t *testing.T) {
	e, agent := mailTo(1, "jo@acme.example"), strings.Repeat("a", 1000)
	small := bytesOf(&e)
	e.Body, e.Client = agent, &event.Client{UserAgent: &agent, Headers: map[string]string{"via": agent}}
	require.Greater(t, bytesOf(&e), small+3000)
}
