package rollover_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/feed"
	"tidings/query"
	"tidings/rollover"
)

// sent is a send of one piece of a message, opened is its open.
func sent(message string, at time.Time, to event.Person) event.Event {
	e := event.Event{
		Workspace: "w", Message: message, Type: event.Send, Time: at.Unix(), Source: "api", Recipients: []event.Person{to},
	}
	e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, fmt.Append(nil, e.Type, message, to.Email))
	return e
}

func opened(message string, at time.Time, by event.Person) event.Event {
	e := event.Event{Workspace: "w", Message: message, Type: event.Open, Time: at.Unix(), Source: "api", Recipient: &by}
	e.ID = event.NewID(e.Time, e.Workspace, e.Source, true, fmt.Append(nil, e.Type, message, by.Email))
	return e
}

// A run that is killed once anything past the retention is gone must leave
// enough for the next one to find the rest.
func TestStatesAreForgottenWhereverARunIsKilled(t *testing.T) {
	for after := range 8 {
		t.Run(fmt.Sprintf("after %d actions", after), func(t *testing.T) {
			w := newWorld(t, rollover.Policy{Retention: 40 * day})
			defer w.remove(t)
			w.waiting = []event.Event{sent("m-old", noon.Add(-60*day), people[0]), sent("m-new", noon.Add(-day), people[0])}
			w.deliver(t)
			w.crash(t, after)
			w.run(t)
			states, err := w.state.Of(t.Context(), "w", []string{"m-old", "m-new"})
			require.NoError(t, err)
			require.False(t, states["m-old"].Sent, "the state outlived its week")
			require.True(t, states["m-new"].Sent)
			infos, err := w.index.WeekInfos(t.Context())
			require.NoError(t, err)
			for _, info := range infos {
				require.Greater(t, info.Week.End(), noon.Add(-40*day).Unix(), "week %s", info.Week)
			}
		})
	}
}

// A send of several pieces may begin on a Sunday and end on a Monday.
func TestAllPiecesOfASendOverSundayMidnightArePurged(t *testing.T) {
	monday := time.Date(2026, time.June, 15, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name          string
		first, second time.Time
	}{
		{"one week", monday, monday.Add(time.Hour)},
		{"over midnight", monday.Add(-time.Second), monday},
		{"the later piece first", monday.Add(time.Hour), monday.Add(-time.Hour)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, rollover.Policy{RemoveCompleted: true})
			defer w.remove(t)
			opens := []event.Event{opened("m", noon.Add(-time.Hour), people[0]), opened("m", noon.Add(-time.Hour), people[1])}
			w.waiting = append([]event.Event{sent("m", c.first, people[0]), sent("m", c.second, people[1])}, opens...)
			w.deliver(t)
			w.now = w.now.Add(grace + time.Second)
			w.run(t) // reduces the state,
			w.now = w.now.Add(day + time.Second)
			w.run(t) // and a day later takes the sends.
			infos, err := w.index.WeekInfos(t.Context())
			require.NoError(t, err)
			weeks := make([]event.Week, len(infos))
			for i, info := range infos {
				weeks[i] = info.Week
			}
			hits, err := w.index.Search(t.Context(), feed.Search{
				Workspace: "w", Query: query.Query{Automated: query.AutomatedShow}, Weeks: weeks, Limit: 10,
			})
			require.NoError(t, err)
			for _, hit := range hits {
				require.Equal(t, event.Open, hit.Event.Type, "a piece of the send is left")
			}
			require.Len(t, hits, len(opens))
		})
	}
}

// What another process left undone is this one's to do, at once and not the next
// night.
func TestOnlyARunOfAnotherProcessInWhichNothingFailedCounts(t *testing.T) {
	for _, c := range []struct {
		name string
		last func(now time.Time) rollover.Report
		made bool
	}{
		{"done", func(now time.Time) rollover.Report {
			return rollover.Report{At: now, Actions: []rollover.Action{{Step: rollover.StepExpire}}}
		}, false},
		{"failed", func(now time.Time) rollover.Report {
			return rollover.Report{At: now, Actions: []rollover.Action{{Step: rollover.StepExpire, Error: "it failed"}}}
		}, true},
		{"done the night before", func(now time.Time) rollover.Report {
			return rollover.Report{At: now.Add(-time.Second)}
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				last := c.last(time.Now())
				q, n := &quiet{}, &notes{wanted: map[event.Week]bool{}, last: &last}
				ctx, stop := context.WithCancel(t.Context())
				keeper := keeping(q, n, nobodyElse{})
				var running sync.WaitGroup
				running.Go(func() {
					require.NoError(t, keeper.Keep(ctx, rollover.TimeOfDay{Hour: 23, Minute: 59}))
				})
				time.Sleep(time.Minute)
				require.Equal(t, c.made, len(q.made()) == 1)
				require.Equal(t, c.made, !keeper.LastMade().IsZero())
				stop()
				running.Wait()
			})
		})
	}
}
