package indexer_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/indexer"
	"tidings/verdict"
)

// clicked is a person's click on a link, some seconds after the start.
func clicked(seconds int64, link, key string) event.Event {
	e := event.Event{
		Workspace: "w", Message: "m-1", Type: event.Click, Time: start + seconds, Source: "api", Link: link,
		Recipient: &event.Person{Email: "jo@acme.example"},
		ID:        event.NewID(start+seconds, "w", "api", true, []byte(key)),
	}
	agent := "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/150.0"
	e.Client = &event.Client{UserAgent: &agent}
	return e
}

// A state keeps the latest clicks alone. One that comes late, beside a click that
// was pushed out, makes a burst of both.
func TestABurstIsFoundThoughItsNeighbourWasPushedOut(t *testing.T) {
	for name, later := range map[string]int{"the late one is kept": event.MaxClicks - 1, "neither is kept": event.MaxClicks} {
		t.Run(name, func(t *testing.T) {
			s, closeStores := openStores(t)
			defer closeStores()
			first, late := clicked(0, "https://a.example/", "first"), clicked(1, "https://b.example/", "late")
			events := []event.Event{first}
			for i := range later {
				events = append(events, clicked(int64(100+10*i), "https://a.example/", fmt.Sprint(i)))
			}
			l := &listener{}
			for _, e := range append(events, late) {
				q := newQueue(e)
				require.NoError(t, handle(indexer.New(s.config(q, l)), q.take(1)))
			}
			s.reevaluator(l).quiet(t, s)
			found, err := s.index.Get(t.Context(), "w", []event.ID{first.ID, late.ID})
			require.NoError(t, err)
			for _, e := range found {
				require.Equal(t, verdict.RuleBurst, e.Verdict.Rule, e.Link)
			}
		})
	}
}

func TestACompletedEventIsAnnouncedThoughTheProcessDiesBehindIt(t *testing.T) {
	s, closeStores := openStores(t)
	defer closeStores()
	pending := about(event.Open, "m-1", "early", "jo@acme.example")
	l := &listener{}
	q := newQueue(pending)
	require.NoError(t, handle(indexer.New(s.config(q, l)), q.take(1)))
	q = newQueue(about(event.Send, "m-1", "send", "jo@acme.example"))
	c := s.config(q, l)
	c.Between = crashAfter(indexer.StepComplete)
	require.NoError(t, handle(indexer.New(c), q.take(1)))
	q.redeliver()
	require.NoError(t, handle(indexer.New(s.config(q, l)), q.take(1)))
	require.Zero(t, q.waiting())
	changed := 0
	for _, announcements := range l.announcements {
		if announcements.Kind == event.AnnounceChanged && announcements.Event.ID == pending.ID {
			require.Equal(t, "About m-1", announcements.Event.Subject)
			changed++
		}
	}
	require.Positive(t, changed, "readers have the line without a subject")
}
