package notify_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
	"tidings/notify"
	"tidings/query"
)

// absence is a rule of Ana's that nobody opened for three days, or answered.
func (o *office) absence(no string) {
	o.rule("u_ana", "no "+no, notify.Ask{On: notify.OnAbsence, No: no, After: "3d"})
}

// decided is what was decided about messages.
func (o *office) decided() map[string]string {
	o.t.Helper()
	all := make(map[string]string)
	for after, more := "", true; more; {
		page, next, err := o.store.Page(context.Background(), "w", notify.Filter{User: "u_ana"}, after, 1000)
		require.NoError(o.t, err)
		for _, d := range page {
			require.Empty(o.t, all[d.Message], "decided twice")
			all[d.Message] = string(d.Outcome) + " " + string(d.Check)
		}
		after, more = next, next != ""
	}
	return all
}

// A send comes after its time was over: a minute late it is told, two days late it is in the
// log as too old, and ten days late it is no news at all.
func TestASendThatComesLateIsStillMissed(t *testing.T) {
	o := newOffice(t)
	o.absence(notify.NoOpen)
	o.pass(20 * 24 * time.Hour)
	o.tick()
	for name, late := range map[string]time.Duration{"a minute": time.Minute, "two days": 48 * time.Hour, "ten days": 240 * time.Hour} {
		o.send(name, o.now.Add(-72*time.Hour-late))
	}
	for range 3 {
		o.pass(time.Hour)
		o.tick()
	}
	require.Equal(t, map[string]string{"a minute": "notified ", "two days": "not fresh"}, o.decided())
}

// A clock that is put forward by an hour tells an hour early and once; one that is put back
// misses nothing.
func TestAClockIsAnHourOff(t *testing.T) {
	for name, off := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.absence(notify.NoOpen)
			begun := o.now
			sent := make(map[string]string)
			for minutes := range 6 {
				message := fmt.Sprint("m", minutes)
				o.send(message, begun.Add(time.Duration(30*minutes)*time.Minute))
				sent[message] = "notified "
			}
			for minutes := range 72*60 + 6*30 {
				if minutes%60 != 0 && minutes < 71*60 {
					continue
				}
				o.now = begun.Add(time.Duration(minutes) * time.Minute)
				if minutes > 72*60+45 && minutes < 72*60+100 {
					o.now = o.now.Add(off)
				}
				o.tick()
			}
			require.Equal(t, sent, o.decided())
		})
	}
}

// What is opened in the second before it is due is not missed; nor is what somebody opened
// whose times were let go.
func TestWhatWasOpenedJustBeforeIsNotMissed(t *testing.T) {
	o := newOffice(t)
	o.absence(notify.NoOpen)
	o.absence(notify.NoReply)
	for _, message := range []string{"opened", "silent", "done", "replied"} {
		o.send(message, o.now)
	}
	done := o.states["done"]
	done.Done = true // everybody opened it, and only what may still change is kept
	o.states["done"] = done
	o.pass(72*time.Hour - time.Second)
	o.tick()
	require.Empty(t, o.bell("u_ana"))
	for _, message := range []string{"opened", "replied"} {
		o.mark(message, event.MarkOpened, "lee@dox.test")
	}
	o.mark("replied", event.MarkReplied, "lee@dox.test")
	o.pass(time.Second)
	o.tick()
	missed := make(map[notify.Kind][]string)
	for _, d := range o.bell("u_ana") {
		missed[d.Kind] = append(missed[d.Kind], d.Message)
	}
	require.Equal(t, []string{"silent"}, missed[notify.KindUnopened])
	require.ElementsMatch(t, []string{"opened", "silent", "done"}, missed[notify.KindUnreplied])
}

// meanwhile has another process look just when this one has read what is due.
type meanwhile struct {
	*office
	other func()
}

func (m *meanwhile) FindEach(
	ctx context.Context, workspace string, q query.Query, atOnce int, visit func([]event.Event, map[string]event.State) (bool, error),
) error {
	return m.office.FindEach(ctx, workspace, q, atOnce, func(events []event.Event, states map[string]event.State) (bool, error) {
		if other := m.other; other != nil {
			m.other = nil
			other()
		}
		return visit(events, states)
	})
}

// Two processes look at once: each is decided once, and what is told twice has the same id.
func TestTwoLookAtOnce(t *testing.T) {
	o := newOffice(t)
	o.absence(notify.NoOpen)
	sent := make(map[string]string)
	for i := range 20 {
		message := fmt.Sprint("m", i)
		o.send(message, o.now)
		sent[message] = "notified "
	}
	config := o.engine.Config
	config.Feed = &meanwhile{o, func() { o.tick() }}
	o.pass(72 * time.Hour)
	require.NoError(t, notify.NewEngine(config).Tick(context.Background()))
	o.tick()
	require.Equal(t, sent, o.decided())
}

// crowd are many sends of one second, that were never opened.
type crowd struct {
	*office
	sends  []event.Event
	states map[string]event.State
}

func (c *crowd) FindEach(
	_ context.Context, _ string, q query.Query, atOnce int, visit func([]event.Event, map[string]event.State) (bool, error),
) error {
	for first := 0; first < len(c.sends); first += atOnce {
		some := append([]event.Event(nil), c.sends[first:min(first+atOnce, len(c.sends))]...)
		if some[0].Time < q.From || some[0].Time >= q.Until {
			return nil
		}
		if more, err := visit(some, c.states); err != nil || !more {
			return err
		}
	}
	return nil
}

var due = flag.Int("due", 5_000, "how many are due in one minute")

// dueLimits are the limits of what is told of those.
var dueLimits = notify.Limits{Person: notify.MostTold, NotTold: notify.MostNotTold}

// Thousands are due in one minute: each is decided once, a thousand at once.
func TestThousandsAreDueInOneMinute(t *testing.T) {
	o := newOffice(t)
	o.absence(notify.NoOpen)
	c := &crowd{office: o, states: make(map[string]event.State)}
	for i := range *due {
		message := fmt.Sprint("m", i)
		c.sends = append(c.sends, o.send(message, o.now.Add(-time.Duration(i*50 / *due)*time.Second)))
	}
	c.states, o.events = o.states, nil
	config := o.engine.Config
	config.Feed, config.Limits = c, dueLimits
	engine := notify.NewEngine(config)
	o.pass(72*time.Hour + time.Minute)
	for range 3 {
		require.NoError(t, engine.Tick(context.Background()))
		o.pass(30 * time.Second)
	}
	outcomes := make(map[string]int)
	for _, outcome := range o.decided() {
		outcomes[outcome]++
	}
	// Beyond 500 in an hour nobody is told, but that it is so, and beyond 2,000 in a day it is not kept.
	require.Equal(t, map[string]int{"notified ": dueLimits.Person + 1, "not cap": dueLimits.NotTold}, outcomes)
}
